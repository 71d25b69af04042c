"""Requests of deletion as the project remembers them: a file each, in `.mlops/forget/requests`.

No file has a key. Only while a request is not done it has the keyed hash, by which the same call
goes on with it; after that the suppression list alone does, which can be destroyed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from mlops.artifacts.documents import Document
from mlops.errors import ConfigError

SCHEMA = 1
_FOLDER = Path("forget") / "requests"
_LISTS = ("runs", "versions", "not_known", "pending", "cleared", "by_hand")


@dataclass(frozen=True)
class Forgetting:
    """One request of deletion.

    Attributes:
        id: random.
        began, ended: moments in ISO 8601; None: it is not done.
        hmac: the keyed hash while it is not done.
        removed: how many rows were removed, by store.
        runs: training runs whose training part had the key.
        versions: registered versions that were trained on it.
        not_known: versions of which nobody knows, as their training parts are gone.
        holdouts: the SHA-256 of each holdout's file before, and after it.
        data: the content hash of each run's data before, and after it.
        pending: what is left to be done, without the key.
        purges: how many events each purge of a log is of, by environment and the platform's name of
            it, as long as it has not ended.
        cleared: environments of which the platform had nothing left when it was last asked.
        by_hand: environments of which somebody said that what no command removes was removed.
    """

    id: str
    began: str
    ended: str | None = None
    hmac: str | None = None
    removed: Mapping[str, int] = field(default_factory=dict)
    runs: tuple[str, ...] = ()
    versions: tuple[int, ...] = ()
    not_known: tuple[int, ...] = ()
    holdouts: Mapping[str, str] = field(default_factory=dict)
    data: Mapping[str, str] = field(default_factory=dict)
    pending: tuple[str, ...] = ()
    purges: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    cleared: tuple[str, ...] = ()
    by_hand: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        """How many rows were removed."""
        return sum(self.removed.values())

    def with_removed(self, store: str, rows: int) -> "Forgetting":
        """Return it with so many more rows removed of a store."""
        return replace(self, removed={**self.removed, store: self.removed.get(store, 0) + rows})

    def with_purge(self, environment: str, operation: str, rows: int) -> "Forgetting":
        """Return it with one more purge that was asked for."""
        known = self.purges.get(environment, {})
        return replace(self, purges={**self.purges, environment: {**known, operation: rows}})

    def without_purge(self, environment: str, operation: str) -> "Forgetting":
        """Return it without a purge that has ended."""
        left = {name: rows for name, rows in self.purges[environment].items() if name != operation}
        return replace(self, purges={**self.purges, environment: left})

    def with_by_hand(self, environment: str) -> "Forgetting":
        """Return it with somebody's word that people did in an environment what is theirs to do."""
        return replace(self, by_hand=tuple(sorted({*self.by_hand, environment})))

    def with_cleared(self, environment: str, *, cleared: bool) -> "Forgetting":
        """Return it with an environment that has nothing left, or not any more."""
        others = {*self.cleared} - {environment}
        return replace(self, cleared=tuple(sorted(others | ({environment} if cleared else set()))))

    def to_dict(self) -> dict[str, Any]:
        """Return what may be shown and exported: all but the keyed hash."""
        content = asdict(self)
        del content["hmac"]
        return content


def requests_folder(state_dir: Path) -> Path:
    """Return the folder of the requests in the project's state folder."""
    return state_dir / _FOLDER


def write_request(state_dir: Path, request: Forgetting) -> None:
    """Keep a request, atomically and for the owner alone."""
    document = Document(f"{request.id}.json", SCHEMA)
    document.write_private(requests_folder(state_dir), asdict(request))


def read_requests(state_dir: Path) -> tuple[Forgetting, ...]:
    """Return the requests, oldest first.

    Raises:
        ConfigError: one cannot be read.
    """
    found = []
    for path in requests_folder(state_dir).glob("[!.]*.json"):
        content = Document(path.name, SCHEMA).read(path.parent)
        del content["schema"]
        lists = {name: tuple(content.get(name, ())) for name in _LISTS}
        try:
            found.append(Forgetting(**{**content, **lists}))
        except TypeError:
            raise ConfigError(f"{path} is no request of deletion", "docs/forget.md") from None
    return tuple(sorted(found, key=lambda each: (each.began, each.id)))


def holdout_changed_by(requests: Sequence[Forgetting], recorded: str, found: str) -> str | None:
    """Return the requests by which a holdout's file became another, or None.

    Args:
        requests: oldest first.
        recorded: the SHA-256 of the file as it was evaluated.
        found: that of the file now; where the requests do not lead to it, they are not the reason.
    """
    return _led(recorded, found, [(each.id, each.holdouts) for each in requests])


def data_changed_by(requests: Sequence[Forgetting], recorded: str, found: str) -> str | None:
    """Return the requests by which data of one content hash became those of another, or None."""
    return _led(recorded, found, [(each.id, each.data) for each in requests])


def _led(recorded: str, found: str, steps: Sequence[tuple[str, Mapping[str, str]]]) -> str | None:
    ids, here = [], recorded
    for request, changes in steps:
        if here in changes:
            here = changes[here]
            ids.append(request)
    return ", ".join(ids) if ids and here == found else None
