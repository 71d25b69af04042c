"""What must hold under act of the workflow `monitor`, and of a run that it starts."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

from mlops.artifacts.candidate import Candidate, FreshData, candidate_id
from mlops.settings.project import find_project

from tests.support import run
from tests.workflows.act import Act, Outcome
from tests.workflows.events import AZURE, PUSH

COMMANDS = [
    "run mlops drift --environment prod",
    "run mlops feedback --environment prod",
    "run mlops monitor --act --environment prod",
    "run mlops retrain --environment prod",
    "run mlops report --environment prod --output report.html",
]
DISPATCHES = "actions/workflows/ml-cicd.yml/dispatches"
NAMES = ("drift", "feedback", "monitor", "retrain", "report")


def hour(act: Act, **played: Any) -> Outcome:
    """Let an hour be over, where something serves on Azure."""
    return act("schedule", PUSH, workflow="monitor.yml", variables=AZURE, **played)


def watched(outcome: Outcome) -> list[str]:
    """Return what was asked of what serves."""
    return [each for each in outcome.commands("watch") if "mlops" in each and " ci " not in each]


def monitor_well(act: Act) -> None:
    """All is looked at, by who may look, and the page is kept."""
    outcome = hour(act)
    assert outcome.ok, outcome.log
    assert watched(outcome) == COMMANDS
    assert outcome.artifacts == {"report": ["report.html"]}
    assert outcome.find("gh ") == []
    for call in outcome.calls:
        if call["job"] == "watch" and "mlops" in call["command"]:
            assert call["settings"].items() >= AZURE.items(), call
            assert call["settings"]["MLOPS_DATA__SHOW_VALUES"] == "false"
    (judged,) = outcome.find("mlops ci worst")
    assert judged["command"] == (
        "run mlops ci worst drift=0 feedback=0 monitor=0 retrain=0 report=0"
    )


def monitor_without_azure(act: Act) -> None:
    """Where nothing serves it says so, and is green."""
    outcome = act("schedule", PUSH, workflow="monitor.yml")
    assert outcome.ok, outcome.log
    assert "Nothing serves." in outcome.log
    assert {call["job"] for call in outcome.calls} == {"platform"}
    other = act("workflow_dispatch", {"ref": "refs/heads/idea"}, workflow="monitor.yml")
    assert other.ok, other.log
    assert other.calls == []


def monitor_without_labels(act: Act) -> None:
    """Where no labels are named the performance is not judged, and it says so."""
    outcome = hour(act, labels=False)
    assert outcome.ok, outcome.log
    assert "No labels are named" in outcome.log
    assert watched(outcome) == [each for each in COMMANDS if "feedback" not in each]


def monitor_below_level_3(act: Act) -> None:
    """Below level 3 nothing is trained by itself."""
    outcome = hour(act, level=2)
    assert outcome.ok, outcome.log
    assert watched(outcome) == [each for each in COMMANDS if "retrain" not in each]


def monitor_found_drift(act: Act) -> None:
    """What one command finds stops no other; the run is red at its end, after a candidate."""
    outcome = hour(act, codes='{"drift": 1, "feedback": 4}', candidate='{"id": "7"}')
    assert not outcome.ok
    assert watched(outcome) == COMMANDS
    assert outcome.artifacts == {"report": ["report.html"]}
    assert len(outcome.find(DISPATCHES)) == 1
    assert "drift=1 feedback=4" in outcome.everything


def monitor_hands_on(act: Act) -> None:
    """A candidate starts the pipeline with its manifest, by a job that runs nothing else."""
    manifest = json.dumps({"id": "7", "reason": 'a "quote" $(exit 3)'})
    for command in ("retrain", "monitor"):
        outcome = hour(act, candidate=manifest, candidate_of=command)
        assert outcome.ok, outcome.log
        (sent,) = outcome.find(DISPATCHES)
        assert sent["fields"] == ["ref=main", f"inputs[candidate]={manifest}"]
        assert len(outcome.commands("candidate")) == 1


def monitor_each_code(act: Act) -> None:
    """Each exit code of each command ends the run, and nothing is lost on the way."""
    ends = {1: 1, 3: 3, 4: 4}
    cases = [(name, *each) for name in NAMES for each in ends.items()]
    for name, code, end in (*cases, ("drift", 143, 3), ("monitor", 2, 3)):
        outcome = hour(act, codes=json.dumps({name: code}))
        assert not outcome.ok, (name, code)
        assert watched(outcome) == COMMANDS, (name, code)
        assert f"{name}={code}" in outcome.everything
        assert f"The worst exit code of what was asked is {end}." in outcome.log, (name, code)
    several = hour(act, codes='{"drift": 4, "monitor": 3, "retrain": 1}')
    assert "asked is 1." in several.log


def candidate_of(act: Act, **changed: Any) -> str:
    """Commit a lock and some scoring code, then other code; return a candidate of the first."""
    folder = act.project
    (folder / "uv.lock").touch()
    (folder / "serving" / "marker").write_text("of the candidate", encoding="utf-8")
    for message in ("the version that serves", "what main holds now"):
        run("git", "add", "--all", folder=folder)
        run("git", *IDENTITY, "commit", "--quiet", "--message", message, folder=folder)
        if message.startswith("the"):
            commit = run("git", "rev-parse", "HEAD", folder=folder).strip()
            (folder / "serving" / "marker").write_text("of main", encoding="utf-8")
    decided = datetime.now(UTC).replace(microsecond=0)
    given = {
        "id": candidate_id(7, decided),
        "model_name": find_project(folder).name,
        "environment": "prod",
        "endpoint": "model-prod",
        "reference": 7,
        "commit": commit,
        "cause": "drift",
        "reason": 'drift in "2" of 5 $(exit 3)',
        "window_start": decided,
        "window_end": decided,
        "data": FreshData(kind="asset", name="orders:3", reference_date=date(2026, 6, 30)),
        "created_at": decided,
    }
    return Candidate.model_validate({**given, **changed}).line()


IDENTITY = ("-c", "user.name=t", "-c", "user.email=t@example.com")


def dispatched(act: Act, candidate: str, ref: str = "refs/heads/main", **played: Any) -> Outcome:
    """Let the run begin that monitor.yml starts."""
    payload = {**PUSH, "ref": ref, "inputs": {"candidate": candidate}}
    return act("workflow_dispatch", payload, **played)


def candidate_at_its_commit(act: Act) -> None:
    """Trained, registered and served by the code of its commit, and released by main's commands."""
    act.api.no_earlier_run()
    outcome = dispatched(act, candidate_of(act))
    assert outcome.ok, outcome.log
    (training,) = outcome.find("mlops train")
    assert training["command"].startswith("run mlops train --environment dev --candidate /")
    assert training["settings"]["MLOPS_DATA__FRACTION"] == "1.0"
    served = {}
    for job in ("data-quality", "train-dev", "register-model", "release"):
        calls = [call for call in outcome.calls if call["job"] == job]
        served[job] = {call["serving"] for call in calls if "run mlops" in call["command"]}
    assert served == {
        "data-quality": {"of main"},
        "train-dev": {"of the candidate"},
        "register-model": {"of the candidate"},
        "release": {"of the candidate"},
    }
    assert outcome.served == {"test": {"green": "1"}, "prod": {"green": "1"}}


