"""MLflow's database on this machine: opened by one process at a time, and its failures told."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from mlops.errors import MlopsError, PlatformError
from mlops.full_disk import DiskFull, causes, is_full
from mlops.hints import typed

_REMEDY = (
    "status, release, rollback and all that serves do without it: keep the file under another "
    f"name, and the next {typed('train')} begins a new one (trained and registered models stay)"
)


@contextmanager
def opening(database: Path, timeout: float = -1) -> Iterator[None]:
    """Hold the right to open the database: two processes that make its tables break each other.

    Args:
        database: its file.
        timeout: seconds to wait for whoever opens it now; a negative number is no limit.

    Raises:
        filelock.Timeout: somebody else still opens it.
    """
    database.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(database.with_suffix(".lock"), timeout):
        yield


@contextmanager
def told(database: Path) -> Iterator[None]:
    """Make a sentence of what MLflow or SQLite say.

    Raises:
        PlatformError: the database is damaged, in use, of another version, or knows not what it
            is asked for.
        DiskFull: there is no room for it.
    """
    try:
        yield
    except MlopsError:
        raise
    except Exception as error:
        if found := _explained(error, database):
            raise found from error
        raise


def _explained(error: Exception, database: Path) -> MlopsError | None:
    if is_full(error):
        return DiskFull(database)
    reason = next((each for each in causes(error) if isinstance(each, sqlite3.Error)), None)
    if reason is not None:
        if "locked" in str(reason):
            return PlatformError(f"{database} is in use by another program", "try again")
        return PlatformError(f"MLflow's database {database} cannot be used ({reason})", _REMEDY)
    from mlflow.exceptions import MlflowException

    if not isinstance(error, MlflowException):
        return None
    said = error.message.partition("\n")[0]
    if error.error_code == "RESOURCE_DOES_NOT_EXIST":
        return PlatformError(
            f"MLflow's database {database} is not the one in which this run was trained ({said})",
            "bring that one back, or train again",
        )
    return PlatformError(f"MLflow cannot use its database {database} ({said})", _REMEDY)
