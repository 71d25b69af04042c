"""Exit codes, what is printed where, and help that stays light."""

import errno
import io
import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, TextIO

import click
import pytest

from fakes.cli import Command
from fakes.endpoint import FakeEndpoint
from mlops.cli import deploy, ops, version
from mlops.errors import ConfigError, Hold, PlatformError, Refused, StubNotFilled
from mlops.platforms.local.platform import LocalPlatform

HEAVY = ("mlflow", "sklearn", "pandera", "ibis", "polars", "pydantic_settings", "pydantic", "rich")


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "sys.argv = ['mlops', '--help']\n"
        "from mlops.cli.main import main\n"
        "try:\n"
        "    main()\n"
        "finally:\n"
        "    print(sorted(sys.modules), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "smoke-test" in done.stdout
    loaded = {name.split(".")[0] for name in json.loads(done.stderr.replace("'", '"'))}
    assert loaded.isdisjoint(HEAVY)


def test_a_look_every_hour_loads_nothing_that_only_a_picture_or_a_release_needs() -> None:
    code = "import mlops.ops.monitoring, sys; print(*{each.split('.')[0] for each in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {"matplotlib", "aiohttp", "mlflow", "sklearn"}.isdisjoint(done.stdout.split())


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (Hold("not yet"), 4, "not yet"),
        (PlatformError("no server"), 3, "no server"),
        (
            StubNotFilled("return the table"),
            2,
            "test_main.py: fail(): return the table (",
        ),
        (KeyboardInterrupt(), 130, "error: interrupted\n"),
        (click.FileError("a", "cannot be read"), 2, "cannot be read"),
        (OSError(errno.ENOSPC, "no space"), 3, "the disk is full: a file could not be"),
        (OSError(errno.ENOSPC, "no space", "/x/y"), 3, "the disk is full: /x/y could not be"),
        (ValueError("a bug"), 3, "Traceback"),
    ],
)
def test_every_failure_has_its_exit_code(
    mlops: Command,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    code: int,
    words: str,
) -> None:
    def fail(*_args: object) -> None:
        raise error

    monkeypatch.setattr(ops, "settings_for", fail)
    assert mlops("config") == code
    assert words in capsys.readouterr().err


def test_wrong_usage_is_exit_code_two(mlops: Command, capsys: pytest.CaptureFixture[str]) -> None:
    assert mlops("no-such-command") == 2
    assert mlops("deploy") == 2
    assert "--model-version" in capsys.readouterr().err
    assert mlops("data", "validate", "--data-dir", "nowhere") == 2
    assert "--data-dir: the folder nowhere does not exist" in capsys.readouterr().err
    assert mlops("config", "--environment", "tset") == 2


