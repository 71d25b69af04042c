"""The version of the machinery, also where it is not installed, as in a job of Azure ML."""

import tomllib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

DISTRIBUTION = "mlops-machinery"
PYPROJECT = Path(__file__).resolve().parents[3] / "pyproject.toml"


def machinery_version() -> str:
    """Return the version of the installed package, else that of the sources that run."""
    try:
        return version(DISTRIBUTION)
    except PackageNotFoundError:
        return str(tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]["version"])
