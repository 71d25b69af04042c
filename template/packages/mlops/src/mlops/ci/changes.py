"""What a push changed, so that the pipeline does only where it must what takes long.

That is the machinery's own tests, compiling infra/, and training.
"""

import subprocess  # nosec B404
from collections.abc import Iterable
from pathlib import Path

MACHINERY = ("packages/", "serving/", "pyproject.toml", "uv.lock")
"""What the machinery is, runs on or is tested with: files, and folders with a slash at the end."""
INFRASTRUCTURE = ("infra/", "conf/", "observability/", "packages/mlops/src/mlops/ci/bicep/")
"""What infra/ is, reads or is compiled by."""
DOCUMENTATION = ("docs/", "LICENSE", ".github/CODEOWNERS")
"""What no model depends on, besides pages."""
PAGES = ("docs/", "packages/", ".github/")
"""Where Markdown is a page for people, besides the root; elsewhere the model may read it."""


def changed_files(root: Path, before: str) -> list[str] | None:
    """Return the files that differ between a commit and the present one, or None if unknown.

    Unknown is a commit that is not given or not at hand: after a branch's first push, a forced one,
    or in a clone without its history.

    Args:
        root: the project's root, in a git repository.
        before: the commit before, by its hash.
    """
    if not before.strip("0"):
        return None
    command = ["git", "diff", "--name-only", "--no-renames", "-z", before, "HEAD", "--"]
    try:
        # a fixed argument list, no shell
        done = subprocess.run(  # nosec B603
            command,
            cwd=root,
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",
            check=False,
        )
    except OSError:
        return None
    return done.stdout.split("\0")[:-1] if done.returncode == 0 else None


def concerns(parts: Iterable[str], files: Iterable[str] | None) -> bool:
    """Tell whether a file is one of these parts, or in one; where nothing is known it may be.

    Args:
        parts: files, and folders with a slash at the end.
        files: what changed; None if unknown.
    """
    if files is None:
        return True
    return any(
        file.startswith(part) if part.endswith("/") else file == part
        for file in files
        for part in parts
    )


def concerns_machinery(files: Iterable[str] | None) -> bool:
    """Tell whether the machinery's tests must run; where the changes are unknown they must."""
    return concerns(MACHINERY, files)


def concerns_model(files: Iterable[str] | None) -> bool:
    """Tell whether a model is to be trained: not where documentation alone changed.

    Args:
        files: what changed; None if unknown. Where nothing did, as in a run by hand, it is trained.
    """
    known = list(files or ())
    return not known or not all(_is_page(file) or concerns(DOCUMENTATION, [file]) for file in known)


def _is_page(file: str) -> bool:
    return file.endswith(".md") and ("/" not in file or file.startswith(PAGES))
