"""What goes wrong in Azure: each fault ends in its exit code and sentence, and nothing has moved.

A second run of the same command succeeds.
"""

import json
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from fakes.waiting import LONGEST_SECONDS, wait_for

from tests.support import Template

from .emulator import ALWAYS
from .emulator.endpoints import Endpoints, NotFetchedError
from .emulator.errors import AzureError
from .project import NAME, AzureProject, azure_project, while_runs

pytestmark = [pytest.mark.project, pytest.mark.azure, pytest.mark.slow]

ENDPOINT = rf"onlineEndpoints/{NAME}-test$"
DEPLOYMENT = rf"onlineEndpoints/{NAME}-test/deployments/"
WATCHED = r"/jobs/train-dev-[^/]+$"
VERSION = rf"workspaces/.*/models/{NAME}/versions/2$"
IMPORT = r"registries/.*/import$"
SWITCH = ("switch-traffic", "--environment", "test", "--green-percent")
LEASE_SECONDS = 3  # as short as it may be, where a test waits for its end
PURPOSE = "a switch of traffic"


@pytest.fixture(scope="module")
def made(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AzureProject]:
    """Version 1, which test serves as blue and as green."""
    with azure_project(template, tmp_path_factory.mktemp("faults")) as place:
        assert place.registered(place.trained()) == 1
        for colour in ("blue", "green"):
            place.mlops(*deploying(colour))
        yield place


@pytest.fixture
def place(made: AzureProject) -> Iterator[AzureProject]:
    """All traffic at blue, and no fault."""
    yield made
    made.azure.heal()
    if made.traffic("test") != {"blue": 100}:
        made.mlops(*SWITCH, "0")


def deploying(colour: str, *more: str) -> tuple[str, ...]:
    return (
        "deploy",
        "--environment",
        "test",
        "--model-version",
        "1",
        "--deployment",
        colour,
        *more,
    )


def test_what_passes_by_itself_is_not_noticed(place: AzureProject) -> None:
    place.azure.fail("GET", ENDPOINT, status=429, code="TooManyRequests", retry_after="1", times=2)
    place.azure.fail("PUT", ENDPOINT, status=500, times=1)
    place.azure.lose("PUT", ENDPOINT, after=True)
    place.mlops(*SWITCH, "100")
    assert place.traffic("test") == {"green": 100}


@pytest.mark.parametrize(
    ("status", "code", "message", "exit_code", "said"),
    [
        (409, "Conflict", "Another operation is in progress.", 3, "another operation on it is in"),
        (429, "TooManyRequests", "Slow down.", 3, "Azure asks for fewer requests"),
        (500, "InternalServerError", "Broken.", 3, "Azure failed with 500"),
        (
            403,
            "AuthorizationFailed",
            "The client 'x' does not have authorization to perform action "
            "'Microsoft.MachineLearningServices/workspaces/onlineEndpoints/write' over scope "
            "'/subscriptions/s/resourceGroups/g'.",
            2,
            "give who runs this the role AzureML Data Scientist",
        ),
    ],
)
def test_a_refused_write_changes_nothing(
    place: AzureProject, status: int, code: str, message: str, exit_code: int, said: str
) -> None:
    place.azure.fail(
        *("PUT", ENDPOINT),
        status=status,
        code=code,
        message=message,
        times=ALWAYS,
        retry_after="1",
    )
    assert said in place.mlops(*SWITCH, "100", expect=exit_code)
    assert place.traffic("test") == {"blue": 100}
    place.azure.heal()
    place.mlops(*SWITCH, "100")
    assert place.traffic("test") == {"green": 100}


@pytest.mark.parametrize(
    ("name", "code", "message", "said"),
    [
        ("red", "OutOfQuota", "Not enough quota for the size.", "ask for more in the portal"),
        ("pink", "ResourceNotReady", "The container has crashed.", "The container has crashed"),
    ],
)
def test_a_deployment_that_fails_is_taken_back(
    place: AzureProject, name: str, code: str, message: str, said: str
) -> None:
    running = place.azure.endpoints.running[f"{NAME}-test"]
    before = set(running.servers)
    place.azure.fail_operation(rf"{NAME}-test/deployments/{name}", code=code, message=message)
    assert said in place.mlops(*deploying(name), expect=3)
    with pytest.raises(AzureError, match=name):
        place.azure.deployment(f"{NAME}-test", name)
    assert set(running.servers) == before
    assert place.traffic("test") == {"blue": 100}
    place.mlops(*deploying(name))
    assert set(running.servers) == {*before, name}


