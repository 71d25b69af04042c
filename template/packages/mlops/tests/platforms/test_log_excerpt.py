"""What of a server's log explains why it did not start."""

import pytest

from mlops.platforms.log_excerpt import excerpt

HARMLESS = ["Traceback (most recent call last):", "ValueError: invalid literal for int()"]
FAILED = ["10:00 E [7] azmlinfsrv - User's init function failed"]
OF_THE_MODEL = ["Traceback (most recent call last):", "  init()", "ValueError: the model is broken"]
OF_THE_SERVER = ["Traceback (most recent call last):", *["  handler()"] * 40, "HaltServer"]


@pytest.mark.parametrize("other_worker", [[], [*HARMLESS, *["of another worker"] * 20]])
def test_the_models_own_error_is_shown_whatever_the_server_says(other_worker: list[str]) -> None:
    start = ["starting"] * 9
    said = excerpt("\n".join([*start, *HARMLESS, *FAILED, *other_worker, *OF_THE_MODEL]))
    assert OF_THE_MODEL[-1] in said.splitlines()
    assert said.splitlines()[0] == FAILED[0]


def test_of_an_import_that_fails_the_first_traceback_is_shown() -> None:
    said = excerpt("\n".join(["starting", *OF_THE_MODEL, *OF_THE_SERVER]))
    assert said.splitlines()[:3] == OF_THE_MODEL
    assert len(said.splitlines()) == 30


def test_without_a_traceback_the_last_lines_are_shown() -> None:
    assert excerpt("\n".join(str(n) for n in range(100))).splitlines()[0] == "70"
    assert excerpt("one line") == "one line"
    assert excerpt("") == ""
