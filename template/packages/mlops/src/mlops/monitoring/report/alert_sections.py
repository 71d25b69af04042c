"""What the page says of alerts: how they stand, and what was decided and done."""

from collections.abc import Sequence

from mlops.hints import typed
from mlops.monitoring.alert_state import AlertState, Outcome
from mlops.monitoring.decisions import Decision
from mlops.monitoring.report.charts import moment
from mlops.monitoring.report.content import Mark, Section, Table

_TONES = {
    Outcome.ALARM: "bad",
    Outcome.UNREAD: "bad",
    Outcome.NOT_ENOUGH: "open",
    Outcome.OK: "good",
    Outcome.NOT_SERVING: "plain",
}
"""What is worse comes first."""
_MOST = 50


def alert_section(environment: str, states: Sequence[AlertState]) -> Section:
    """Return how each alert stands now.

    Args:
        environment: whose endpoint it is of.
        states: what `evaluate_alerts` found.
    """
    title, command = "Alerts now", typed(f"monitor --environment {environment}")
    if not states:
        said = f"Nothing serves here, so nothing is watched. {command} says the same."
        return Section(title, Mark("nothing serves", "plain"), said)
    found = {each.outcome for each in states}
    worst = next(outcome for outcome in _TONES if outcome in found)
    rows = tuple(
        (
            each.alert.title,
            "" if each.model_version is None else str(each.model_version),
            each.outcome.value,
            each.reason,
        )
        for each in states
    )
    return Section(
        title,
        Mark(worst.value, _TONES[worst]),
        notes=(f"As of this page; {command} evaluates the same rules.",),
        table=Table(("alert", "version", "outcome", "why"), rows),
    )


def decision_section(decisions: Sequence[Decision]) -> Section:
    """Return what was decided and done, the newest first.

    Args:
        decisions: oldest first.
    """
    title = "What was done"
    if not decisions:
        return Section(title, empty="Nothing was decided or done by itself in this time.")
    newest = decisions[: -_MOST - 1 : -1]
    rows = tuple(
        (
            moment(each.time),
            each.kind.value,
            each.cause,
            "" if each.model_version is None else str(each.model_version),
            each.outcome,
            f"{each.reason} ({each.subject})" if each.subject else each.reason,
        )
        for each in newest
    )
    left = len(decisions) - len(rows)
    notes = (f"And {left:,} before these.",) if left else ()
    head = ("when (UTC)", "what", "cause", "version", "outcome", "why")
    return Section(title, notes=notes, table=Table(head, rows))
