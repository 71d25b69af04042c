"""Stands in for actions/upload-artifact and actions/download-artifact.

Uploading does what people stumble over with the real one: hidden files only when asked for, later
patterns win, and the paths inside begin below the deepest folder that all patterns share.
STUB_ARTIFACTS holds a folder for each run, STUB_RUN is the number of the present one, and
STUB_LOST_UPLOAD an artifact whose upload fails.
"""

import os
import shutil
import sys
from pathlib import Path

GLOB = set("*?[")


def fixed_part(pattern: str) -> Path:
    """Return the part of a pattern before its first wildcard."""
    parts = []
    for part in Path(pattern).parts:
        if GLOB.intersection(part):
            break
        parts.append(part)
    return Path(*parts)


def matches(pattern: str) -> set[Path]:
    """Return the files that a pattern names; a folder stands for all below it."""
    found: set[Path] = set()
    for path in Path().glob(pattern.rstrip("/")):
        found |= {p for p in path.rglob("*") if p.is_file()} if path.is_dir() else {path}
    return found


def upload(name: str) -> int:
    """Copy the files to the artifact's folder."""
    files: set[Path] = set()
    roots: list[Path] = []
    for line in os.environ["PATHS"].splitlines():
        pattern = line.strip()
        if not pattern:
            continue
        if pattern.startswith("!"):
            files -= matches(pattern[1:])
            continue
        files |= matches(pattern)
        roots.append(fixed_part(pattern))
    if os.environ["HIDDEN"] != "true":
        files = {path for path in files if not any(part.startswith(".") for part in path.parts)}
    if not files:
        print(f"No files were found with the provided path: {os.environ['PATHS']}")
        return int(os.environ["IF_NONE"] == "error")
    root = Path(os.path.commonpath(roots))
    root = root.parent if root.is_file() else root
    target = Path(os.environ["STUB_ARTIFACTS"], os.environ["STUB_RUN"], name)
    if name == os.environ.get("STUB_LOST_UPLOAD"):
        print("the connection was reset")
        return 1
    if target.exists():
        print(f"an artifact with the name {name} exists already")
        return 1
    for path in files:
        kept = target / path.relative_to(root)
        kept.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, kept)
    return 0


def download(name: str) -> int:
    """Copy an artifact of this run, or of another one with a token, into a folder."""
    run = os.environ["RUN_ID"] or os.environ["STUB_RUN"]
    if run != os.environ["STUB_RUN"] and not os.environ["TOKEN"]:
        print("an artifact of another run needs a token")
        return 1
    kept = Path(os.environ["STUB_ARTIFACTS"], run)
    sources = sorted(kept.glob(name or os.environ["PATTERN"]))
    if not sources:
        print(f"Artifact not found for name: {name}")
        return int(bool(name))
    alone = len(sources) == 1 or os.environ["MERGE"] == "true"
    for source in sources:  # several get a folder each, unless they are to be merged
        target = Path(os.environ["PATHS"]) / ("" if alone else source.name)
        shutil.copytree(source, target, dirs_exist_ok=True)
    return 0


if __name__ == "__main__":
    sys.exit({"upload": upload, "download": download}[sys.argv[1]](os.environ["NAME"]))
