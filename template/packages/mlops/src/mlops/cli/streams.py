"""What a command prints, where nobody reads it any more.

`mlops release … | head` closes the pipe in the middle of a release. That is no reason to end it, or
to end with another exit code than that of its outcome.
"""

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO, cast

_CLOSED = (errno.EPIPE, errno.EINVAL)
"""How writing to a closed pipe fails, the second on Windows."""


class LastingStream:
    """A text stream that leaves out what nobody reads any more, and is otherwise what it wraps."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

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

    @contextmanager
    def _leaving_out(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if error.errno not in _CLOSED:
                raise
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)


@contextmanager
def lasting_streams() -> Iterator[None]:
    """Let stdout and stderr outlast their readers while the block runs."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (cast(TextIO, LastingStream(each)) for each in before)
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        sys.stdout, sys.stderr = before
