"""The folder of predictions that `mlops score` writes.

_scoring.json    what the run is made of: another run does not go on with it
_manifest.jsonl  one line for each part that is complete
_scored.json     what was scored; it is there only once all parts are
part-00000.parquet …

A part has one row a key, ordered by key: the key's own column, `prediction`, of a classifier
`probability`, `model_version`, `reference_date`, `scored_at`.
Readers of a folder of Parquet files pass names over that begin with an underscore.
"""

from dataclasses import dataclass
from pathlib import Path

from mlops.artifacts.documents import Document

SCORING = Document("_scoring.json", schema=1)
"""What a run of scoring is made of."""
SCORED = Document("_scored.json", schema=1)
"""What was scored, once it is complete."""
MANIFEST = "_manifest.jsonl"
PREDICTION = "prediction"
PROBABILITY = "probability"
MODEL_VERSION = "model_version"
REFERENCE_DATE = "reference_date"
SCORED_AT = "scored_at"
_FOLDERS = Document("scored-folders.json", schema=1)
COLUMNS = (PREDICTION, PROBABILITY, MODEL_VERSION, REFERENCE_DATE, SCORED_AT)
"""The columns beside the key."""


@dataclass(frozen=True)
class Part:
    """One file of predictions: which rows of the ordered features it is of."""

    number: int
    start: int
    rows: int

    @property
    def name(self) -> str:
        """The name of its file."""
        return f"part-{self.number:05}.parquet"


def parts_of(rows: int, part_rows: int) -> list[Part]:
    """Return the parts of so many rows, each of `part_rows` but the last."""
    starts = range(0, rows, part_rows)
    return [Part(n, start, min(part_rows, rows - start)) for n, start in enumerate(starts)]


def part_files(folder: Path) -> list[Path]:
    """Return the files of parts in a folder, in order."""
    return sorted(folder.glob("part-*.parquet"))


def scored_folders(state_dir: Path) -> list[Path]:
    """Return the folders of predictions that were ever written, whether or not they are there.

    Raises:
        ConfigError: the list of them cannot be read.
    """
    if not (state_dir / _FOLDERS.name).is_file():
        return []
    return [Path(each) for each in _FOLDERS.read(state_dir)["folders"]]


def remember_scored(state_dir: Path, output: Path) -> None:
    """Remember a folder of predictions, so that a request of deletion finds it."""
    from filelock import FileLock

    state_dir.mkdir(parents=True, exist_ok=True)
    with FileLock(state_dir / f".{_FOLDERS.name}.lock"):
        known = [str(each) for each in scored_folders(state_dir)]
        if (path := str(output.resolve())) not in known:
            _FOLDERS.write(state_dir, {"folders": [*known, path]})
