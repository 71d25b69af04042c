"""What is asked of a generated project's workflows: the linters, the policy, and act.

act runs a workflow's steps on this machine, job by job, each in a fresh folder. uv, gh, az and the
remote actions are stubs (`stubs/`): what is tested is which jobs run with which commands and
settings, what stops them, and which files and values pass from one to the next.

The project's own code runs in three commands: `mlops approvals` and `mlops ci previous-run` ask a
server of the test in the place of GitHub's API, and `mlops rollback` changes an endpoint that only
pretends. The other commands are played: `mlops release` ends as the test says. How it decides is
tested in the generated project, against the same protocol of an endpoint.

act knows neither environments, permissions nor concurrency: for these there is the policy.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from .github_api import GitHubApi
from .support import TESTS, run

STUBS = TESTS / "stubs"
BIN = Path(sys.executable).parent
USES = re.compile(r"uses:\s*(?P<action>[\w./-]+)@(?P<ref>\S+)(?:\s+#\s*(?P<comment>\S+))?")

PUSH = {"ref": "refs/heads/main"}
PUSH_TO_DEVELOP = {"ref": "refs/heads/develop"}
PULL_REQUEST = {
    "number": 1,
    "pull_request": {
        "number": 1,
        "head": {"ref": "idea", "repo": {"full_name": "acme/model"}},
        "base": {"ref": "main"},
    },
}
DISPATCH = {
    "ref": "refs/heads/main",
    "inputs": {"reason": "answers are 'wrong' $(exit 3)", "model-version": "2"},
}
AZURE = {"MLOPS_PLATFORM": "azure"} | {
    name: f"{name}-of-the-environment"
    for name in ("AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_SUBSCRIPTION_ID")
}
ROW_VALUE = b"a-value-of-a-row"
# act does not wait for the last lines of a step that fails: what a step says is kept here as well.
SHELL = """\
#!/bin/bash
set -o pipefail
/bin/bash "$@" 2>&1 | tee --append "$STUB_SAID"
"""

# --- The linters ---------------------------------------------------------------------------------


JACTIONLINT = (
    *(BIN / "jactionlint", "--strict-exit", "--profile", "pedantic"),
    *("--shellcheck", BIN / "shellcheck"),
)


def lint(project: Path) -> None:
    """Run the linters in their strictest mode; any finding is an error."""
    run(*JACTIONLINT, folder=project)
    run(BIN / "zizmor", "--offline", "--persona", "pedantic", ".", folder=project)


# --- The policy ----------------------------------------------------------------------------------

NEEDS = {
    "data-quality": [],
    "code-quality": [],
    "unit-tests": [],
    "coverage": ["unit-tests"],
    "train-pull-request": ["data-quality", "code-quality", "unit-tests"],
    "comment": ["train-pull-request"],
    "train-dev": ["data-quality", "code-quality", "unit-tests"],
    "register-model": ["data-quality", "train-dev"],
    "deploy-test": ["data-quality", "register-model"],
    "deploy-prod": ["data-quality", "register-model", "deploy-test"],
}
# Without what these need there is nothing for them to do.
MAY_BE_SKIPPED_BY_A_NEED = {"comment", "register-model", "deploy-test"}
ENVIRONMENTS = {
    ("ml-cicd.yml", "train-dev"): "dev",
    ("ml-cicd.yml", "register-model"): "dev-registration",
    ("deploy.yml", "approval"): "prod-approval",
    ("deploy.yml", "release"): "${{ inputs.platform != 'local' && inputs.environment || '' }}",
    ("rollback.yml", "rollback"): "prod-rollback",
    ("infra.yml", "plan"): "infra-plan",
    ("infra.yml", "deploy"): "infra",
}
READ = {"contents": "read"}
SIGN_IN = {"id-token": "write"}
PERMISSIONS = {
    ("ml-cicd.yml", "data-quality"): READ,
    ("ml-cicd.yml", "code-quality"): READ,
    ("ml-cicd.yml", "unit-tests"): READ,
    ("ml-cicd.yml", "coverage"): READ | SIGN_IN,
    ("ml-cicd.yml", "train-pull-request"): READ,
    ("ml-cicd.yml", "comment"): {"pull-requests": "write"},
    ("ml-cicd.yml", "train-dev"): READ | SIGN_IN | {"actions": "read"},
    ("ml-cicd.yml", "register-model"): READ | SIGN_IN,
    ("ml-cicd.yml", "deploy-test"): READ | SIGN_IN | {"actions": "read"},
    ("ml-cicd.yml", "deploy-prod"): READ | SIGN_IN | {"actions": "read"},
    ("deploy.yml", "approval"): {},
    ("deploy.yml", "release"): READ | SIGN_IN | {"actions": "read"},
    ("rollback.yml", "rollback"): READ | SIGN_IN,
    ("infra.yml", "environments"): READ,
    ("infra.yml", "plan"): READ | SIGN_IN,
    ("infra.yml", "deploy"): READ | SIGN_IN,
}
# Who a job signs in as: each environment on GitHub has its own AZURE_CLIENT_ID.
IDENTITY = {
    name: f"${{{{ vars.{name} }}}}"
    for name in ("AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_SUBSCRIPTION_ID")
}
# What may run on a machine of the team's own, whose network reaches Azure: reviewed code alone.
HOSTED = "ubuntu-24.04"
OWN_RUNNER = f"${{{{ vars.MLOPS_RUNNER || '{HOSTED}' }}}}"
SECRET_NAME = re.compile(r"(?i)token|secret|passw|key$|credential|connection_?string")
SECRET_VALUE = re.compile(
    r"gh[pousr]_\w{20}|AKIA\w{16}|AccountKey=|SharedAccessSignature|-----BEGIN|[\w-]{3}8Q~[\w.~-]{30}"
)


def policy(project: Path) -> None:
    """Check what neither linter knows: who may do what, in which environment, after what."""
    folder = project / ".github" / "workflows"
    texts = {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}
    workflows = {name: yaml.safe_load(text) for name, text in texts.items()}
    jobs = {
        (name, job): content
        for name, workflow in workflows.items()
        for job, content in workflow["jobs"].items()
    }
    for name, workflow in workflows.items():
        assert workflow["permissions"] == {}, f"{name}: permissions at the top"
    assert {key: job.get("permissions") for key, job in jobs.items()} == {
        key: asked for key, asked in PERMISSIONS.items() if key in jobs
    }
    for key, job in jobs.items():
        check_rights(key, job)
    found = {key: job["environment"]["name"] for key, job in jobs.items() if "environment" in job}
    assert found == {key: name for key, name in ENVIRONMENTS.items() if key in jobs}
    called = [job["with"] for job in jobs.values() if "with" in job]
    assert [each["environment"] for each in called] == ["test", "prod"]
    planned = "${{ needs.data-quality.outputs.platform }}"
    assert {each["platform"] for each in called} == {planned}
    first = jobs["deploy.yml", "approval"]["if"]
    assert first == (
        "${{ !cancelled() && inputs.environment == 'prod' && inputs.platform != 'local' }}"
    )
    check_conditions(workflows)

    pipeline = workflows["ml-cicd.yml"]["jobs"]
    assert {name: needs_of(job) for name, job in pipeline.items()} == NEEDS

    for key, job in jobs.items():
        if "steps" not in job:
            continue
        assert job["timeout-minutes"] > 0, key
        check_runner(key, job)
        for step in job["steps"]:
            check_step(key, step)
    for name, text in texts.items():
        assert not SECRET_VALUE.search(text), f"{name} holds a secret"
        assert "secrets." not in text, f"{name}: no secret is needed, see OIDC"

    kept = [each for each in jobs["deploy.yml", "release"]["steps"] if "with" in each][-1]
    assert kept["name"] == "Keep the evidence"
    assert kept["if"].startswith("${{ always() &&"), "a cancellation must leave evidence"

    queued = {"cancel-in-progress": False, "queue": "max"}
    release = jobs["deploy.yml", "release"]
    assert release["concurrency"] == {"group": "release-${{ inputs.environment }}"} | queued
    for key, job in jobs.items():
        if "environment" in job and job["permissions"].get("id-token") == "write":
            check_identity(key, job)
    if "infra.yml" in workflows:
        deploy = jobs["infra.yml", "deploy"]
        concurrency = {"group": "infra-deploy-${{ matrix.environment }}"} | queued
        assert deploy["concurrency"] == concurrency
        assert "github.ref == 'refs/heads/main'" in deploy["if"]
        assert deploy["strategy"].get("max-parallel") == 1
        started = workflows["infra.yml"].get("on", workflows["infra.yml"].get(True))
        deployed = ["infra/**", "conf/**", ".github/workflows/infra.yml"]
        assert started["pull_request"]["paths"] == started["push"]["paths"] == deployed
    if "rollback.yml" in workflows:
        assert workflows["rollback.yml"]["concurrency"] == {"group": "rollback-prod"} | queued
    cancelled = workflows["ml-cicd.yml"]["concurrency"]["cancel-in-progress"]
    assert cancelled == "${{ github.event_name == 'pull_request' }}"


def check_conditions(workflows: dict[str, dict[str, Any]]) -> None:
    """Check that no job is skipped, and the run green, because an earlier one was meant to be.

    Without a status function in its `if`, GitHub asks success() of the whole chain of needs, and a
    job that was skipped anywhere in it, also inside a called workflow, skips what follows. So a job
    behind one that may be skipped says of each of its own needs that it succeeded.
    """

    def may_be_skipped(job: dict[str, Any]) -> bool:
        called = Path(job.get("uses", "")).name
        inside = workflows[called]["jobs"].values() if called else ()
        return "if" in job or any(may_be_skipped(each) for each in inside)

    for name, workflow in workflows.items():
        jobs = workflow["jobs"]
        for key, job in jobs.items():
            condition = job.get("if", "")
            needs = needs_of(job)
            skipped = any(may_be_skipped(jobs[each]) for each in chain(needs, jobs))
            if skipped and key not in MAY_BE_SKIPPED_BY_A_NEED:
                assert "!cancelled()" in condition, f"{name}: {key} is skipped by a skipped job"
                for each in needs:
                    wanted = f"needs.{each}.result == 'success'"
                    assert wanted in condition, f"{name}: {key} does not ask how {each} ended"


def needs_of(job: dict[str, Any]) -> list[str]:
    """Return the jobs that one waits for itself."""
    needs = job.get("needs", [])
    return [needs] if isinstance(needs, str) else needs


def chain(needs: list[str], jobs: dict[str, dict[str, Any]]) -> set[str]:
    """Return all jobs that must end before one with these needs begins."""
    return {*needs}.union(*(chain(needs_of(jobs[each]), jobs) for each in needs))


def check_rights(key: tuple[str, str], job: dict[str, Any]) -> None:
    """Check that code which nobody reviewed yet cannot sign in, nor write to the repository."""
    steps = job.get("steps", [])
    runs_code = any("uv run" in each.get("run", "") for each in steps)
    runs_code |= any(each.get("uses", "").startswith("$/") for each in steps)
    writes = {name for name, right in job["permissions"].items() if right == "write"}
    if runs_code and writes:
        assert writes == {"id-token"}, key
        assert "environment" in job, f"{key}: it signs in, and no environment says from where"


def check_runner(key: tuple[str, str], job: dict[str, Any]) -> None:
    """Check that a machine of the team's own runs what an environment limits to its branches."""
    assert job["runs-on"] in (HOSTED, OWN_RUNNER), key
    if job["runs-on"] == OWN_RUNNER:
        limited = "environment" in job and job["environment"]["name"] != "infra-plan"
        assert limited, f"{key}: a pull request may choose what runs there"


