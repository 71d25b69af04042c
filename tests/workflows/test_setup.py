"""What `mlops setup github` makes is what the workflows name."""

import json
from pathlib import Path

import yaml
from mlops.ci.setup_github.environments import environments

from tests.workflows.policy import ENVIRONMENTS
from tools.worktree import ROOT

GITHUB = ROOT / "template" / ".github"


def test_the_rules_of_main_ask_for_jobs_that_exist(repository: Path) -> None:
    text = (repository / ".github/rulesets/main.json").read_text(encoding="utf-8")
    rules = {rule["type"]: rule.get("parameters") for rule in json.loads(text)["rules"]}
    asked = [c["context"] for c in rules["required_status_checks"]["required_status_checks"]]
    workflow = yaml.safe_load((GITHUB / "workflows/ml-cicd.yml").read_text(encoding="utf-8"))
    jobs = ("data-quality", "code-quality", "unit-tests", "train-pull-request")
    assert asked == [workflow["jobs"][job]["name"] for job in jobs]


def test_the_environments_are_those_of_the_workflows() -> None:
    made = {each.name for each in environments(level=3, infrastructure=True)}
    used = {name for name in ENVIRONMENTS.values() if "{" not in name} | {"test", "prod"}
    assert made == used
