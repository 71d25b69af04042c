"""What must hold of the workflow `infra` under act."""

import json
from typing import Any

from tests.workflows.act import Act, Outcome
from tests.workflows.events import AZURE, PULL_REQUEST, PUSH, PUSH_TO_DEVELOP


def infra_without_azure(act: Act) -> None:
    """Without the variable nothing is compared or deployed, and it says so."""
    for event, payload in (("push", PUSH), ("pull_request", PULL_REQUEST)):
        outcome = act(event, payload, workflow="infra.yml")
        assert outcome.ok, outcome.log
        assert outcome.calls == []
        assert "nothing was compared or deployed" in outcome.log


def infra_plan(act: Act) -> None:
    """A pull request shows what would change in each environment, and changes nothing."""
    outcome = act("pull_request", PULL_REQUEST, workflow="infra.yml", variables=AZURE)
    assert outcome.ok, outcome.log
    compared = outcome.find("what-if")
    assert sorted(call["command"] for call in compared) == [
        f"az deployment group what-if --resource-group rg-model-{name} "
        f"--parameters infra/{name}.bicepparam --validation-level ProviderNoRbac"
        for name in ("dev", "prod", "test")
    ]
    assert {call["settings"]["ENDPOINT"] for call in compared} == {""}
    assert outcome.find("group create") == []
    assert outcome.commands("plan").count("run mlops ci bicep --fetch") == 3
    fork = {"ref": "idea", "repo": {"full_name": "somebody/model"}}
    payload = {"pull_request": {"number": 1, "head": fork, "base": {"ref": "main"}}}
    assert act("pull_request", payload, workflow="infra.yml", variables=AZURE).calls == []
    for words in ("(AuthorizationFailed) The client has no right", "(InvalidTemplate) No"):
        outcome = act(
            "pull_request",
            PULL_REQUEST,
            workflow="infra.yml",
            variables=AZURE,
            fail="what-if",
            says=words,
        )
        assert not outcome.ok
        assert words in outcome.log


def infra_plan_with_less(act: Act) -> None:
    """Where Azure asks for rights that a reader lacks, less is compared, and the page says so."""
    for words, tried in (("(AuthorizationFailed) No right", 2), ("(InvalidTemplate) No", 1)):
        outcome = act(
            "pull_request",
            PULL_REQUEST,
            workflow="infra.yml",
            variables=AZURE,
            fail="ProviderNoRbac",
            says=words,
        )
        assert outcome.ok == (tried == 2)
        for name in ("dev", "test", "prod"):
            compared = [
                call["command"].split("--validation-level ")[1]
                for call in outcome.find("what-if")
                if call["settings"]["ENVIRONMENT"] == name
            ]
            assert compared == ["ProviderNoRbac", "Template"][:tried]
            noted = f"## {name}\n\nAzure said AuthorizationFailed" in outcome.log
            assert noted == (tried == 2)


def infra_plan_of_dependabot(act: Act) -> None:
    """Dependabot's pull request may get no token: it is not compared, and the run says so."""
    head = {"ref": "dependabot/actions", "repo": {"full_name": "acme/model"}}
    user = {"login": "dependabot[bot]"}
    payload = {"pull_request": {"number": 1, "head": head, "base": {"ref": "main"}, "user": user}}
    outcome = act("pull_request", payload, workflow="infra.yml", variables=AZURE)
    assert outcome.ok, outcome.log
    assert outcome.calls == []
    assert "Dependabot's pull requests are not compared" in outcome.log


def infra_deploy_for_hours(act: Act) -> None:
    """A deployment that outlives a sign-in is waited for with fresh ones, and started once."""
    act.api.infra_approved_by("ann")
    payload = {"ref": "refs/heads/main", "inputs": {"environment": "prod"}}

    def deploy(**played: Any) -> Outcome:
        return act("workflow_dispatch", payload, workflow="infra.yml", variables=AZURE, **played)

    outcome = deploy(running=9)
    assert outcome.ok, outcome.log
    assert len(outcome.find("group create")) == 1
    assert len(outcome.find("az login")) == 3
    assert "infra-prod-1-1 succeeded" in outcome.log
    outcome = deploy(running=99)
    assert not outcome.ok, "what still goes on is not said to be done"
    assert "re-run this job" in outcome.log
    outcome = deploy(ends="Failed")
    assert not outcome.ok
    assert "No quota" in outcome.log


def infra_deploy(act: Act) -> None:
    """A push to main deploys each environment to its group; by hand it is one of them."""
    act.api.infra_approved_by("ann")
    outcome = act("push", PUSH, workflow="infra.yml", variables=AZURE, endpoint="mlw/model-dev")
    assert outcome.ok, outcome.log
    created = outcome.find("az deployment group create --no-wait --name ")
    assert [call["command"].split(" --name ")[1] for call in created] == [
        f"infra-{name}-1-1 --resource-group rg-purchase-prediction-{name}"
        f" --parameters infra/{name}.bicepparam"
        for name in ("dev", "test", "prod")
    ]
    assert len(outcome.find("az login")) == 3, "who is done needs no fresh sign-in"
    assert [call["settings"].get("ENDPOINT") for call in created] == [
        f"model-{name}" for name in ("dev", "test", "prod")
    ]
    ids = " ".join(list(AZURE.values())[1:])
    assert {call["command"] for call in outcome.find("az login")} == {f"az login {ids}"}
    assert len(outcome.find("mlops ci bicep --fetch")) == 3, "what was compiled is deployed"
    assert not act("push", PUSH_TO_DEVELOP, workflow="infra.yml", variables=AZURE).calls
    for wanted, expected in (("prod", ["prod"]), ("all", ["dev", "test", "prod"])):
        payload = {"ref": "refs/heads/main", "inputs": {"environment": wanted}}
        outcome = act("workflow_dispatch", payload, workflow="infra.yml", variables=AZURE)
        assert outcome.ok, outcome.log
        created = outcome.find("group create")
        assert [call["settings"]["ENVIRONMENT"] for call in created] == expected
    (act.project / "infra/test.bicepparam").unlink()
    payload = {"ref": "refs/heads/main", "inputs": {"environment": "test"}}
    outcome = act("workflow_dispatch", payload, workflow="infra.yml", variables=AZURE)
    assert not outcome.ok, "an environment without parameters is not passed over"
    assert outcome.calls == []


def infra_unasked(act: Act) -> None:
    """Nothing is deployed that nobody approved, unless no approvals are wanted at all."""
    for names in ((), ("Starter",)):
        act.api.infra_approved_by(*names)
        outcome = act("push", PUSH, workflow="infra.yml", variables=AZURE)
        assert not outcome.ok
        assert outcome.find("az ") == []
        assert "needs 1 approvals" in outcome.log


def infra_approved_late(act: Act) -> None:
    """A run that is approved after newer files were merged does not undo them."""
    act.api.infra_approved_by("ann")
    for file, ok in (("infra/main.bicep", False), ("conf/prod.yaml", False), ("README.md", True)):
        merged = json.dumps({"files": [{"filename": file}]})
        outcome = act("push", PUSH, workflow="infra.yml", variables=AZURE, merged=merged)
        assert outcome.ok == ok, outcome.log
        assert bool(outcome.find("group create")) == ok
        assert (f"main holds newer files ({file})" in outcome.log) != ok