def check_identity(key: tuple[str, str], job: dict[str, Any]) -> None:
    """Check that a job signs in as its environment's identity, by azure/login or by itself."""
    logins = [step["with"] for step in job["steps"] if "azure/login@" in step.get("uses", "")]
    found = (
        {f"AZURE_{name.upper().replace('-', '_')}": value for name, value in logins[0].items()}
        if logins
        else {name: value for name, value in job["env"].items() if name.startswith("AZURE_")}
    )
    assert found == IDENTITY, key


def check_step(key: tuple[str, str], step: dict[str, Any]) -> None:
    """Check one step: pinned, without credentials left behind, nothing pasted into a script."""
    uses = step.get("uses", "")
    assert not uses or uses.startswith("$/") or re.search(r"@[0-9a-f]{40}$", uses), (key, uses)
    if uses.startswith("actions/checkout@"):
        assert step["with"]["persist-credentials"] is False, key
    assert "${{" not in step.get("run", ""), f"{key}: pass values through env"
    assert "continue-on-error" not in step, f"{key}: {step.get('name')} must be able to fail"
    for name, value in (step.get("env", {}) | step.get("with", {})).items():
        secret = SECRET_NAME.search(name) and name not in {"persist-credentials"}
        assert not secret or str(value) == "${{ github.token }}", f"{key}: {name}"