def candidate_whose_place_is_gone(act: Act) -> None:
    """Nobody is asked to approve it, and nothing is released; another candidate is."""
    act.api.approved_by("ann", "bob")
    candidate = candidate_of(act)
    gone = dispatched(act, candidate, variables=AZURE, fail="mlops ci wanted")
    assert not gone.ok
    assert gone.commands("ready")[-1] == "run mlops ci wanted --environment prod --model-version 1"
    assert [call["command"] for call in gone.find("mlops release")] == [
        "run mlops release --environment test --model-version 1 --wait 45m"
    ]
    (asked,) = gone.find("mlops ci wanted")
    assert asked["settings"].items() >= AZURE.items()
    assert asked["serving"] == "of main", "no code of the candidate looks at prod"
    act.api.approved_by("ann", "bob")
    well = dispatched(act, candidate, variables=AZURE)
    assert well.ok, well.log
    assert len(well.find("mlops release")) == 2


def candidate_that_comes_late(act: Act) -> None:
    """One for which nobody waits any more is not trained: another one may have begun."""
    decided = datetime.now(UTC) - timedelta(hours=25)
    outcome = dispatched(act, candidate_of(act, created_at=decided))
    assert not outcome.ok
    assert "so another one may have begun" in outcome.log
    assert outcome.find("mlops train") == []


def candidate_of_another_branch(act: Act) -> None:
    """From another branch than main no candidate is trained."""
    outcome = dispatched(act, candidate_of(act), ref="refs/heads/develop")
    assert not outcome.ok
    assert "candidates are trained from main alone" in outcome.log
    assert outcome.find("mlops train") == []


def candidate_that_nobody_reviewed(act: Act) -> None:
    """A commit that main does not hold is not run with main's rights."""
    candidate = candidate_of(act)
    run("git", "checkout", "--quiet", "--orphan", "other", folder=act.project)
    run("git", *IDENTITY, "commit", "--quiet", "--message", "another history", folder=act.project)
    outcome = dispatched(act, candidate)
    assert not outcome.ok
    assert "so nobody reviewed it" in outcome.log
    assert outcome.find("mlops train") == []
    nonsense = dispatched(act, "no manifest")
    assert not nonsense.ok
    assert nonsense.find("mlops train") == []
