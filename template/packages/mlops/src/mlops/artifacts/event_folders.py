"""Where the events of one endpoint are on this machine, below `.mlops/events/<endpoint>`.

requests/<YYYY-MM-DD>/<deployment>-<pid>-<token>.jsonl    what a server answered that day, in UTC
score-<run>/part-00000.parquet …                          what `mlops score` predicted
checks/<YYYY-MM-DD>.jsonl                                 what checks of them found

The whole document of each check is .mlops/monitoring/<endpoint>/<check>/<time>.json.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mlops.artifacts.scores import part_files

EVENTS = "events"
_MONITORING = "monitoring"


def documents_folder(state_dir: Path, endpoint: str, check: str) -> Path:
    """Return where the documents of one kind of check of an endpoint are; the newest sorts last."""
    return state_dir / _MONITORING / endpoint / check


@dataclass(frozen=True)
class EventFolders:
    """The folder of an endpoint's events."""

    path: Path

    @property
    def endpoint(self) -> str:
        """The name of the endpoint."""
        return self.path.name

    @property
    def requests(self) -> Path:
        """The folder of the servers' events."""
        return self.path / "requests"

    @property
    def checks(self) -> Path:
        """The folder of what checks found."""
        return self.path / "checks"

    def score(self, run: str) -> Path:
        """Return the folder of the events of one run of `mlops score`."""
        return self.path / f"score-{run}"

    def request_files(self) -> Iterator[tuple[str, Path]]:
        """Yield each file of a server with its day, in order."""
        for path in sorted(self.requests.glob("????-??-??/*.jsonl")):
            yield path.parent.name, path

    def score_files(self) -> Iterator[Path]:
        """Yield each complete file of `mlops score`, in order."""
        for folder in sorted(self.path.glob("score-*")):
            yield from part_files(folder)


def event_folders(state_dir: Path, endpoint: str) -> EventFolders:
    """Return the folder of an endpoint's events in the project's state folder."""
    return EventFolders(state_dir / EVENTS / endpoint)
