"""What a training job gets of the project: the files that .amlignore leaves.

Azure ML's SDK looks through a folder of code twice for each step of a pipeline, and through all of
it: with an environment of Python and data below, that takes minutes. So it is given a copy.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from pathspec import GitIgnoreSpec

from mlops.errors import ConfigError

IGNORE_FILE = ".amlignore"


def copy_code(root: Path, target: Path) -> None:
    """Copy what a job gets of the project at `root` to the new folder `target`.

    Raises:
        ConfigError: there is no .amlignore, or it leaves nothing.
    """
    files = list(code_files(root))
    if not files:
        raise ConfigError(
            f"{root / IGNORE_FILE} leaves nothing for a job", "let it except src, packages and conf"
        )
    for file in files:
        (target / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / file, target / file)


def code_files(root: Path) -> Iterator[Path]:
    """Yield the files that a job gets, relative to `root`, by the rules of .gitignore.

    Raises:
        ConfigError: there is no .amlignore.
    """
    try:
        lines = (root / IGNORE_FILE).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        raise ConfigError(
            f"{root / IGNORE_FILE} does not exist, so a job would get everything",
            "bring it back from git",
        ) from None
    ignored = GitIgnoreSpec.from_lines(lines)
    for folder, folders, files in os.walk(root, followlinks=True):
        here = Path(folder).relative_to(root)
        folders[:] = [
            name for name in folders if not ignored.match_file(f"{(here / name).as_posix()}/")
        ]
        for name in files:
            if not ignored.match_file((here / name).as_posix()):
                yield here / name
