"""A project's packages/ is what its list says: when it is new, and after an update."""

from pathlib import Path

import pytest
from mlops.ops.template_files import FOLDER, LIST, Compared, compare_project, digest, list_of
from mlops.settings.project import find_project

from tests.support import Template, commit_all, contents

EDITED = "packages/mlops/src/mlops/errors.py"
KEPT = ("pyproject.toml", "src/mlops/errors.py", "src/mlops/platforms/base.py")
REASON = '\n[tool.mlops.patched]\n"packages/mlops/src/mlops/errors.py" = "ours: OPS-7"\n'


def compared(project: Path) -> Compared:
    found = compare_project(find_project(project))
    assert found
    return found


def release(template: Template, tag: str) -> None:
    """Write the list anew, as `make files` does, and tag all of it."""
    files = contents(template.path / "template" / FOLDER)
    files.pop("files.sha256", None)
    digests = {name: digest(content) for name, content in files.items()}
    (template.path / "template" / LIST).write_text(list_of(digests), encoding="utf-8", newline="\n")
    commit_all(template.path, tag=tag)


def append(path: Path, text: str) -> None:
    path.write_text(f"{path.read_text(encoding='utf-8')}{text}\n", encoding="utf-8", newline="\n")


def prepend(path: Path, text: str) -> None:
    path.write_text(f"{text}\n{path.read_text(encoding='utf-8')}", encoding="utf-8", newline="\n")


@pytest.fixture
def template(tmp_path: Path) -> Template:
    """One with little machinery, which the test may change."""
    small = Template.make_small(tmp_path / "template", KEPT)
    release(small, "1.1.0")
    return small


@pytest.fixture
def project(template: Template, tmp_path: Path) -> Path:
    project = template.render(tmp_path / "project")
    commit_all(project)
    return project


def test_a_new_project_is_what_its_list_says(project: Path) -> None:
    assert compared(project).rows() == []
    assert compared(project).files == len(KEPT)


def test_an_update_brings_files_and_their_list(template: Template, project: Path) -> None:
    machinery = template.path / "template" / FOLDER / "mlops/src/mlops"
    append(machinery / "errors.py", "# news")
    (machinery / "platforms/base.py").rename(machinery / "moved.py")
    release(template, "2.0.0")
    template.update(project)
    commit_all(project)
    assert compared(project).rows() == []
    assert "# news" in (project / EDITED).read_text(encoding="utf-8")


def test_a_declared_patch_is_still_declared_after_an_update(
    template: Template, project: Path
) -> None:
    prepend(project / EDITED, "# mine")
    assert compared(project).undeclared == (EDITED,)
    append(project / "pyproject.toml", REASON)
    commit_all(project)
    append(template.path / "template" / EDITED, "# news")
    release(template, "2.0.0")
    template.update(project)
    commit_all(project)
    assert compared(project).rows() == [(EDITED, "changed", "ours: OPS-7")]


@pytest.mark.slow
def test_a_patch_that_the_template_has_taken_is_no_longer_one(
    template: Template, project: Path
) -> None:
    for path in (project, template.path / "template"):
        prepend(path / EDITED, "# mine")
    append(project / "pyproject.toml", REASON)
    commit_all(project)
    release(template, "2.0.0")
    template.update(project)
    commit_all(project)
    assert compared(project).needless == (EDITED,)
