"""Forgetting a key: kept out first, then removed, then looked for again.

The order is such that whatever ends the command leaves nobody worse off: the key is in the
suppression list before the first row goes, and a request that is not done is gone on with, under
its own id, by the same call.
"""

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from filelock import FileLock, Timeout

from mlops.artifacts.forgotten import Forgetting, read_requests, requests_folder, write_request
from mlops.artifacts.prepared import holdout_file, read_table
from mlops.artifacts.run_folder import RunFolder
from mlops.data.fingerprint import fingerprint
from mlops.data.suppression import (
    Entry,
    Secret,
    canonical,
    drop_ended,
    ended_entries,
    list_file,
    make_secret,
    read_entries,
    read_secret,
    secret_file,
    suppression_of,
    whole_keys,
    write_entries,
)
from mlops.errors import ConfigError, Hold, PlatformError
from mlops.files import file_sha256
from mlops.forgetting.needle import Needle
from mlops.forgetting.places import SCORES, Place, Unopened, missing_scores, places
from mlops.forgetting.remote import RemoteSearch
from mlops.forgetting.rows import Unread, end_run_of_scores, find, is_left_behind, remove
from mlops.forgetting.trained_on import run_of_training_part, trained_on
from mlops.governance.audit.entry import Act
from mlops.governance.audit.record import Details, recorded
from mlops.hints import typed
from mlops.platforms.base import Platform
from mlops.progress import Report
from mlops.settings.loading import LoadedSettings, load_settings
from mlops.settings.platform_names import THIS_MACHINE

KNOWN = "forgotten before"
"""The outcome of a dry run of a key that is on the suppression list and stands nowhere."""
NOT_FOUND = "not found"
"""The outcome of a key that stood nowhere, which may be a typing error."""
_SEE = "docs/forget.md says what to do by hand; the same call goes on with it"


@dataclass(frozen=True)
class Outcome:
    """What came of a call.

    Attributes:
        request: as it is kept; of a dry run: as it would be.
        notes: what else is to be said.
        dry: whether nothing was changed.
    """

    request: Forgetting
    notes: tuple[str, ...] = ()
    dry: bool = False

    @property
    def word(self) -> str:
        """In short: done, pending, not found; of a dry run `would remove`, `forgotten before`."""
        if self.request.pending:
            return "pending"
        if not self.request.rows:
            return KNOWN if self.dry and self.request.id else NOT_FOUND
        return "would remove" if self.dry else "done"


class StillOpen(Hold):
    """Something is left, so the request is not done.

    Args:
        outcome: what was done, and what is left.
    """

    def __init__(self, outcome: Outcome) -> None:
        left = len(outcome.request.pending)
        super().__init__(f"{left:,} {'place is' if left == 1 else 'places are'} left", _SEE)
        self.outcome = outcome


@dataclass(frozen=True)
class _Looked:
    """What a search found: files with rows that can go, and what cannot be removed or read."""

    rows: tuple[tuple[Place, int], ...]
    left: tuple[str, ...]


def needle_of(key: str, settings: LoadedSettings) -> Needle:
    """Return the key as the contract's KEY has it.

    Raises:
        ConfigError: it is empty, or no whole number where keys are.
    """
    whole = whole_keys(settings)
    text = canonical(key, whole=whole)
    column = settings.use_case.key
    if not text:
        raise ConfigError("--key is empty", f"name one value of {column}")
    if whole and not text.lstrip("-").isdecimal():
        raise ConfigError(f"--key is no whole number, as {column} is in contract.py")
    return Needle(text, column, whole)


