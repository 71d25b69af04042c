"""A copy of this repository's files as they are now, so that changes need no commit to be tried."""

import shutil
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def tracked_files() -> list[Path]:
    """Return the files that are or could be committed, relative to the root, in order."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    ).stdout.decode()
    names = sorted(set(filter(None, listing.split("\0"))))
    return [Path(name) for name in names if (ROOT / name).is_file()]


def copy_worktree(target: Path) -> Path:
    """Copy those files to `target`, with no git history, and return it."""
    return _copy(tracked_files(), ROOT, target)


def copy_files(source: Path, target: Path, parts: Sequence[str]) -> Path:
    """Copy those files that lie in some parts of a folder of this repository; return `target`."""
    inside = [ROOT / path for path in tracked_files() if (ROOT / path).is_relative_to(source)]
    wanted = [path.relative_to(source) for path in inside]
    return _copy([p for p in wanted if p.as_posix().startswith(tuple(parts))], source, target)


def _copy(paths: Iterable[Path], source: Path, target: Path) -> Path:
    for path in paths:
        destination = target / path
        destination.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source / path, destination)
    return target
