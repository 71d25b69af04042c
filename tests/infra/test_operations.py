"""The project's own roles against what Azure publishes of its operations."""

from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from tests.infra.roles import ACTIONS, PLAN_NEVER, may_plan

EXTRACT = Path(__file__).with_name("operations.txt")
LINES = [
    line.split()
    for line in EXTRACT.read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
]
OPERATIONS = [operation for _, operation in LINES]
# Not in the extract: of Azure Resource Manager itself, of tables, of models (Microsoft's page on
# roles of Azure ML, how-to-assign-roles.md) and of blobs (storage-auth-abac-attributes.md).
ELSEWHERE = {
    "Microsoft.MachineLearningServices/workspaces/models/write",
    "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read",
    "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/add/action",
    "Microsoft.Resources/deployments/whatIf/action",
    "Microsoft.Resources/deployments/validate/action",
    "Microsoft.OperationalInsights/workspaces/tables/query/read",
}
NAMED = {*PLAN_NEVER, *(each for actions in ACTIONS.values() for each in actions)}
CONTENT = ("key", "secret", "token", "query", "/logs/", "preview", "artifacts", "snapshots", "pull")


def matching(pattern: str) -> list[str]:
    return [each for each in OPERATIONS if fnmatchcase(each.lower(), pattern.lower())]


@pytest.mark.parametrize(("mark", "operation"), LINES)
def test_the_plan_may_do_what_the_extract_says(mark: str, operation: str) -> None:
    assert may_plan(operation) == (mark == "+")


def test_the_plan_changes_nothing_and_reads_no_content() -> None:
    may = [operation for operation in OPERATIONS if may_plan(operation)]
    assert len(may) > 60
    for each in may:
        assert each.lower().endswith("/read"), each
        assert not any(word in each.lower() for word in CONTENT), each


def test_the_plan_sees_what_infra_makes() -> None:
    for kind in ("", "/computes", "/datastores", "/onlineEndpoints", "/privateEndpointConnections"):
        assert may_plan(f"Microsoft.MachineLearningServices/workspaces{kind}/read")


@pytest.mark.parametrize("action", sorted(NAMED - ELSEWHERE))
def test_every_action_of_a_role_is_one_of_azures(action: str) -> None:
    assert matching(action), "misspelt: nothing is allowed or left out by it"


def test_a_caller_may_do_one_thing() -> None:
    (action,) = ACTIONS["endpoint-caller"]
    assert matching(action) == [action]
