"""The messages that are tested, and where Microsoft's packages are."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from mlops.monitoring.alerting.message import Message, News

from tests import npm
from tools.worktree import ROOT

RENDERER, DESIGNER = "adaptivecards@3.0.6", "adaptivecards-designer@2.4.4"

PLAIN = Message(
    news=News.ALARM,
    key="purchase-prediction-prod/error-rate/green/3",
    title="Failing requests",
    tells="The server failed a larger share of requests than the limit, for ten minutes. "
    "A caller's mistake (400) is none of its failures.",
    severity="critical",
    environment="prod",
    endpoint="purchase-prediction-prod",
    subject="version 3 (green)",
    reason="error_rate is 0.12 on 412 events, an alarm where > 0.05",
    done=(
        "Rollback: rolled back, version 2 serves again",
        "Incident: opened, an issue on GitHub (https://github.com/example/project/issues/7)",
    ),
    time=datetime(2026, 6, 30, 12, tzinfo=UTC),
    url="https://github.com/example/project/actions/runs/7/attempts/1",
)
MESSAGES: dict[str, Message] = {
    "an alarm": PLAIN,
    "a warning with nothing done": replace(
        PLAIN, title="Drift", severity="warning", done=(), url="", subject="version 3"
    ),
    "it goes on": replace(PLAIN, news=News.GOES_ON, severity="error"),
    "it is over": replace(
        PLAIN, news=News.RESOLVED, done=(), reason="version 3 answers no caller any more"
    ),
    "the longest": replace(
        PLAIN, title="z" * 900, reason="é" * 5000, done=("x" * 5000,) * 90, tells="y " * 3000
    ),
    "markup": replace(PLAIN, reason="<!channel> *a* [b](https://c.example) & `d`", severity="info"),
}


def packages() -> tuple[Path, Path]:
    """Return where renderer and designer are; the designer without the editor that it wants."""
    homes = [ROOT / ".build" / each.replace("@", "-") for each in (RENDERER, DESIGNER)]
    npm.install(RENDERER, homes[0])
    npm.install(DESIGNER, homes[1], "--legacy-peer-deps")
    return homes[0], homes[1]
