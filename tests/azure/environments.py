"""The environment in which emulated deployments run, where no generated project brings one."""

import hashlib
import os
import re
import subprocess
import tempfile
from pathlib import Path

from tools.worktree import ROOT

_REQUIREMENTS = ROOT / "template" / "serving" / "requirements.txt"
_SERVER = re.compile(r"^(azureml-inference-server-http|gunicorn)\b.*", re.MULTILINE)


def inference_server() -> Path:
    """Return the Python of an environment that holds just the project's inference server."""
    wanted = [found[0] for found in _SERVER.finditer(_REQUIREMENTS.read_text(encoding="utf-8"))]
    number = hashlib.sha256("\n".join(wanted).encode()).hexdigest()[:12]
    home = ROOT / ".build" / f"inference-server-{number}"
    python = home / "bin" / "python"
    if python.exists():
        return python
    home.parent.mkdir(exist_ok=True)
    uv = os.environ["UV"]
    with tempfile.TemporaryDirectory(dir=home.parent) as folder:
        made = Path(folder) / "environment"
        subprocess.run([uv, "venv", "--quiet", "--relocatable", str(made)], check=True)
        install = [uv, "pip", "install", "--quiet", "--python", str(made / "bin" / "python")]
        subprocess.run([*install, *wanted], cwd=ROOT, check=True)
        try:
            made.rename(home)
        except OSError:  # another process was faster
            if not python.exists():
                raise
    return python