# --- act -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Outcome:
    """What one simulated run of a workflow did."""

    ok: bool
    calls: list[dict[str, Any]]
    artifacts: dict[str, list[str]]
    revealing: list[str]
    served: dict[str, dict[str, str]]
    log: str

    def commands(self, job: str) -> list[str]:
        return [call["command"] for call in self.calls if call["job"] == job]

    def find(self, words: str) -> list[dict[str, Any]]:
        return [call for call in self.calls if words in call["command"]]

    @property
    def jobs(self) -> list[str]:
        """The jobs in the order in which they began; a deploy's are named with its environment."""
        names = []
        for call in self.calls:
            there = re.search(r"--environment (test|prod)", call["command"])
            called = call["job"] in {"release", "rollback"}
            if called and there:
                names.append(f"{call['job']} {there[1]}")
            elif not called:
                names.append(call["job"])
        return list(dict.fromkeys(names))

    @property
    def everything(self) -> str:
        return "\n".join(call["command"] for call in self.calls)


class Act:
    """Runs the workflows of a copy of a repository under act.

    Args:
        folder: where everything of it lies.
        repository: the repository.
        api: answers for GitHub's API.
        uv: the stub that plays uv.
        environment: variables that each step gets besides.
        timeout: seconds that a run may take.
    """

    def __init__(
        self,
        folder: Path,
        repository: Path,
        api: GitHubApi,
        *,
        uv: str = "uv",
        environment: Mapping[str, str] | None = None,
        timeout: float = 120,
    ) -> None:
        self.folder = folder
        self.api = api
        self.project = folder / "project"
        shutil.copytree(repository, self.project)
        run("git", "remote", "add", "origin", "https://github.com/acme/model", folder=self.project)
        for path in (self.project / ".github" / "workflows").iterdir():
            text = path.read_text(encoding="utf-8")
            # act knows neither the syntax `$/` for what is in the same repository nor these keys.
            text = text.replace("uses: $/", "uses: ./")
            text = re.sub(r"^ +(queue: max|deployment: false)\n", "", text, flags=re.MULTILINE)
            path.write_text(text, encoding="utf-8")
        self.bin = folder / "bin"
        self.bin.mkdir(parents=True)
        stubs = {"uv": uv, "gh": "gh", "az": "az"}
        scripts = {
            name: f'#!/bin/sh\nexec "{sys.executable}" "{STUBS / stub}.py" "$@"\n'
            for name, stub in stubs.items()
        }
        for name, text in (scripts | {"bash": SHELL}).items():
            script = self.bin / name
            script.write_text(text, encoding="utf-8")
            script.chmod(0o755)
        self.artifacts = folder / "artifacts"
        self.endpoints: dict[str, list[dict[str, str]]] = {}
        self.environment = dict(environment or {})
        self.timeout = timeout
        self.runs = 0

    def __call__(
        self,
        event: str,
        payload: dict[str, Any],
        *,
        workflow: str = "ml-cicd.yml",
        fail: str = "",
        fail_in: str = "",
        cut_off: str = "",
        platform_of_prod: str = "",
        stubs: int = 0,
        level: int = 3,
        endpoint: str = "",
        variables: dict[str, str] | None = None,
    ) -> Outcome:
        self.runs += 1
        here = self.folder / f"run-{self.runs}"
        kept, endpoints, calls = here / "artifacts", here / "endpoints", here / "calls.jsonl"
        said = here / "said.txt"
        for path in (kept, endpoints):
            path.mkdir(parents=True)
        if self.artifacts.exists():
            shutil.copytree(self.artifacts, kept, dirs_exist_ok=True)
        for there, history in self.endpoints.items():
            (endpoints / f"{there}.json").write_text(json.dumps(history), encoding="utf-8")
        calls.touch()
        said.touch()
        event_file = here / "event.json"
        event_file.write_text(json.dumps(payload), encoding="utf-8")
        settings = {
            "STUB_CALLS": calls, "STUB_SAID": said,
            "STUB_ARTIFACTS": kept, "STUB_ENDPOINTS": endpoints,
            "STUB_FOLDER": STUBS, "STUB_PYTHON": sys.executable, "STUB_RUN": "this",
            "STUB_FAIL": fail, "STUB_FAIL_IN": fail_in, "STUB_STUBS": stubs, "STUB_LEVEL": level,
            "STUB_API": self.api.url, "STUB_CUT_OFF": cut_off,
            "STUB_PLATFORM_OF_PROD": platform_of_prod, "STUB_ENDPOINT": endpoint,
        }  # fmt: skip
        command: list[str | Path] = [
            BIN / "act", event, "--eventpath", event_file, "--json", "--strict",
            "--workflows", f".github/workflows/{workflow}",
            "--platform", "ubuntu-24.04=-self-hosted", "--container-daemon-socket", "-",
            "--pull=false", "--no-cache-server", "--action-offline-mode",
            "--action-cache-path", here / "cache", "--secret", "GITHUB_TOKEN=token-of-the-job",
        ]  # fmt: skip
        for name, value in (settings | self.environment).items():
            command += ["--env", f"{name}={value}"]
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
                "PATH": os.pathsep.join([str(self.bin), "/usr/bin", "/bin"]),
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=self.timeout,
        )
        files = [path for path in (kept / "this").rglob("*") if path.is_file()]
        return Outcome(
            ok=result.returncode == 0,
            calls=[json.loads(line) for line in calls.read_text(encoding="utf-8").splitlines()],
            artifacts={
                folder.name: sorted(
                    path.relative_to(folder).as_posix()
                    for path in folder.rglob("*")
                    if path.is_file()
                )
                for folder in (kept / "this").glob("*")
            },
            revealing=[
                path.relative_to(kept / "this").as_posix()
                for path in files
                if ROW_VALUE in path.read_bytes()
            ],
            served={
                path.stem: json.loads(path.read_text(encoding="utf-8"))[-1]
                for path in endpoints.iterdir()
            },
            log=result.stdout + result.stderr + said.read_text(encoding="utf-8", errors="replace"),
        )

    def keep_version(self, run_id: int, version: int) -> None:
        """Let an earlier run have registered a version."""
        path = self.artifacts / str(run_id) / "model-version" / "model" / str(version)
        path.mkdir(parents=True)
        (path / "model.onnx").touch()

    def pins(self) -> dict[str, str]:
        return {
            found["action"]: found["ref"]
            for path in (self.project / ".github").rglob("*.yml")
            for found in USES.finditer(path.read_text(encoding="utf-8"))
            if found["action"] != "actions/checkout"  # act lays the files itself
        }


