"""What must hold of the branch of the audit log; the project's own code writes and pushes it."""

import json
from pathlib import Path
from typing import Any

from tests.support import run
from tests.workflows.act import Act
from tests.workflows.events import PUSH
from tests.workflows.template_scenarios import remote_of

ASKED = {"MLOPS_AUDIT_BRANCH": "true"}


def lines_in(remote: Path) -> list[dict[str, Any]]:
    """Return the lines of the branch."""
    names = run("git", "ls-tree", "--name-only", "audit", folder=remote).split()
    texts = [run("git", "show", f"audit:{name}", folder=remote) for name in names]
    return [json.loads(line) for text in texts for line in text.splitlines()]


def audit_branch(act: Act) -> None:
    """What each job of main left comes to the branch; nothing where nobody asked for it."""
    act.api.no_earlier_run()
    remote = remote_of(act)
    outcome = act("push", PUSH, audit=True)
    assert outcome.ok, outcome.log
    assert "audit" not in outcome.jobs
    assert not any(name.startswith("audit-") for name in outcome.artifacts)
    outcome = act("push", PUSH, audit=True, variables=ASKED)
    assert outcome.ok, outcome.log
    assert outcome.jobs[-1] == "audit"
    assert outcome.revealing == []
    kept = {name: files for name, files in outcome.artifacts.items() if name.startswith("audit-")}
    jobs = ("train-dev", "register-model", "release-test", "release-prod")
    assert kept.keys() == {f"audit-{job}-1" for job in jobs}
    assert all(files[1:] == ["registry/model/audit-anchor.json"] for files in kept.values())
    assert not any("anchor" in name for name in outcome.artifacts["run-dev"])
    lines = lines_in(remote)
    assert [line["number"] for line in lines] == [1, 2, 3, 4]
    assert [line["act"] for line in lines] == ["gate", "register", "release", "release"]
    assert [line["details"]["origin_job"] for line in lines] == [
        "train-dev", "register-model", "release", "release",
    ]  # fmt: skip
    assert {line["details"]["origin_number"] for line in lines} == {1}, "each job begins its own"


def audit_branch_after_a_failure(act: Act) -> None:
    """What was done before a run failed is kept; what the remote refuses turns the run red."""
    act.api.no_earlier_run()
    remote = remote_of(act)
    outcome = act("push", PUSH, audit=True, variables=ASKED, fail="mlops evaluate")
    assert not outcome.ok
    assert outcome.jobs[-1] == "audit"
    assert [line["details"]["origin_job"] for line in lines_in(remote)] == ["train-dev"]
    hook = remote / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\necho 'this branch is closed' >&2\nexit 1\n")
    hook.chmod(0o755)
    outcome = act("push", PUSH, audit=True, variables=ASKED)
    assert not outcome.ok
    assert "this branch is closed" in outcome.log
    assert len(lines_in(remote)) == 1


def attested(act: Act) -> None:
    """Where it is asked for, a version is attested, and checked before each deployment."""
    act.api.no_earlier_run()
    outcome = act("push", PUSH, variables={"MLOPS_ATTEST": "true"})
    assert outcome.ok, outcome.log
    names = ["bom.json", "contents.json", "provenance.json", "version.sha256"]
    assert outcome.artifacts["attestations"] == names
    checks = [call["command"] for call in outcome.find("gh attestation verify version.sha256")]
    assert len(checks) == 4, "two for each of test and prod"
    signer = (
        "--signer-workflow acme/model/.github/workflows/ml-cicd.yml --source-ref refs/heads/main"
    )
    assert all(signer in each for each in checks)
    outcome = act("push", PUSH, variables={"MLOPS_ATTEST": "true"}, unattested=True)
    assert not outcome.ok
    assert outcome.find("mlops release") == []
