"""What tests of an endpoint change besides it: another command's lease, the scoring script."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def held_by_another(script: str, *arguments: object) -> "Iterator[subprocess.Popen[str]]":
    """Run Python code that says `held` and then waits; kill it at the end of the block."""
    command = subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert command.stdout
        assert command.stdout.readline() == "held\n"
        yield command
    finally:
        command.kill()
        command.communicate()


@contextmanager
def longer_by(addition: str, path: Path) -> Iterator[None]:
    """Add text to the end of a file for the time of the block."""
    text = path.read_text(encoding="utf-8")
    path.write_text(text + addition, encoding="utf-8")
    try:
        yield
    finally:
        path.write_text(text, encoding="utf-8")
