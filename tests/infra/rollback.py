"""The workflow that moves traffic back at an alert: whose endpoint, which definition, who it is."""

import json

from tests.infra.resources import LOGIC_APP
from tools.bicep import Snapshot
from tools.worktree import ROOT

DEFINITION = ROOT / "template" / "infra" / "modules" / "rollback.json"


def check_rollback(name: str, deployed: Snapshot, slug: str) -> None:
    """Where it is asked for there is one, of that endpoint, as an identity of its own."""
    found = deployed.of(LOGIC_APP)
    if name != "prod-later":
        assert found == []
        return
    (workflow,) = found
    assert workflow.name == f"logic-{slug}-prod-rollback"
    assert workflow.body["identity"] == {"type": "SystemAssigned"}
    group = workflow.id.partition("/providers/")[0]
    endpoint = (
        f"{group}/providers/Microsoft.MachineLearningServices/workspaces/mlw-{slug[:24]}-prod"
        "/onlineEndpoints/an-endpoint"
    )
    manager = "environment().resourceManager"
    assert workflow.properties == {
        "state": "Enabled",
        "definition": json.loads(DEFINITION.read_text(encoding="utf-8")),
        "parameters": {
            # the manager's address ends with a slash
            "endpoint": {"value": f"[format('{{0}}{{1}}', {manager}, '{endpoint[1:]}')]"},
            "audience": {"value": f"[{manager}]"},
        },
    }
