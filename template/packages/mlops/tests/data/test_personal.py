"""What a contract may declare personal, and what the filter lets through."""

import errno
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from mlops.data.findings import Finding, Row
from mlops.data.personal import NOTHING_PERSONAL, Personal, declared, guarded
from mlops.errors import ConfigError, MlopsError, Refused, StubNotFilled

PERSONAL = Personal(frozenset({"email", "born"}))
ROWS = (Row("a.csv", 1, "x@y"), Row("a.csv", 2, "z@y"))


def finding(column: str | None) -> Finding:
    return Finding("check", "must be so", "a.csv", column, count=2, rows=ROWS)


def shown(found: Finding) -> list[str]:
    return [row.value for row in found.rows]


def test_true_declares_a_column_personal_and_nothing_else_does() -> None:
    metadata = {"a": {"personal": True}, "b": {"personal": False}, "c": None, "d": {}, "e": {1: 2}}
    assert declared(metadata, "b", "c") == Personal(frozenset({"a"}))


@pytest.mark.parametrize("value", ["yes", "True", 1, 0, None, [], {"email": True}])
def test_another_value_is_no_declaration(value: object) -> None:
    with pytest.raises(ConfigError, match=r"contract\.py: the column a has personal=") as error:
        declared({"a": {"personal": value}})
    assert error.value.remedy == 'write metadata={"personal": True}, or leave it out'


@pytest.mark.parametrize("name", ["Personal", "PERSONAL", " personal "])
def test_a_declaration_that_is_misspelt_is_not_passed_over(name: str) -> None:
    with pytest.raises(ConfigError, match="the column a has the metadata"):
        declared({"a": {name: True}})


@pytest.mark.parametrize("metadata", ["personal", ["personal"], True])
def test_metadata_must_be_a_dictionary(metadata: object) -> None:
    with pytest.raises(ConfigError, match="the column a has metadata="):
        declared({"a": metadata})


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("a", None), r"KEY \(a\) cannot be declared personal: prepared data and holdout hold"),
        (("b", "a"), r"DATE_COLUMN \(a\) cannot be declared personal: how new the data are"),
    ],
)
def test_key_and_date_stand_where_nothing_hides_them(
    names: tuple[str, str | None], said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        declared({"a": {"personal": True}}, *names)


def test_values_of_personal_columns_and_of_whole_rows_are_hidden() -> None:
    assert shown(PERSONAL.finding(finding("email"))) == ["personal", "personal"]
    assert shown(PERSONAL.finding(finding(None))) == ["personal", "personal"]
    assert PERSONAL.finding(finding("age")) == finding("age")
    assert NOTHING_PERSONAL.finding(finding(None)) == finding(None)


def test_a_row_is_shown_but_for_its_personal_columns() -> None:
    columns, values = ("id", "email", "age"), (7, "x@y", None)
    assert PERSONAL.row(columns, values) == "7, personal, None"
    assert NOTHING_PERSONAL.row(columns, values) == "7, x@y, None"


def test_a_header_is_told_by_the_names_that_the_contract_has() -> None:
    found = ("id", "x@y", "4711")
    assert PERSONAL.names(found, ["email", "id"]) == "id, 2 that contract.py does not name"
    assert PERSONAL.names(["id"], ["email", "id"]) == "id"
    assert NOTHING_PERSONAL.names(found, ["id"]) == "id, x@y, 4711"


def test_words_that_may_quote_a_value_are_replaced() -> None:
    assert PERSONAL.words("no number: x@y", "no number") == "no number"
    assert NOTHING_PERSONAL.words("no number: x@y", "no number") == "no number: x@y"


@pytest.mark.parametrize("name", ["email", "Email", "BORN"])
def test_a_name_that_a_personal_column_has_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=rf"features\.py: the feature {name} has the name"):
        PERSONAL.require_other_names("features.py", "feature", ["age", name])
    PERSONAL.require_other_names("features.py", "feature", ["age", "email_domain"])
    NOTHING_PERSONAL.require_other_names("features.py", "feature", [name])


def raising(error: BaseException) -> Callable[[], int]:
    def work() -> int:
        raise error

    return work


def panic() -> int:
    """Let polars panic, which is no Exception of Python."""
    raise pl.exceptions.PanicException("x@y")


@pytest.mark.parametrize("error", [ValueError("x@y"), KeyError("x@y"), OSError("x@y")])
def test_an_error_is_told_by_its_kind(error: Exception) -> None:
    with pytest.raises(MlopsError) as told:
        guarded(raising(error), "the work", personal=PERSONAL)
    kind = type(error).__name__
    assert told.value.message.startswith(f"the work failed with {kind}, whose own words")
    assert "x@y" not in str(told.value)
    assert told.value.__cause__ is told.value.__context__ is None
    assert told.value.exit_code == 3


def test_a_panic_is_told_by_its_kind() -> None:
    with pytest.raises(MlopsError, match="failed with PanicException, whose own words"):
        guarded(panic, "the work", personal=PERSONAL)


def test_the_line_of_the_team_is_named() -> None:
    here = Path(__file__).parent
    with pytest.raises(MlopsError, match=r"failed with ValueError at test_personal\.py, line \d+,"):
        guarded(raising(ValueError("x@y")), "the work", personal=PERSONAL, package=here)


@pytest.mark.parametrize(
    "error",
    [
        Refused("no"),
        ConfigError("no", "do"),
        StubNotFilled("no"),
        KeyboardInterrupt(),
        SystemExit(4),
        OSError(errno.ENOSPC, "full"),
    ],
)
def test_what_has_a_meaning_of_its_own_passes(error: BaseException) -> None:
    with pytest.raises(type(error)) as raised:
        guarded(raising(error), "the work", personal=PERSONAL)
    assert raised.value is error


def test_where_the_data_may_be_quoted_an_error_is_as_it_was() -> None:
    error = ValueError("x@y")
    with pytest.raises(ValueError, match="x@y") as raised:
        guarded(raising(error), "the work", personal=NOTHING_PERSONAL)
    assert raised.value is error


def test_where_the_data_may_not_be_quoted_no_error_does() -> None:
    with pytest.raises(MlopsError, match=r"values of the data; see them where data\.show_values"):
        guarded(
            raising(ValueError("x@y")), "the work", personal=NOTHING_PERSONAL, show_values=False
        )


def test_what_works_is_returned() -> None:
    assert guarded(lambda: 7, "the work", personal=PERSONAL) == 7
