"""The blank example: green from the start, and honest about what is missing."""

import re
import shutil
import tempfile
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.project.generated import ProjectChecks
from tests.support import Project, Template

pytestmark = pytest.mark.project


@pytest.fixture(scope="module")
def project(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Project:
    return template.install(tmp_path_factory.mktemp("blank") / "project", example="blank")


STUB = re.compile(
    r'(    """(?:(?!""").)*?)    Example:\n((?:(?!""").)*?)    """\n'
    r"    raise StubNotFilled\([^\n]*\)\n",
    re.DOTALL,
)
"""A stub with an example: what stands before it, and the example."""

SETTINGS = {
    '"fill_in_your_key_column"': '"machine_id"',
    "DATE_COLUMN: str | None = None": 'DATE_COLUMN: str | None = "visited_on"',
    "=params.horizon_days": "=60",
}
"""What the examples speak of, and where it is set."""


def filled(text: str) -> str:
    """Let each stub of a module do what its example does."""

    def example(stub: re.Match[str]) -> str:
        body = textwrap.indent(textwrap.dedent(stub[2]), "    ")
        return f'{stub[1]}    """\n{body}'

    return STUB.sub(example, text)


def fill_with_examples(package: Path) -> None:
    """Fill every stub of the package with its example, and set what they speak of."""
    for path in package.glob("*.py"):
        text = filled(path.read_text(encoding="utf-8"))
        for old, new in SETTINGS.items():
            text = text.replace(old, new)
        path.write_text(text, encoding="utf-8")


@contextmanager
def exchanged(project: Path, other: Path, folders: tuple[str, ...]) -> Iterator[None]:
    """Put folders of another project into this one, and its own back afterwards."""
    with tempfile.TemporaryDirectory() as kept:
        for name in folders:
            shutil.move(project / name, Path(kept, name))
            shutil.copytree(other / name, project / name)
        try:
            yield
        finally:
            for name in folders:
                shutil.rmtree(project / name)
                shutil.move(Path(kept, name), project / name)


class TestBlank(ProjectChecks):
    @pytest.mark.slow  # those of the first example are the same but for the package
    def test_its_hooks_pass(self, project: Project) -> None:
        super().test_its_hooks_pass(project)

    def test_the_loop_says_which_stub_is_missing(self, project: Project) -> None:
        said = project.mlops("run", expect=2)
        assert "a stub of the use case is not filled yet: sample.py: make_sample(): " in said

    def test_stubs_can_be_refused(self, project: Project) -> None:
        said = project.run("pytest", "--no-stubs", expect=1)
        assert "StubNotFilled" in said

    @pytest.mark.parametrize(
        "task",
        [
            "binary",
            pytest.param("multiclass", marks=pytest.mark.slow),
            pytest.param("regression", marks=pytest.mark.slow),
        ],
    )
    def test_the_examples_of_the_stubs_belong_together(
        self, project: Project, template: Template, tmp_path: Path, task: str
    ) -> None:
        """The stubs of each task take turns in one project, as only they and conf/ differ."""
        other = template.render(tmp_path / "project", example="blank", task=task)
        package = other / "src/purchase_prediction"
        fill_with_examples(package)
        with exchanged(project.path, other, ("src", "conf")):
            project.run("pytest", "--no-stubs")
