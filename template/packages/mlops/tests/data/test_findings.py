"""What a check of the data found, with and without the data themselves."""

from mlops.data.findings import Finding, Row, ValidationReport, stored_sentence, without_values

FINDING = Finding(
    check="in_range(0, 9)",
    message="must be in the range 0 to 9 (highest: 77)",
    file="a.csv",
    column="age",
    count=1200,
    rows=(Row("a.csv", 4, "77"),),
)
REPORT = ValidationReport(
    files={"a.csv": 1300},
    rows=1300,
    reference_date="2026-01-31",
    data_hash=None,
    failures=(FINDING,),
    warnings=(FINDING,),
    days=("2025-12-24", "2026-01-30"),
)


def test_a_sentence_names_rows_and_values() -> None:
    said = FINDING.sentence()
    assert said.startswith("a.csv: column age: must be in the range 0 to 9")
    assert "row 4 (77)" in said


def test_a_sentence_without_values_says_where_and_how_often() -> None:
    assert FINDING.sentence(values=False) == "a.csv: column age: in_range(0, 9) (1,200)"


def test_results_without_values_hold_counts_and_no_data() -> None:
    bare = REPORT.to_dict(values=False)
    kept = {"check": "in_range(0, 9)", "file": "a.csv", "column": "age", "count": 1200}
    assert bare["failures"] == bare["warnings"] == [kept]
    assert (bare["rows"], bare["passed"], bare["schema"]) == (1300, False, 1)
    assert bare["days"] is None
    assert REPORT.to_dict()["days"] == ["2025-12-24", "2026-01-30"]
    assert bare == without_values(REPORT.to_dict())
    assert REPORT.to_dict()["failures"][0]["rows"][0]["value"] == "77"


def test_stored_results_say_as_much_as_was_kept_and_may_be_shown() -> None:
    (full,), (bare,) = (REPORT.to_dict(values=kept)["failures"] for kept in (True, False))
    assert stored_sentence(full, values=True) == FINDING.sentence()
    short = FINDING.sentence(values=False)
    assert stored_sentence(full, values=False) == short
    assert stored_sentence(bare, values=True) == stored_sentence(bare, values=False) == short
