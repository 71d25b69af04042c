"""What a command prints, where nobody reads it any more or the disk that takes it is full.

`mlops release … | head` closes the pipe in the middle of a release. That is no reason to end it, or
to end with another exit code than that of its outcome; nor is a full disk behind `> release.txt`,
which ends a command that did all else as a failure of the platform.
"""

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO, cast

from mlops.errors import PlatformError
from mlops.full_disk import DiskFull, is_full

_CLOSED = (errno.EPIPE, errno.EINVAL)
"""How writing to a closed pipe fails, the second on Windows."""
_DONE = "the command itself is done: make room for what it prints before the next one"


class LastingStream:
    """A text stream that leaves out what cannot be written, and is otherwise what it wraps."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lost: OSError | None = None

    def __getattr__(self, name: str) -> Any:
        """Return what the wrapped stream has."""
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write a text; return its length."""
        with self._leaving_out():
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Write what is buffered."""
        with self._leaving_out():
            self._stream.flush()

    def require_written(self) -> None:
        """Write what is buffered, and say so where a reader misses something.

        Raises:
            PlatformError: not all was written, as on a full disk.
        """
        self.flush()
        if self._lost is None:
            return
        what = "what the command prints"
        if is_full(self._lost):
            raise DiskFull(what, _DONE)
        raise PlatformError(f"{what} could not be written ({self._lost.strerror})", _DONE)

    @contextmanager
    def _leaving_out(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if error.errno not in _CLOSED:
                self._lost = error
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)


@contextmanager
def lasting_streams() -> Iterator[LastingStream]:
    """Let stdout, which is given, and stderr outlast their readers and their disk."""
    before = sys.stdout, sys.stderr
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        # Python has None for a stream that its caller closed
        stdout, stderr = (LastingStream(each or nowhere) for each in before)
        sys.stdout, sys.stderr = cast(TextIO, stdout), cast(TextIO, stderr)
        try:
            yield stdout
        finally:
            stdout.flush()
            stderr.flush()
            sys.stdout, sys.stderr = before
