"""What must hold under act on a sound project; on one with a fault something must not."""

import json
import re
from typing import Any

from tests.workflows.act import ROW_VALUE, Act, Outcome
from tests.workflows.audit_scenarios import attested, audit_branch, audit_branch_after_a_failure
from tests.workflows.events import AZURE, DISPATCH, PULL_REQUEST, PUSH
from tests.workflows.infra_scenarios import (
    infra_approved_late,
    infra_deploy,
    infra_deploy_for_hours,
    infra_plan,
    infra_plan_of_dependabot,
    infra_plan_with_less,
    infra_unasked,
    infra_without_azure,
)
from tests.workflows.monitor_scenarios import (
    candidate_at_its_commit,
    candidate_of_another_branch,
    candidate_that_comes_late,
    candidate_that_nobody_reviewed,
    candidate_whose_place_is_gone,
    monitor_below_level_3,
    monitor_each_code,
    monitor_found_drift,
    monitor_hands_on,
    monitor_well,
    monitor_without_azure,
    monitor_without_labels,
)
from tests.workflows.template_scenarios import (
    template_again,
    template_conflict,
    template_each_code,
    template_issue,
    template_pull_request,
    template_without_news,
    template_without_the_right,
)
from tests.workflows.weekly_scenarios import (
    weekly_again,
    weekly_elsewhere,
    weekly_fix,
    weekly_proposal,
    weekly_proposal_of_red,
    weekly_replaced,
    weekly_vulnerable,
    weekly_with_another_file,
    weekly_without_news,
    weekly_without_the_right,
)

SEVEN_JOBS = [
    "data-quality",
    "code-quality",
    "unit-tests",
    "train-dev",
    "register-model",
    "release test",
    "release prod",
]

ON_AZURE = [*SEVEN_JOBS[:-1], "ready", "release prod", "evidence"]
"""There people are asked, and the evidence is kept."""
MARK = "<!-- metrics of ml-cicd -->"
COMPILED = "run mlops ci bicep --fetch"
SENT = "coverage.xml sent to Codecov"
PROJECT_TESTS = "run pytest packages/mlops/tests/project"
MACHINERY = "run --all-groups pytest packages/mlops/tests --numprocesses auto"
RECORDED = f"{MACHINERY} --junitxml machinery-results.xml"
"""The same in the pipeline, which computes the maturity level of it."""
LEVEL = "run mlops maturity --strict"


def tests_of(outcome: Outcome) -> list[str]:
    """Return what the required job tests: the team's tests first, whatever changed."""
    found = [command for command in outcome.commands("unit-tests") if "pytest" in command]
    assert found[0].startswith("run pytest --cov")
    return found


def first_push(act: Act) -> None:
    """The first push to main: all seven jobs, on the runner, with no approval and no cloud."""
    act.api.no_earlier_run()
    outcome = act("push", PUSH)
    assert outcome.ok, outcome.log
    assert sorted(outcome.jobs[:3]) == sorted(SEVEN_JOBS[:3])
    assert outcome.jobs[3:] == SEVEN_JOBS[3:]
    platforms = {call["settings"]["MLOPS_PLATFORM"] for call in outcome.calls}
    assert platforms == {""}, "without the variable the settings say it"
    assert outcome.find(RECORDED), "main tests the machinery always"
    assert outcome.find(LEVEL), "the level that the README says is shown"
    assert [command for command in outcome.commands("train-dev") if "mlops" in command] == [
        "run mlops ci previous-run",
        "run mlops train --environment dev",
        "run mlops evaluate --environment dev --run-id run-1",
        "run mlops package --environment dev --run-id run-1",
    ]
    assert {call["settings"]["MLOPS_DATA__FRACTION"] for call in outcome.find("mlops train")} == {
        "1.0"
    }, "what is registered is made of all the data"
    assert outcome.commands("register-model")[-2:] == [
        "run mlops register --environment dev --run-id run-1",
        "run mlops share --environment dev --model-version 1",
    ]
    assert [command for command in outcome.commands("release") if "mlops" in command] == [
        command
        for there in ("test", "prod")
        for command in (
            f"run mlops ci facts --environment {there}",
            f"run mlops release --environment {there} --model-version 1 --wait 45m --rehearsal",
            f"run mlops smoke-test --environment {there}",
        )
    ]
    assert outcome.served == {"test": {"green": "1"}, "prod": {"green": "1"}}
    assert "This is a rehearsal" in outcome.log
    run_files = outcome.artifacts.pop("run-dev")
    assert {"mlflow.db", "runs/run-1/model/model.skops", "runs/run-1/verdict.json"} < {*run_files}
    parquet = [name for name in run_files if name.endswith(".parquet")]
    assert parquet == ["runs/run-1/package/baseline.parquet"], "data must not be downloadable"
    assert outcome.revealing == [], "no artifact may hold a value of the data"
    assert ROW_VALUE.decode() not in outcome.log
    assert outcome.artifacts == {
        "validation-results": ["validation-results.json"],
        "bandit-report": ["bandit-report.json"],
        "test-results": ["coverage.xml", "machinery-results.xml", "test-results.xml"],
        "model-version": ["_keys/1.pem", "model/1/model.onnx"],
        "release-test": ["evidence.json"],
        "release-prod": ["evidence.json"],
    }


