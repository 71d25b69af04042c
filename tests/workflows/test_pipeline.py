"""The generated workflows, run job by job under act."""

import re

import pytest

from tests.workflows.act import Act
from tests.workflows.events import PULL_REQUEST, PUSH, PUSH_TO_DEVELOP
from tests.workflows.scenarios import MACHINERY, SCENARIOS, SENT, SEVEN_JOBS


def is_long(scenario: str) -> bool:
    """Whether it is played in `make test-all` alone: variations of what another one plays."""
    varied = (
        "weekly_", "infra_deploy_", "infra_approved_", "upload_again", "documentation",
        "template_", "monitor_each_code", "monitor_below", "monitor_without_labels",
        "candidate_of_", "candidate_whose_place", "failed_release_in_test", "release_cut_off",
        "infra_unasked", "comment_again", "breaking_by_hand", "served_already",
        "audit_branch", "attested",
    )  # fmt: skip
    short = ("weekly_proposal", "template_pull_request")
    return scenario.startswith(varied) and scenario not in short


@pytest.mark.parametrize(
    "scenario",
    [pytest.param(name, marks=[pytest.mark.slow] if is_long(name) else []) for name in SCENARIOS],
)
def test_scenario(act: Act, scenario: str) -> None:
    SCENARIOS[scenario](act)


def test_a_new_run_of_main_by_hand_is_like_a_push(act: Act) -> None:
    act.api.no_earlier_run()
    outcome = act("workflow_dispatch", PUSH)
    assert outcome.ok, outcome.log
    assert outcome.jobs[3:] == SEVEN_JOBS[3:]


def test_a_run_of_another_branch_by_hand_trains_nothing(act: Act) -> None:
    outcome = act("workflow_dispatch", {"ref": "refs/heads/idea"})
    assert outcome.ok, outcome.log
    assert {*outcome.jobs} == {*SEVEN_JOBS[:3]}


def test_the_version_of_a_forks_branch_named_main_is_left_alone(act: Act) -> None:
    act.keep_version(40, 6)
    act.api.earlier_runs((40, True), event="pull_request")
    outcome = act("push", PUSH)
    assert outcome.ok, outcome.log
    assert outcome.artifacts["model-version"] == ["_keys/1.pem", "model/1/model.onnx"]


def test_one_platform_for_dev_and_another_for_prod_stops_the_release(act: Act) -> None:
    act.api.no_earlier_run()
    outcome = act("push", PUSH, platform_of_prod="azure")
    assert not outcome.ok
    assert "dev has the platform local and prod has azure" in outcome.log
    assert outcome.find("mlops release --environment prod") == []


def test_level_1_trains_and_stops_there(act: Act) -> None:
    act.api.no_earlier_run()
    outcome = act("push", PUSH, level=1)
    assert outcome.ok, outcome.log
    assert outcome.jobs[-1] == "train-dev"


def test_level_2_releases(act: Act) -> None:
    act.api.no_earlier_run()
    outcome = act("push", PUSH, level=2)
    assert outcome.ok, outcome.log
    assert outcome.jobs[-1] == "release prod"


def test_develop_trains_and_registers_nothing(act: Act) -> None:
    act.api.no_earlier_run()
    outcome = act("push", PUSH_TO_DEVELOP)
    assert outcome.ok, outcome.log
    assert outcome.jobs[-1] == "train-dev"
    assert not outcome.find(MACHINERY), "the machinery was not changed"
    (training,) = outcome.find("mlops train")
    assert training["settings"]["MLOPS_DATA__FRACTION"] == "", "what conf says is quick enough"


SLOW = [pytest.param(name, marks=pytest.mark.slow) for name in ("config", "ruff", "mypy", "bandit")]


@pytest.mark.parametrize("fail", ["pytest", *SLOW])
def test_a_failed_check_stops_the_training(act: Act, fail: str) -> None:
    outcome = act("push", PUSH, fail=fail)
    assert not outcome.ok
    assert outcome.jobs[3:] == []


def test_a_pull_request_that_the_gate_refuses_shows_its_metrics(act: Act) -> None:
    outcome = act("pull_request", PULL_REQUEST, fail="mlops evaluate")
    assert not outcome.ok
    assert len(outcome.find("gh api --silent --method POST")) == 1


def test_a_pull_request_from_a_fork_is_not_commented(act: Act) -> None:
    head = {"ref": "idea", "repo": {"full_name": "somebody/model"}}
    payload = {"pull_request": {"number": 1, "head": head, "base": {"ref": "main"}}}
    outcome = act("pull_request", payload)
    assert outcome.ok, outcome.log
    assert outcome.find("gh ") == []


def test_coverage_leaves_where_it_is_wanted(act: Act) -> None:
    assert SENT in act("pull_request", PULL_REQUEST, variables={"CODECOV": "true"}).log


def test_the_lock_is_obeyed_once_it_is_committed(act: Act) -> None:
    act.api.no_earlier_run()
    (act.project / "uv.lock").touch()
    outcome = act("push", PUSH)
    synced = [command for command in outcome.everything.splitlines() if "sync" in command]
    assert synced == ["sync --locked"] * 7


def test_with_stubs_to_fill_it_checks_the_code_alone_and_says_so(act: Act) -> None:
    outcome = act("push", PUSH, stubs=3)
    assert outcome.ok, outcome.log
    assert "The use case has stubs to fill" in outcome.log
    assert not re.search("mlops (data|train|evaluate|register|release)", outcome.everything)
    assert "run pytest" in outcome.everything


def test_what_changed_is_asked_of_the_commits_of_the_event(act: Act) -> None:
    pushed = act("push", PUSH_TO_DEVELOP | {"before": "a" * 40})
    assert pushed.find(f"run mlops ci changed --before {'a' * 40}")
    payload = {"pull_request": {"number": 1, "base": {"ref": "main", "sha": "b" * 40}}}
    proposed = act("pull_request", payload)
    assert proposed.find(f"run mlops ci changed --before {'b' * 40}")


def test_a_week_that_is_over_runs_all_tests_and_nothing_else(act: Act) -> None:
    outcome = act("schedule", PUSH, workflow="weekly.yml")
    assert outcome.ok, outcome.log
    assert outcome.commands("tests")[-3:] == ["sync", "run pytest", MACHINERY]
