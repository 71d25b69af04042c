"""An incident: what happened, with the evidence, for people. As a file where there is no GitHub."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from mlops.artifacts.evidence_folder import time_name
from mlops.files import write_text
from mlops.markdown import escaped, table
from mlops.monitoring.alert_state import AlertState
from mlops.monitoring.alerting.episodes import Key
from mlops.monitoring.alerting.notice import Notice, Subject
from mlops.monitoring.rules.generated import ALERT_FOLDER

INCIDENTS = "incidents"
OPENED, THERE_ALREADY = "opened", "there already"
_PAST = "It was over before anybody looked: nothing is withdrawn because of it."
_NOTICED = "It was noticed, and was over before this could be opened."


@dataclass(frozen=True)
class Incident:
    """What is opened once for each alarm.

    Attributes:
        key: names the alarm among all endpoints.
        title: a line.
        body: Markdown.
        time: when the alarm fired.
    """

    key: str
    title: str
    body: str
    time: datetime

    @property
    def mark(self) -> str:
        """What its body holds and nobody sees: by it the same one is found again."""
        return f"<!-- alert: {self.key} -->"


def incident_of(
    state: AlertState, environment: str, endpoint: str, done: Sequence[str], run_url: str
) -> Incident:
    """Return the incident of an alarm.

    Args:
        state: how the alert stands.
        environment: where.
        endpoint: its name.
        done: what was done about it, a sentence each.
        run_url: the page of the run that noticed it; empty: none.
    """
    alert = state.alert
    rows = [
        ("environment", environment),
        ("endpoint", endpoint),
        ("deployment", state.deployment or ""),
        ("version", "" if state.model_version is None else str(state.model_version)),
        ("severity", alert.severity),
        ("found", state.reason),
        (
            "looked at",
            f"{state.window.start:%Y-%m-%d %H:%M:%S} to {state.window.end:%H:%M:%S} UTC",
        ),
        ("limit", f"{alert.rule.threshold} = {state.limit:g} in conf/"),
    ]
    lines = [
        escaped(alert.tells),
        "",
        *table(("", ""), [row for row in rows if row[1]]),
        "",
        "#### Done",
        "",
        *([f"- {escaped(each)}" for each in done] or ["Nothing yet."]),
        "",
        f"The same events in Azure Monitor: `{ALERT_FOLDER}/{alert.id}.kql`. "
        "What to look at, and what to do: docs/alerts.md.",
        *([f"Noticed by {run_url}"] if run_url else []),
    ]
    version = "" if state.model_version is None else f", version {state.model_version}"
    return Incident(
        key=Key.of(state).name(endpoint),
        title=f"[{environment}] {alert.title} at {endpoint}{version}",
        body="\n".join(lines) + "\n",
        time=state.window.end,
    )


def incident_of_notice(
    subject: Subject,
    notice: Notice,
    environment: str,
    endpoint: str,
    done: Sequence[str],
    run_url: str,
) -> Incident:
    """Return the incident of something that is over.

    Args:
        subject: what it is about.
        notice: what happened.
        environment: where.
        endpoint: its name.
        done: what was done about it, a sentence each.
        run_url: the page of the run that noticed it; empty: none.
    """
    key = notice.key
    version = "" if key.model_version is None else str(key.model_version)
    rows = [
        ("environment", environment),
        ("endpoint", endpoint),
        ("deployment", key.deployment or ""),
        ("version", version),
        ("severity", subject.severity),
        ("found", notice.reason),
    ]
    rule = f"The rule in Azure Monitor: `{ALERT_FOLDER}/{subject.cause}.kql`. "
    lines = [
        escaped(subject.tells),
        "",
        *table(("", ""), [row for row in rows if row[1]]),
        "",
        *([_NOTICED if notice.noticed else _PAST] if subject.is_rule else []),
        *(["", "#### Done", "", *(f"- {escaped(each)}" for each in done)] if done else []),
        "",
        f"{rule if subject.is_rule else ''}What to look at, and what to do: docs/alerts.md.",
        *([f"Noticed by {run_url}"] if run_url else []),
    ]
    # each of them is one of its own
    name = f"{key.name(endpoint)}/{notice.last:%Y%m%dT%H%M%S}"
    of = f", version {version}" if version else ""
    title = f"[{environment}] Over already: {subject.title} at {endpoint}{of}"
    return Incident(name, title, "\n".join(lines) + "\n", notice.last)


def given_up(incident: Incident) -> Incident:
    """Return the incident that says that the way back is not tried again."""
    said = "The way back failed too often and is not tried again: a person has to go back."
    return replace(
        incident,
        key=f"{incident.key}/given-up",
        title=f"{incident.title}: the way back is given up",
        body=f"{said}\n\n{incident.body}",
    )


def write_incident(folder: Path, incident: Incident) -> Path:
    """Write an incident as a file of its own; return its path."""
    path = folder / f"{time_name(incident.time)}-{incident.key.replace('/', '-')}.md"
    write_text(path, f"# {incident.title}\n\n{incident.body}")
    return path
