"""Where the project is and what its pyproject.toml says about it."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import ConfigError


@dataclass(frozen=True)
class Project:
    """The project's root folder and the facts in its `[tool.mlops]` table."""

    root: Path
    facts: dict[str, Any]

    @property
    def state_dir(self) -> Path:
        """The folder of everything that runs or was made locally; git ignores it."""
        return self.root / ".mlops"


def find_project(start: Path | None = None) -> Project:
    """Find the project that holds `start` (by default the current folder).

    Raises:
        ConfigError: no folder on the way up has a pyproject.toml with `[tool.mlops]`.
    """
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        path = folder / "pyproject.toml"
        if not path.is_file():
            continue
        try:
            facts = tomllib.loads(path.read_text(encoding="utf-8")).get("tool", {}).get("mlops")
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigError(f"{path} is not valid TOML: {error}") from None
        if facts is not None:
            return Project(root=folder, facts=dict(facts))
    raise ConfigError(
        f"{here} is not inside a project: no pyproject.toml with a [tool.mlops] table on the way up"
    )