def later_push(act: Act) -> None:
    """A later push: the newest version that a run kept, even a red one, is compared with."""
    act.keep_version(40, 6)
    act.api.earlier_runs((41, False), (40, True))
    outcome = act("push", PUSH)
    assert outcome.ok, outcome.log
    asked = dict(act.api.asked)["actions/workflows/ml-cicd.yml/runs"]
    assert asked["branch"] == "main"
    assert "status" not in asked
    keys, models = ["_keys/6.pem", "_keys/7.pem"], ["model/6/model.onnx", "model/7/model.onnx"]
    assert outcome.artifacts["model-version"] == [*keys, *models]
    assert "registry/model/6/model.onnx" in outcome.artifacts["run-dev"]
    assert outcome.served == {"test": {"green": "7"}, "prod": {"green": "7"}}


def pull_request(act: Act) -> None:
    """A pull request: a short training on the runner and a comment, nothing more."""
    outcome = act("pull_request", PULL_REQUEST, variables=AZURE)
    assert outcome.ok, outcome.log
    assert outcome.jobs[3:] == ["train-pull-request", "comment"]
    assert tests_of(outcome)[-1] == PROJECT_TESTS
    assert outcome.revealing == []
    assert outcome.commands("train-pull-request")[1] == "sync", "it uses no identity"
    training = outcome.find("mlops train")
    assert [call["settings"]["MLOPS_PLATFORM"] for call in training] == ["local"]
    assert [call["settings"]["MLOPS_DATA__FRACTION"] for call in training] == ["0.05"]
    assert not re.search("mlops (package|register|deploy|release)", outcome.everything)
    looked, written = outcome.find("gh ")
    assert "--paginate repos/acme/model/issues/1/comments?per_page=100" in looked["command"]
    assert written["command"] == (
        "gh api --silent --method POST repos/acme/model/issues/1/comments --field body=@comment.md"
    )
    assert written["body"] == f"{MARK}\n\nthe metrics\n"
    commands = [looked["command"], written["command"]]
    assert outcome.commands("comment") == commands, "nothing of the branch runs"
    assert COMPILED not in outcome.everything, "infra/ was not changed"
    assert SENT not in outcome.log, "coverage leaves only where it is wanted"
    assert "sync --locked" not in outcome.everything
    assert "There is no uv.lock" in outcome.log


def comment_again(act: Act) -> None:
    """A later run changes its own comment, and nobody else's, a later one of this bot's neither."""
    bot, ann = ({"login": name} for name in ("github-actions[bot]", "ann"))
    comments = [
        {"id": 3, "user": bot, "body": f"{MARK}\n\nbefore"},
        {"id": 5, "user": ann, "body": f"{MARK}\n\nquoted"},
        {"id": 7, "user": bot, "body": "of another workflow"},
    ]
    outcome = act("pull_request", PULL_REQUEST, comments=json.dumps(comments))
    assert outcome.ok, outcome.log
    assert outcome.commands("comment")[1:] == [
        "gh api --silent --method PATCH repos/acme/model/issues/comments/3 --field body=@comment.md"
    ]


