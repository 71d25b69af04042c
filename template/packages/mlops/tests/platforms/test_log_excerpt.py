"""What of a server's log explains why it did not start."""

from mlops.platforms.log_excerpt import excerpt

OF_THE_MODEL = ["Traceback (most recent call last):", "  init()", "ValueError: the model is broken"]
OF_THE_SERVER = ["Traceback (most recent call last):", *["  handler()"] * 40, "HaltServer"]


def test_the_models_own_error_is_shown_not_what_the_server_made_of_it() -> None:
    said = excerpt("\n".join([*["starting"] * 9, *OF_THE_MODEL, *OF_THE_SERVER]))
    assert said.splitlines()[:3] == OF_THE_MODEL
    assert len(said.splitlines()) == 25


def test_without_a_traceback_the_last_lines_are_shown() -> None:
    assert excerpt("\n".join(str(n) for n in range(100))).splitlines()[0] == "75"
    assert excerpt("one line") == "one line"
    assert excerpt("") == ""