def dry_run(
    key: str,
    settings: LoadedSettings,
    platform: Platform,
    scores: Sequence[Path],
    report: Report,
) -> Outcome:
    """Tell what would be removed; change and write nothing.

    Raises:
        ConfigError: the key is none of the contract's, or a folder of scores does not exist.
    """
    needle = needle_of(key, settings)
    _require_folders(scores)
    looked = _look(settings, needle, scores, report)
    secret = read_secret(secret_file(settings))
    name = "" if secret is None else _request_of(secret.digest(needle.text), settings)
    request = Forgetting(name, began=settings.clock().isoformat())
    for place, rows in looked.rows:
        request = request.with_removed(place.store, rows)
    search, left = _search(settings, platform, needle, report), looked.left
    if search:
        found, unread = search.look()
        for store, rows in found.items():
            request = request.with_removed(store, rows)
        left = (*left, *unread)
    request = _with_runs(request, looked, settings)
    request = _with_versions(request, platform, settings)
    pending = (*left, *platform.out_of_reach(), *_elsewhere(settings, request))
    over = len(ended_entries(settings, _still_open(settings)))
    notes = (*_notes(settings, needle), *_of_dropped(over, "would be"))
    return Outcome(replace(request, pending=pending), notes, dry=True)


def forget(
    key: str,
    settings: LoadedSettings,
    platform: Platform,
    scores: Sequence[Path],
    report: Report,
    *,
    by_hand: bool = False,
) -> Outcome:
    """Keep a key out of later data and remove it from all that the project keeps.

    Args:
        key: as a person types it.
        settings: name the project, its environments, the list and the secret.
        platform: has the audit log and the versions.
        scores: folders of predictions that the project does not know of.
        report: receives lines about the progress.
        by_hand: whether somebody says that what no command removes in this environment was removed.

    Raises:
        ConfigError: the key is none of the contract's, or list or secret cannot be read.
        PlatformError: another call is at work, or the audit log is needed and cannot be written.
        StillOpen: something is left, or cannot be read; the request stays open, and says what.
    """
    needle = needle_of(key, settings)
    _require_folders(scores)
    with _alone(settings):
        suppression_of(settings)  # a list that cannot be read is added to by nobody
        secret = read_secret(secret_file(settings)) or make_secret(secret_file(settings))
        dropped = drop_ended(settings, _still_open(settings))
        notes = (*_notes(settings, needle), *_of_dropped(dropped, "were"))
        request = _begun(settings, secret, needle)
        if by_hand:
            request = request.with_by_hand(settings.values.environment)
            write_request(settings.project.state_dir, request)
        with recorded(
            platform, settings, Act.DELETION, {"request_id": request.id}, report=report
        ) as recording:
            _suppress(settings, secret, needle, request)
            report("the key is on the suppression list")
            request = _removed(request, settings, platform, needle, scores, report)
            recording.details |= _told(request)
            recording.details |= {"entries_dropped": dropped} if dropped else {}
            if request.pending:
                raise StillOpen(Outcome(request, notes))
            if not request.rows:
                recording.outcome = NOT_FOUND
        return Outcome(request, notes)


def listed(settings: LoadedSettings) -> tuple[Forgetting, ...]:
    """Return all requests, oldest first, or raise ConfigError."""
    return read_requests(settings.project.state_dir)


@contextmanager
def _alone(settings: LoadedSettings) -> Iterator[None]:
    folder = requests_folder(settings.project.state_dir).parent
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / ".lock", timeout=0):
            yield
    except Timeout:
        raise PlatformError(
            "another command is forgetting a key", "wait for it to end, then try again"
        ) from None


def _begun(settings: LoadedSettings, secret: Secret, needle: Needle) -> Forgetting:
    """Return the request of the key: the one that was begun, or a new one, which is kept."""
    digest, state = secret.digest(needle.text), settings.project.state_dir
    known = [each for each in read_requests(state) if each.hmac == digest]
    on_list = _request_of(digest, settings)
    known += [each for each in read_requests(state) if each.id == on_list]
    if known:
        request = replace(known[0], ended=None, hmac=digest, pending=())
    else:
        name = on_list or secrets.token_hex(8)
        request = Forgetting(name, settings.clock().isoformat(), hmac=digest)
    write_request(state, request)
    return request


