"""No library tells its maker about this machine or its models."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fakes.tiny_version import write_version

SETTINGS = ("CI", "GITHUB_ACTIONS", "MLFLOW_DISABLE_TELEMETRY", "ORT_DISABLE_TELEMETRY")
COMMAND = """
import sys
from pathlib import Path
import numpy as np
from mlops.steps.onnx_model import predict
predict(Path(sys.argv[1]) / "model.onnx", np.zeros((1, 3), np.float32))
"""
SERVER = """
import sys
from pathlib import Path
from fakes.scoring_script import load_script
load_script().load_model(Path(sys.argv[1]))
"""


@pytest.mark.parametrize("program", [COMMAND, SERVER], ids=["command", "server"])
def test_nothing_is_noted_about_this_machine(tmp_path: Path, program: str) -> None:
    """ONNX Runtime writes an id of the machine, and what it will send, into the user's folders."""
    version = write_version(tmp_path / "version", 1)
    home = tmp_path / "home"
    home.mkdir()
    folders = ("HOME", "XDG_CACHE_HOME", "TMPDIR", "TEMP", "LOCALAPPDATA", "USERPROFILE")
    kept = {name: value for name, value in os.environ.items() if name not in SETTINGS}
    path = {"PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run(
        [sys.executable, "-c", program, version],
        env=kept | path | dict.fromkeys(folders, str(home)),
        check=True,
    )
    assert [path for path in home.rglob("*") if path.is_file()] == []
