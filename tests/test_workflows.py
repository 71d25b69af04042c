"""The generated workflows: linted, and run job by job under act.

act runs the steps on this machine; uv and the remote actions are stubs (`stubs/`), so that what is
tested is the workflow: which jobs run, with which commands and settings, what stops them, and which
files they keep.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tools.worktree import ROOT

from .support import TESTS, Template, commit_all, run

STUBS = TESTS / "stubs"
GITHUB = ROOT / "template" / ".github"
BIN = Path(sys.executable).parent
USES = re.compile(r"uses:\s*(?P<action>[\w./-]+)@(?P<ref>\S+)(?:\s+#\s*(?P<comment>\S+))?")


def workflow_files() -> list[Path]:
    """All files that name actions, of the template and of this repository."""
    return sorted(path for folder in (GITHUB, ROOT / ".github") for path in folder.rglob("*.y*ml"))


@pytest.fixture(scope="module")
def repository(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A generated project, committed."""
    project = template.render(tmp_path_factory.mktemp("workflows") / "project")
    commit_all(project)
    return project


class TestLint:
    def test_jactionlint_finds_nothing(self, repository: Path) -> None:
        run(BIN / "jactionlint", "--strict-exit", "--profile", "pedantic", folder=repository)

    def test_jactionlint_finds_nothing_in_this_repository(self) -> None:
        files = sorted((ROOT / ".github" / "workflows").iterdir())
        run(BIN / "jactionlint", "--strict-exit", "--profile", "pedantic", *files, folder=ROOT)

    @pytest.mark.parametrize("folder", [GITHUB.parent, ROOT / ".github"], ids=["template", "own"])
    def test_zizmor_finds_nothing(self, folder: Path) -> None:
        run(BIN / "zizmor", "--offline", "--persona", "pedantic", folder, folder=ROOT)

    def test_zizmor_finds_nothing_rendered(self, repository: Path) -> None:
        run(BIN / "zizmor", "--offline", "--persona", "pedantic", repository, folder=ROOT)

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


@dataclass(frozen=True)
class Outcome:
    """What one simulated run of the workflow did."""

    ok: bool
    calls: list[dict[str, Any]]
    artifacts: dict[str, list[str]]
    log: str

    def commands(self, job: str) -> list[str]:
        return [call["command"] for call in self.calls if call["job"] == job]

    @property
    def everything(self) -> str:
        return "\n".join(call["command"] for call in self.calls)