def _request_of(digest: str, settings: LoadedSettings) -> str:
    """Return the request by which a key is on the suppression list, or nothing."""
    entries = read_entries(list_file(settings))
    return next((each.request for each in entries if each.hmac == digest), "")


def _suppress(
    settings: LoadedSettings, secret: Secret, needle: Needle, request: Forgetting
) -> None:
    path, digest = list_file(settings), secret.digest(needle.text)
    if not _request_of(digest, settings):
        new = Entry(digest, secret.id, request.id, settings.clock().isoformat())
        write_entries(path, (*read_entries(path), new))


def _removed(
    request: Forgetting,
    settings: LoadedSettings,
    platform: Platform,
    needle: Needle,
    scores: Sequence[Path],
    report: Report,
) -> Forgetting:
    """Search, remember which runs are concerned, remove, search again; return what came of it."""
    state = settings.project.state_dir
    for place in places(settings, scores):
        if isinstance(place, Place) and is_left_behind(place):
            place.path.unlink(missing_ok=True)
    report("looking for the key")
    looked = _look(settings, needle, scores, report)
    request = _with_runs(request, looked, settings)
    write_request(state, request)
    for folder in {place.path.parent for place, _ in looked.rows if place.store == SCORES}:
        end_run_of_scores(folder)
    unread: list[str] = []
    for place, _ in looked.rows:
        keeper = _Keeper(request, settings, needle)
        try:
            rows = remove(place, needle, keeper.before)
        except Unread as error:
            unread.append(f"{place.store}: {needle.hidden_in(place.name)} stays ({error})")
            continue
        if rows:
            request = keeper.request.with_removed(place.store, rows)
            write_request(state, request)
    report("looking for it again")
    again = _look(settings, needle, scores, report)
    left = [
        f"{place.store}: {needle.hidden_in(place.name)} has it still" for place, _ in again.rows
    ]
    here = (*unread, *left, *again.left)
    request = _removed_there(request, settings, platform, needle, report)
    pending = tuple(dict.fromkeys((*here, *request.pending, *_elsewhere(settings, request))))
    request = _with_versions(replace(request, pending=pending), platform, settings)
    ended = None if pending else settings.clock().isoformat()
    request = replace(request, ended=ended, hmac=request.hmac if pending else None)
    write_request(state, request)
    return request


def _removed_there(
    request: Forgetting,
    settings: LoadedSettings,
    platform: Platform,
    needle: Needle,
    report: Report,
) -> Forgetting:
    """Remove what the platform keeps of the environment; `pending` has what is left of it."""
    environment = settings.values.environment
    if search := _search(settings, platform, needle, report):
        state = settings.project.state_dir
        request = search.clear(request, lambda each: write_request(state, each), settings.clock())
    by_hand = () if environment in request.by_hand else platform.out_of_reach()
    request = replace(request, pending=(*request.pending, *by_hand))
    return request.with_cleared(environment, cleared=not request.pending)


def _search(
    settings: LoadedSettings, platform: Platform, needle: Needle, report: Report
) -> RemoteSearch | None:
    rows = platform.remote_rows()
    if rows is None:
        return None
    model, environment = settings.model_name, settings.values.environment
    return RemoteSearch(rows, needle, model, environment, report)


def _elsewhere(settings: LoadedSettings, request: Forgetting) -> tuple[str, ...]:
    """Return the other environments that keep rows away from this machine and have some left."""
    project, clock = settings.project, settings.clock
    left = []
    for name in project.environments():
        if name == settings.values.environment or name in request.cleared:
            continue
        if load_settings(project, name, clock=clock).values.platform != THIS_MACHINE:
            left.append(f"{name}: call it there, too, with {typed(f'forget --environment {name}')}")
    return tuple(left)