def failing_data(act: Act) -> None:
    """Bad data stop everything, and the results say why."""
    outcome = act("push", PUSH, fail="data validate")
    assert not outcome.ok
    assert {*outcome.jobs} == {"data-quality", "code-quality", "unit-tests"}
    assert outcome.artifacts["validation-results"] == ["validation-results.json"]
    assert outcome.revealing == []
    assert ROW_VALUE.decode() not in outcome.log


def edited_machinery(act: Act) -> None:
    """A packages/ that nobody declared stops everything, from a pull request on."""
    outcome = act("pull_request", PULL_REQUEST, fail="ci machinery")
    assert not outcome.ok
    assert "train-pull-request" not in outcome.jobs


def forbidden_licence(act: Act) -> None:
    """A licence that conf does not allow stops everything, from a pull request on."""
    outcome = act("pull_request", PULL_REQUEST, fail="compliance licences")
    assert not outcome.ok
    assert "train-pull-request" not in outcome.jobs


def failing_gate(act: Act) -> None:
    """A refusing gate stops before the registration and keeps what was found."""
    act.api.no_earlier_run()
    outcome = act("push", PUSH, fail="mlops evaluate")
    assert not outcome.ok
    assert not re.search("mlops (package|register|release)", outcome.everything)
    assert "runs/run-1/model/model.skops" in outcome.artifacts["run-dev"]


def upload_again(act: Act) -> None:
    """One failed upload does not lose a run of hours; two do, and that is said."""
    act.api.no_earlier_run()
    outcome = act("push", PUSH, lost_upload="run-dev")
    assert outcome.ok, outcome.log
    assert "run-dev" not in outcome.artifacts
    assert "mlflow.db" in outcome.artifacts["run-dev-again"]
    assert outcome.served["prod"] == {"green": "1"}


def failed_release_in_test(act: Act) -> None:
    """What test refuses never reaches prod; a release that fails has restored by itself."""
    act.keep_version(40, 6)
    act.api.earlier_runs((40, True))
    outcome = act("push", PUSH, fail="mlops release", fail_in="test")
    assert not outcome.ok
    assert outcome.served == {"test": {"blue": "6"}}
    assert outcome.find("mlops rollback") == []
    assert outcome.artifacts["release-test"] == ["evidence.json"]


def failed_smoke_in_prod(act: Act) -> None:
    """A smoke test that fails after the switch brings back what served before it."""
    act.keep_version(40, 6)
    act.api.earlier_runs((40, True))
    outcome = act("push", PUSH, fail="mlops smoke-test", fail_in="prod")
    assert not outcome.ok
    assert outcome.served == {"test": {"green": "7"}, "prod": {"blue": "6"}}
    assert outcome.artifacts["release-prod"] == ["evidence.json"]


def release_cut_off(act: Act) -> None:
    """A release that ends right after its switch, without a word, is undone by the next step."""
    act.keep_version(40, 6)
    act.api.earlier_runs((40, True))
    outcome = act("push", PUSH, cut_off="prod")
    assert not outcome.ok
    assert outcome.served == {"test": {"green": "7"}, "prod": {"blue": "6"}}
    assert outcome.commands("release")[-1] == (
        "run mlops rollback --environment prod --model-version 7"
    )
    assert outcome.artifacts["release-prod"] == ["evidence.json"]


def served_already(act: Act) -> None:
    """A version that served before this job is not taken away by it."""
    act.api.approved_by("ann", "bob")
    act.endpoints["prod"] = [{"green": "9"}, {"blue": "1"}]
    outcome = act("push", PUSH, fail="mlops smoke-test", fail_in="prod", variables=AZURE)
    assert not outcome.ok
    assert outcome.served["prod"] == {"blue": "1"}
    assert outcome.find("mlops rollback") == []


