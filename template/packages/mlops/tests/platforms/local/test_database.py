"""MLflow's database: opened by two at once, damaged, lost."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import Timeout

from mlops.clock import system_clock
from mlops.errors import PlatformError
from mlops.full_disk import DiskFull
from mlops.platforms.local.database import opening, told
from mlops.platforms.local.tracking import Tracking

UNKNOWN = "0" * 32


def test_a_store_is_opened_by_one_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def connect(_: Tracking) -> None:
        with pytest.raises(Timeout), opening(tmp_path / "mlflow.db", timeout=0):
            pass

    monkeypatch.setattr(Tracking, "_connect", connect)
    Tracking(tmp_path, "tiny", system_clock).prepare()
    with opening(tmp_path / "mlflow.db", timeout=0):
        pass


def damage_all(database: Path) -> None:
    database.write_bytes(b"no database at all" * 500)


def damage_half(database: Path) -> None:
    content = database.read_bytes()
    database.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))


def cut(database: Path) -> None:
    database.write_bytes(database.read_bytes()[:8192])


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a store that has been opened."""
    folder = tmp_path_factory.mktemp("store")
    Tracking(folder, "tiny", system_clock).prepare()
    return folder


@pytest.mark.parametrize("damage", [damage_all, damage_half, cut])
def test_a_damaged_database_is_a_sentence_that_says_what_still_works(
    tmp_path: Path, store: Path, damage: Callable[[Path], None]
) -> None:
    database = tmp_path / "mlflow.db"
    database.write_bytes((store / "mlflow.db").read_bytes())
    damage(database)
    with pytest.raises(PlatformError, match=r"^MLflow's database .* cannot be used") as refusal:
        Tracking(tmp_path, "tiny", system_clock).start({})
    assert str(database) in refusal.value.message
    assert "status, release, rollback" in refusal.value.remedy
    database.rename(tmp_path / "kept")
    assert Tracking(tmp_path, "tiny", system_clock).start({})  # as the remedy says


def test_a_run_of_a_lost_database_is_a_sentence(store: Path) -> None:
    tracking = Tracking(store, "tiny", system_clock)
    with pytest.raises(PlatformError, match="is not the one in which this run was trained"):
        tracking.log(UNKNOWN, {}, {}, {"gate.passed": "true"})
    with pytest.raises(PlatformError, match="is not the one in which this run was trained"):
        tracking.finish(UNKNOWN, "FAILED")


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        (sqlite3.OperationalError("database or disk is full"), DiskFull, r"mlflow\.db could not"),
        (sqlite3.OperationalError("database is locked"), PlatformError, "in use by another"),
        (sqlite3.OperationalError("unable to open database file"), PlatformError, "unable to open"),
        (ValueError("a bug"), ValueError, "a bug"),
    ],
)
def test_what_sqlite_says_is_told_apart(error: Exception, kind: type[Exception], said: str) -> None:
    with pytest.raises(kind, match=said), told(Path("mlflow.db")):
        raise error
