"""Which rows of a run's holdout the champion was not trained on, by what both splits say."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from mlops.artifacts.prepared import SPLIT_DAY, SPLIT_GROUP_SINCE

if TYPE_CHECKING:
    import polars as pl

SEEN = "the champion may have been trained on this holdout"


@dataclass(frozen=True)
class Unseen:
    """The rows of a holdout on which a champion may be measured.

    Attributes:
        rows: whether each row is one of them.
        problem: why it cannot be measured there at all; None if it can.
        note: which rows they are, if they are not all.
    """

    rows: "pl.Series"
    problem: str | None = None
    note: str = ""


def unseen_rows(
    champion: Mapping[str, Any], current: Mapping[str, Any], holdout: "pl.DataFrame", enough: int
) -> Unseen:
    """Find the rows that the champion was not trained on.

    After a split by key these are all or none. After a split in time they are those later than the
    champion's last training day, by at least the larger of both gaps: the labels of its last
    training rows look as far into the time after it. By groups, the group must be as new, too.

    Args:
        champion: `split` of the champion's lineage; before splits in time it did not say `by`.
        current: `split` of the run's prepared.json.
        holdout: the run's holdout.
        enough: how many rows a part of the holdout needs; the whole of it is always enough.
    """
    import polars as pl

    everything = pl.repeat(True, holdout.height, eager=True)
    if "time" not in (_kind(champion), _kind(current)):
        fair = _same_draw(champion, current)
        return Unseen(everything, None if fair else SEEN)
    if not _same_time(champion, current):
        return Unseen(~everything, SEEN)
    rows = _later(champion, current, holdout)
    found, last = int(rows.sum()), champion["last_training_day"]
    if found == holdout.height:
        return Unseen(rows)
    which = f"{found} of the holdout's {holdout.height} rows are later than what it was trained on"
    which += f", which ends on {last}"
    if found < enough:
        needed = f"gate.min_slice_rows asks for {enough}"
        return Unseen(rows, f"{SEEN}: {which}, and {needed}")
    return Unseen(rows, note=f"champion and model were compared where neither was trained: {which}")


def _kind(split: Mapping[str, Any]) -> str:
    return str(split.get("by", "key"))


def _same_draw(champion: Mapping[str, Any], current: Mapping[str, Any]) -> bool:
    """Whether by the same hash of the same key at least as many were held out."""
    same: bool = champion["salt"] == current["salt"] and champion["key"] == current["key"]
    covered: bool = champion["holdout_fraction"] >= current["holdout_fraction"]
    return same and covered


def _same_time(champion: Mapping[str, Any], current: Mapping[str, Any]) -> bool:
    """Whether both were split by the same date and, where groups matter now, by the same ones."""
    in_time = _kind(champion) == _kind(current) == "time"
    if not in_time or champion["date"] != current["date"]:
        return False
    same_groups: bool = champion["grouped"] and champion["key"] == current["key"]
    return same_groups or not current["grouped"]


def _later(
    champion: Mapping[str, Any], current: Mapping[str, Any], holdout: "pl.DataFrame"
) -> "pl.Series":
    import polars as pl

    last = pl.Series([date.fromisoformat(champion["last_training_day"])])
    gap = max(champion["gap_days"], current["gap_days"], 1)
    rows: pl.Series = (holdout[SPLIT_DAY] - last).dt.total_days() >= gap
    if current["grouped"]:
        rows &= holdout[SPLIT_GROUP_SINCE] > last
    return rows
