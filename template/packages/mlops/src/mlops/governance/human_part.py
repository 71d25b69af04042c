"""The human part of the model card: compliance/model_card.yaml, which the team writes.

A field is a text or a list of texts. What is empty, still says TODO or is overdue is a problem that
names file and field: it stops no training, and the gate of an environment refuses it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from mlops.errors import ConfigError, MlopsError
from mlops.files import file_sha256
from mlops.settings.plain_yaml import load_yaml

FILE = "compliance/model_card.yaml"
"""From the project's root."""
TEXTS: Mapping[str, str] = {
    "intended_use": "Intended use",
    "users": "Users",
    "out_of_scope": "Out of scope",
    "people_affected": "People affected",
    "ethical_considerations": "Ethical considerations",
    "limitations": "Limitations",
    "owners": "Owners",
}
"""The fields that are texts, with what the card calls them."""
REVIEW = "review_date"
_TODO = re.compile(r"\bTODO\b")


@dataclass(frozen=True)
class FieldProblem:
    """What is wrong with a field of the file; of the file as a whole `field` is empty."""

    field: str
    problem: str

    @property
    def sentence(self) -> str:
        """What to say of it: the file, the field and the problem."""
        return f"{FILE}: {self.field} {self.problem}" if self.field else f"{FILE}: {self.problem}"


@dataclass(frozen=True)
class HumanPart:
    """What people wrote.

    Attributes:
        texts: the paragraphs of each field of `TEXTS`; none where nothing was written.
        review_date: until when it holds; None where no day was written.
        sha256: the file's hash.
        unread: what was written as the review's date and is no day.
    """

    texts: Mapping[str, tuple[str, ...]]
    review_date: date | None
    sha256: str
    unread: str = ""

    def problems(self, today: date) -> tuple[FieldProblem, ...]:
        """Return what is empty, still to do, or overdue by the clock."""
        found = []
        for field in TEXTS:
            paragraphs = self.texts.get(field, ())
            if not paragraphs:
                found.append(FieldProblem(field, "is empty"))
            elif any(_TODO.search(text) for text in paragraphs):
                found.append(FieldProblem(field, "still says TODO"))
        if self.unread:
            said = "still says TODO" if _TODO.search(self.unread) else "is no day as 2027-06-30 is"
            found.append(FieldProblem(REVIEW, said))
        elif self.review_date is None:
            found.append(FieldProblem(REVIEW, "is empty"))
        elif self.review_date < today:
            found.append(FieldProblem(REVIEW, f"is overdue since {self.review_date}"))
        return tuple(found)

    def to_dict(self) -> dict[str, Any]:
        """Return what card.json says of it."""
        return {
            "texts": {field: list(self.texts.get(field, ())) for field in TEXTS},
            REVIEW: None if self.review_date is None else self.review_date.isoformat(),
            "sha256": self.sha256,
        }


def read_human_part(root: Path) -> HumanPart | None:
    """Read the file of a project; None where there is none.

    Args:
        root: the project's root folder.

    Raises:
        ConfigError: it is no YAML, has a field that the card does not know, or one that is neither
            a text nor a list of texts.
    """
    path = root / FILE
    if not path.is_file():
        return None
    try:
        content = load_yaml(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        said = " ".join(str(error).split()).replace("; ", ", ")
        raise ConfigError(f"{FILE} is not valid YAML: {said}") from None
    if content is None:
        content = {}
    if not isinstance(content, Mapping):
        raise ConfigError(f"{FILE} holds no fields", f"write {', '.join(TEXTS)} and {REVIEW}")
    if unknown := sorted(str(key) for key in content if key not in {*TEXTS, REVIEW}):
        raise ConfigError(
            f"{FILE}: {unknown[0]} is no field of the model card",
            f"its fields are {', '.join(TEXTS)} and {REVIEW}",
        )
    day = content.get(REVIEW)
    known = None if day is None else _day(str(day))
    return HumanPart(
        texts={field: _texts(field, content.get(field)) for field in TEXTS},
        review_date=known,
        sha256=file_sha256(path),
        unread="" if day is None or known is not None else str(day),
    )


def human_problems(root: Path, today: date) -> tuple[FieldProblem, ...]:
    """Return what is wrong with a project's file, a missing or unreadable one included."""
    try:
        found = read_human_part(root)
    except MlopsError as error:
        return (FieldProblem("", error.message.removeprefix(f"{FILE}: ")),)
    if found is None:
        return (FieldProblem("", "is missing"),)
    return found.problems(today)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None


def _texts(field: str, value: Any) -> tuple[str, ...]:
    items = value if isinstance(value, list) else [] if value is None else [value]
    if not all(isinstance(item, str) for item in items):
        raise ConfigError(
            f"{FILE}: {field} is neither a text nor a list of texts", "put what it says in quotes"
        )
    return tuple(text for item in items if (text := " ".join(item.split())))
