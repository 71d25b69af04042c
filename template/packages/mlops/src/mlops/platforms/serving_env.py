"""What a scoring server runs on: the kept scoring code and an environment of its own.

Both are folders below `.mlops` named by a hash of their content, made once and never changed, so
that a server can be started again just as it was deployed.
"""

import hashlib
import os
import shutil
import subprocess  # nosec B404
import sys
from collections.abc import Sequence
from pathlib import Path

from filelock import FileLock

from mlops.errors import ConfigError, PlatformError
from mlops.files import code_files, code_hash, new_folder
from mlops.progress import Report

REQUIREMENTS = "requirements.txt"
ENTRY_SCRIPT = "score.py"
_HASH_DIGITS = 16
_ERROR_LINES = 15


def keep_code(source: Path, store: Path) -> Path:
    """Copy the scoring code into `store`, under the hash of its content; return the copy.

    Raises:
        ConfigError: the code lacks its entry script or its requirements.
    """
    for name in (ENTRY_SCRIPT, REQUIREMENTS):
        if not (source / name).is_file():
            raise ConfigError(f"{source / name} does not exist: the scoring server needs it")
    files = code_files(source)
    target = store / code_hash(source)
    if not target.is_dir():
        with new_folder(target) as folder:
            for name in files:
                copy = folder / name
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source / name, copy)
    return target


def scoring_code(source: Path, store: Path, origin: str = "") -> Path:
    """Return the kept scoring code: a copy of the project's, or that of an origin.

    Raises:
        ConfigError: the origin is not kept, or the code lacks a file.
    """
    if not origin:
        return keep_code(source, store)
    if not (store / origin).is_dir():
        raise ConfigError(f"{store / origin} does not exist: the scoring code is not kept")
    return store / origin


def serving_python(root: Path, requirements: Path, store: Path, report: Report) -> Path:
    """Return the Python of the serving environment for `requirements`, making it if need be.

    `uv` makes it where there is one (in the project's root, whose `exclude-newer` and package index
    it then follows), else `venv` and pip.

    Args:
        root: the project's root.
        requirements: the requirements file.
        store: the folder that holds such virtual environments.
        report: receives a line if it has to be made.

    Raises:
        PlatformError: it could not be made; nothing is left behind.
    """
    target = store / _venv_name(requirements)
    python = _python_of(target)
    if python.exists():
        return python
    store.mkdir(parents=True, exist_ok=True)
    with FileLock(store / f"{target.name}.lock"):
        if python.exists():
            return python
        for unfinished in store.glob(f".{target.name}.*"):
            shutil.rmtree(unfinished, ignore_errors=True)
        report("making the serving environment (only once)")
        with new_folder(target, replaces=".") as folder:
            _make(folder, root, requirements)
    return python


def _venv_name(requirements: Path) -> str:
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    digest = hashlib.sha256(requirements.read_bytes())
    digest.update(f"\0{sys.platform}\0{version}".encode())
    return digest.hexdigest()[:_HASH_DIGITS]


def _python_of(venv: Path) -> Path:
    if sys.platform == "win32":
        return venv / "Scripts" / "python.exe"
    return venv / "bin" / "python"


def _make(folder: Path, root: Path, requirements: Path) -> None:
    python = str(_python_of(folder))
    uv = os.environ.get("UV") or shutil.which("uv")
    if uv:
        # --clear: the folder is there already, empty
        _run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder)], root)
        install = [uv, "pip", "install", "--quiet", "--python", python]
    else:
        _run([sys.executable, "-m", "venv", str(folder)], root)
        install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    _run([*install, "--requirement", str(requirements)], root)


def _run(command: Sequence[str], root: Path) -> None:
    # a fixed argument list, no shell
    done = subprocess.run(  # nosec B603
        list(command),
        cwd=root,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if done.returncode != 0:
        said = "\n".join((done.stdout + done.stderr).strip().splitlines()[-_ERROR_LINES:])
        raise PlatformError(
            f"the serving environment could not be made: {Path(command[0]).name} "
            f"failed with exit code {done.returncode}:\n{said}"
        )
