"""Options that several commands share."""

from datetime import timedelta

import click
import pytest

from fakes.cli import Command
from mlops.cli.main import mlops as root
from mlops.cli.options import seconds_of, since_of


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("90s", 90), ("1.5m", 90), ("1h", 3600), (None, None)]
)
def test_a_time_can_be_said_in_seconds_minutes_or_hours(
    text: str | None, seconds: float | None
) -> None:
    context = click.Context(root)
    assert seconds_of(context, click.Option(["--duration"]), text) == seconds


@pytest.mark.parametrize("text", ["0", "-1s", "1d", "soon", "", "\N{ARABIC-INDIC DIGIT THREE}s"])
def test_what_is_no_time_is_wrong_usage(
    mlops: Command, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    assert mlops("ab-test", "--duration", text) == 2
    assert "is no time such as" in capsys.readouterr().err


def test_not_to_wait_the_option_is_left_out(
    mlops: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    assert mlops("release", "--model-version", 1, "--wait", "0") == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "it must be more than 0, and a number alone means seconds" in said
    assert "leave the option out not to wait" in said


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("7d", timedelta(days=7)),
        ("36h", timedelta(hours=36)),
        ("90m", timedelta(minutes=90)),
        (" 0.5d ", timedelta(hours=12)),
        (None, None),
    ],
)
def test_a_span_is_said_in_minutes_hours_or_days(text: str | None, span: timedelta | None) -> None:
    assert since_of(click.Context(root), click.Option(["--since"]), text) == span


@pytest.mark.parametrize(
    "text",
    [
        "0d",
        "7",
        "7s",
        "-1d",
        "soon",
        "",
        "4000d",
        "9" * 400 + "d",
        "\N{ARABIC-INDIC DIGIT THREE}d",
        "1.5",
        "1e3d",
    ],
)
def test_what_is_no_span_is_wrong_usage(text: str) -> None:
    with pytest.raises(click.BadParameter, match="no span of time such as"):
        since_of(click.Context(root), click.Option(["--since"]), text)
