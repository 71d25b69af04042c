"""What a process does that opens a project's MLflow for the first time, at once with another."""

from multiprocessing.synchronize import Barrier
from pathlib import Path

from mlops.platforms.local.tracking import Tracking


def open_at_once(barrier: Barrier, folder: Path) -> None:
    """Begin a run in a new store, together with another process."""
    import mlflow.store.tracking.sqlalchemy_store  # noqa: F401  # so that nobody is late

    barrier.wait()
    Tracking(folder, "tiny").start({})
