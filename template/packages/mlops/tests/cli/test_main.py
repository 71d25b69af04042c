"""Exit codes, what is printed where, and help that stays light."""

import errno
import json
import subprocess
import sys
from pathlib import Path

import pytest

from fakes.cli import Command
from mlops.cli import ops
from mlops.errors import Hold, PlatformError, StubNotFilled

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


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (Hold("not yet"), 4, "not yet"),
        (PlatformError("no server"), 3, "no server"),
        (StubNotFilled("return the table"), 2, "mlops stubs"),
        (KeyboardInterrupt(), 130, "interrupted"),
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
