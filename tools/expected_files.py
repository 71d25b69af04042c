"""Write tests/expected/, which files a project has. Read the diff before a commit.

rfm.txt, spend.txt and blank.txt list the files of maturity level 1, level-2.txt and level-3.txt
what each adds; none.txt lists what `infrastructure: none` leaves out of all of these. Blank has the
same files for each task. adopted.txt lists what a project that was there before gets besides.

And write questions/files.jinja, the template's files outside packages/: those that a repository
which adopts the template may have already.
"""

import tempfile
from pathlib import Path

from copier import run_copy

from tools.worktree import ROOT, copy_worktree

EXPECTED = ROOT / "tests" / "expected"
EXAMPLES = ("rfm", "spend", "blank")
LEVELS = (1, 2, 3)
ANSWERS_FILE = ".copier-answers.yml"
FILES = ROOT / "questions" / "files.jinja"
FILES_HEADER = """\
{#- The template's files outside packages/, the team's package called `package`. Written by
    `make files` from tests/expected/: do not edit. -#}

"""


def files_in(folder: Path) -> list[str]:
    """Return the paths of all files below a folder, git's own left out, in order."""
    found = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return sorted(path.as_posix() for path in found if path.parts[0] != ".git")


def expected_files(
    example: str, level: int, package: str, infrastructure: str, adopted: bool = False
) -> list[str]:
    """Return the files that a project has by the lists, in order."""
    lists = [example, *(f"level-{number}" for number in LEVELS[1:level])]
    lists += ["adopted"] if adopted else []
    files = {file for name in lists for file in listed(name)}
    if infrastructure == "none":
        files -= set(listed("none"))
    return sorted(file.replace("src/package/", f"src/{package}/") for file in files)


def listed(name: str) -> list[str]:
    """Return the files of one list."""
    return (EXPECTED / f"{name}.txt").read_text(encoding="utf-8").split("\n")[:-1]


def write_list(name: str, files: set[str]) -> None:
    """Write one list."""
    text = "".join(f"{file}\n" for file in sorted(files))
    (EXPECTED / f"{name}.txt").write_text(text, encoding="utf-8", newline="\n")


def main() -> None:
    """Render each example at each level and list its files."""
    with tempfile.TemporaryDirectory() as folder:
        source = copy_worktree(Path(folder, "template"))
        for example in EXAMPLES:
            before: set[str] = set()
            for level in LEVELS:
                project = Path(folder, f"{example}-{level}")
                names = {"project_slug": "slug", "package_name": "package"}
                data = {"example": example, "maturity_level": level, **names}
                run_copy(str(source), project, data=data, defaults=True, quiet=True)
                files = set(files_in(project))
                write_list(example if level == 1 else f"level-{level}", files - before)
                before = files
        project = Path(folder, "none")
        data = {**data, "infrastructure": "none"}
        run_copy(str(source), project, data=data, defaults=True, quiet=True)
        write_list("none", before - set(files_in(project)))
        project = Path(folder, "adopted")
        data = {**data, "infrastructure": "bicep", "adopted": True}
        run_copy(str(source), project, data=data, defaults=True, quiet=True)
        write_list("adopted", set(files_in(project)) - before)
    FILES.write_text(files_module(), encoding="utf-8", newline="\n")


def files_module() -> str:
    """Return questions/files.jinja, made from the lists."""
    every = {file for path in EXPECTED.glob("*.txt") for file in listed(path.stem)}
    outside = sorted(
        each for each in every if not each.startswith("packages/") and each != ANSWERS_FILE
    )
    lines = "".join(f"  '{each}',\n" for each in outside)
    return f"{FILES_HEADER}{{%- set files = [\n{lines}] -%}}\n"


if __name__ == "__main__":
    main()
