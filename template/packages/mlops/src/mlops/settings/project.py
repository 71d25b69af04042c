"""Where the project is and what its pyproject.toml says about it."""

import os
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mlops.errors import ConfigError

_ROOT_FILE = "pyproject.toml"
STATE_VARIABLE = "STATE_OF_MLOPS"
"""By this environment variable a command that runs another commit of the project is told its state.

It is no setting, so it does not begin as the variables of settings do.
"""


class Facts(BaseModel):
    """The table `[tool.mlops]`: what the commands know about the project.

    `patched` names files of packages/ that the team had to change, each with its reason.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1)
    package: str = Field(pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$")
    title: str
    description: str
    team: str
    contact: str
    maturity_level: int = Field(ge=1, le=3)
    patched: dict[
        Annotated[str, Field(pattern="^packages/.")], Annotated[str, Field(pattern=r"\S")]
    ] = Field(default_factory=dict)


@dataclass(frozen=True)
class Project:
    """The project's root folder and what its `[tool.mlops]` table says.

    Attributes:
        root: the folder of its pyproject.toml.
        facts: name, the team's package, title, description, team, contact and maturity level.
        state: where its state is, if not in the root folder.
        served_code: the scoring code that is deployed, if not that in the root folder.
    """

    root: Path
    facts: Facts
    state: Path | None = None
    served_code: Path | None = None

    @property
    def name(self) -> str:
        """What models and endpoints are named after."""
        return self.facts.name

    @property
    def package(self) -> str:
        """The import name of the team's package, which defines the use case."""
        return self.facts.package

    @property
    def maturity_level(self) -> int:
        """How much is automated, from 1 to 3."""
        return self.facts.maturity_level

    @property
    def state_dir(self) -> Path:
        """The folder of everything that runs or was made locally; git ignores it."""
        return self.state or self.root / ".mlops"

    @property
    def serving(self) -> Path:
        """The folder of the scoring code that is deployed."""
        return self.served_code or self.root / "serving"

    def environments(self) -> list[str]:
        """Return the names of the environments that conf/ describes."""
        files = (self.root / "conf").glob("*.yaml")
        return sorted(path.stem for path in files if path.stem != "base")


def find_project(start: Path | None = None) -> Project:
    """Find the project that holds `start` (by default the current folder).

    Raises:
        ConfigError: no folder on the way up has a pyproject.toml with `[tool.mlops]`, or what that
            table says is not valid.
    """
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        path = folder / _ROOT_FILE
        if not path.is_file():
            continue
        try:
            table = tomllib.loads(path.read_text(encoding="utf-8")).get("tool", {}).get("mlops")
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigError(f"{path} is not valid TOML: {error}") from None
        if table is not None:
            state = os.environ.get(STATE_VARIABLE)
            return Project(folder, _facts(path, table), Path(state) if state else None)
    raise ConfigError(
        f"{here} is not inside a project: no pyproject.toml with a [tool.mlops] table on the way up"
    )


def _facts(path: Path, table: Any) -> Facts:
    try:
        return Facts.model_validate(table)
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(map(str, each['loc'])) or 'the table'}: {each['msg']}"
            for each in error.errors()
        )
        raise ConfigError(f"{path}, [tool.mlops]: {problems}") from None