def test_a_model_that_cannot_start_is_refused_with_its_log(place: AzureProject) -> None:
    script = place.project.path / "serving" / "score.py"
    code = script.read_text()
    script.write_text(code + "\ndef init():\n    raise ValueError('the model is broken')\n")
    try:
        said = place.mlops(*deploying("blue"), expect=3)
    finally:
        script.write_text(code)
    assert "ValueError: the model is broken" in said
    place.mlops("smoke-test", "--environment", "test", "--deployment", "blue")
    assert place.traffic("test") == {"blue": 100}


def test_a_model_that_was_replaced_in_the_registry_is_not_served(
    place: AzureProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tried when only the copy on the machine that deploys was checked: it was promoted."""
    right = Endpoints._fetch

    def fetch(self: Endpoints, uri: str, target: Path) -> None:
        right(self, uri, target)
        for model in target.rglob("model.onnx"):
            model.write_bytes(model.read_bytes() + b"\0")

    script = place.project.path / "serving" / "score.py"
    code = script.read_text()
    script.write_text(code + "\n# another code, so that there is something to deploy\n")
    try:
        with monkeypatch.context() as patch:
            patch.setattr(Endpoints, "_fetch", fetch)
            said = place.mlops(*deploying("blue"), expect=3)
    finally:
        script.write_text(code)
    assert "RefusedToStart: model.onnx is not the file that was deployed" in said
    place.mlops(*deploying("blue"))
    place.mlops("smoke-test", "--environment", "test", "--deployment", "blue")
    assert place.traffic("test") == {"blue": 100}


def test_an_operation_that_does_not_end_is_given_up(place: AzureProject) -> None:
    place.azure.delay("PUT", rf"{DEPLOYMENT}late", 10)
    limit = {"MLOPS_AZURE__OPERATION_TIMEOUT_SECONDS": "3"}
    said = place.mlops(*deploying("late"), settings=limit, expect=3)
    assert "Azure has not finished after" in said
    assert place.traffic("test") == {"blue": 100}
    with pytest.raises(AzureError, match="late"):
        place.deployment("test", "late")
    place.mlops(*deploying("late"))


def test_a_switch_that_azure_does_not_finish_in_time_is_undone(place: AzureProject) -> None:
    """Also what Azure still does after the command has given it up."""
    since = len(place.azure.calls)
    place.azure.delay("PUT", ENDPOINT, 0)  # the lease
    place.azure.delay("PUT", ENDPOINT, 6)
    limit = {"MLOPS_AZURE__OPERATION_TIMEOUT_SECONDS": "3"}
    said = place.mlops(*SWITCH, "100", settings=limit, expect=3)
    assert "Azure has not finished after" in said
    asked = [traffic for traffic, _ in place.routings("test", since)]
    assert asked == [{"blue": 100}, {"green": 100}, {"blue": 100}]
    assert place.traffic("test") == {"blue": 100}
    place.mlops(*SWITCH, "100")
    assert place.traffic("test") == {"green": 100}


def test_a_long_training_outlives_its_assertion_its_tokens_and_its_connection(
    place: AzureProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a job of GitHub's, which gets assertions and tokens that live for seconds here."""
    azure = place.azure
    monkeypatch.setattr(azure.identity, "assertion_seconds", 6)
    monkeypatch.setattr(azure.identity, "token_seconds", 15)
    azure.stick_step("fit", seconds=20)
    since = len(azure.calls)
    training = place.begin(
        *("train", "--environment", "dev"), AZURE_CLIENT_SECRET="", **azure.github_variables
    )
    while_runs(training, lambda: any(re.search(WATCHED, call.path) for call in azure.calls[since:]))
    azure.lose("GET", WATCHED, times=13)  # the client tries six times, as often for the steps
    said, _ = training.communicate(timeout=LONGEST_SECONDS)
    assert training.returncode == 0, said
    assert "trying again" in said
    signed_in = [call for call in azure.calls[since:] if call.path.endswith("/oauth2/v2.0/token")]
    assertions = {parse_qs(call.body)["client_assertion"][0] for call in signed_in}
    assert len(assertions) > 1
    assert {call.status for call in azure.calls[since:]} & {401, 403} == set()


def test_a_lost_answer_makes_no_second_version(place: AzureProject) -> None:
    """Azure registers and copies, but no answer comes: the next run finds what was made."""
    register = ("register", "--environment", "dev", "--run-id", place.another("new-run"))
    place.azure.fail("PUT", VERSION, times=ALWAYS, retry_after="1")
    assert "Azure failed with 500" in place.mlops(*register, expect=3)
    assert versions(place, "workspaces/mlw-") == ["1"]
    place.azure.heal()
    place.azure.lose("PUT", VERSION, after=True, times=ALWAYS)
    said = place.mlops(*register, expect=3)
    assert "registering version 2" in said
    place.azure.heal()
    assert place.mlops(*register).strip().endswith("2")
    assert versions(place, "workspaces/mlw-") == ["1", "2"]

    share = ("share", "--model-version", "2")
    place.azure.fail("POST", IMPORT, times=ALWAYS, retry_after="1")
    assert "Azure failed with 500" in place.mlops(*share, expect=3)
    assert versions(place, "registries/") == ["1"]
    place.azure.heal()
    place.azure.lose("POST", IMPORT, after=True, times=ALWAYS)
    assert "sharing version 2" in place.mlops(*share, expect=3)
    place.azure.heal()
    assert place.mlops(*share).strip().endswith("versions/2")
    assert versions(place, "registries/") == ["1", "2"]


def versions(place: AzureProject, where: str) -> list[str]:
    """The versions of the model that the workspaces or the registry hold."""
    pattern = re.compile(rf"{where}.*/models/{NAME}/versions/(\d+)$", re.IGNORECASE)
    return sorted(found[1] for key in place.azure.state.resources if (found := pattern.search(key)))


def test_a_step_that_fails_is_named(place: AzureProject) -> None:
    place.azure.fail_step("fit", "Out of memory.")
    said = place.mlops("train", "--environment", "dev", expect=3)
    assert "(validate completed, prepare completed, fit failed)" in said
    assert "std_log.txt of the step fit says why: https://ml.azure.com/runs/" in said
    place.mlops("train", "--environment", "dev")


def test_a_withdrawn_machine_is_asked_for_once_more(place: AzureProject) -> None:
    place.azure.fail_step("fit", "PreemptionError: the machine was withdrawn.")
    said = place.mlops("train", "--environment", "dev")
    assert "Azure withdrew the machine of train-dev-" in said


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"AZURE_CLIENT_SECRET": "wrong"}, "not signed in to Azure"),
        ({"AZURE_SUBSCRIPTION_ID": ""}, "set the variable AZURE_SUBSCRIPTION_ID"),
        ({"AZURE_SUBSCRIPTION_ID": "0"}, "the subscription does not exist"),
        ({"MLOPS_AZURE__RESOURCE_GROUP": "rg-none"}, "deploy the infrastructure"),
        ({"MLOPS_AZURE__WORKSPACE": "mlw-none"}, "deploy the infrastructure"),
        ({"MLOPS_AZURE__DATA_ASSET": "none:1"}, "has no none:1; `uv run mlops data register"),
        ({"MLOPS_AZURE__LOG_ANALYTICS_WORKSPACE_ID": "nowhere"}, "Log Analytics"),
    ],
)
def test_what_is_missing_is_named_by_the_doctor(
    place: AzureProject, settings: dict[str, str], said: str
) -> None:
    shown = place.mlops("doctor", "--environment", "test", "--json", settings=settings, expect=1)
    found = json.loads(shown[: shown.rindex("}") + 1])["checks"]
    missing = [f"{each['found']}; {each['remedy']}" for each in found if not each["passed"]]
    assert any(said in each for each in missing), missing


