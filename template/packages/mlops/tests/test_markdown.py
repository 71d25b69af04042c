"""Markdown that no value can break."""

from mlops.markdown import checks_table, escaped, table


def test_text_is_shown_as_it_is_on_one_line() -> None:
    assert escaped("*a* <b>\n`c` [d](e) f_g | h & i ~ j $ k # \\") == (
        r"\*a\* \<b> \`c\` \[d](e) f\_g \| h \& i \~ j \$ k \# " + "\\\\"
    )


def test_a_table_has_headings_a_rule_and_rows() -> None:
    assert table(("metric", "a|b"), [("roc_auc", 0.5), ("f1", "x\ny")]) == [
        r"| metric | a\|b |",
        "| --- | --- |",
        r"| roc\_auc | 0.5 |",
        "| f1 | x y |",
    ]


def test_a_check_says_whether_it_passed() -> None:
    checks = [("f1", "0.8", "at least 0.7", True), ("age", "9", "at most 8", False)]
    assert checks_table(checks)[2:] == [
        "| f1 | 0.8 | at least 0.7 | passed |",
        "| age | 9 | at most 8 | FAILED |",
    ]