def approvals(act: Act) -> None:
    """On a cloud prod needs two people besides the one who started; the rest runs before it."""
    act.api.approved_by("ann", "Starter")
    outcome = act("push", PUSH, variables=AZURE)
    assert not outcome.ok, "one besides the one who started must not be enough"
    assert "needs 2 approvals" in outcome.log
    assert outcome.served == {"test": {"blue": "1"}}
    assert outcome.find("mlops release --environment prod") == []
    act.api.approved_by("ann", "bob", attempt=2, before=True)
    outcome = act("push", PUSH, variables=AZURE)
    assert not outcome.ok, "approvals of the first attempt must not let the second one pass"
    assert outcome.find("mlops release --environment prod") == []
    assert "attempt 2 asks nobody" in outcome.log
    assert outcome.find("mlops approvals") == [], "nobody is asked in vain"
    act.api.approved_by("ann", "bob")
    outcome = act("push", PUSH, variables=AZURE)
    assert outcome.ok, outcome.log
    assert outcome.served == {"test": {"blue": "1"}, "prod": {"blue": "1"}}
    assert [call["command"] for call in outcome.find("approvals")] == [
        "run mlops approvals --environment prod --run-id 1 --required 2 --attempt 1 "
        "--model-version 1"
    ]
    assert "--rehearsal" not in outcome.everything


def manual_rollback(act: Act) -> None:
    """By hand: withdraws one version from prod, once; the reason is text and nothing else."""
    act.endpoints["prod"] = [{"blue": "1"}, {"green": "2"}]
    outcome = act("workflow_dispatch", DISPATCH, workflow="rollback.yml", variables=AZURE)
    assert outcome.ok, outcome.log
    assert outcome.served == {"prod": {"blue": "1"}}
    assert [command for command in outcome.commands("rollback") if "mlops" in command] == [
        "run mlops ci facts --environment prod",
        "run mlops rollback --environment prod --model-version 2 --reason "
        "answers are 'wrong' $(exit 3)",
        "run mlops smoke-test --environment prod",
    ]
    act.endpoints["prod"] = [{"blue": "1"}, {"green": "2"}, {"blue": "1"}]
    outcome = act("workflow_dispatch", DISPATCH, workflow="rollback.yml", variables=AZURE)
    assert outcome.ok, outcome.log
    assert outcome.served == {"prod": {"blue": "1"}}, "a second one must not bring it back"
    assert "version 2 has no traffic, so nothing is undone" in outcome.log


def rollback_without_a_cloud(act: Act) -> None:
    """Where nothing can be rolled back nobody is told that all is well."""
    outcome = act("workflow_dispatch", DISPATCH, workflow="rollback.yml")
    assert not outcome.ok
    assert "Is the variable MLOPS_PLATFORM set?" in outcome.log
    assert outcome.find("mlops rollback") == []


def tools_of(outcome: Outcome, job: str) -> set[str | None]:
    """Return what the calls of uv in a job are told of the tools of development."""
    calls = [each for each in calls_of_uv(outcome) if each["job"] == job]
    return {each["settings"].get("UV_NO_DEV") for each in calls if "--version" not in str(each)}


def calls_of_uv(outcome: Outcome) -> list[dict[str, Any]]:
    """Return the calls but for those by which a command asks Azure who it is."""
    return [call for call in outcome.calls if not call["command"].startswith("az ")]


def documentation(act: Act) -> None:
    """A change of documentation alone is checked, and nothing is trained or released."""
    outcome = act("push", PUSH, documentation=True)
    assert outcome.ok, outcome.log
    assert {*outcome.jobs} == {*SEVEN_JOBS[:3]}
    assert "Documentation alone changed" in outcome.log
    outcome = act("pull_request", PULL_REQUEST, documentation=True)
    assert outcome.ok, outcome.log
    assert not outcome.find("mlops train")


