"""The runs that are on this machine."""

import os
from pathlib import Path

from mlops.platforms.base import Run
from mlops.platforms.stored_runs import stored_runs


def test_complete_runs_are_told_newest_first(tmp_path: Path) -> None:
    for age, name in enumerate(("new", "old", ".unfinished")):
        (tmp_path / name).mkdir()
        os.utime(tmp_path / name, (1000 - age, 1000 - age))
    (tmp_path / "note.txt").write_text("no run")
    assert stored_runs(tmp_path) == [Run("new", tmp_path / "new"), Run("old", tmp_path / "old")]
    assert stored_runs(tmp_path / "absent") == []