class Act:
    """Runs the workflow of a copy of the repository under act."""

    def __init__(self, folder: Path, repository: Path) -> None:
        self.folder = folder
        self.project = folder / "project"
        shutil.copytree(repository, self.project)
        workflow = self.project / ".github" / "workflows" / "ml-cicd.yml"
        text = workflow.read_text(encoding="utf-8")
        # act does not know the syntax `$/` for an action of the same repository.
        workflow.write_text(text.replace("uses: $/", "uses: ./"), encoding="utf-8")
        self.uv = folder / "bin" / "uv"
        self.uv.parent.mkdir()
        self.uv.write_text(
            f'#!/bin/sh\nexec "{sys.executable}" "{STUBS / "uv.py"}" "$@"\n', encoding="utf-8"
        )
        self.uv.chmod(0o755)

    def __call__(
        self,
        event: str,
        payload: dict[str, Any],
        *,
        fail: str = "",
        stubs: int = 0,
        variables: dict[str, str] | None = None,
    ) -> Outcome:
        calls, artifacts = self.folder / "calls.jsonl", self.folder / "artifacts"
        calls.touch()
        artifacts.mkdir()
        event_file = self.folder / "event.json"
        event_file.write_text(json.dumps(payload), encoding="utf-8")
        command: list[str | Path] = [
            BIN / "act", event, "--eventpath", event_file, "--json", "--strict",
            "--platform", "ubuntu-24.04=-self-hosted", "--container-daemon-socket", "-",
            "--pull=false", "--no-cache-server", "--action-offline-mode",
            "--action-cache-path", self.folder / "cache",
            "--env", f"STUB_CALLS={calls}", "--env", f"STUB_ARTIFACTS={artifacts}",
            "--env", f"STUB_FAIL={fail}", "--env", f"STUB_STUBS={stubs}",
        ]  # fmt: skip
        for name, value in (variables or {}).items():
            command += ["--var", f"{name}={value}"]
        for action, commit in self.pins().items():
            stub = STUBS / action.split("/")[1]
            command += ["--local-repository", f"https://github.com/{action}@{commit}={stub}"]
        result = subprocess.run(
            [str(part) for part in command],
            cwd=self.project,
            env={
                "HOME": str(self.folder),
                "PATH": os.pathsep.join([str(self.uv.parent), "/usr/bin", "/bin"]),
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        return Outcome(
            ok=result.returncode == 0,
            calls=[json.loads(line) for line in calls.read_text(encoding="utf-8").splitlines()],
            artifacts={
                kept.name: sorted(
                    path.relative_to(kept).as_posix() for path in kept.rglob("*") if path.is_file()
                )
                for kept in artifacts.iterdir()
            },
            log=result.stdout + result.stderr,
        )

    def pins(self) -> dict[str, str]:
        return {
            found["action"]: found["ref"]
            for path in (self.project / ".github").rglob("*.yml")
            for found in USES.finditer(path.read_text(encoding="utf-8"))
            if found["action"] != "actions/checkout"  # act lays the files itself
        }


@pytest.fixture
def act(tmp_path: Path, repository: Path) -> Act:
    return Act(tmp_path, repository)


PUSH = {"ref": "refs/heads/main"}
PULL_REQUEST = {"pull_request": {"head": {"ref": "idea"}, "base": {"ref": "main"}}, "number": 1}
GATES = ["data-quality", "code-quality", "unit-tests"]


class TestPipeline:
    def test_a_push_checks_trains_and_keeps_the_evidence(self, act: Act) -> None:
        outcome = act("push", PUSH)
        assert outcome.ok, outcome.log
        assert list(dict.fromkeys(call["job"] for call in outcome.calls))[-1] == "train-dev"
        assert outcome.commands("train-dev")[-2:] == [
            "run mlops train --environment dev",
            "run mlops evaluate --environment dev --run-id run-1",
        ]
        assert outcome.artifacts == {
            "validation-results": ["validation-results.json"],
            "bandit-report": ["bandit-report.json"],
            "test-results": ["coverage.xml", "test-results.xml"],
            "run-dev": [".mlops/runs/run-1/model/model.skops"],
        }

    def test_without_the_variable_the_platform_is_left_to_the_settings(self, act: Act) -> None:
        outcome = act("push", PUSH)
        assert {call["settings"]["MLOPS_PLATFORM"] for call in outcome.calls} == {""}
        assert {call["settings"].get("MLOPS_DATA__SAMPLE__SIZE", "") for call in outcome.calls} == {
            ""
        }

    def test_a_push_runs_on_the_platform_of_the_variable(self, act: Act) -> None:
        outcome = act("push", PUSH, variables={"MLOPS_PLATFORM": "azure"})
        assert {call["settings"]["MLOPS_PLATFORM"] for call in outcome.calls} == {"azure"}

    def test_a_pull_request_trains_briefly_on_the_runner(self, act: Act) -> None:
        outcome = act("pull_request", PULL_REQUEST, variables={"MLOPS_PLATFORM": "azure"})
        assert outcome.ok, outcome.log
        training = [call for call in outcome.calls if "mlops train" in call["command"]]
        assert [call["settings"]["MLOPS_PLATFORM"] for call in training] == ["local"]
        assert [call["settings"]["MLOPS_DATA__SAMPLE__SIZE"] for call in training] == ["10000"]
        assert not re.search("mlops (register|deploy|release)", outcome.everything)

    @pytest.mark.parametrize(
        "fail", ["data validate", "config", "ruff", "mypy", "bandit", "pytest"]
    )
    def test_a_failed_check_stops_the_training(self, act: Act, fail: str) -> None:
        outcome = act("push", PUSH, fail=fail)
        assert not outcome.ok
        assert outcome.commands("train-dev") == []

    def test_bad_data_keeps_the_results(self, act: Act) -> None:
        outcome = act("push", PUSH, fail="data validate")
        assert outcome.artifacts["validation-results"] == ["validation-results.json"]

    def test_a_refusing_gate_fails_the_run_and_keeps_the_evidence(self, act: Act) -> None:
        outcome = act("push", PUSH, fail="mlops evaluate")
        assert not outcome.ok
        assert outcome.artifacts["run-dev"] == [".mlops/runs/run-1/model/model.skops"]

    def test_the_lock_is_obeyed_once_it_is_committed(self, act: Act) -> None:
        (act.project / "uv.lock").touch()
        outcome = act("push", PUSH)
        assert [command for command in outcome.everything.splitlines() if "sync" in command] == [
            "sync --locked"
        ] * 4

    def test_without_a_lock_it_says_so(self, act: Act) -> None:
        outcome = act("push", PUSH)
        assert "sync --locked" not in outcome.everything
        assert "There is no uv.lock" in outcome.log

    def test_with_stubs_to_fill_it_checks_the_code_alone_and_says_so(self, act: Act) -> None:
        outcome = act("push", PUSH, stubs=3)
        assert outcome.ok, outcome.log
        assert "The use case has stubs to fill" in outcome.log
        assert not re.search("mlops (data|train|evaluate)", outcome.everything)
        assert "run pytest" in outcome.everything
