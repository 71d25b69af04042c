"""`make release VERSION=0.2.0`: the files of this repository, made ready for a release.

The version stands in the files of `VERSIONS` alone; `copier update` reads it from the tag. Nothing
is committed, tagged or sent: the last lines say what a person does.
"""

import argparse
import re
import subprocess
import tomllib
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from tools.worktree import ROOT

CHANGELOG = Path("CHANGELOG.md")
VERSIONS = (Path("pyproject.toml"), Path("template/packages/mlops/pyproject.toml"))
"""What states the version: this repository, and the machinery that projects get."""
DAYS = (Path("pyproject.toml"), Path("template/pyproject.toml.jinja"))
"""What freezes the day past which no package is installed."""
TO_DO = "### To do when updating"
"""The part of each release that a team acts on."""
SETTLED = timedelta(days=7)
"""How old a package must be: bad releases are often withdrawn within days."""
_NEXT = f"## Unreleased\n\n{TO_DO}\n\nNothing.\n\n"
_VERSION = re.compile(r"\d+\.\d+\.\d+")
_DAY = re.compile(r'^(exclude-newer = ")(\d{4}-\d\d-\d\d)(")$', re.M)


class NotReadyError(Exception):
    """A release cannot be made of these files; it says why and what to do."""


def tag_of(version: str) -> str:
    """Return the tag of a version."""
    return f"v{version}"


def ordered(version: str) -> tuple[int, ...]:
    """Return what compares versions.

    Raises:
        NotReadyError: it is none of the form 1.2.3.
    """
    if not _VERSION.fullmatch(version):
        raise NotReadyError(f"{version!r} is no version of the form 1.2.3")
    return tuple(int(part) for part in version.split("."))


def section(changelog: str, title: str) -> str:
    """Return what CHANGELOG.md says below one title of a version, without the title.

    Raises:
        NotReadyError: there is no such title, or nothing below it.
    """
    found = re.search(
        rf"^## {re.escape(title)}(?: - \d{{4}}-\d\d-\d\d)?\n(.*?)(?=^## |\Z)",
        changelog,
        re.M | re.S,
    )
    if found is None or not found[1].strip():
        raise NotReadyError(f"{CHANGELOG} says nothing below '## {title}': write what changes")
    return found[1].strip()


def released(changelog: str, version: str, day: date) -> str:
    """Return CHANGELOG.md in which what is unreleased is a version.

    Raises:
        NotReadyError: nothing is unreleased, it has no part for those who update, or the version
            is there.
    """
    if re.search(rf"^## {re.escape(version)}\b", changelog, re.M):
        raise NotReadyError(f"{CHANGELOG} has '## {version}' already: choose the next version")
    if TO_DO not in section(changelog, "Unreleased").splitlines():
        raise NotReadyError(
            f"{CHANGELOG} has no '{TO_DO}' below '## Unreleased': say what a team has to do, "
            "as commands, or 'Nothing.'"
        )
    return changelog.replace("## Unreleased\n\n", f"{_NEXT}## {version} - {day:%Y-%m-%d}\n\n", 1)


def with_version(pyproject: str, version: str) -> str:
    """Return a pyproject.toml with another version of the project.

    Raises:
        NotReadyError: it states none on a line of its own.
    """
    changed, times = re.subn(
        r'^(version = ")[^"]+(")$', rf"\g<1>{version}\g<2>", pyproject, count=1, flags=re.M
    )
    if not times:
        raise NotReadyError("a pyproject.toml states no version on a line of its own")
    return changed


def with_day(pyproject: str, day: date) -> str:
    """Return a pyproject.toml whose packages are frozen on another day, never an earlier one.

    Raises:
        NotReadyError: it states none on a line of its own.
    """
    found = _DAY.search(pyproject)
    if found is None:
        raise NotReadyError("a pyproject.toml states no exclude-newer on a line of its own")
    newest = max(day, date.fromisoformat(found[2]))
    return _DAY.sub(rf"\g<1>{newest:%Y-%m-%d}\g<3>", pyproject)


def stated_version(root: Path = ROOT) -> str:
    """Return the version that all files of `VERSIONS` state.

    Raises:
        NotReadyError: they do not agree.
    """
    stated = {
        str(tomllib.loads((root / path).read_text("utf-8"))["project"]["version"])
        for path in VERSIONS
    }
    if len(stated) > 1:
        raise NotReadyError(
            f"{' and '.join(map(str, VERSIONS))} state {' and '.join(sorted(stated))}"
        )
    return stated.pop()


def prepared(root: Path, version: str, tags: list[str], today: date) -> Mapping[Path, str]:
    """Return the files that a release changes, with their new texts.

    Raises:
        NotReadyError: the version is not newer than all tags, or a file does not allow it.
    """
    newest = max((ordered(tag[1:]) for tag in tags if _VERSION.fullmatch(tag[1:])), default=())
    if ordered(version) <= newest:
        raise NotReadyError(f"{version} is not newer than {'.'.join(map(str, newest))}")
    texts = {path: (root / path).read_text("utf-8") for path in {CHANGELOG, *VERSIONS, *DAYS}}
    texts[CHANGELOG] = released(texts[CHANGELOG], version, today)
    for path in VERSIONS:
        texts[path] = with_version(texts[path], version)
    for path in DAYS:
        texts[path] = with_day(texts[path], today - SETTLED)
    return texts


def notes_of(root: Path, tag: str) -> str:
    """Return what is published with a tag.

    Raises:
        NotReadyError: the files at that tag are not those of its version.
    """
    version = stated_version(root)
    if tag != tag_of(version):
        raise NotReadyError(
            f"the tag is {tag} and the files state {version}: tag {tag_of(version)}"
        )
    return section((root / CHANGELOG).read_text("utf-8"), version)


def _git(*arguments: str) -> list[str]:
    return subprocess.run(
        ["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.split()


def _prepare(version: str) -> str:
    if _git("status", "--porcelain"):
        raise NotReadyError("there are changes that are not committed: commit or stash them")
    for path, text in prepared(ROOT, version, _git("tag"), datetime.now(UTC).date()).items():
        (ROOT / path).write_text(text, encoding="utf-8", newline="\n")
    tag = tag_of(version)
    return f"""\
The files say {version}. What is left:
  make requirements                 the scoring server's versions of the new day
  make test-all && make demo        nothing is released that was not seen green
  git commit --all --message "Release {version}"
  git tag --annotate {tag} --message "Release {version}"
  git push origin main {tag}        release.yml tests the tag, attests and publishes it"""


def main() -> None:
    """Parse the arguments and do the work.

    Raises:
        SystemExit: it cannot be done, with the reason.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    asked = parser.add_mutually_exclusive_group(required=True)
    asked.add_argument("--prepare", metavar="VERSION", help="change the files")
    asked.add_argument("--notes", metavar="TAG", help="print what is published with a tag")
    options = parser.parse_args()
    try:
        print(_prepare(options.prepare) if options.prepare else notes_of(ROOT, options.notes))
    except NotReadyError as reason:
        raise SystemExit(f"error: {reason}") from None


if __name__ == "__main__":
    main()
