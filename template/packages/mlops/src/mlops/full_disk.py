"""A full disk is one sentence, whichever library meets it."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mlops.errors import PlatformError

_NUMBERS = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}
_TEXTS = (
    "No space left on device",
    "Disk quota exceeded",
    "not enough space on the disk",
    "database or disk is full",
)
"""How libraries say it that do not pass the system's number on, such as polars and SQLite."""
_AGAIN = "make room, then run the same command again: nothing that was there before is lost"


class DiskFull(PlatformError):
    """There is no room left on the disk.

    Args:
        what: what was being written.
        remedy: what to do about it.
    """

    def __init__(self, what: Path | str, remedy: str = _AGAIN) -> None:
        super().__init__(f"the disk is full: {what} could not be written", remedy)


@contextmanager
def writing(what: Path | str) -> Iterator[None]:
    """Say what was being written if the disk is full.

    Raises:
        DiskFull: it is.
    """
    try:
        yield
    except DiskFull:
        raise
    except Exception as error:
        if is_full(error):
            raise DiskFull(what) from error
        raise


def is_full(error: BaseException) -> bool:
    """Tell whether a full disk is what an error, or one that led to it, is about."""
    return any(_says_so(each) for each in causes(error))


def causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and those that led to it, the latest first."""
    found: BaseException | None = error
    while found is not None:
        yield found
        found = found.__cause__ or found.__context__


def _says_so(error: BaseException) -> bool:
    if isinstance(error, OSError) and error.errno in _NUMBERS:
        return True
    return any(text in str(error) for text in _TEXTS)
