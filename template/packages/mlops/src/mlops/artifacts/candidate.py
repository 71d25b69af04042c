"""The manifest of a candidate: what is to be trained, of which commit, and why.

.mlops/candidates/<id>/candidate.json  serving/

It is frozen when retraining is decided. What is trained on is what its source holds by the
reference date, all of it. A run and a version that were made of it hold a copy.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mlops.artifacts.documents import Document
from mlops.errors import ConfigError, Refused

CANDIDATE = Document("candidate.json", schema=1)
ID_TAG, CAUSE_TAG = "candidate.id", "candidate.cause"
"""The tags of a version that was made of one."""
_MADE_BY = "`uv run mlops retrain` writes one"


class FreshData(BaseModel):
    """The data that are to be trained on: all that the source holds by that day.

    Attributes:
        kind: `sample`, `folder` or `asset`.
        name: the folder from the project's root, or name and version of the asset.
        reference_date: the day that counts as today.
        fraction: the share of the entities: 1, all of them.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: str = Field(pattern=r"^(sample|folder|asset)$")
    name: str = ""
    reference_date: date
    fraction: float = Field(default=1.0, ge=1.0, le=1.0)


class Candidate(BaseModel):
    """One candidate.

    Attributes:
        id: the version that it is to replace, and when it was decided.
        model_name: the registered model.
        environment, endpoint: where the version serves that it is to replace.
        reference: the number of that version.
        commit: the one that this version was trained at, in full.
        cause: what is reason enough, a word of `Cause`.
        reason: a sentence.
        window_start, window_end: of the findings that were looked at.
        data: what is trained on.
        created_at: when it was decided.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(pattern=r"^[0-9]{1,9}-[0-9]{8}T[0-9]{6}Z$")
    model_name: str = Field(min_length=1)
    environment: str = Field(min_length=1)
    endpoint: str = Field(min_length=1)
    reference: int = Field(ge=1)
    commit: str = Field(pattern=r"^([0-9a-f]{40}|[0-9a-f]{64})$")
    cause: str = Field(min_length=1, max_length=100)
    reason: str = Field(max_length=2000)
    window_start: datetime
    window_end: datetime
    data: FreshData
    created_at: datetime

    def to_dict(self) -> dict[str, Any]:
        """Return the content of its document."""
        return CANDIDATE.with_schema(self.model_dump(mode="json"))

    def line(self) -> str:
        """Return it as one line, as a workflow is given it."""
        return json.dumps(self.to_dict(), sort_keys=True)

    def told(self) -> dict[str, Any]:
        """Return what the lineage of a version says of it: all of the manifest."""
        return self.model_dump(mode="json")


@dataclass(frozen=True)
class Meant:
    """What a version that was made of a candidate is meant for, as its lineage tells it.

    Attributes:
        candidate: the id.
        environment: where it is to be released.
        reference: the version whose place it is to take there.
        cause: what was reason enough.
    """

    candidate: str
    environment: str
    reference: int
    cause: str


def meant_for(lineage: Mapping[str, Any]) -> Meant | None:
    """Return what a version is meant for, by its lineage; None: it is of no candidate."""
    told = lineage.get("candidate")
    if not told:
        return None
    return Meant(
        str(told["id"]), str(told["environment"]), int(told["reference"]), str(told["cause"])
    )


def candidate_tags(told: Mapping[str, Any] | None) -> dict[str, str]:
    """Return the tags of a version whose lineage tells this of a candidate; None: it has none."""
    return {} if told is None else {ID_TAG: str(told["id"]), CAUSE_TAG: str(told["cause"])}


def candidate_id(reference: int, moment: datetime) -> str:
    """Return the id of a candidate for the place of a version, decided at a moment in UTC."""
    return f"{reference}-{moment:%Y%m%dT%H%M%SZ}"


def write_candidate(state_dir: Path, candidate: Candidate) -> Path:
    """Write the manifest of a candidate; return its path.

    Raises:
        Refused: there is another one by this id, which stays as it is.
    """
    folder = state_dir / "candidates" / candidate.id
    path = folder / CANDIDATE.name
    if path.is_file():
        if read_candidate(path) != candidate:
            raise Refused(
                f"{path} is another manifest of candidate {candidate.id}, and none is changed"
            )
        return path
    return CANDIDATE.write(folder, candidate.to_dict())


def served_code(state_dir: Path, candidate: Candidate) -> Path:
    """Return the folder of the scoring code that came with a candidate's commit."""
    return state_dir / "candidates" / candidate.id / "serving"


def read_candidate(path: Path) -> Candidate:
    """Return the candidate that a file describes.

    Raises:
        ConfigError: the file is missing, is not JSON, or is no manifest.
    """
    if not path.is_file():
        raise ConfigError(f"{path} does not exist", _MADE_BY)
    return parse_candidate(path.read_text(encoding="utf-8", errors="replace"), str(path))


def parse_candidate(text: str, name: str = "the candidate") -> Candidate:
    """Return the candidate that a text describes.

    Args:
        text: the manifest.
        name: what it is called in errors.

    Raises:
        ConfigError: it is not JSON, or is no manifest.
    """
    try:
        content = json.loads(text)
    except ValueError as error:
        raise ConfigError(f"{name} is not JSON: {error}", _MADE_BY) from None
    if not isinstance(content, dict) or content.pop("schema", None) != CANDIDATE.schema:
        raise ConfigError(f"{name} is no manifest of schema {CANDIDATE.schema}", _MADE_BY)
    try:
        return Candidate.model_validate(content)
    except ValidationError as error:
        problems = ", ".join(
            f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()
        )
        raise ConfigError(f"{name} is no manifest: {problems}", _MADE_BY) from None
