"""The day up to which uv looks for packages moves, and nothing else in the file does."""

from datetime import date

import pytest

from mlops.ci.dependencies import let_pass, move_day
from mlops.errors import ConfigError

FILE = """\
[project]
name = "churn"

[tool.uv]
default-groups = ["dev"] # exclude-newer is below
# Why it is fixed.
exclude-newer = "2026-11-20" # moved each week

[tool.other]
exclude-newer = "2026-11-20"
"""
PASSED = FILE.replace(
    "# moved each week\n",
    '# moved each week\nexclude-newer-package = { idna = "2026-11-25", ours = false } # fixes\n',
)


def test_the_day_moves_and_comments_stay() -> None:
    moved = move_day(FILE, date(2026, 11, 27))
    expected = '"2026-11-27" # moved each week'
    assert moved.text == FILE.replace('"2026-11-20" # moved each week', expected)
    assert moved.said == "the day was 2026-11-20 and is 2026-11-27"


@pytest.mark.parametrize("until", [date(2026, 11, 20), date(2026, 11, 1)])
def test_the_day_never_moves_back(until: date) -> None:
    moved = move_day(FILE, until)
    assert moved.text == FILE
    assert "the day stays 2026-11-20" in moved.said


def test_a_time_counts_as_its_day() -> None:
    text = FILE.replace('"2026-11-20" #', '"2026-11-20T12:00:00Z" #')
    assert move_day(text, date(2026, 11, 20)).text == text
    assert 'exclude-newer = "2026-11-21" #' in move_day(text, date(2026, 11, 21)).text


@pytest.mark.parametrize(
    "text",
    [
        '[tool.uv]\nexclude-newer = "7 days"\n',
        '[tool.uv]\nexclude-newer = "2026-13-01"\n',
        "[tool.uv]\npackage = false\n",
        '[project]\nname = "x"\n',
    ],
)
def test_without_a_fixed_day_there_is_none_to_move(text: str) -> None:
    moved = move_day(text, date(2026, 11, 27))
    assert moved.text == text
    assert "no fixed day" in moved.said


def test_one_package_passes_the_day() -> None:
    moved = let_pass(FILE, "Typing_Extensions", date(2026, 11, 29))
    entry = 'exclude-newer-package = { typing-extensions = "2026-11-29" }\n'
    assert moved.text == FILE.replace("# moved each week\n", f"# moved each week\n{entry}")
    assert moved.said == (
        "releases of typing-extensions count up to 2026-11-29; those of all others up to 2026-11-20"
    )


def test_a_second_package_passes_besides_the_first() -> None:
    moved = let_pass(PASSED, "certifi", date(2026, 11, 29))
    line = 'exclude-newer-package = { idna = "2026-11-25", ours = false, certifi = "2026-11-29" } #'
    assert line in moved.text


def test_a_package_that_passes_already_gets_the_later_day() -> None:
    moved = let_pass(PASSED, "idna", date(2026, 11, 29))
    assert '{ idna = "2026-11-29", ours = false } # fixes' in moved.text


def test_a_package_needs_no_entry_where_the_day_is_late_enough() -> None:
    moved = let_pass(FILE, "idna", date(2026, 11, 20))
    assert moved.text == FILE
    assert "needs no entry" in moved.said


@pytest.mark.parametrize("name", ["", "-x", "a b", 'x" = "y', "a\nb", "../x", "$(exit 3)"])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="no name of a package"):
        let_pass(FILE, name, date(2026, 11, 29))


def test_an_entry_goes_when_the_day_has_caught_up() -> None:
    assert "{ ours = false } # fixes" in move_day(PASSED, date(2026, 11, 25)).text
    assert '{ idna = "2026-11-25", ours = false }' in move_day(PASSED, date(2026, 11, 24)).text
    alone = PASSED.replace(", ours = false", "")
    assert "exclude-newer-package" not in move_day(alone, date(2026, 11, 25)).text


@pytest.mark.parametrize(
    "text",
    [
        '[tool]\nuv = { exclude-newer = "2026-11-20" }\n',
        '[tool.uv]\n"exclude-newer" = "2026-11-20"\n',
        'tool.uv.exclude-newer = "2026-11-20"\n',
        '[tool.uv]\na = """\nexclude-newer = "2026-01-01"\n"""\nexclude-newer = "2026-11-20"\n',
    ],
)
def test_another_form_is_left_to_a_person(text: str) -> None:
    with pytest.raises(ConfigError, match="by hand"):
        move_day(text, date(2026, 11, 27))


def test_entries_in_a_table_of_their_own_are_left_to_a_person() -> None:
    text = f'{FILE}\n[tool.uv.exclude-newer-package]\nidna = "2026-11-25"\n'
    with pytest.raises(ConfigError, match="by hand"):
        let_pass(text, "certifi", date(2026, 11, 29))
    assert move_day(text, date(2026, 11, 24)).text != text


def test_a_file_that_is_no_toml_is_refused() -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        move_day("[tool.uv", date(2026, 11, 27))