# --- What must hold under act, on a sound project; on a faulty one something must not ------------

SEVEN_JOBS = [
    "data-quality",
    "code-quality",
    "unit-tests",
    "train-dev",
    "register-model",
    "release test",
    "release prod",
]


def first_push(act: Act) -> None:
    """The first push to main: all seven jobs, on the runner, with no approval and no cloud."""
    act.api.no_earlier_run()
    outcome = act("push", PUSH)
    assert outcome.ok, outcome.log
    assert sorted(outcome.jobs[:3]) == sorted(SEVEN_JOBS[:3])
    assert outcome.jobs[3:] == SEVEN_JOBS[3:]
    assert [command for command in outcome.commands("train-dev") if "mlops" in command] == [
        "run mlops ci previous-run",
        "run mlops train --environment dev",
        "run mlops evaluate --environment dev --run-id run-1",
        "run mlops package --environment dev --run-id run-1",
    ]
    assert outcome.commands("register-model")[-2:] == [
        "run mlops register --environment dev --run-id run-1",
        "run mlops share --environment dev --model-version 1",
    ]
    assert [command for command in outcome.commands("release") if "mlops" in command] == [
        command
        for there in ("test", "prod")
        for command in (
            f"run mlops ci facts --environment {there}",
            f"run mlops release --environment {there} --model-version 1 --rehearsal",
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
        "test-results": ["coverage.xml", "test-results.xml"],
        "model-version": ["model/1/model.onnx"],
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
    assert outcome.artifacts["model-version"] == ["model/6/model.onnx", "model/7/model.onnx"]
    assert "registry/model/6/model.onnx" in outcome.artifacts["run-dev"]
    assert outcome.served == {"test": {"green": "7"}, "prod": {"green": "7"}}


def pull_request(act: Act) -> None:
    """A pull request: a short training on the runner and a comment, nothing more."""
    outcome = act("pull_request", PULL_REQUEST, variables=AZURE)
    assert outcome.ok, outcome.log
    assert outcome.jobs[3:] == ["train-pull-request", "comment"]
    assert outcome.revealing == []
    training = outcome.find("mlops train")
    assert [call["settings"]["MLOPS_PLATFORM"] for call in training] == ["local"]
    assert [call["settings"]["MLOPS_DATA__FRACTION"] for call in training] == ["0.05"]
    assert not re.search("mlops (package|register|deploy|release)", outcome.everything)
    comments = outcome.find("gh ")
    assert [call["command"] for call in comments] == [
        "gh pr comment 1 --repo acme/model --body-file metrics.md --edit-last --create-if-none"
    ]
    assert comments[0]["body"] == "the metrics"
    assert outcome.commands("comment") == [comments[0]["command"]], "nothing of the branch runs"


def failing_data(act: Act) -> None:
    """Bad data stop everything, and the results say why."""
    outcome = act("push", PUSH, fail="data validate")
    assert not outcome.ok
    assert {*outcome.jobs} == {"data-quality", "code-quality", "unit-tests"}
    assert outcome.artifacts["validation-results"] == ["validation-results.json"]
    assert outcome.revealing == []
    assert ROW_VALUE.decode() not in outcome.log


def failing_gate(act: Act) -> None:
    """A refusing gate stops before the registration and keeps what was found."""
    act.api.no_earlier_run()
    outcome = act("push", PUSH, fail="mlops evaluate")
    assert not outcome.ok
    assert not re.search("mlops (package|register|release)", outcome.everything)
    assert "runs/run-1/model/model.skops" in outcome.artifacts["run-dev"]


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
    for names in (("ann",), ("ann", "Starter")):
        act.api.approved_by(*names)
        outcome = act("push", PUSH, variables=AZURE)
        assert not outcome.ok, f"{names} must not be enough"
        assert "needs 2 approvals" in outcome.log
        assert outcome.served == {"test": {"blue": "1"}}, names
        assert outcome.find("mlops release --environment prod") == []
    act.api.approved_by("ann", "bob", attempt=2)
    outcome = act("push", PUSH, variables=AZURE)
    assert not outcome.ok, "approvals of the first attempt must not let the second one pass"
    assert outcome.find("mlops release --environment prod") == []
    act.api.approved_by("ann", "bob")
    outcome = act("push", PUSH, variables=AZURE)
    assert outcome.ok, outcome.log
    assert outcome.served == {"test": {"blue": "1"}, "prod": {"blue": "1"}}
    assert [call["command"] for call in outcome.find("approvals")] == [
        "run mlops approvals --environment prod --run-id 1 --required 2"
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
        "run mlops rollback --environment prod --model-version 2",
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


def sign_in(act: Act) -> None:
    """On Azure, each job that uses it is told who it is; those of a pull request use none."""
    act.api.approved_by("ann", "bob")
    outcome = act("push", PUSH, variables=AZURE)
    assert outcome.ok, outcome.log
    for words in ("train", "register", "share", "release", "smoke-test"):
        calls = outcome.find(f"run mlops {words}")
        assert calls
        for call in calls:
            assert call["settings"].items() >= AZURE.items(), call
    assert {*outcome.commands("release")} >= {"sync --group azure"}
    outcome = act("pull_request", PULL_REQUEST, variables={"MLOPS_PLATFORM": "azure"})
    assert outcome.commands("train-pull-request")[1] == "sync"


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
    assert len(outcome.find("az bicep lint")) == 6
    fork = {"ref": "idea", "repo": {"full_name": "somebody/model"}}
    payload = {"pull_request": {"number": 1, "head": fork, "base": {"ref": "main"}}}
    assert act("pull_request", payload, workflow="infra.yml", variables=AZURE).calls == []
    assert not act(
        "pull_request", PULL_REQUEST, workflow="infra.yml", variables=AZURE, fail="what-if"
    ).ok


def infra_deploy(act: Act) -> None:
    """A push to main deploys each environment to its group; by hand it is one of them."""
    outcome = act("push", PUSH, workflow="infra.yml", variables=AZURE, endpoint="mlw/model-dev")
    assert outcome.ok, outcome.log
    created = outcome.find("az deployment group create")
    assert [call["command"].split(" --resource-group ")[1] for call in created] == [
        f"rg-model-{name} --parameters infra/{name}.bicepparam" for name in ("dev", "test", "prod")
    ]
    assert [call["settings"].get("ENDPOINT") for call in created] == [
        f"model-{name}" for name in ("dev", "test", "prod")
    ]
    ids = " ".join(list(AZURE.values())[1:])
    assert {call["command"] for call in outcome.find("az login")} == {f"az login {ids}"}
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


SCENARIOS = {
    scenario.__name__: scenario
    for scenario in (
        first_push,
        later_push,
        pull_request,
        failing_data,
        failing_gate,
        failed_release_in_test,
        failed_smoke_in_prod,
        release_cut_off,
        served_already,
        approvals,
        manual_rollback,
        rollback_without_a_cloud,
        sign_in,
        infra_without_azure,
        infra_plan,
        infra_deploy,
    )
}
