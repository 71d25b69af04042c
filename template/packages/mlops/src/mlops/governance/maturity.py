"""The maturity level that a project shows: claims, each held against a recorded test or a file."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from mlops.errors import ConfigError
from mlops.yaml_loader import Loader

CLAIMS = "docs/maturity.yaml"
MACHINERY = "packages/mlops"
"""The tests below it are recorded as seen from there."""

_TEST = r"^[\w./-]+\.py(::\w+){1,2}$"


class Word(StrEnum):
    """What is known of one piece of evidence."""

    PASSED = "passed"
    THERE = "there"
    FAILED = "failed"
    SKIPPED = "skipped"
    NOT_RUN = "not run"
    GONE = "gone"

    @property
    def shows(self) -> bool:
        """Whether it shows what it was named for."""
        return self in (Word.PASSED, Word.THERE)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Requirement(_Strict):
    """What a level asks, with the tests that must have passed and the files that must be there."""

    id: str = Field(pattern=r"^[a-z0-9-]+$")
    asks: str = Field(min_length=1)
    tests: tuple[Annotated[str, Field(pattern=_TEST)], ...] = ()
    files: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _is_shown_by_something(self) -> "Requirement":
        if not self.tests and not self.files:
            raise ValueError("nothing shows it: name tests or files")
        return self


class Level(_Strict):
    """A level, the levels of others that it is nearest to, and what it asks beyond the one below.

    `elsewhere` names whose scale it is, such as `microsoft`, and the level on it.
    """

    level: int = Field(ge=1)
    name: str
    elsewhere: Mapping[str, int]
    requirements: tuple[Requirement, ...] = Field(min_length=1)


class _Claims(_Strict):
    schema_: int = Field(alias="schema", ge=1, le=1)
    levels: tuple[Level, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _are_in_order(self) -> "_Claims":
        numbers = [each.level for each in self.levels]
        if numbers != list(range(1, len(numbers) + 1)):
            raise ValueError(f"levels are 1, 2, 3 and so on, not {numbers}")
        return self


@dataclass(frozen=True)
class Evidence:
    """A test or a file, and what is known of it."""

    name: str
    word: Word


@dataclass(frozen=True)
class Finding:
    """A requirement of a level with its evidence."""

    level: int
    requirement: Requirement
    evidence: tuple[Evidence, ...]

    @property
    def missing(self) -> tuple[Evidence, ...]:
        """What does not show it."""
        return tuple(each for each in self.evidence if not each.word.shows)

    @property
    def words(self) -> str:
        """What is missing, for people."""
        return ", ".join(f"{each.name.rpartition('::')[2]} ({each.word})" for each in self.missing)


@dataclass(frozen=True)
class Maturity:
    """What is shown of each requirement."""

    levels: tuple[Level, ...]
    findings: tuple[Finding, ...]

    @property
    def level(self) -> int:
        """The highest level of which, and of all below it, everything is shown; 0: of none."""
        lacking = [each.level for each in self.findings if each.missing]
        return min(lacking, default=len(self.levels) + 1) - 1


def read_claims(path: Path) -> tuple[Level, ...]:
    """Read what each level asks.

    Raises:
        ConfigError: the file is missing, or not as it must be.
    """
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=Loader)  # nosec B506  # safe
        return _Claims.model_validate(content).levels
    except FileNotFoundError:
        raise ConfigError(f"{path} is missing", "restore it from the template") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise ConfigError(f"{path}: {place}: {first['msg']}") from None


def hold_against(levels: Iterable[Level], outcomes: Mapping[str, Word], root: Path) -> Maturity:
    """Hold each claim against the record of tests and the project's files.

    Args:
        levels: what each level asks, from 1 up to the one that the project was made for.
        outcomes: of each recorded test, by `recorded_name`.
        root: the project's folder.
    """
    asked = tuple(levels)
    findings = tuple(
        Finding(each.level, requirement, _evidence(requirement, outcomes, root))
        for each in asked
        for requirement in each.requirements
    )
    return Maturity(asked, findings)


def recorded_name(test: str) -> str:
    """Return how JUnit's XML names a test: the dotted path of its file and class, and its name.

    Args:
        test: such as `packages/mlops/tests/steps/test_fit.py::test_x`.
    """
    file, *inner = test.split("::")
    path = PurePosixPath(file)
    below = path.relative_to(MACHINERY) if path.is_relative_to(MACHINERY) else path
    return "::".join((".".join((*below.with_suffix("").parts, *inner[:-1])), inner[-1]))


def _evidence(
    requirement: Requirement, outcomes: Mapping[str, Word], root: Path
) -> tuple[Evidence, ...]:
    tests = (Evidence(each, _test(each, outcomes, root)) for each in requirement.tests)
    files = (Evidence(each, _file(root / each)) for each in requirement.files)
    return (*tests, *files)


def _test(test: str, outcomes: Mapping[str, Word], root: Path) -> Word:
    if not (root / test.partition("::")[0]).is_file():
        return Word.GONE
    return outcomes.get(recorded_name(test), Word.NOT_RUN)


def _file(path: Path) -> Word:
    return Word.THERE if path.is_file() and path.stat().st_size else Word.GONE