@dataclass
class _Keeper:
    """Remembers, before a file is replaced, which hash becomes which."""

    request: Forgetting
    settings: LoadedSettings
    needle: Needle

    def before(self, old: Path, new: Path) -> None:
        """See `rows.BeforeReplacing`."""
        state = self.settings.project.state_dir
        runs = state / "runs"
        if not old.is_relative_to(runs):
            return
        run = RunFolder(runs / old.relative_to(runs).parts[0])
        if old == holdout_file(run.prepared_path):
            changed = {**self.request.holdouts, file_sha256(old): file_sha256(new)}
            self.request = replace(self.request, holdouts=changed)
        elif old == run.validated.data:
            found = fingerprint(read_table(old)), fingerprint(read_table(new))
            self.request = replace(self.request, data={**self.request.data, found[0]: found[1]})
        else:
            return
        write_request(state, self.request)


def _look(
    settings: LoadedSettings, needle: Needle, scores: Sequence[Path], report: Report
) -> _Looked:
    """Search every place."""
    rows: list[tuple[Place, int]] = []
    left: list[str] = []
    searched = 0
    for place in places(settings, scores):
        if isinstance(place, Unopened):
            left.append(f"{needle.hidden_in(place.name)} cannot be opened ({place.why})")
            continue
        searched += 1
        shown = needle.hidden_in(place.name)
        if shown != place.name:
            left.append(f"{place.store}: the name of a file has it: {shown}")
        try:
            found = find(place, needle)
        except Unread as error:
            left.append(f"{place.store}: {shown} cannot be read ({error})")
            continue
        rows += [(place, found.rows)] if found.rows else []
        left += [f"{place.store}: {shown} has it"] if found.besides else []
    report(f"{searched:,} files were searched")
    return _Looked(tuple(rows), tuple(left))


def _with_runs(request: Forgetting, looked: _Looked, settings: LoadedSettings) -> Forgetting:
    state = settings.project.state_dir
    found = (run_of_training_part(place.path, state) for place, _ in looked.rows)
    return replace(request, runs=tuple(sorted({*request.runs, *filter(None, found)})))


def _with_versions(request: Forgetting, platform: Platform, settings: LoadedSettings) -> Forgetting:
    found = trained_on(platform, settings.project.state_dir, request.runs)
    versions = tuple(sorted({*request.versions, *found.versions}))
    unknown = tuple(each for each in found.not_known if each not in versions)
    return replace(request, versions=versions, not_known=unknown)


def _told(request: Forgetting) -> Details:
    """Return what the audit log says: counts, hashes and versions, nothing made of the key."""
    return {
        **{f"rows_{store}": rows for store, rows in sorted(request.removed.items())},
        "holdouts": " ".join(request.holdouts.values()),
        "versions": " ".join(map(str, request.versions)),
        "versions_not_known": " ".join(map(str, request.not_known)),
        "purges": " ".join(
            f"{name} {operation}"
            for name, operations in sorted(request.purges.items())
            for operation in operations
        ),
        "by_hand": " ".join(request.by_hand),
        "pending": len(request.pending),
    }


def _notes(settings: LoadedSettings, needle: Needle) -> tuple[str, ...]:
    notes = []
    if not needle.is_rare:
        notes.append(
            "the key is so short that other texts hold it by chance: it was looked for in key "
            "columns alone"
        )
    if gone := missing_scores(settings):
        notes.append(
            f"{gone:,} folders of scores are not where they were written: if they were moved, name "
            "them by --scores"
        )
    return tuple(notes)


def _still_open(settings: LoadedSettings) -> frozenset[str]:
    """Return the requests that are not done."""
    return frozenset(each.id for each in listed(settings) if each.ended is None)


def _of_dropped(count: int, how: str) -> tuple[str, ...]:
    if not count:
        return ()
    return (
        f"{count:,} entries of the suppression list are older than forget.keep_days and {how} "
        "dropped: later data may have these keys again",
    )


def _require_folders(scores: Sequence[Path]) -> None:
    for folder in scores:
        if not folder.is_dir():
            raise ConfigError(f"--scores: the folder {folder} does not exist")