def test_a_registry_that_is_missing_is_named_by_the_doctor(place: AzureProject) -> None:
    with place.shared_registry("mlr-none"):
        said = place.mlops("doctor", "--environment", "test", "--json", expect=1)
    assert "opening the registry mlr-none" in said


def test_a_name_that_somebody_else_has_is_told(place: AzureProject) -> None:
    settings = {"MLOPS_ENDPOINT__NAME": f"{NAME}-test"}
    command = ("deploy", "--environment", "prod", "--model-version", "1")
    said = place.mlops(*command, settings=settings, expect=2)
    assert "somebody else has this name" in said


def test_two_commands_at_once(place: AzureProject) -> None:
    """One changes the endpoint, the other is refused, also when Azure took longer than a lease."""
    place.azure.fail("PUT", rf"{DEPLOYMENT}blue$", status=409, code="Conflict", times=2)
    azure_works_on = place.azure.hold("PUT", rf"{DEPLOYMENT}blue")
    script = place.project.path / "serving" / "score.py"
    code = script.read_text()
    script.write_text(code + "\n# changed\n")
    try:
        first = place.begin(*deploying("blue"), MLOPS_AZURE__LEASE_SECONDS=str(LEASE_SECONDS))
        while_runs(first, lambda: "mlops-lease-holder" in place.tags("test"))
        while_runs(first, lambda: state_of(place, "blue") == "Updating")
        first.send_signal(signal.SIGSTOP)  # no beat from now on
        stopped = time.monotonic()
        said = place.mlops(*SWITCH, "100", expect=3)
        assert "another command is changing the endpoint" in said
        assert "the deployment of version 1" in said
        azure_works_on.set()
        wait_for(lambda: state_of(place, "blue") == "Succeeded")
        time.sleep(max(0.0, LEASE_SECONDS - (time.monotonic() - stopped)))
        said = place.mlops(*SWITCH, "100", expect=3)
        assert "another command is changing the endpoint" in said
        first.send_signal(signal.SIGCONT)
        assert first.wait(LONGEST_SECONDS) == 0
    finally:
        script.write_text(code)
    assert place.traffic("test") == {"blue": 100}
    place.mlops(*SWITCH, "100")


