"""The filter for columns that contract.py declares personal: their values stay in the data.

    email: str = pa.Field(metadata={"personal": True})

Whatever tells people, files or logs of raw data asks here what to say. Data themselves (raw files,
the parquet files of a run) pass unchanged. What features.py and labels.py make of a personal column
is no longer one: that is for the team to judge.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from traceback import walk_tb
from typing import TYPE_CHECKING, TypeVar

from mlops.data.findings import Finding
from mlops.errors import ConfigError, MlopsError, StubNotFilled
from mlops.full_disk import is_full

if TYPE_CHECKING:
    from mlops.usecase.use_case import UseCase

MARK = "personal"
"""The key of a column's metadata."""
HIDDEN = "personal"
"""What is said in place of a value."""

T = TypeVar("T")


@dataclass(frozen=True)
class Personal:
    """The columns that are declared personal, and what may be said of raw data for their sake.

    Attributes:
        columns: their names.
    """

    columns: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        """Tell whether there is any such column."""
        return bool(self.columns)

    def finding(self, found: Finding) -> Finding:
        """Return a finding about values of one column, or of whole rows, with what may be shown."""
        whole_rows = found.column is None
        if found.column not in self.columns and not (whole_rows and self.columns):
            return found
        return replace(found, rows=tuple(replace(row, value=HIDDEN) for row in found.rows))

    def row(self, columns: Sequence[str], values: Sequence[object]) -> str:
        """Return the values of several columns of one row in a line."""
        pairs = zip(columns, values, strict=True)
        return ", ".join(HIDDEN if name in self.columns else str(value) for name, value in pairs)

    def words(self, text: str, otherwise: str) -> str:
        """Return a text that may quote any value, or the other one, which quotes none."""
        return otherwise if self.columns else text

    def names(self, found: Sequence[str], known: Iterable[str]) -> str:
        """List the columns of a file; a file without a header has values in their place."""
        if not self.columns:
            return ", ".join(found)
        asked = set(known)
        said = [name for name in found if name in asked]
        other = len(found) - len(said)
        more = [f"{other:,} that contract.py does not name"] if other else []
        return ", ".join([*said, *more])

    def others(self, names: Iterable[str]) -> list[str]:
        """Return the names that are not those of a personal column; case does not count."""
        declared = {column.casefold() for column in self.columns}
        return [name for name in names if name.casefold() not in declared]

    def require_other_names(self, module: str, what: str, names: Iterable[str]) -> None:
        """Refuse features or slices that are called like a personal column.

        Case does not count, as for the database that computes features.

        Args:
            module: where they are defined.
            what: what each of them is.
            names: their names.

        Raises:
            ConfigError: there is such a one.
        """
        asked = list(names)
        for name in asked:
            if name not in self.others(asked):
                raise ConfigError(
                    f"{module}: the {what} {name} has the name of a column that contract.py "
                    "declares personal, and its values would be kept with the model",
                    "make something of it that names nobody, such as a domain or an age band, "
                    "and name it after that",
                )


NOTHING_PERSONAL = Personal()


def declared(
    metadata: Mapping[str, object], key: str | None = None, date_column: str | None = None
) -> Personal:
    """Return the columns whose metadata declare them personal.

    Args:
        metadata: of each column of the contract, None where it has none.
        key: the column KEY.
        date_column: the column DATE_COLUMN.

    Raises:
        ConfigError: a declaration is neither True nor False, or of a column that cannot be hidden.
    """
    found = frozenset(name for name, given in metadata.items() if _is_declared(name, given))
    if key in found:
        raise ConfigError(
            f"contract.py: KEY ({key}) cannot be declared personal: prepared data and holdout hold "
            "it, and by it alone is found what is kept of an entity",
            "let KEY be a number of your own that stands for a person, and keep out of the data "
            "whom it stands for",
        )
    if date_column in found:
        raise ConfigError(
            f"contract.py: DATE_COLUMN ({date_column}) cannot be declared personal: how new the "
            "data are and where periods begin and end is told by its days",
            "let DATE_COLUMN be the day on which the row came about, and declare personal what "
            "tells of a person, such as a day of birth",
        )
    return Personal(found)


def personal_of(use_case: "UseCase") -> Personal:
    """Return what the contract of a use case declares personal.

    Raises:
        ConfigError: see `declared`.
    """
    columns = use_case.contract().to_schema().columns
    metadata = {name: column.metadata for name, column in columns.items()}
    return declared(metadata, use_case.key, use_case.date_column)


def _is_declared(column: str, metadata: object) -> bool:
    if metadata is None:
        return False
    if not isinstance(metadata, Mapping):
        raise ConfigError(
            f"contract.py: the column {column} has metadata={metadata!r}",
            'write a dictionary, such as metadata={"personal": True}',
        )
    for name in metadata:
        if isinstance(name, str) and name != MARK and name.strip().casefold() == MARK:
            raise ConfigError(
                f"contract.py: the column {column} has the metadata {name!r}",
                'write metadata={"personal": True}',
            )
    value = metadata.get(MARK, False)
    if not isinstance(value, bool):
        raise ConfigError(
            f"contract.py: the column {column} has personal={value!r}",
            'write metadata={"personal": True}, or leave it out',
        )
    return value


def guarded(
    work: Callable[[], T],
    doing: str,
    *,
    personal: Personal,
    show_values: bool = True,
    package: Path | None = None,
) -> T:
    """Do what handles raw data, and keep back what an error says where it may quote hidden values.

    Args:
        work: what is done. Libraries quote the value that they fail on.
        doing: what failed if it does, as the beginning of a sentence.
        personal: the personal columns of the data.
        show_values: whether the data may be quoted otherwise (`data.show_values`).
        package: the team's package, to say which line of it failed.

    Raises:
        MlopsError: it failed in an unexpected way, told by kind and place alone.
    """
    if show_values and not personal:
        return work()
    try:
        return work()
    except (MlopsError, StubNotFilled, KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # a panic of polars is no Exception
        if is_full(error):
            raise
        failure = _without_words(error, doing, personal, package)
    raise failure  # out of reach of the error, which a chain of causes would quote


def _without_words(
    error: BaseException, doing: str, personal: Personal, package: Path | None
) -> MlopsError:
    kind = type(error).__name__
    places = [] if package is None else [*_places(error, package)]
    place = f" at {places[-1]}" if places else ""
    why, remedy = (
        ("of personal columns", "a test in tests/ with a few made-up rows shows them")
        if personal
        else ("of the data", "see them where data.show_values is true")
    )
    return MlopsError(
        f"{doing} failed with {kind}{place}, whose own words may quote values {why}", remedy
    )


def _places(error: BaseException, package: Path) -> Iterable[str]:
    """Yield the lines of the team's package that the error came through, the innermost last."""
    for frame, line in walk_tb(error.__traceback__):
        path = Path(frame.f_code.co_filename)
        if path.is_relative_to(package):
            yield f"{path.relative_to(package).as_posix()}, line {line}"
