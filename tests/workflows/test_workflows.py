"""The generated workflows: linted, checked against a policy, and run job by job under act.

What is asked of them stands in `workflows.py`; the faults in `workflow_faults/` show that it is
asked in earnest.
"""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tools.worktree import ROOT

from .github_api import GitHubApi, github_api
from .support import TESTS, Template, commit_all, run
from .workflows import (
    BIN,
    ENVIRONMENTS,
    JACTIONLINT,
    PULL_REQUEST,
    PUSH,
    PUSH_TO_DEVELOP,
    SCENARIOS,
    SEVEN_JOBS,
    USES,
    Act,
    lint,
    policy,
)

GITHUB = ROOT / "template" / ".github"
FAULTS = sorted((TESTS / "workflow_faults").glob("*.patch"))


def workflow_files() -> list[Path]:
    """All files that name actions, of the template and of this repository."""
    return sorted(path for folder in (GITHUB, ROOT / ".github") for path in folder.rglob("*.y*ml"))


@pytest.fixture(scope="module")
def repository(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A generated project, committed."""
    project = template.render(tmp_path_factory.mktemp("workflows") / "project")
    commit_all(project)
    return project


@pytest.fixture
def api() -> Iterator[GitHubApi]:
    with github_api() as server:
        yield server


@pytest.fixture
def act(tmp_path: Path, repository: Path, api: GitHubApi) -> Act:
    return Act(tmp_path, repository, api)


class TestLint:
    @pytest.mark.parametrize("level", [1, 2, 3])
    def test_at_every_level_nothing_is_found(
        self, template: Template, tmp_path: Path, level: int
    ) -> None:
        project = template.render(tmp_path / "project", maturity_level=level)
        commit_all(project)
        lint(project)
        policy(project)

    def test_jactionlint_finds_nothing_in_this_repository(self) -> None:
        files = sorted((ROOT / ".github" / "workflows").iterdir())
        run(*JACTIONLINT, *files, folder=ROOT)

    @pytest.mark.parametrize("folder", [GITHUB.parent, ROOT / ".github"], ids=["template", "own"])
    def test_zizmor_finds_nothing(self, folder: Path) -> None:
        run(BIN / "zizmor", "--offline", "--persona", "pedantic", folder, folder=ROOT)

    def test_every_action_is_pinned_to_one_commit(self) -> None:
        pins: dict[str, set[tuple[str, str]]] = {}
        for path in workflow_files():
            for found in USES.finditer(path.read_text(encoding="utf-8")):
                action, ref, comment = found.group("action", "ref", "comment")
                assert re.fullmatch(r"[0-9a-f]{40}", ref), f"{path}: {action} is not pinned"
                assert re.fullmatch(r"v\d+\.\d+\.\d+", comment or ""), f"{path}: no version"
                pins.setdefault(action, set()).add((ref, comment))
        assert pins
        assert {action: found for action, found in pins.items() if len(found) > 1} == {}


class TestSetUp:
    """What `mlops setup github` makes is what the workflows name."""

    def test_the_rules_of_main_ask_for_jobs_that_exist(self, repository: Path) -> None:
        text = (repository / ".github/rulesets/main.json").read_text(encoding="utf-8")
        rules = {rule["type"]: rule.get("parameters") for rule in json.loads(text)["rules"]}
        asked = [c["context"] for c in rules["required_status_checks"]["required_status_checks"]]
        workflow = yaml.safe_load((GITHUB / "workflows/ml-cicd.yml").read_text(encoding="utf-8"))
        jobs = ("data-quality", "code-quality", "unit-tests", "train-pull-request")
        assert asked == [workflow["jobs"][job]["name"] for job in jobs]

    def test_the_environments_are_those_of_the_workflows(self, repository: Path) -> None:
        source = next(repository.glob("src/*/setup_github.py")).read_text(encoding="utf-8")
        made = re.findall(r'^    Environment\("([a-z-]+)"', source, flags=re.MULTILINE)
        used = {name for name in ENVIRONMENTS.values() if "{" not in name} | {"test", "prod"}
        assert {*made} == used


class TestPipeline:
    @pytest.mark.parametrize("scenario", SCENARIOS)
    def test_scenario(self, act: Act, scenario: str) -> None:
        SCENARIOS[scenario](act)

    def test_without_the_variable_the_platform_is_left_to_the_settings(self, act: Act) -> None:
        act.api.no_earlier_run()
        outcome = act("push", PUSH)
        assert {call["settings"]["MLOPS_PLATFORM"] for call in outcome.calls} == {""}
        assert {call["settings"].get("MLOPS_DATA__FRACTION", "") for call in outcome.calls} == {""}

    def test_a_push_runs_on_the_platform_of_the_variable(self, act: Act) -> None:
        act.api.approved_by("ann", "bob")
        outcome = act("push", PUSH, variables={"MLOPS_PLATFORM": "azure"})
        assert {call["settings"]["MLOPS_PLATFORM"] for call in outcome.calls} == {"azure"}
        assert len(outcome.find("sync --group azure")) == 7

    def test_a_new_run_of_main_by_hand_is_like_a_push(self, act: Act) -> None:
        act.api.no_earlier_run()
        outcome = act("workflow_dispatch", PUSH)
        assert outcome.ok, outcome.log
        assert outcome.jobs[3:] == SEVEN_JOBS[3:]

    def test_a_run_of_another_branch_by_hand_trains_nothing(self, act: Act) -> None:
        outcome = act("workflow_dispatch", {"ref": "refs/heads/idea"})
        assert outcome.ok, outcome.log
        assert {*outcome.jobs} == {*SEVEN_JOBS[:3]}

    def test_the_version_of_a_forks_branch_named_main_is_left_alone(self, act: Act) -> None:
        act.keep_version(40, 6)
        act.api.earlier_runs((40, True), event="pull_request")
        outcome = act("push", PUSH)
        assert outcome.ok, outcome.log
        assert outcome.artifacts["model-version"] == ["model/1/model.onnx"]

    def test_one_platform_for_dev_and_another_for_prod_stops_the_release(self, act: Act) -> None:
        act.api.no_earlier_run()
        outcome = act("push", PUSH, platform_of_prod="azure")
        assert not outcome.ok
        assert "dev has the platform local and prod has azure" in outcome.log
        assert outcome.find("mlops release --environment prod") == []

    def test_level_1_trains_and_stops_there(self, act: Act) -> None:
        act.api.no_earlier_run()
        outcome = act("push", PUSH, level=1)
        assert outcome.ok, outcome.log
        assert outcome.jobs[-1] == "train-dev"

    def test_level_2_releases(self, act: Act) -> None:
        act.api.no_earlier_run()
        outcome = act("push", PUSH, level=2)
        assert outcome.ok, outcome.log
        assert outcome.jobs[-1] == "release prod"

    def test_develop_trains_and_registers_nothing(self, act: Act) -> None:
        act.api.no_earlier_run()
        outcome = act("push", PUSH_TO_DEVELOP)
        assert outcome.ok, outcome.log
        assert outcome.jobs[-1] == "train-dev"

    @pytest.mark.parametrize("fail", ["config", "ruff", "mypy", "bandit", "pytest"])
    def test_a_failed_check_stops_the_training(self, act: Act, fail: str) -> None:
        outcome = act("push", PUSH, fail=fail)
        assert not outcome.ok
        assert outcome.jobs[3:] == []

    def test_a_pull_request_that_the_gate_refuses_shows_its_metrics(self, act: Act) -> None:
        outcome = act("pull_request", PULL_REQUEST, fail="mlops evaluate")
        assert not outcome.ok
        assert len(outcome.find("gh pr comment")) == 1

    def test_a_pull_request_from_a_fork_is_not_commented(self, act: Act) -> None:
        head = {"ref": "idea", "repo": {"full_name": "somebody/model"}}
        payload = {"pull_request": {"number": 1, "head": head, "base": {"ref": "main"}}}
        outcome = act("pull_request", payload)
        assert outcome.ok, outcome.log
        assert outcome.find("gh ") == []

    def test_coverage_leaves_only_where_it_is_wanted(self, act: Act) -> None:
        said = "coverage.xml sent to Codecov"
        assert said not in act("pull_request", PULL_REQUEST).log
        assert said in act("pull_request", PULL_REQUEST, variables={"CODECOV": "true"}).log

    def test_the_lock_is_obeyed_once_it_is_committed(self, act: Act) -> None:
        act.api.no_earlier_run()
        (act.project / "uv.lock").touch()
        outcome = act("push", PUSH)
        synced = [command for command in outcome.everything.splitlines() if "sync" in command]
        assert synced == ["sync --locked"] * 7

    def test_without_a_lock_it_says_so(self, act: Act) -> None:
        outcome = act("pull_request", PULL_REQUEST)
        assert "sync --locked" not in outcome.everything
        assert "There is no uv.lock" in outcome.log

    def test_with_stubs_to_fill_it_checks_the_code_alone_and_says_so(self, act: Act) -> None:
        outcome = act("push", PUSH, stubs=3)
        assert outcome.ok, outcome.log
        assert "The use case has stubs to fill" in outcome.log
        assert not re.search("mlops (data|train|evaluate|register|release)", outcome.everything)
        assert "run pytest" in outcome.everything


class TestFaults:
    """Each patch seeds one fault; a line `# red: <layer>` says what must notice it.

    The layers are lint, policy and the scenarios under act. A patch that no longer applies fails:
    make it anew with `git diff` in a project rendered with the default answers.
    """

    def test_there_are_enough(self) -> None:
        assert len(FAULTS) >= 12

    @pytest.mark.parametrize("patch", FAULTS, ids=lambda patch: patch.stem)
    def test_a_fault_turns_a_layer_red(
        self, repository: Path, tmp_path: Path, api: GitHubApi, patch: Path
    ) -> None:
        layers = re.findall(r"^# red: (\w+)$", patch.read_text(encoding="utf-8"), re.MULTILINE)
        assert layers, f"{patch.name} names no layer: it needs a line `# red: …`"
        project = tmp_path / "faulty"
        shutil.copytree(repository, project)
        run("git", "apply", patch, folder=project)
        for layer in layers:
            with pytest.raises(AssertionError):
                self.check(layer, project, tmp_path, api)

    @staticmethod
    def check(layer: str, project: Path, folder: Path, api: GitHubApi) -> None:
        if layer == "lint":
            lint(project)
        elif layer == "policy":
            policy(project)
        else:
            SCENARIOS[layer](Act(folder / layer, project, api))
