"""The prepared data of a run: training part and holdout, and what describes them."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops.artifacts import documents
from mlops.artifacts.data_source import UNKNOWN, DataSource, read_source
from mlops.features import Features
from mlops.tasks import BINARY_TARGET, Target

if TYPE_CHECKING:
    import polars as pl

SPLIT_DAY = "split.day"
"""The entity's date, a day in UTC; there if the split is one in time."""
SPLIT_GROUP = "split.group"
"""A hash of the entity's group, not its value; there if `split.key` names a column."""
SPLIT_GROUP_SINCE = "split.group_since"
"""The first day of the entity's group; there if the split is one in time by groups."""


@dataclass(frozen=True)
class Prepared:
    """The prepared data of one run, as `prepared.json` describes it.

    `data_days` are the first and the last day of the raw rows, where that is known.
    """

    folder: Path
    key: str
    features: Features
    cutoff: str
    reference_date: str
    data_hash: str
    data_rows: int
    split: dict[str, Any]
    rows: dict[str, int]
    holdout_sha256: str
    source: DataSource = UNKNOWN
    data_hash_schema: int = 1
    target: Target = BINARY_TARGET
    data_days: list[str] | None = None

    @property
    def feature_names(self) -> list[str]:
        """The feature columns in the model's order."""
        return self.features.names

    @property
    def holdout_file(self) -> Path:
        """The file of the holdout; it may be missing where a run came without its data."""
        return holdout_file(self.folder)

    def train(self) -> "pl.DataFrame":
        """Return the training part: key, features, label, and what it was split by."""
        return read_table(train_file(self.folder))

    def holdout(self) -> "pl.DataFrame":
        """Return the holdout: key, features, label, and what it was split by."""
        return read_table(self.holdout_file)


def read_table(path: Path) -> "pl.DataFrame":
    """Return the table of just this Parquet file: its path is a name, never a pattern."""
    import polars as pl

    return pl.read_parquet(path, glob=False, hive_partitioning=False)


def train_file(folder: Path) -> Path:
    """Return the file of the training part."""
    return folder / "train.parquet"


def holdout_file(folder: Path) -> Path:
    """Return the file of the holdout."""
    return folder / "holdout.parquet"


def load_prepared(folder: Path) -> Prepared:
    """Read a folder that the step prepare wrote.

    Raises:
        ConfigError: the folder is not one, or has another schema.
    """
    content = documents.PREPARED.read(folder)
    del content["schema"]
    return Prepared(
        folder=folder,
        features=Features.read(content.pop("features")),
        source=read_source(content.pop("source", None)),
        target=Target.read(content.pop("target", {})),
        **content,
    )


def write_description(prepared: Prepared, folder: Path) -> None:
    """Write `prepared.json` into a folder, beside the two parts."""
    content = asdict(prepared)
    del content["folder"]
    content["features"] = prepared.features.to_list()
    content["target"] = prepared.target.to_dict()
    documents.PREPARED.write(folder, content)