def state_of(place: AzureProject, deployment: str) -> str:
    """The state in which Azure has a deployment."""
    return str(place.deployment("test", deployment)["properties"]["provisioningState"])


def test_an_operation_that_azure_loses_sight_of_is_azures_failure(place: AzureProject) -> None:
    """It is not the infrastructure that is missing: exit code 3, and nothing is left behind."""
    place.azure.fail("GET", "mfeOperationsStatus", status=404, code="NotFound", times=1)
    said = place.mlops(*deploying("lost"), expect=3)
    assert "Azure does not find any more what it told of before" in said
    assert "infrastructure" not in said
    assert place.traffic("test") == {"blue": 100}
    place.mlops(*SWITCH, "0")


def test_five_failures_of_one_call_are_waited_out(place: AzureProject) -> None:
    place.azure.fail("GET", ENDPOINT, status=503, retry_after="1", times=5)
    place.mlops(*SWITCH, "100")
    assert place.traffic("test") == {"green": 100}


def test_tags_that_another_tool_dropped_mean_deploy_it_again(place: AzureProject) -> None:
    """As the CLI's update of a deployment does: what it serves is known, and not more."""
    tags = place.azure.deployment(f"{NAME}-test", "green")["tags"]
    kept = dict(tags)
    tags.clear()
    shown = json.loads(place.mlops("status", "--json"))["endpoints"]
    (test,) = [each for each in shown if each["environment"] == "test"]
    shown = {each["name"]: each["version"] for each in test["deployments"]}
    assert shown.items() >= {"blue": 1, "green": 1}.items()
    since = len(place.azure.calls)
    place.mlops(*deploying("green"))
    assert [
        call
        for call in place.azure.called("PUT", f"{DEPLOYMENT}green$")
        if place.azure.calls.index(call) >= since
    ]
    assert place.azure.deployment(f"{NAME}-test", "green")["tags"] == kept


def test_a_deployment_gets_other_machines_only_where_nobody_calls_it(place: AzureProject) -> None:
    larger = {"MLOPS_AZURE__INSTANCE_TYPE": "Standard_D4as_v4"}
    said = place.mlops(*deploying("blue", "--force"), settings=larger, expect=2)
    assert "Azure gives a deployment no other machines" in said
    place.mlops(*deploying("green"), settings=larger)
    found = place.azure.deployment(f"{NAME}-test", "green")["properties"]
    assert found["instanceType"] == "Standard_D4as_v4"
    place.mlops(*deploying("green"))


