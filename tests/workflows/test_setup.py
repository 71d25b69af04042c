"""What `mlops setup github` makes is what the workflows name."""

import json
from pathlib import Path

import yaml
from mlops.ci.setup_github.environments import environments
from mlops.ci.setup_github.verdict import CHECK

from tests.workflows.permitted import ENVIRONMENTS
from tests.workflows.policy import REQUIRED
from tools.worktree import ROOT

GITHUB = ROOT / "template" / ".github"
GITHUB_ACTIONS = 15368
"""The number of GitHub's own app: what another one reports under this name does not count."""


def test_the_rules_of_main_ask_for_one_check_of_github_actions(repository: Path) -> None:
    for file in ("main.json", "main-alone.json"):
        text = (repository / ".github/rulesets" / file).read_text(encoding="utf-8")
        rules = {rule["type"]: rule.get("parameters") for rule in json.loads(text)["rules"]}
        checks = rules["required_status_checks"]["required_status_checks"]
        assert checks == [{"context": CHECK, "integration_id": GITHUB_ACTIONS}]


def test_the_one_check_is_a_job_of_the_pipeline() -> None:
    workflow = yaml.safe_load((GITHUB / "workflows/ml-cicd.yml").read_text(encoding="utf-8"))
    assert CHECK == REQUIRED
    assert f"'{CHECK}'" in workflow["jobs"]["required"]["name"]


def test_the_environments_are_those_of_the_workflows() -> None:
    made = {each.name for each in environments(level=3, infrastructure=True)}
    used = {name for name in ENVIRONMENTS.values() if "{" not in name} | {"test", "prod"}
    assert made == used


def test_the_rules_of_the_audit_log_let_its_branch_grow_and_nothing_else(
    repository: Path,
) -> None:
    for file, target, ref, kinds in (
        (
            *("audit.json", "branch", "refs/heads/audit"),
            {"deletion", "non_fast_forward", "required_linear_history"},
        ),
        ("audit-tags.json", "tag", "refs/tags/audit/*", {"deletion", "update", "non_fast_forward"}),
    ):
        rules = json.loads((repository / ".github/rulesets" / file).read_text(encoding="utf-8"))
        assert (rules["target"], rules["enforcement"]) == (target, "active")
        assert rules["conditions"]["ref_name"] == {"include": [ref], "exclude": []}
        assert {rule["type"] for rule in rules["rules"]} == kinds, "GITHUB_TOKEN must still push"
        assert rules["bypass_actors"] == []
