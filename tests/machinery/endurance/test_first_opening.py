"""Two first trainings at once: each opens the store that neither has made yet."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from fakes.waiting import LONGEST_SECONDS

OPEN = """
import sys, time
from pathlib import Path
import mlflow.store.tracking.sqlalchemy_store  # so that nobody is late
from mlops.platforms.local.tracking import Tracking

folder, name = Path(sys.argv[1]), sys.argv[2]
(folder / f"{name}.ready").touch()
while len(list(folder.glob("*.ready"))) < 2:
    time.sleep(0.001)
Tracking(folder, "tiny").start({})
"""


def test_two_processes_open_a_new_store_at_once(tmp_path: Path) -> None:
    commands = [[sys.executable, "-c", OPEN, str(tmp_path), name] for name in ("one", "other")]
    processes = [subprocess.Popen(command) for command in commands]
    assert [process.wait(LONGEST_SECONDS) for process in processes] == [0, 0]
    with closing(sqlite3.connect(tmp_path / "mlflow.db")) as database:
        assert database.execute("SELECT count(*) FROM runs").fetchone() == (2,)
