"""Write template/packages/files.sha256, by which a project knows what the template brought."""

from mlops.ops.template_files import FOLDER, LIST, digest, list_of

from tools.worktree import ROOT, tracked_files

TEMPLATE = ROOT / "template"


def machinery_list() -> str:
    """Return the list of the files of packages/ as they are now."""
    folder = TEMPLATE / FOLDER
    paths = [ROOT / path for path in tracked_files()]
    files = [path for path in paths if path.is_relative_to(folder) and path != TEMPLATE / LIST]
    return list_of(
        {path.relative_to(folder).as_posix(): digest(path.read_bytes()) for path in files}
    )


def main() -> None:
    """Write the list."""
    (TEMPLATE / LIST).write_text(machinery_list(), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