def sign_in(act: Act) -> None:
    """On Azure, each job that uses it is told who it is; those of a pull request use none."""
    act.api.approved_by("ann", "bob")
    outcome = act("push", PUSH, variables=AZURE)
    assert outcome.ok, outcome.log
    assert {call["settings"]["MLOPS_PLATFORM"] for call in calls_of_uv(outcome)} == {"azure"}
    assert len(outcome.find("sync --group azure")) == 10
    assert "--breaking" not in outcome.everything, "no push says why callers may be refused"
    for words in ("train", "register", "share", "release", "smoke-test"):
        calls = outcome.find(f"run mlops {words}")
        assert calls
        for call in calls:
            assert call["settings"].items() >= AZURE.items(), call
    assert {*outcome.commands("release")} >= {"sync --group azure"}
    for job in ("data-quality", "train-dev", "register-model", "ready", "release"):
        assert tools_of(outcome, job) == {"1"}, f"{job}: a tool of development may reach it"
    for job in ("code-quality", "unit-tests"):
        assert tools_of(outcome, job) == {None}


def breaking_by_hand(act: Act) -> None:
    """Who starts main by hand may say why callers may be refused; a push never does."""
    act.api.approved_by("ann", "bob")
    reason = 'the shop knows; "v2" $(exit 3)'
    started = PUSH | {"inputs": {"breaking-reason": reason}}
    outcome = act("workflow_dispatch", started, variables=AZURE)
    assert outcome.ok, outcome.log
    assert [call["command"] for call in outcome.find("mlops release")] == [
        f"run mlops release --environment {there} --model-version 1 --wait 45m "
        f"--breaking --reason {reason}"
        for there in ("test", "prod")
    ]


def changed_machinery(act: Act) -> None:
    """A pull request that changes the machinery runs all of its tests."""
    outcome = act("pull_request", PULL_REQUEST, machinery=True)
    assert outcome.ok, outcome.log
    assert tests_of(outcome)[1:] == [PROJECT_TESTS, RECORDED]
    assert not outcome.find(LEVEL), "without the whole record no level is known"


def changed_infrastructure(act: Act) -> None:
    """A pull request that changes infra/ compiles it; what does not compile stops the training."""
    outcome = act("pull_request", PULL_REQUEST, infrastructure=True)
    assert outcome.ok, outcome.log
    assert COMPILED in outcome.commands("code-quality")
    outcome = act("pull_request", PULL_REQUEST, infrastructure=True, fail="mlops ci bicep")
    assert not outcome.ok
    assert not outcome.find("mlops train")


SCENARIOS = {
    scenario.__name__: scenario
    for scenario in (
        first_push,
        later_push,
        pull_request,
        comment_again,
        documentation,
        failing_data,
        failing_gate,
        upload_again,
        audit_branch,
        audit_branch_after_a_failure,
        attested,
        failed_release_in_test,
        failed_smoke_in_prod,
        release_cut_off,
        served_already,
        approvals,
        manual_rollback,
        rollback_without_a_cloud,
        sign_in,
        breaking_by_hand,
        changed_machinery,
        edited_machinery,
        forbidden_licence,
        changed_infrastructure,
        monitor_well,
        monitor_without_azure,
        monitor_without_labels,
        monitor_below_level_3,
        monitor_found_drift,
        monitor_hands_on,
        monitor_each_code,
        candidate_at_its_commit,
        candidate_of_another_branch,
        candidate_that_nobody_reviewed,
        candidate_that_comes_late,
        candidate_whose_place_is_gone,
        infra_without_azure,
        infra_plan,
        infra_plan_with_less,
        infra_plan_of_dependabot,
        infra_deploy_for_hours,
        weekly_proposal,
        weekly_proposal_of_red,
        weekly_with_another_file,
        weekly_replaced,
        weekly_elsewhere,
        weekly_again,
        weekly_without_news,
        weekly_without_the_right,
        weekly_fix,
        weekly_vulnerable,
        template_pull_request,
        template_issue,
        template_conflict,
        template_without_news,
        template_each_code,
        template_again,
        template_without_the_right,
        infra_deploy,
        infra_unasked,
        infra_approved_late,
    )
}
