"""Whether packages/ is what the template brought: its files, by the list that came with them."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from mlops.diagnosis import Diagnosis, diagnose
from mlops.errors import ConfigError, Hold, Refused
from mlops.hints import typed
from mlops.settings.project import Project
from mlops.steps.provenance import ask_git

FOLDER = "packages"
LIST = f"{FOLDER}/files.sha256"
"""A line a file, as sha256sum writes it, with paths that begin below packages/."""
TABLE = "[tool.mlops.patched]"
_LINE = re.compile(r"([0-9a-f]{64})  (\S.*)")
_NAMED = 5


@dataclass(frozen=True)
class Compared:
    """How packages/ differs from its list: paths from the project's root, in order.

    Attributes:
        files: how many files the list has.
        changed: with another content.
        missing: on the list, and not there or ignored by git.
        added: there, and not on the list.
        declared: which of these pyproject.toml declares, with the reason of each.
        needless: declared there, and no different from what the template brought.
    """

    files: int
    changed: tuple[str, ...]
    missing: tuple[str, ...]
    added: tuple[str, ...]
    declared: Mapping[str, str]
    needless: tuple[str, ...]

    @property
    def undeclared(self) -> tuple[str, ...]:
        """Every file that differs without a declaration, in order."""
        found = {*self.changed, *self.missing, *self.added}
        return tuple(sorted(found - self.declared.keys()))

    def rows(self) -> list[tuple[str, str, str]]:
        """Return each file with how it differs, and the reason that is declared."""
        kinds = {
            "changed": self.changed,
            "missing": self.missing,
            "added": self.added,
            "declared, yet not different": self.needless,
        }
        found = [(path, kind) for kind, paths in kinds.items() for path in paths]
        return [(path, kind, self.declared.get(path, "")) for path, kind in sorted(found)]


def digest(content: bytes) -> str:
    """Return the SHA-256 of a file; of text the same whatever its line ends."""
    is_text = b"\0" not in content
    plain = content.replace(b"\r\n", b"\n") if is_text else content
    return hashlib.sha256(plain).hexdigest()


def list_of(digests: Mapping[str, str]) -> str:
    """Return the list of files whose paths begin below packages/."""
    return "".join(f"{found}  {path}\n" for path, found in sorted(digests.items()))


def read_list(text: str) -> dict[str, str]:
    """Return the digest of each file by its path from the project's root.

    Raises:
        ConfigError: a line is none of such a list, or a file is named twice.
    """
    found: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        parts = _LINE.fullmatch(line)
        path = f"{FOLDER}/{parts[2]}" if parts else ""
        if not parts or path in found:
            raise ConfigError(
                f"{LIST}, line {number}: neither a digest with a file, nor one that is new",
                _BRING_BACK,
            )
        found[path] = parts[1]
    return found


def compare(
    listed: Mapping[str, str], present: Mapping[str, str], patched: Mapping[str, str]
) -> Compared:
    """Compare the files of packages/ with the list.

    Args:
        listed: the digest of each file that the template brought, by path.
        present: the same of each that is there.
        patched: what pyproject.toml declares: the reason, by path.
    """
    changed = {path for path in listed.keys() & present.keys() if listed[path] != present[path]}
    missing = listed.keys() - present.keys()
    added = present.keys() - listed.keys()
    differing = changed | missing | added
    return Compared(
        files=len(listed),
        changed=tuple(sorted(changed)),
        missing=tuple(sorted(missing)),
        added=tuple(sorted(added)),
        declared={path: why for path, why in patched.items() if path in differing},
        needless=tuple(sorted(patched.keys() - differing)),
    )


def compare_project(project: Project) -> Compared | None:
    """Compare a project's packages/; None where it has none, as with a machinery from an index.

    Raises:
        Hold: there is no list, or git does not say which files there are.
        ConfigError: the list cannot be read, or git is not installed.
    """
    root = project.root
    if not (root / FOLDER).is_dir():
        return None
    path = root / LIST
    if not path.is_file():
        raise Hold(f"{LIST} is missing, so nothing says what the template brought", _BRING_BACK)
    try:
        listed = read_list(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        raise ConfigError(f"{LIST} is no text", _BRING_BACK) from None
    present = {name: digest((root / name).read_bytes()) for name in _files(root)}
    return compare(listed, present, project.facts.patched)


def require_as_brought(compared: Compared) -> None:
    """Refuse files that differ undeclared, and declarations of what does not differ.

    Raises:
        Refused: there are some.
    """
    if compared.undeclared:
        raise Refused(
            f"packages/ is not what the template brought: {_some(compared.undeclared)}",
            f"take the edits back (`git log -- {FOLDER}` says whose they are), or declare each "
            f"file with its reason under {TABLE} in pyproject.toml",
        )
    if compared.needless:
        raise Refused(
            f"{TABLE} declares what the template brought just so: {_some(compared.needless)}",
            "remove these lines from pyproject.toml: they would hide a later edit",
        )


def template_files(project: Project) -> Diagnosis:
    """Tell whether packages/ is what the template brought."""

    def look() -> str:
        compared = compare_project(project)
        if compared is None:
            return "none: the machinery comes from an index"
        require_as_brought(compared)
        declared = f", {len(compared.declared)} patched and declared" if compared.declared else ""
        return f"{compared.files} files of the template{declared}"

    found = diagnose(FOLDER, look, f"{typed('ci machinery')} says more")
    return replace(found, needed=False)


_BRING_BACK = f"`git checkout HEAD -- {LIST}` brings it back where it was committed"


def _files(root: Path) -> list[str]:
    """Return the files below packages/ that git has or would take, but for the list."""
    said = ask_git(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard", FOLDER)
    if not said.well:
        raise Hold(
            f"git does not say which files {FOLDER}/ has ({said.problem})",
            "`git init --initial-branch main` makes a repository of the project",
        )
    names = sorted({*filter(None, said.said.split("\0"))} - {LIST})
    return [name for name in names if (root / name).is_file()]


def _some(paths: tuple[str, ...]) -> str:
    more = len(paths) - _NAMED
    named = ", ".join(paths[:_NAMED])
    return f"{named} and {more} more" if more > 0 else named