def test_results_as_json_go_to_stdout_alone(
    mlops: Command, raw: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert mlops("data", "validate", "--data-dir", raw, "--json") == 0
    assert json.loads(capsys.readouterr().out)["rows"] == 1200
    assert mlops("config", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["data.sample.size"] == {"value": 300, "source": "conf/base.yaml"}
    assert found["gate.tolerance"]["source"] == "default"


def test_a_file_that_cannot_be_written_is_named(
    mlops: Command, raw: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    blocked = tmp_path / "file"
    blocked.touch()
    output = blocked / "found.json"
    assert mlops("data", "validate", "--data-dir", raw, "--output", output) == 3
    said = capsys.readouterr().err
    assert "Traceback" not in said
    assert str(blocked) in said


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (
            ("smoke-test",),
            "dev: blue (version 1) 90 %, running and green (version 2) 10 %, ru",
        ),
        (("stop", "--all"), "dev: blue (version 1) 90 %, running and green"),
    ],
)
def test_an_interruption_says_what_serves_now(
    mlops: Command,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: tuple[str, ...],
    said: str,
) -> None:
    def interrupt(*_arguments: object) -> None:
        raise KeyboardInterrupt

    endpoint = FakeEndpoint()
    endpoint.serve("blue", 1, share=90)
    endpoint.serve("green", 2, share=10)
    monkeypatch.setattr(LocalPlatform, "endpoint", lambda _self, _name: endpoint)
    monkeypatch.setattr(endpoint, "stop", interrupt)
    monkeypatch.setattr(deploy, "smoke_test_endpoint", interrupt)
    assert mlops(*command) == 130
    assert f"error: interrupted, and this serves now:\n  {said}" in capsys.readouterr().err


@pytest.fixture
def closed() -> Iterator[TextIO]:
    """A pipe whose reader has gone."""
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w", buffering=1) as stream:
        yield stream


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
@pytest.mark.parametrize("arguments", [("status",), ("config", "--json"), ("doctor",)])
def test_who_closes_the_pipe_changes_no_outcome(
    mlops: Command,
    monkeypatch: pytest.MonkeyPatch,
    closed: TextIO,
    stream: str,
    arguments: tuple[str, ...],
) -> None:
    monkeypatch.setattr(sys, stream, closed)
    assert mlops(*arguments) == 0
    assert getattr(sys, stream) is closed


def test_a_refusal_is_told_also_without_a_reader(
    inside: tuple[Command, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    closed: TextIO,
) -> None:
    mlops, run_id = inside
    monkeypatch.setattr(sys, "stdout", closed)
    assert mlops("evaluate", "--run-id", run_id, "--threshold-f1", "1", "--json") == 1
    assert "the gate refuses run" in capsys.readouterr().err


class FullDisk(io.RawIOBase):
    """A file on a full disk, until another file is put in its place."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._full = file, os.fstat(file.fileno())

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._file.fileno()

    def write(self, content: Any) -> int:
        if os.path.samestat(os.fstat(self.fileno()), self._full):
            raise OSError(errno.ENOSPC, "No space left on device")
        return os.write(self.fileno(), content)


@pytest.mark.parametrize("installed", [True, False])
def test_the_version_is_told_also_where_nothing_is_installed(
    mlops: Command,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    installed: bool,
) -> None:
    if not installed:
        monkeypatch.setattr(version, "DISTRIBUTION", "no-such-distribution")
    assert mlops("--version") == 0
    with version.PYPROJECT.open("rb") as file:
        project = tomllib.load(file)["project"]
    assert capsys.readouterr().out == f"mlops {project['version']}\n"


@pytest.fixture
def full(tmp_path: Path) -> Iterator[TextIO]:
    """A stream as Python opens it for a file, whose disk is full."""
    with (
        (tmp_path / "printed.txt").open("wb", buffering=0) as file,
        io.TextIOWrapper(io.BufferedWriter(FullDisk(file)), encoding="utf-8") as stream,
    ):
        yield stream


@pytest.mark.parametrize("arguments", [("--help",), ("config",), ("config", "--json")])
def test_a_result_that_a_full_disk_does_not_take_is_a_failure(
    mlops: Command,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    full: TextIO,
    arguments: tuple[str, ...],
) -> None:
    monkeypatch.setattr(sys, "stdout", full)
    assert mlops(*arguments) == 3
    said = capsys.readouterr().err
    assert said.startswith("error: the disk is full: what the command prints could not be written")
    assert "the command itself is done" in said


@pytest.mark.parametrize("error", [Refused("no"), ConfigError("no"), Hold("no"), ValueError("no")])
@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_full_disk_hides_no_outcome(
    mlops: Command,
    monkeypatch: pytest.MonkeyPatch,
    full: TextIO,
    stream: str,
    error: Exception,
) -> None:
    def fail(*_arguments: object) -> None:
        click.echo("what is printed before")
        raise error

    monkeypatch.setattr(sys, stream, full)
    monkeypatch.setattr(ops, "settings_for", fail)
    assert mlops("config") == getattr(error, "exit_code", 3)
    assert mlops("no-such-command") == 2


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_stream_that_is_not_there_changes_no_outcome(
    mlops: Command, monkeypatch: pytest.MonkeyPatch, stream: str
) -> None:
    monkeypatch.setattr(sys, stream, None)
    assert mlops("config") == 0
    assert mlops("no-such-command") == 2