def test_what_could_not_be_fetched_is_told(
    place: AzureProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the log of the container that fetches: the server had nothing to say yet."""

    def fetch(_self: Endpoints, uri: str, _target: Path) -> None:
        raise NotFetchedError(403, "AuthorizationPermissionMismatch", f"{uri} may not be read.")

    with monkeypatch.context() as patch:
        patch.setattr(Endpoints, "_fetch", fetch)
        said = place.mlops(*deploying("unfetched"), expect=3)
    assert "storage-initializer: AuthorizationPermissionMismatch" in said
    with pytest.raises(AzureError, match="unfetched"):
        place.deployment("test", "unfetched")


def test_a_killed_command_is_told_by_the_status(place: AzureProject) -> None:
    azure_works_on = place.azure.hold("PUT", rf"{DEPLOYMENT}dying")
    killed = place.begin(*deploying("dying"), MLOPS_AZURE__LEASE_SECONDS="300")
    while_runs(killed, lambda: has_deployment(place, "dying"))
    assert "test: the deployment of version 1 is under way" in place.mlops("status")
    killed.kill()
    killed.wait()
    said = place.mlops("status")
    assert "test: the deployment of version 1 was interrupted: the next command" in said
    azure_works_on.set()
    wait_for(lambda: state_of(place, "dying") == "Succeeded")
    place.mlops("smoke-test", "--environment", "test", "--deployment", "blue")
    assert "was interrupted" not in place.mlops("status")
    running = place.azure.endpoints.running[f"{NAME}-test"]
    running.servers.pop("dying").stop()
    place.azure.remove(f"{running.id}/deployments/dying")


def has_deployment(place: AzureProject, name: str) -> bool:
    """Whether Azure has begun to make a deployment."""
    try:
        return bool(place.deployment("test", name))
    except AzureError:
        return False


def test_a_command_killed_at_its_end_is_not_undone(place: AzureProject) -> None:
    """The next command on its machine sees that it is dead, and does not wait for its time."""
    with_lease = place.begin(*SWITCH, "40", MLOPS_AZURE__LEASE_SECONDS="300")
    while_runs(with_lease, lambda: place.traffic("test") == {"blue": 60, "green": 40})
    with_lease.kill()
    with_lease.wait()
    assert "mlops-lease-holder" in place.tags("test")
    said = place.mlops("smoke-test", "--environment", "test", "--deployment", "blue")
    assert f"{PURPOSE} was interrupted at its end: the traffic is blue 60 %, green 40 %" in said
    assert place.traffic("test") == {"blue": 60, "green": 40}
    assert not [tag for tag in place.tags("test") if tag.startswith("mlops-lease-")]


def test_a_rollback_brings_back_code_and_image_though_it_may_write_neither(
    place: AzureProject,
) -> None:
    """Also if neither is the project's any more."""
    before = place.deployment("test", "blue")["properties"]
    serving = place.project.path / "serving"
    kept = {name: (serving / name).read_text() for name in ("score.py", "requirements.txt")}
    try:
        for name, text in kept.items():
            (serving / name).write_text(f"{text}\n# changed\n")
        place.mlops(*deploying("blue", "--force"))
        changed = place.deployment("test", "blue")["properties"]
        (serving / "score.py").write_text(f"{kept['score.py']}\n# changed again\n")
        place.azure.fail("PUT", "/(codes|environments)/", status=403, times=ALWAYS)
        place.mlops("rollback", "--environment", "test")
        after = place.deployment("test", "green")["properties"]
        code, image = ("codeConfiguration", "environmentId")
        assert after[code]["codeId"] == before[code]["codeId"] != changed[code]["codeId"]
        assert after[image] == before[image] != changed[image]
        assert place.traffic("test") == {"green": 100}
    finally:
        place.azure.heal()
        for name, text in kept.items():
            (serving / name).write_text(text)
        place.mlops(*deploying("blue"))


def test_nothing_but_azure_was_asked(place: AzureProject, tmp_path: Path) -> None:
    assert place.azure.refused_hosts == []
    assert place.azure.state.client_faults == []
