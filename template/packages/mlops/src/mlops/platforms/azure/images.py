"""The folders that Azure ML builds its images from.

Each is made anew from aml/environments/<name>/ and files of the project, which keep their paths, so
that no copy of these can fall behind: a job's image follows uv.lock, a deployment's
serving/requirements.txt.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path

from mlops.errors import ConfigError
from mlops.files import code_hash

ADDED: dict[str, Sequence[str]] = {
    "training": ("pyproject.toml", "uv.lock", "packages/mlops/pyproject.toml"),
    "serving": ("serving/requirements.txt",),
}
DEFINITION = "environment.yml"
_REMEDIES = {"uv.lock": "run `uv sync` and commit the file"}


def assemble(root: Path, name: str, target: Path) -> str:
    """Put what an image is built from into a folder; return a hash of it all, the image's version.

    Args:
        root: the project's root.
        name: the environment, a folder of aml/environments.
        target: an empty or absent folder, which becomes the build context.

    Raises:
        ConfigError: a file that the image needs does not exist.
    """
    source = root / "aml" / "environments" / name
    own = [path for path in source.glob("*") if path.is_file() and path.name != DEFINITION]
    if not own:
        raise ConfigError(f"{source.relative_to(root).as_posix()} holds nothing to build from")
    target.mkdir(parents=True, exist_ok=True)
    for path in own:
        shutil.copyfile(path, target / path.name)
    for added in ADDED[name]:
        if not (root / added).is_file():
            raise ConfigError(
                f"{added} does not exist, which the image needs", _REMEDIES.get(added, "")
            )
        copy = target / added
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / added, copy)
    return code_hash(target)
