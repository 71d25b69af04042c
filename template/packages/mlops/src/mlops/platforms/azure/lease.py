"""The lease of an Azure endpoint, in the endpoint's own tags: what is written, read and undone.

Azure ML has no lock. Who changes an endpoint in several steps writes so into its tags, with a time
until which that holds and that is moved on while the change lasts. One tag holds one field, because
a tag has room for 256 characters.
"""

import functools
import hashlib
import os
import socket
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from mlops.platforms import process_identity
from mlops.platforms.base import DeploymentShare
from mlops.platforms.lease_rules import Memory, Shares
from mlops.platforms.lease_terms import USUAL, Leaves, Pending, Terms, WayBack

LEASE = "mlops-lease-"
PREVIOUS = "mlops-previous-"
WAY_BACK = "mlops-way-back-"
_BEFORE = f"{LEASE}before-"
_MIRROR = f"{LEASE}mirror-"
_LONGEST_VALUE = 256
_TIME = "%Y-%m-%dT%H:%M:%SZ"

_BOOT, _PROCESSES = Path("/proc/sys/kernel/random/boot_id"), Path("/proc/self/ns/pid")

Tags = Mapping[str, str]


@dataclass(frozen=True)
class AzureLease:
    """Who holds an endpoint, for what and until when; and how it was before.

    `process` and `run` tell whether its holder still lives. `done` says that the change has reached
    its end: nobody undoes it any more. `leaves` and `yields` are of its terms.
    """

    purpose: str
    holder: str
    expires: datetime
    before: Shares
    mirror: dict[str, int]
    process: str = ""
    run: str = ""
    done: bool = False
    leaves: Leaves = Leaves.BEFORE
    yields: bool = False

    def gives_way(self, terms: Terms) -> bool:
        """Tell whether its holder loses it to a change on these terms."""
        return terms.takes_over and self.yields and not self.done

    @property
    def is_abandoned(self) -> bool:
        """Whether the process that took it is known to have ended, whatever its time.

        It is known of one on this machine, and of one of this very run in GitHub Actions: its steps
        follow each other, and no two of its jobs change the same endpoint.
        """
        machine, _, process = self.process.partition(" ")
        if machine == machine_id():
            return not _is_running(process)
        return _is_earlier(self.run, this_run())

    def is_held(self, now: datetime, *, in_progress: bool = False) -> bool:
        """Tell whether it still holds.

        Args:
            now: the present time.
            in_progress: whether Azure is still creating or changing one of the deployments; its
                holder cannot move the time on meanwhile.
        """
        return now < self.expires or in_progress


def taken(
    holder: str,
    purpose: str,
    before: Shares,
    mirror: Mapping[str, int],
    expires: datetime,
    terms: Terms = USUAL,
) -> AzureLease:
    """Return a lease of this process."""
    pid, create_time = process_identity.this_process()
    return AzureLease(
        purpose,
        holder,
        expires,
        dict(before),
        dict(mirror),
        process=f"{machine_id()} {pid} {create_time!r}",
        run=this_run(),
        leaves=terms.leaves,
        yields=terms.yields,
    )


def renewed(lease: AzureLease, now: datetime, seconds: float) -> AzureLease:
    """Return the lease, holding so many seconds from now."""
    return replace(lease, expires=now + timedelta(seconds=seconds))


def read_lease(tags: Tags) -> AzureLease | None:
    """Return the lease that an endpoint's tags hold; what nobody can read holds nothing."""
    try:
        return AzureLease(
            purpose=tags[f"{LEASE}purpose"],
            holder=tags[f"{LEASE}holder"],
            expires=datetime.strptime(tags[f"{LEASE}expires"], _TIME).replace(tzinfo=UTC),
            before=_shares(tags, _BEFORE),
            mirror={name: int(text) for name, text in _below(tags, _MIRROR).items()},
            process=tags.get(f"{LEASE}process", ""),
            run=tags.get(f"{LEASE}run", ""),
            done=f"{LEASE}done" in tags,
            leaves=Leaves(tags.get(f"{LEASE}leaves", Leaves.BEFORE)),
            yields=f"{LEASE}yields" in tags,
        )
    except (KeyError, ValueError):
        return None


def with_lease(tags: Tags, lease: AzureLease | None) -> dict[str, str]:
    """Return the tags with this lease instead of the one they hold."""
    kept = {name: value for name, value in tags.items() if not name.startswith(LEASE)}
    if lease is None:
        return kept
    return {
        **kept,
        f"{LEASE}purpose": lease.purpose[:_LONGEST_VALUE],
        f"{LEASE}holder": lease.holder[:_LONGEST_VALUE],
        f"{LEASE}expires": lease.expires.astimezone(UTC).strftime(_TIME),
        **({f"{LEASE}process": lease.process} if lease.process else {}),
        **({f"{LEASE}run": lease.run} if lease.run else {}),
        **({f"{LEASE}done": "yes"} if lease.done else {}),
        **({f"{LEASE}leaves": lease.leaves.value} if lease.leaves is not Leaves.BEFORE else {}),
        **({f"{LEASE}yields": "yes"} if lease.yields else {}),
        **_written(lease.before, _BEFORE),
        **{f"{_MIRROR}{name}": str(percent) for name, percent in lease.mirror.items()},
    }


