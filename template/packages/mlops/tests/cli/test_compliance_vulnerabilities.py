"""`mlops compliance vulnerabilities` asks OSV about both locks, and silence is no good news."""

import json
import os
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from fakes.cli import Command
from mlops.ops.vulnerabilities import script_of
from mlops.settings.project import Project

BAD = "badthing"
OFFLINE = '\n[tool.uv]\nno-index = true\nfind-links = ["{wheels}"]\n'


class Osv(BaseHTTPRequestHandler):
    """Knows one vulnerability, of one package."""

    def do_POST(self) -> None:
        length = int(self.headers["content-length"])
        queries = json.loads(self.rfile.read(length))["queries"]
        known = [{"id": "GHSA-known", "modified": "2026-01-01T00:00:00Z"}]
        hits = [{"vulns": known} if q["package"]["name"] == BAD else {} for q in queries]
        self._answer({"results": hits})

    def do_GET(self) -> None:
        self._answer({"id": "GHSA-known", "modified": "2026-01-01T00:00:00Z", "summary": "a hole"})

    def _answer(self, content: dict[str, Any]) -> None:
        body = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""


@pytest.fixture
def osv() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Osv)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    folder = tmp_path / "wheels"
    folder.mkdir()
    for name in ("goodthing", BAD):
        with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as wheel:
            info = f"{name}-1.0.dist-info"
            wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0")
            wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
            wheel.writestr(f"{info}/RECORD", "")
    return folder


def depend(project: Project, wheels: Path, package: str, serving: str) -> None:
    """Let the project, and what serves, need just a package each."""
    path = project.root / "pyproject.toml"
    text = path.read_text(encoding="utf-8")
    needs = f'[project]\nname = "tiny"\nversion = "0"\ndependencies = ["{package}==1.0"]\n'
    text = f'{needs}requires-python = ">=3.11"\n\n{text}{OFFLINE.format(wheels=wheels)}'
    path.write_text(text, encoding="utf-8")
    (project.root / "serving").mkdir()
    (project.root / "serving" / "requirements.txt").write_text(f"{serving}==1.0  # pinned\n")


@pytest.mark.parametrize(
    ("package", "serving", "code", "named"),
    [
        ("goodthing", "goodthing", 0, ""),
        (BAD, "goodthing", 1, "of packages of the project"),
        ("goodthing", BAD, 1, "of packages of the serving environment"),
    ],
)
def test_a_known_vulnerability_of_either_lock_is_refused(
    mlops: Command,
    project: Project,
    wheels: Path,
    osv: str,
    capsys: pytest.CaptureFixture[str],
    package: str,
    serving: str,
    code: int,
    named: str,
) -> None:
    depend(project, wheels, package, serving)
    assert mlops("compliance", "vulnerabilities", "--service-url", osv) == code
    said = capsys.readouterr()
    assert named in said.err
    assert ("GHSA-known" in said.out) == (code == 1)
    assert ("no vulnerability is known" in said.err) == (code == 0)


def test_where_nobody_answers_nothing_was_checked(
    mlops: Command,
    project: Project,
    wheels: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    depend(project, wheels, "goodthing", "goodthing")
    url = "http://127.0.0.1:9"
    assert mlops("compliance", "vulnerabilities", "--service-url", url) == 3
    said = capsys.readouterr()
    assert said.out == ""
    assert "could not be looked up, so nothing is known" in said.err


@pytest.mark.skipif(os.name == "nt", reason="the pretended uv is a script of sh")
def test_the_versions_of_the_lock_are_asked_about_and_no_others(
    mlops: Command, project: Project, wheels: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    depend(project, wheels, "goodthing", "goodthing")
    (project.root / "uv.lock").write_text("")
    uv, calls = project.root / "uv", project.root / "calls"
    uv.write_text(f'#!/bin/sh\necho "$*" >> "{calls}"\n')
    uv.chmod(0o755)
    monkeypatch.setenv("UV", str(uv))
    assert mlops("compliance", "vulnerabilities") == 0
    of_project, of_serving = calls.read_text().splitlines()
    assert of_project.endswith("--locked")
    assert "--script" in of_serving


def test_the_script_asks_for_just_what_is_pinned() -> None:
    pins = ["# a comment", "a==1", "b==2 ; python_full_version < '3.12'", "", 'c==3 ; x == "y"']
    script = script_of("\n".join(pins))
    assert [line for line in script.splitlines() if line.startswith("#     ")] == [
        '#     "a==1",',
        "#     \"b==2 ; python_full_version < '3.12'\",",
        '#     "c==3 ; x == \\"y\\"",',
    ]
