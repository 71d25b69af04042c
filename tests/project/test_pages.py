"""What README and the tutorial tell people to type is typed, block by block."""

import os
import re
import shutil
import signal
import subprocess
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from mlops.ops.adoption import Block

from tests.project.package_index import package_index
from tests.project.test_adopted import THEIRS, paste, paste_all
from tests.project.test_second_use_case import HERE
from tests.support import Project, Template, append, commit_all, free_port, run, uv, variables
from tools.worktree import ROOT, copy_worktree

pytestmark = [pytest.mark.project, pytest.mark.slow]

AS_A_USER = {
    "GIT_CONFIG_COUNT": "2",
    "GIT_CONFIG_KEY_0": "user.name",
    "GIT_CONFIG_VALUE_0": "Test",
    "GIT_CONFIG_KEY_1": "user.email",
    "GIT_CONFIG_VALUE_1": "test@example.com",
    "UV_PUBLISH_USERNAME": "anybody",
    "UV_PUBLISH_PASSWORD": "of this machine",
}
ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+\S*")


def blocks(page: Path) -> list[str]:
    """Return the fenced blocks of a page that are to be typed, in order: those of no language."""
    return fenced(page, "")


def fenced(page: Path, language: str) -> list[str]:
    """Return the fenced blocks of a page that are in a language."""
    found = re.findall(r"^```(\w*)\n(.*?)^```$", page.read_text(encoding="utf-8"), re.M | re.S)
    return [block for of, block in found if of == language]


@dataclass
class Reader:
    """A person who types the blocks of a page one after the other."""

    folder: Path
    left: list[str]
    names: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, page: str, folder: Path, **names: str) -> "Reader":
        """Open a page; `names` are what its words in capitals stand for."""
        folder.mkdir(exist_ok=True)
        return cls(folder, blocks(ROOT / page), names)

    def type(self, *, expect: int = 0) -> str:
        """Type the next block; return what the terminal shows."""
        block = self.said(self.left.pop(0))
        block = re.sub(
            r"uvx copier (copy|update)(?! --defaults)", r"uvx copier \1 --defaults", block
        )
        shown = ""
        before, serves, after = block.partition("uv run mlops ui\n")
        shown += self._bash(before, expect)
        if serves:
            self._look_at_the_ui()
            shown += self._bash(after, expect)
        moved = re.search(r"^cd (\S+)$", block, re.M)
        if moved:
            self.folder = self.folder / moved[1]
        return shown

    def said(self, block: str) -> str:
        """Return a block with what its words in capitals stand for."""
        for name, meant in self.names.items():
            block = re.sub(rf"\b{re.escape(name)}\b", meant.replace("\\", r"\\"), block)
        return block

    def _bash(self, script: str, expect: int) -> str:
        if not script:
            return ""
        command = ("bash", "-euo", "pipefail", "-c", script)
        return run(*command, folder=self.folder, env=self._env(), expect=expect)

    def _env(self) -> dict[str, str]:
        path = os.pathsep.join([str(Path(uv()).parent), os.environ["PATH"]])
        return {"PATH": path, **AS_A_USER}

    def _look_at_the_ui(self) -> None:
        """Start it, read the page at the address that it prints, and press Ctrl-C."""
        command = [uv(), "run", "mlops", "ui", "--port", str(free_port())]
        with subprocess.Popen(
            command,
            cwd=self.folder,
            env=variables(self._env()),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        ) as process:
            try:
                assert process.stdout
                found = next(filter(None, map(ADDRESS.search, process.stdout)))
                with urllib.request.urlopen(found[0].rstrip("."), timeout=60) as answer:
                    assert answer.status == 200
            finally:
                os.killpg(process.pid, signal.SIGINT)
                process.communicate(timeout=60)


def tutorial(template: Template, folder: Path) -> Reader:
    reader = Reader.of("docs/tutorial.md", folder, SOURCE=str(template.path))
    reader.type()
    reader.type()
    assert "all traffic" in reader.type().lower()
    reader.type()
    reader.names["RUN"] = run_id_of(reader.folder)
    assert "0.99" in reader.type(expect=1)
    assert "version 1" in reader.type()
    reader.type()
    return reader


def run_id_of(project: Path) -> str:
    (newest,) = list((project / ".mlops" / "runs").iterdir())
    return newest.name


def readme(template: Template, folder: Path) -> Reader:
    clone = copy_worktree(folder / "clone")
    commit_all(clone)
    reader = Reader.of("README.md", clone, SOURCE=str(template.path))
    assert "mlops simulate" in reader.type()
    reader.folder = clone / ".build" / "demo"
    assert "rolled back" in reader.type()
    reader.folder = folder
    reader.type()
    reader.left.pop(0)  # Cookiecutter's command: test_doors.py types it
    assert "all traffic" in reader.type().lower()
    return reader


