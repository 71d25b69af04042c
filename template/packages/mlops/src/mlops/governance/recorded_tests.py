"""What the last recorded run of the tests found: JUnit's XML, as pytest writes it."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from xml.etree import ElementTree  # nosec B405  # files of the project's own tests

from mlops.errors import ConfigError
from mlops.governance.maturity import Word

_WORDS = {"failure": Word.FAILED, "error": Word.FAILED, "skipped": Word.SKIPPED}
_WORST = (Word.FAILED, Word.SKIPPED, Word.PASSED)


@dataclass(frozen=True)
class Record:
    """The outcome of each test by the name that JUnit gives it, and when the first run began.

    A test with several cases passed if all of them did. `began` is as the file says it: a local
    time in ISO 8601; empty without a run.
    """

    outcomes: MappingProxyType[str, Word]
    began: str


def read_record(files: Iterable[Path]) -> Record:
    """Read what runs of the tests found.

    Raises:
        ConfigError: a file is missing, or is no JUnit XML.
    """
    cases: dict[str, list[Word]] = {}
    began = []
    for path in files:
        root = _root(path)
        began += [each.get("timestamp", "") for each in root.iter("testsuite")]
        for case in root.iter("testcase"):
            name = f"{case.get('classname', '')}::{case.get('name', '').partition('[')[0]}"
            words = [_WORDS[child.tag] for child in case if child.tag in _WORDS]
            cases.setdefault(name, []).extend(words or [Word.PASSED])
    outcomes = {name: min(words, key=_WORST.index) for name, words in cases.items()}
    return Record(MappingProxyType(outcomes), min(filter(None, began), default=""))


def _root(path: Path) -> ElementTree.Element:
    try:
        return ElementTree.parse(path).getroot()  # nosec B314  # as above
    except FileNotFoundError:
        raise ConfigError(f"{path} does not exist", "name what a run of the tests wrote") from None
    except (ElementTree.ParseError, IsADirectoryError) as error:
        raise ConfigError(f"{path} is no XML that pytest wrote: {error}") from None
