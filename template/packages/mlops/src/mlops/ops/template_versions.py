"""Versions of the template: its tags, as Copier reads them, and which of them is the newest."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

_RELEASE = re.compile(r"v?(\d+(?:\.\d+)*)")
_BEFORE = re.compile(r"v?(\d+(?:\.\d+)*)(?![\w])")


@dataclass(frozen=True)
class Refs:
    """What a repository holds.

    Attributes:
        head: the commit of its default branch; empty if it has none.
        tags: the names of its tags.
    """

    head: str
    tags: tuple[str, ...]

    @classmethod
    def parse(cls, listing: str) -> "Refs":
        """Read what `git ls-remote` prints: a commit, a tab and a name on each line."""
        named = [line.partition("\t")[::2] for line in listing.splitlines() if "\t" in line]
        head = next((commit for commit, name in named if name == "HEAD"), "")
        prefix = "refs/tags/"
        tags = [name.removeprefix(prefix) for _, name in named if name.startswith(prefix)]
        return cls(head, tuple(tag for tag in tags if not tag.endswith("^{}")))


def release_numbers(text: str) -> tuple[int, ...] | None:
    """Return the numbers of a tag that is a release; None for any other, a candidate for example.

    Zeros at the end do not count: 1.0 and 1.0.0 are the same release.
    """
    found = _RELEASE.fullmatch(text)
    return _numbers(found[1]) if found else None


def numbers_before(version: str) -> tuple[int, ...]:
    """Return the numbers of the release that a version is or follows; empty where there is none.

    Args:
        version: as `git describe --tags --always` says it: 1.2.0, or 1.2.0-3-g5c2a1f0 for a commit
            after it, or a commit alone in a repository without tags.
    """
    if re.fullmatch(r"[0-9a-f]{7,40}", version):
        return ()
    found = _BEFORE.match(version)
    return _numbers(found[1]) if found else ()


def newest_release(tags: Iterable[str]) -> str:
    """Return the tag of the newest release; empty where there is none."""
    releases = [tag for tag in tags if release_numbers(tag) is not None]
    return max(releases, key=lambda tag: release_numbers(tag) or (), default="")


def newer_than(version: str, refs: Refs) -> str:
    """Return what a project of this version can be updated to; empty if that is nothing.

    Without any release the newest commit counts, as it does for Copier.
    """
    newest = newest_release(refs.tags)
    if newest:
        return newest if (release_numbers(newest) or ()) > numbers_before(version) else ""
    commit = re.split(r"-g(?=[0-9a-f]+$)", version)[-1]
    known = re.fullmatch(r"[0-9a-f]{7,40}", commit) is not None
    return "" if known and refs.head.startswith(commit) else refs.head[:10]


def _numbers(text: str) -> tuple[int, ...]:
    numbers = [int(part) for part in text.split(".")]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)