def pending(
    lease: AzureLease | None, now: datetime, *, in_progress: bool = False
) -> Pending | None:
    """Return the change that a lease is for, and whether its command may live."""
    if lease is None:
        return None
    lives = not lease.is_abandoned and lease.is_held(now, in_progress=in_progress)
    until = f"{lease.expires:%Y-%m-%d %H:%M} UTC" if lives else ""
    return Pending(lease.purpose, lives, lease.done, until, lease.yields)


def read_memory(tags: Tags) -> Memory:
    """Return what the tags hold of before; what nobody can read is nothing."""
    try:
        previous = _shares(tags, PREVIOUS) or None
    except ValueError:
        previous = None
    return Memory(previous, _way_back(_below(tags, WAY_BACK)))


def with_memory(tags: Tags, memory: Memory) -> dict[str, str]:
    """Return the tags with this as what was before."""
    kept = {
        name: value for name, value in tags.items() if not name.startswith((PREVIOUS, WAY_BACK))
    }
    kept |= _written(memory.previous or {}, PREVIOUS)
    if way := memory.way_back:
        kept[f"{WAY_BACK}deployment"] = way.deployment
        kept[f"{WAY_BACK}version"] = str(way.model_version)
        kept[f"{WAY_BACK}until"] = way.until.astimezone(UTC).strftime(_TIME)
        if way.withdraws is not None:
            kept[f"{WAY_BACK}withdraws"] = str(way.withdraws)
    return kept


def _way_back(fields: Tags) -> WayBack | None:
    try:
        return WayBack(
            fields["deployment"],
            int(fields["version"]),
            datetime.strptime(fields["until"], _TIME).replace(tzinfo=UTC),
            int(fields["withdraws"]) if "withdraws" in fields else None,
        )
    except (KeyError, ValueError):
        return None


@functools.cache
def machine_id() -> str:
    """Return what tells this machine from every other, also from those of the same name.

    Hosted runners share their names, and containers their machine.
    """
    parts = [socket.gethostname()]
    try:
        parts += [_BOOT.read_text(encoding="ascii").strip(), str(_PROCESSES.readlink())]
    except OSError:
        parts.append(str(uuid.getnode()))
    return hashlib.sha256(" ".join(parts).encode()).hexdigest()[:16]


def this_run(variables: Mapping[str, str] = os.environ) -> str:
    """Return the run of GitHub Actions that this process belongs to, or nothing."""
    run = variables.get("GITHUB_RUN_ID", "")
    attempt = variables.get("GITHUB_RUN_ATTEMPT", "")
    if not (run and attempt):
        return ""
    return f"{variables.get('GITHUB_REPOSITORY', '')} {run} {attempt}".strip()[-_LONGEST_VALUE:]


def _is_earlier(run: str, now: str) -> bool:
    """Tell whether a run is the present one, or an earlier attempt of it."""
    name, _, attempt = run.rpartition(" ")
    present, _, number = now.rpartition(" ")
    known = attempt.isdecimal() and number.isdecimal()
    return known and name == present != "" and int(attempt) <= int(number)


def _is_running(process: str) -> bool:
    """Tell whether a process of this machine runs; one that is not described does."""
    pid, _, create_time = process.partition(" ")
    try:
        return process_identity.is_running(int(pid), float(create_time))
    except ValueError:
        return True


def _written(shares: Shares, prefix: str) -> dict[str, str]:
    return {f"{prefix}{name}": _text(share) for name, share in shares.items()}


def _text(share: DeploymentShare) -> str:
    text = f"version {share.model_version}, {share.traffic} %"
    whole = f"{text}, {share.origin}"
    return whole if share.origin and len(whole) <= _LONGEST_VALUE else text


def _shares(tags: Tags, prefix: str) -> Shares:
    return {name: _share(text) for name, text in sorted(_below(tags, prefix).items())}


def _share(text: str) -> DeploymentShare:
    version, traffic, *origin = text.removeprefix("version ").split(", ", 2)
    return DeploymentShare(int(version), int(traffic.removesuffix(" %")), "".join(origin))


def _below(tags: Tags, prefix: str) -> dict[str, str]:
    return {
        name.removeprefix(prefix): value for name, value in tags.items() if name.startswith(prefix)
    }
