"""What README, the tutorial and the how-to pages tell people to type is typed, block by block."""

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

from tests.support import Template, run, uv, variables
from tools.worktree import ROOT

pytestmark = [pytest.mark.project, pytest.mark.slow]

PAGES = (ROOT / "README.md", ROOT / "docs/tutorial.md", *sorted((ROOT / "docs/how-to").glob("*")))
AS_A_USER = {"GIT_CONFIG_COUNT": "2"} | {
    name: value
    for number, setting in enumerate([("user.name", "Test"), ("user.email", "t@example.com")])
    for name, value in zip(
        (f"GIT_CONFIG_KEY_{number}", f"GIT_CONFIG_VALUE_{number}"), setting, strict=True
    )
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


PLAYED: dict[str, Callable[[Template, Path], Reader]] = {"docs/tutorial.md": tutorial}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_says_is_typed(template: Template, tmp_path: Path, page: Path) -> None:
    name = page.relative_to(ROOT).as_posix()
    if not blocks(page):
        assert name not in PLAYED
        return
    reader = PLAYED[name](template, tmp_path / "work")
    assert reader.left == [], f"{name} has blocks that nobody typed"
