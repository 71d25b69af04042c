"""What README and the tutorial tell people to type is typed, block by block."""

import os
import re
import signal
import socket
import subprocess
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support import Template, commit_all, run, uv, variables
from tools.worktree import ROOT, copy_worktree

pytestmark = [pytest.mark.project, pytest.mark.slow]

AS_A_USER = {
    "GIT_CONFIG_COUNT": "2",
    "GIT_CONFIG_KEY_0": "user.name",
    "GIT_CONFIG_VALUE_0": "Test",
    "GIT_CONFIG_KEY_1": "user.email",
    "GIT_CONFIG_VALUE_1": "test@example.com",
}
ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+\S*")


def blocks(page: Path) -> list[str]:
    """Return the fenced blocks of a page that are to be typed, in order."""
    return re.findall(r"^```\n(.*?)^```$", page.read_text(encoding="utf-8"), re.M | re.S)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


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
        block = self.left.pop(0)
        for name, meant in self.names.items():
            block = re.sub(rf"\b{re.escape(name)}\b", meant.replace("\\", r"\\"), block)
        block = re.sub(r"uvx copier (copy|update)", r"uvx copier \1 --defaults", block)
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


PLAYED: dict[str, Callable[[Template, Path], Reader]] = {
    "README.md": readme,
    "docs/tutorial.md": tutorial,
}


@pytest.mark.parametrize("page", PLAYED)
def test_what_a_page_says_is_typed(template: Template, tmp_path: Path, page: str) -> None:
    reader = PLAYED[page](template, tmp_path / "work")
    assert reader.left == [], f"{page} has blocks that nobody typed"
