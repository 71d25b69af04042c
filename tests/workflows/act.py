"""Runs workflows under act, which plays their steps on this machine, in a fresh folder a job.

uv, gh, az and the remote actions are stubs (`stubs/`): what is tested is which jobs run with which
commands and settings, what stops them, and which files and values pass from one to the next.

The project's own code runs in three commands: `mlops approvals` and `mlops ci previous-run` ask a
server of the test in the place of GitHub's API, and `mlops rollback` changes an endpoint that only
pretends. The other commands are played: `mlops release` ends as the test says. How it decides is
tested in the machinery's own suite, against the same protocol of an endpoint.
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

from tests.support import BIN, run
from tests.workflows.github_api import GitHubApi

STUBS = Path(__file__).with_name("stubs")
USES = re.compile(r"uses:\s*(?P<action>[\w./-]+)@(?P<ref>\S+)(?:\s+#\s*(?P<comment>\S+))?")
ROW_VALUE = b"a-value-of-a-row"
# act does not wait for the last lines of a step that fails, and shows no job's page: what a step
# says, there too, is kept here as well.
SHELL = """\
#!/bin/bash
set -o pipefail
trap 'cat "$GITHUB_STEP_SUMMARY" >> "$STUB_SAID"' EXIT
/bin/bash "$@" 2>&1 | tee --append "$STUB_SAID"
"""


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


@dataclass(frozen=True)
class Played:
    """What the stubs do: each setting is a variable of the steps, see `stubs/`."""

    fail: str = ""
    fail_in: str = ""
    says: str = ""
    cut_off: str = ""
    platform_of_prod: str = ""
    stubs: int = 0
    level: int = 3
    machinery: bool = False
    infrastructure: bool = False
    documentation: bool = False
    endpoint: str = ""
    comments: str = "[]"
    lost_upload: str = ""
    merged: str = '{"files": []}'
    active: str = ""
    running: int = 0
    ends: str = ""
    newer: str = ""
    extra: str = ""
    replaced: str = ""
    branch: str = ""
    others: str = ""
    pull: str = ""
    pulls_forbidden: str = ""
    codes: str = "{}"
    candidate: str = ""
    candidate_of: str = "retrain"
    labels: bool = True
    template: str = "1.0.0"
    template_changes: str = ""
    template_conflicts: str = ""
    issue: str = ""
    audit: bool = False
    unattested: bool = False

    def settings(self) -> dict[str, str | Path]:
        return {f"STUB_{name.upper()}": str(value) for name, value in vars(self).items()}


@dataclass(frozen=True)
class Place:
    """Where one simulated run leaves what it did."""

    folder: Path

    @classmethod
    def make(
        cls, folder: Path, artifacts: Path, endpoints: Mapping[str, list[dict[str, str]]]
    ) -> "Place":
        """Lay out what earlier runs kept, and what the endpoints serve."""
        place = cls(folder)
        for path in (place.kept, place.endpoints):
            path.mkdir(parents=True)
        if artifacts.exists():
            shutil.copytree(artifacts, place.kept, dirs_exist_ok=True)
        for there, history in endpoints.items():
            path = place.endpoints / f"{there}.json"
            path.write_text(json.dumps(history), encoding="utf-8")
        for path in (place.calls, place.said):
            path.touch()
        return place

    @property
    def kept(self) -> Path:
        return self.folder / "artifacts"

    @property
    def endpoints(self) -> Path:
        return self.folder / "endpoints"

    @property
    def calls(self) -> Path:
        return self.folder / "calls.jsonl"

    @property
    def said(self) -> Path:
        return self.folder / "said.txt"

    def settings(self) -> dict[str, str | Path]:
        return {
            "STUB_CALLS": self.calls,
            "STUB_SAID": self.said,
            "STUB_ARTIFACTS": self.kept,
            "STUB_ENDPOINTS": self.endpoints,
            "STUB_FOLDER": STUBS,
            "STUB_PYTHON": sys.executable,
            "STUB_RUN": "this",
        }

    def outcome(self, result: "subprocess.CompletedProcess[str]") -> Outcome:
        """Return what the run did."""
        kept = self.kept / "this"
        files = [path for path in kept.rglob("*") if path.is_file()]
        artifacts: dict[str, list[str]] = {folder.name: [] for folder in kept.glob("*")}
        for path in sorted(files):
            artifact, *parts = path.relative_to(kept).parts
            artifacts[artifact].append("/".join(parts))
        lines = self.calls.read_text(encoding="utf-8").splitlines()
        said = self.said.read_text(encoding="utf-8", errors="replace")
        return Outcome(
            ok=result.returncode == 0,
            calls=[json.loads(line) for line in lines],
            artifacts=artifacts,
            revealing=[
                path.relative_to(kept).as_posix()
                for path in files
                if ROW_VALUE in path.read_bytes()
            ],
            served={
                path.stem: json.loads(path.read_text(encoding="utf-8"))[-1]
                for path in self.endpoints.iterdir()
            },
            log=result.stdout + result.stderr + said,
        )


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
        variables: Mapping[str, str] | None = None,
        **played: Any,
    ) -> Outcome:
        """Let a workflow run.

        Args:
            event: what starts it.
            payload: what the event says.
            workflow: its file.
            variables: those of the repository.
            played: what the stubs do otherwise than as a rule, see `Played`.
        """
        self.runs += 1
        place = Place.make(self.folder / f"run-{self.runs}", self.artifacts, self.endpoints)
        (place.folder / "event.json").write_text(json.dumps(payload), encoding="utf-8")
        settings = Played(**played).settings() | place.settings() | {"STUB_API": self.api.url}
        command: list[str | Path] = [
            BIN / "act", event, "--eventpath", place.folder / "event.json", "--json", "--strict",
            "--workflows", f".github/workflows/{workflow}",
            "--platform", "ubuntu-24.04=-self-hosted", "--container-daemon-socket", "-",
            "--pull=false", "--no-cache-server", "--action-offline-mode",
            "--action-cache-path", place.folder / "cache",
            "--secret", "GITHUB_TOKEN=token-of-the-job",
        ]  # fmt: skip
        for name, value in (settings | self.environment).items():
            command += ["--env", f"{name}={value}"]
        for name, value in (variables or {}).items():
            command += ["--var", f"{name}={value}"]
        for action, commit in self.pins().items():
            stub = STUBS / action.split("/")[1]
            command += ["--local-repository", f"https://github.com/{action}@{commit}={stub}"]
        path = os.pathsep.join([str(self.bin), "/usr/bin", "/bin"])
        result = subprocess.run(
            [str(part) for part in command],
            cwd=self.project,
            env={"HOME": str(self.folder), "PATH": path},
            capture_output=True,
            text=True,
            check=False,
            timeout=self.timeout,
        )
        return place.outcome(result)

    def keep_version(self, run_id: int, version: int) -> None:
        """Let an earlier run have registered a version."""
        kept = self.artifacts / str(run_id) / "model-version"
        for path in (f"model/{version}/model.onnx", f"_keys/{version}.pem"):
            (kept / path).parent.mkdir(parents=True)
            (kept / path).touch()

    def pins(self) -> dict[str, str]:
        return {
            found["action"]: found["ref"]
            for path in (self.project / ".github").rglob("*.yml")
            for found in USES.finditer(path.read_text(encoding="utf-8"))
            if found["action"] != "actions/checkout"  # act lays the files itself
        }