def your_own_model(template: Template, folder: Path) -> Reader:
    """The stubs are filled by a use case of the tests, and data are what its sample makes."""
    data = folder / "data"
    reader = Reader.of(
        "docs/how-to/your-own-model.md", folder, SOURCE=str(template.path), DATA=str(data)
    )
    reader.type()
    project = folder / "my-model"
    run("git", "init", "--quiet", "--initial-branch", "main", folder=project)
    reader.folder = project
    assert "xfailed" in reader.type()
    shutil.rmtree(project / "src/purchase_prediction")
    shutil.copytree(HERE / "breast_cancer", project / "src/purchase_prediction")
    (project / "conf/dev.yaml").write_text("data: {fraction: 1.0}\n", encoding="utf-8")
    made = Project(project)
    made.mlops("data", "make", "--size", "569", "--output", data)
    assert "The whole loop ran in" in reader.type()
    made.mlops("stop", "--all")
    reader.type()
    assert "def contract" in (project / "draft.py").read_text(encoding="utf-8")
    return reader


def update(template: Template, folder: Path) -> Reader:
    newer = folder / "template"
    folder.mkdir()
    run("git", "clone", "--quiet", template.path, newer, folder=folder)
    project = Template(newer).install(folder / "project", example="rfm", maturity_level=1).path
    append(newer / "template/docs/gate.md", "News.")
    commit_all(newer, tag="2.0.0")
    first = run("git", "rev-list", "--max-parents=0", "HEAD", folder=project).strip()
    reader = Reader.of("docs/how-to/update.md", project, FIRST=first)
    said = reader.type()
    assert "modified:   docs/gate.md" in said
    commit_all(project)
    reader.type()
    assert (folder / "machinery.patch").read_text(encoding="utf-8") == ""
    reader.type()
    assert 'team = "Growth"' in (project / "pyproject.toml").read_text(encoding="utf-8")
    return reader


def raise_the_level(template: Template, folder: Path) -> Reader:
    project = template.install(folder, example="rfm", maturity_level=2).path
    reader = Reader.of("docs/how-to/raise-the-level.md", project)
    assert "docs/ab-test.md" in reader.type()
    commit_all(project)
    assert "maturity_level" in reader.type(expect=1)
    return reader


def adopt(template: Template, folder: Path) -> Reader:
    for name, text in THEIRS.items():
        path = folder / name.replace("acme_churn", "churn")
        path.parent.mkdir(parents=True, exist_ok=True)
        own = text.replace("acme_churn", "churn").replace("acme-churn", "churn")
        path.write_text(own, encoding="utf-8")
    commit_all(folder)
    reader = Reader.of("docs/how-to/adopt.md", folder, SOURCE=str(template.path))
    assert "docs/adopting.md shows the block to add" in reader.type(expect=1)
    paste_all(Project(folder))
    said = reader.type()
    assert re.search(r"\d+ passed", said)
    return reader


def from_copies_to_a_library(template: Template, folder: Path) -> Reader:
    """The index is pypiserver, which takes uploads from anybody."""
    project = template.install(folder / "project", example="rfm", maturity_level=1).path
    with package_index(folder / "index") as address:
        reader = Reader.of(
            PAGE_OF_A_LIBRARY,
            project,
            **{"https://YOUR-INDEX/upload": address, "https://YOUR-INDEX": address},
        )
        shown = fenced(ROOT / PAGE_OF_A_LIBRARY, "toml")
        reader.type()
        assert list((folder / "index").glob("mlops_machinery-0.2.0*"))
        commit_all(project)
        depend_on_the_library(project, [reader.said(block) for block in shown])
        said = reader.type()
        assert "The whole loop ran in" in said
        assert not (project / "packages").exists()
        Project(project).mlops("stop", "--all")
    commit_all(project)
    reader.type()
    assert not (project / "packages").exists()
    return reader


def depend_on_the_library(project: Path, shown: list[str]) -> None:
    """Put what the page shows into pyproject.toml as it says: in the place of what is there."""
    path = project / "pyproject.toml"
    text = path.read_text(encoding="utf-8")
    workspace = '[tool.uv.workspace]\nmembers = ["packages/mlops"]\n\n'
    assert text.count(workspace) == 1
    text = text.replace(workspace, "")
    for block in shown:
        text = paste(text, Block("pyproject.toml", "", block))
    path.write_text(text, encoding="utf-8")


PAGE_OF_A_LIBRARY = "docs/how-to/from-copies-to-a-library.md"
PLAYED: dict[str, Callable[[Template, Path], Reader]] = {
    "README.md": readme,
    "docs/tutorial.md": tutorial,
    "docs/how-to/adopt.md": adopt,
    PAGE_OF_A_LIBRARY: from_copies_to_a_library,
    "docs/how-to/raise-the-level.md": raise_the_level,
    "docs/how-to/update.md": update,
    "docs/how-to/your-own-model.md": your_own_model,
}
ELSEWHERE = {"docs/how-to/cookiecutter.md": "tests/template/test_doors.py"}
"""Typed at prompts, to which those tests answer."""


def test_no_page_with_commands_is_left_out() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    typed = {page.relative_to(ROOT).as_posix() for page in pages if blocks(page)}
    assert typed == PLAYED.keys() | ELSEWHERE.keys()


@pytest.mark.parametrize("page", PLAYED)
def test_what_a_page_says_is_typed(template: Template, tmp_path: Path, page: str) -> None:
    reader = PLAYED[page](template, tmp_path / "work")
    assert reader.left == [], f"{page} has blocks that nobody typed"
