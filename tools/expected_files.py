"""Write tests/expected/<example>.txt, which files a project has. Read the diff before a commit."""

import tempfile
from pathlib import Path

from copier import run_copy

from tools.worktree import ROOT, copy_worktree

EXPECTED = ROOT / "tests" / "expected"


def files_in(folder: Path) -> list[str]:
    """Return the paths of all files below a folder, git's own left out, in order."""
    found = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return sorted(path.as_posix() for path in found if path.parts[0] != ".git")


def main() -> None:
    """Render each example and list its files."""
    with tempfile.TemporaryDirectory() as folder:
        source = copy_worktree(Path(folder, "template"))
        for example in ("rfm", "blank"):
            project = Path(folder, example)
            data = {"example": example, "project_slug": "slug", "package_name": "package"}
            run_copy(str(source), project, data=data, defaults=True, quiet=True)
            text = "\n".join(files_in(project)) + "\n"
            (EXPECTED / f"{example}.txt").write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
