"""What neither linter knows: who may do what, in which environment, after what.

act knows neither environments, permissions nor concurrency either.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from tests.workflows.permitted import ENVIRONMENTS, NEEDS, PERMISSIONS, REVIEWED, Key

# Who a job signs in as: each environment on GitHub has its own AZURE_CLIENT_ID.
IDENTITY = {
    name: f"${{{{ vars.{name} }}}}"
    for name in ("AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_SUBSCRIPTION_ID")
}
HOSTED = "ubuntu-24.04"
# A machine of the team's own whose network reaches Azure: reviewed code alone.
OWN_RUNNER = f"${{{{ vars.MLOPS_RUNNER || '{HOSTED}' }}}}"
# One for whatever a branch brings, where GitHub's machines may not be used.
CHECKS_RUNNER = f"${{{{ vars.MLOPS_CHECKS_RUNNER || '{HOSTED}' }}}}"
# It waits for people and does nothing, so it needs no way to Azure.
WAITS_ALONE = {("deploy.yml", "approval")}
SIGN_IN_MINUTES = 50
QUEUED = {"cancel-in-progress": False, "queue": "max"}
TRIGGERS = {
    "ml-cicd.yml": {"push", "pull_request", "merge_group", "workflow_dispatch"},
    "deploy.yml": {"workflow_call"},
    "rollback.yml": {"workflow_dispatch"},
    "infra.yml": {"push", "pull_request", "workflow_dispatch"},
    "copilot-setup-steps.yml": {"push", "pull_request", "workflow_dispatch"},
    "weekly.yml": {"schedule", "workflow_dispatch"},
    "template-update.yml": {"schedule", "workflow_dispatch"},
    "monitor.yml": {"schedule", "workflow_dispatch"},
}
WATCHES = ("monitor.yml", "watch")
"""The one job that is handed secrets: the addresses to which two steps tell what they found."""
TELLING = ["monitor", "retrain"]
TOLD = ("ALERTS_TEAMS_WEBHOOK", "ALERTS_SLACK_WEBHOOK", "ALERTS_PAGER_KEY")
AUDIT = ("ml-cicd.yml", "audit")
"""The one job that runs the project's code and may write to the repository: of main alone."""
ATTESTS = ("ml-cicd.yml", "register-model")
"""The one job that may keep attestations."""
AUDITED = {
    ("ml-cicd.yml", "train-dev"): ("gate", "train-dev"),
    ("ml-cicd.yml", "register-model"): ("register", "register-model"),
    ("deploy.yml", "release"): ("deploy", "release-${{ inputs.environment }}"),
}
"""The jobs that leave lines, with the step that does and the name of what is kept."""
AUDIT_FILES = [".mlops/audit/*.jsonl", ".mlops/registry/*/audit-anchor.json"]
SETUP = "$/.github/actions/setup"
GH_HOST = 'export GH_HOST="${GITHUB_SERVER_URL#https://}"'
REQUIRED = "Pull request checked"
"""The check that the rules of main require."""
SECRET_NAME = re.compile(r"(?i)token|secret|passw|key$|credential|connection_?string")
SECRET_VALUE = re.compile(
    r"gh[pousr]_\w{20}|AKIA\w{16}|AccountKey=|SharedAccessSignature|-----BEGIN|[\w-]{3}8Q~[\w.~-]{30}"
)


@dataclass(frozen=True)
class Workflows:
    """A project's workflows: their texts, contents and jobs; and the action that sets jobs up."""

    texts: dict[str, str]
    setup: dict[str, Any]

    @classmethod
    def read(cls, project: Path) -> "Workflows":
        folder = project / ".github"
        texts = {
            path.name: path.read_text(encoding="utf-8") for path in (folder / "workflows").iterdir()
        }
        setup = (folder / "actions" / "setup" / "action.yml").read_text(encoding="utf-8")
        return cls(texts, yaml.safe_load(setup))

    @cached_property
    def contents(self) -> dict[str, dict[str, Any]]:
        return {name: yaml.safe_load(text) for name, text in self.texts.items()}

    @cached_property
    def jobs(self) -> dict[Key, dict[str, Any]]:
        return {
            (name, job): content
            for name, workflow in self.contents.items()
            for job, content in workflow["jobs"].items()
        }

    def steps(self) -> Iterator[tuple[Key, dict[str, Any]]]:
        for key, job in self.jobs.items():
            for step in job.get("steps", []):
                yield key, step


def check_permissions(workflows: Workflows) -> None:
    """Each job has just the rights that it needs, and a workflow none beyond its jobs'."""
    for name, workflow in workflows.contents.items():
        assert workflow["permissions"] == {}, f"{name}: permissions at the top"
    jobs = workflows.jobs
    assert {key: job.get("permissions") for key, job in jobs.items()} == {
        key: asked for key, asked in PERMISSIONS.items() if key in jobs
    }


def check_environments(workflows: Workflows) -> None:
    """What signs in or waits for people does so in its own environment."""
    jobs = workflows.jobs
    found = {key: job["environment"]["name"] for key, job in jobs.items() if "environment" in job}
    assert found == {key: name for key, name in ENVIRONMENTS.items() if key in jobs}
    for key, name in found.items():
        if name in REVIEWED:
            kept = jobs[key]["environment"].get("deployment", True)
            assert kept is True, f"{key}: without a deployment the review may not be listed"


def check_matrices(workflows: Workflows) -> None:
    """What fails in one environment, or is not approved there, cancels no other."""
    for key, job in workflows.jobs.items():
        if "matrix" in job.get("strategy", {}):
            assert job["strategy"].get("fail-fast") is False, key


def check_releases(workflows: Workflows) -> None:
    """test and prod are released by the same workflow, on the platform of the run."""
    jobs = workflows.jobs
    called = [job["with"] for job in jobs.values() if "with" in job]
    assert [each["environment"] for each in called] == ["test", "prod"]
    planned = "${{ needs.data-quality.outputs.platform }}"
    assert {each["platform"] for each in called} == {planned}
    assert [each["approvals"] for each in called] == [
        "0",
        "${{ needs.data-quality.outputs.approvals }}",
    ]


def check_needs(workflows: Workflows) -> None:
    """The jobs of the pipeline wait for one another in this order."""
    pipeline = workflows.contents["ml-cicd.yml"]["jobs"]
    assert {name: needs_of(job) for name, job in pipeline.items()} == NEEDS


def check_runners(workflows: Workflows) -> None:
    """Each job ends by itself, and on a machine of the team's own only reviewed code runs."""
    for key, job in workflows.jobs.items():
        if "steps" in job:
            assert job["timeout-minutes"] > 0, key
            check_runner(key, job)


def check_steps(workflows: Workflows) -> None:
    """Each step is pinned, can fail, and pastes nothing into a script."""
    for key, step in workflows.steps():
        check_step(key, step)


def check_rights(workflows: Workflows) -> None:
    """Code that nobody reviewed yet can neither sign in nor write to the repository."""
    for key, job in workflows.jobs.items():
        check_rights_of(key, job)


def check_secrets(workflows: Workflows) -> None:
    """No secret stands in a workflow, and none is needed but addresses, by two steps of one job."""
    for name, text in workflows.texts.items():
        assert not SECRET_VALUE.search(text), f"{name} holds a secret"
        handed = re.findall(r"^ +(\w+): \$\{\{ secrets\.(\w+) \}\}$", text, re.MULTILINE)
        assert text.count("secrets.") == len(handed), f"{name}: a secret is pasted somewhere"
        told = [(each, each) for each in TOLD] * len(TELLING) if name == WATCHES[0] else []
        assert handed == told, f"{name}: no secret is needed, see OIDC"
    handing = [(key, step) for key, step in workflows.steps() if "secrets." in str(step)]
    assert all(key == WATCHES for key, _ in handing)
    assert [step["id"] for _, step in handing] == (TELLING if WATCHES in workflows.jobs else [])


def check_data(workflows: Workflows) -> None:
    """What main registers is made of all the data; a pull request takes a small part of them."""
    jobs = workflows.jobs
    shares = {
        key: job["env"]["MLOPS_DATA__FRACTION"]
        for key, job in jobs.items()
        if "MLOPS_DATA__FRACTION" in job.get("env", {})
    }
    assert shares == {
        ("ml-cicd.yml", "train-pull-request"): "0.05",
        ("ml-cicd.yml", "train-dev"): "${{ github.ref == 'refs/heads/main' && '1.0' || '' }}",
    }
    for key, step in workflows.steps():
        assert "FRACTION" not in str(step), f"{key}: the share of the data is its job's"


def check_evidence(workflows: Workflows) -> None:
    """What a release found is kept, however it ended."""
    steps = workflows.jobs["deploy.yml", "release"]["steps"]
    kept = [each for each in steps if "with" in each][-1]
    assert kept["name"] == "Keep the evidence"
    assert kept["if"] == "${{ always() }}", "a cancellation must leave evidence"
    beside = workflows.jobs["ml-cicd.yml", "evidence"]
    assert beside["if"].startswith("${{ always() &&"), "a cancelled release leaves evidence, too"
    of_prod = "matrix.environment == 'prod' && needs.deploy-prod.{0} || needs.deploy-test.{0}"
    assert beside["env"]["RESULT"] == f"${{{{ {of_prod.format('result')} }}}}"
    assert beside["env"]["OUTCOME"] == f"${{{{ {of_prod.format('outputs.outcome')} }}}}"


def check_audit(workflows: Workflows) -> None:
    """On GitHub alone, where it is asked for, the lines of main's jobs come to a branch.

    GitHub keeps one job that waits in a group of concurrency and cancels another: so there is none.
    """
    asked = "vars.MLOPS_AUDIT_BRANCH == 'true'"
    local = "needs.data-quality.outputs.platform == 'local'"
    main = "github.ref == 'refs/heads/main'"
    job = workflows.jobs[AUDIT]
    began = "needs.train-dev.result != 'skipped'"
    assert job["if"] == f"${{{{ always() && {asked} && {main} && {local} && {began} }}}}"
    assert "concurrency" not in job, "of three writers one would be lost"
    told = [each for each in job["steps"] if "github.token" in str(each)]
    assert [each["run"].split(" --")[0] for each in told] == ["uv run mlops audit publish"]
    assert scripts_of(job) == [told[0]["run"]], "it runs nothing else of the project"
    brought = [each["with"] for each in job["steps"] if "download-artifact@" in str(each)]
    assert brought == [{"pattern": "audit-*", "path": ".mlops/collected"}]
    for key, (step, name) in AUDITED.items():
        steps = workflows.jobs[key]["steps"]
        (kept,) = [each for each in steps if each.get("name") == "Keep the audit log"]
        for condition in ("always()", f"steps.{step}.outcome != 'skipped'", asked):
            assert condition in kept["if"], f"{key}: {condition}"
        assert "platform == 'local'" in kept["if"], key
        assert kept["with"]["name"] == f"audit-{name}-${{{{ github.run_attempt }}}}", key
        assert kept["with"]["path"].split() == AUDIT_FILES, f"{key}: no data in it"
        assert kept["with"]["if-no-files-found"] == "error", f"{key}: it would be lost unsaid"
    for _, found in workflows.steps():
        paths = str(found.get("with", {}).get("path", "")).split()
        if ".mlops/registry/" in paths and "upload-artifact@" in found["uses"]:
            assert f"!{AUDIT_FILES[1]}" in paths, "another job's log would count as cut off"


def check_attest(workflows: Workflows) -> None:
    """Where it is asked for, a version is attested, and what is deployed is held against that."""
    asked = "${{ vars.MLOPS_ATTEST == 'true' }}"
    steps = workflows.jobs[ATTESTS]["steps"]
    made = [each for each in steps if "actions/attest@" in each.get("uses", "")]
    assert [each["with"].get("sbom-path", "") for each in made] == ["", "attested/bom.json"]
    assert {each["with"]["subject-path"] for each in made} == {"attested/version.sha256"}
    assert {each["if"] for each in made} == {asked}
    steps = workflows.jobs["deploy.yml", "release"]["steps"]
    names = [each.get("name") for each in steps]
    check = names.index("Check that the version is the one that was attested")
    assert check < names.index("Release"), "what was deployed already is checked in vain"
    assert steps[check]["if"] == asked
    script = steps[check]["run"]
    assert (
        '"$GITHUB_REPOSITORY/.github/workflows/ml-cicd.yml" --source-ref refs/heads/main' in script
    )
    checked = re.findall(r"^gh attestation verify (\S+) --bundle (\S+) ", script, re.MULTILINE)
    of_deployed = "version.sha256"
    assert checked == [
        (of_deployed, f"attested/{each}.json") for each in ("provenance", "contents")
    ]
    assert script.index(f"--output {of_deployed}") < script.index("gh attestation")


def check_concurrency(workflows: Workflows) -> None:
    """What waits for people holds nobody up; only a pull request's run replaces the one before.

    GitHub counts a job that waits for its approval into its concurrency group, for up to 30 days.
    So releases stand in line by the lease of what they change.
    """
    for key, job in workflows.jobs.items():
        if job.get("environment", {}).get("name") in REVIEWED:
            assert "concurrency" not in job, f"{key}: it would be held while nobody approves"
    release = workflows.jobs["deploy.yml", "release"]
    (command,) = [each["run"] for each in release["steps"] if "mlops release" in str(each)]
    assert re.search(r" --wait \d+[mh] ", command), "a release does not wait for its turn"
    if "rollback.yml" in workflows.contents:
        rollback = workflows.contents["rollback.yml"]
        assert rollback["concurrency"] == {"group": "rollback-prod"} | QUEUED
    cancelled = workflows.contents["ml-cicd.yml"]["concurrency"]["cancel-in-progress"]
    assert cancelled == "${{ github.event_name == 'pull_request' }}"


def check_identities(workflows: Workflows) -> None:
    """A job that may sign in does so as its environment's identity."""
    for key, job in workflows.jobs.items():
        if "environment" in job and job["permissions"].get("id-token") == "write":
            check_identity(key, job)


def check_caches(workflows: Workflows) -> None:
    """What a tool of development can touch reaches no job that has rights, nor what it is told.

    Each job of main may write to the caches of the repository, and each package of the group `dev`
    runs in some: so a job that signs in, writes or decides restores no cache and installs none.
    """
    decides = {("ml-cicd.yml", "data-quality"), ("deploy.yml", "ready")}
    decides |= {("monitor.yml", "platform")}
    for key, step in workflows.steps():
        writes = "write" in workflows.jobs[key]["permissions"].values()
        if step.get("uses") == SETUP and (writes or key in decides):
            assert step.get("with") == {"development": "false"}, key
        assert "actions/cache" not in step.get("uses", ""), key
    action = workflows.setup["runs"]["steps"]
    assert action[0]["with"]["enable-cache"] == "${{ inputs.development }}"
    assert 'echo "UV_NO_DEV=1" >> "$GITHUB_ENV"' in action[1]["run"], "also for later commands"
    assert workflows.setup["inputs"]["development"]["default"] == "true"
    assert action[0]["with"].get("cache-suffix") == "${{ env.MLOPS_PLATFORM || 'local' }}"


def check_triggers(workflows: Workflows) -> None:
    """Each workflow starts by these events and no others, with no filter but these."""
    for name, content in workflows.contents.items():
        found = events_of(content)
        assert {*found} == TRIGGERS[name], name
        rules = [each for each in found.values() if isinstance(each, dict)]
        assert not any("types" in each for each in rules), f"{name}: each push must start it"
        assert content["defaults"] == {"run": {"shell": "bash"}}, f"{name}: -e and pipefail"
    pipeline = events_of(workflows.contents["ml-cicd.yml"])
    assert pipeline["push"] == {"branches": ["main", "develop"]}


def check_jobs(workflows: Workflows) -> None:
    """A job that fails turns its run red, and is handed no secret."""
    for key, job in workflows.jobs.items():
        assert not job.keys() & {"continue-on-error", "secrets", "container", "services"}, key
        if "uses" in job:
            assert "concurrency" not in job, f"{key}: it would be held while nobody approves"
    assert "concurrency" not in workflows.contents["deploy.yml"]


def check_counted(workflows: Workflows) -> None:
    """Wherever approvals are needed they are counted, before anybody signs in."""
    asked = {
        ("deploy.yml", "release"): "${{ steps.facts.outputs.approvals != '0' }}",
        ("infra.yml", "deploy"): "${{ steps.prod.outputs.approvals != '0' }}",
    }
    for key, condition in asked.items():
        if key in workflows.jobs:
            steps = workflows.jobs[key]["steps"]
            (step,) = [each for each in steps if "mlops approvals" in each.get("run", "")]
            assert step["if"] == condition, key


def check_required(workflows: Workflows) -> None:
    """One check is required: it is always reported, and by no push under that name."""
    job = workflows.jobs["ml-cicd.yml", "required"]
    assert job["if"] == "${{ always() }}", "GitHub counts a skipped check as passed"
    proposed = "(github.event_name == 'pull_request' || github.event_name == 'merge_group')"
    assert job["name"] == f"${{{{ {proposed} && '{REQUIRED}' || 'Push checked' }}}}"
    started = events_of(workflows.contents["ml-cicd.yml"])
    for event in ("pull_request", "merge_group"):
        assert started.get(event, "") is None, f"{event}: what is left out reports nothing"


def check_infra(workflows: Workflows) -> None:
    """Infrastructure is deployed from main alone, one environment after the other."""
    if "infra.yml" not in workflows.contents:
        return
    deploy = workflows.jobs["infra.yml", "deploy"]
    assert "github.ref == 'refs/heads/main'" in deploy["if"]
    assert deploy["strategy"].get("max-parallel") == 1
    started = events_of(workflows.contents["infra.yml"])
    deployed = ["infra/**", "conf/**", "observability/**", ".github/workflows/infra.yml"]
    assert started["pull_request"]["paths"] == started["push"]["paths"] == deployed
    check_waits(deploy)
    names = [step.get("name") for step in deploy["steps"]]
    for before in ("Stop if main holds newer files", "Check that somebody approved this"):
        assert names.index(before) < names.index("Sign in"), before


def check_waits(deploy: dict[str, Any]) -> None:
    """Check that each wait is shorter than a sign-in, follows a fresh one, and ends in time."""
    steps = deploy["steps"]
    waits = {
        i: int(found[1])
        for i, step in enumerate(steps)
        if (found := re.search(r"mlops ci infra .*--minutes (\d+)", step.get("run", "")))
    }
    logins = [i for i, step in enumerate(steps) if "azure/login@" in step.get("uses", "")]
    assert len(waits) == len(logins) > 1
    assert max(waits.values()) <= SIGN_IN_MINUTES, "a sign-in does not live so long"
    pairs = [step for pair in zip(logins, waits, strict=True) for step in pair]
    assert pairs == sorted(pairs), "each wait has a sign-in of its own"
    assert sum(waits.values()) + 15 <= deploy["timeout-minutes"], "the job ends before its waits"


def check_bots(workflows: Workflows) -> None:
    """Dependabot's pull request signs in nowhere: who opened it counts, not who pushed last."""
    for key, job in workflows.jobs.items():
        proposed = "github.event_name == 'pull_request'" in job.get("if", "")
        if proposed and job["permissions"].get("id-token") == "write":
            excluded = "github.event.pull_request.user.login != 'dependabot[bot]'"
            assert excluded in job["if"], f"{key}: Dependabot may get no token to sign in with"
    for name, text in workflows.texts.items():
        assert "github.actor" not in text, f"{name}: whoever pushes last is the actor"


def check_weekly(workflows: Workflows) -> None:
    """A week that is over releases nothing, and what is new reaches no right to write.

    It, monitor.yml and template-update.yml alone are on a schedule. What it proposes is kept before
    any of it runs, and the job that may write takes these files, runs nothing of the project, and
    has no copy of it.
    """
    scheduled = {
        name for name, content in workflows.contents.items() if "schedule" in events_of(content)
    }
    known = {"weekly.yml", "monitor.yml", "template-update.yml"}
    assert scheduled == known & workflows.contents.keys()
    jobs = workflows.contents["weekly.yml"]["jobs"]
    assert {*jobs} == {"tests", "vulnerabilities", "newer", "propose"}
    for name, job in jobs.items():
        assert not {"uses", "environment"} & job.keys(), name
        for script in scripts_of(job):
            commands = re.findall(r"uv run mlops (.*)", script)
            known_commands = ("ci dependencies", "compliance vulnerabilities")
            assert all(each.startswith(known_commands) for each in commands), name
    for name in ("tests", "newer"):
        assert "uv run --all-groups pytest packages/mlops/tests" in "\n".join(
            scripts_of(jobs[name])
        )
    steps = jobs["newer"]["steps"]
    kept = [i for i, step in enumerate(steps) if "upload-artifact@" in step.get("uses", "")]
    assert len(kept) == 1
    new = re.compile("^uv (sync|run pytest)", re.MULTILINE)
    after = [i for i, step in enumerate(steps) if new.search(step.get("run", ""))]
    assert kept[0] < min(after), "what is proposed is kept before what is new runs"
    assert "github.ref == 'refs/heads/main'" in jobs["propose"]["if"], "another branch is no base"
    used = [step["uses"].split("@")[0] for step in jobs["propose"]["steps"] if "uses" in step]
    assert used == ["actions/download-artifact"], "the job that writes has no copy of the project"
    assert not re.search(r"\b(uv|uvx|pip|python3?)\b ", "\n".join(scripts_of(jobs["propose"])))


def check_template(workflows: Workflows) -> None:
    """An update of the template comes from main; what may write runs nothing of either side."""
    jobs = workflows.contents["template-update.yml"]["jobs"]
    assert jobs["update"]["if"] == "${{ github.ref == 'refs/heads/main' }}"
    for name, kind in (("pull-request", "pull"), ("issue", "issue")):
        assert jobs[name]["if"] == f"${{{{ needs.update.outputs.kind == '{kind}' }}}}"
        used = [step["uses"].split("@")[0] for step in jobs[name]["steps"] if "uses" in step]
        assert used == ["actions/download-artifact"], f"{name} has no copy of the project"
        assert not re.search(r"\b(uv|uvx|pip|python3?)\b ", "\n".join(scripts_of(jobs[name])))


def check_candidate(workflows: Workflows) -> None:
    """A candidate is handed on by a job that runs nothing of the project, and checked by main.

    Whoever may start a run could name any commit: so the jobs with rights take the one that the
    first job checked, and no other.
    """
    pipeline = workflows.contents["ml-cicd.yml"]["jobs"]
    first = pipeline["data-quality"]
    (check,) = [each for each in first["steps"] if "mlops ci candidate" in each.get("run", "")]
    assert check["if"] == "${{ inputs.candidate }}"
    assert first["outputs"]["commit"] == "${{ steps.candidate.outputs.commit }}"
    for key, step in workflows.steps():
        script = step.get("run", "")
        if "git checkout" in script:
            told = "inputs" if key[0] == "deploy.yml" else "needs.data-quality.outputs"
            assert step["env"]["COMMIT"] == f"${{{{ {told}.commit }}}}", key
            assert step["if"] == f"${{{{ {told}.commit != '' }}}}", key
            assert '"$COMMIT"' in script, key
    ready = workflows.jobs["deploy.yml", "ready"]["steps"]
    (place,) = [each for each in ready if "mlops ci wanted" in each.get("run", "")]
    assert place["if"] == "${{ inputs.commit != '' }}", "before people are asked to approve it"
    for name in ("deploy-test", "deploy-prod"):
        assert pipeline[name]["with"]["commit"] == "${{ needs.data-quality.outputs.commit }}"
    if "monitor.yml" not in workflows.contents:
        return
    handing = workflows.jobs["monitor.yml", "candidate"]
    assert not any("uses" in step for step in handing["steps"]), "it has no copy of the project"
    assert not re.search(r"\b(uv|uvx|pip|python3?|git)\b ", "\n".join(scripts_of(handing)))


def check_watch(workflows: Workflows) -> None:
    """What watches prod runs main alone, and what one command finds hides nothing of another."""
    if "monitor.yml" not in workflows.contents:
        return
    jobs = workflows.contents["monitor.yml"]["jobs"]
    assert jobs["platform"].get("if") == "${{ github.ref == 'refs/heads/main' }}"
    assert needs_of(jobs["watch"]) == ["platform"]
    steps = {step["id"]: step for step in jobs["watch"]["steps"] if "id" in step}
    keeping = [name for name, step in steps.items() if "|| code=$?" in step["run"]]
    assert keeping == ["drift", "feedback", "monitor", "retrain", "page"]
    for name in keeping:
        lines = steps[name]["run"].strip().splitlines()
        assert (lines[0], lines[2]) == ("code=0", 'echo "code=$code" >> "$GITHUB_OUTPUT"'), name
        assert len(lines) == 3, name
        assert "|" not in lines[1].replace("|| code=$?", ""), f"{name}: a pipe hides a failure"
    told = steps["ended"]["env"]
    judged = [re.findall(r"steps\.(\w+)\.outputs\.code", value) for value in told.values()]
    assert judged == [[name] for name in keeping]
    assert all(f'=${name}"' in steps["ended"]["run"] for name in told)


def scripts_of(job: dict[str, Any]) -> list[str]:
    """Return what the steps of a job run."""
    return [step["run"] for step in job["steps"] if "run" in step]


def events_of(workflow: dict[Any, Any]) -> dict[str, Any]:
    """Return what starts a workflow; YAML reads the word `on` as true."""
    found: dict[str, Any] = workflow["on"] if "on" in workflow else workflow[True]
    return found


def needs_of(job: dict[str, Any]) -> list[str]:
    """Return the jobs that one waits for itself."""
    needs = job.get("needs", [])
    return [needs] if isinstance(needs, str) else needs


def check_rights_of(key: Key, job: dict[str, Any]) -> None:
    """Check that code which nobody reviewed yet cannot sign in, nor write to the repository."""
    steps = job.get("steps", [])
    runs_code = any("uv run" in each.get("run", "") for each in steps)
    runs_code |= any(each.get("uses", "").startswith("$/") for each in steps)
    writes = {name for name, right in job["permissions"].items() if right == "write"}
    if runs_code and writes:
        more = {WATCHES: {"issues"}, ATTESTS: {"attestations"}}.get(key, set())
        assert writes == ({"contents"} if key == AUDIT else {"id-token"} | more), key
        assert "environment" in job, f"{key}: it signs in, and no environment says from where"


def check_runner(key: Key, job: dict[str, Any]) -> None:
    """Check that each job has the machine of its kind.

    What an environment limits to its branches runs where the network reaches Azure; what a pull
    request may choose, or what signs in nowhere, on the machine for checks.
    """
    limited = "environment" in job and job["environment"]["name"] != "infra-plan"
    wanted = OWN_RUNNER if limited and key not in WAITS_ALONE else CHECKS_RUNNER
    assert job["runs-on"] == wanted, f"{key}: its machine is not one of its kind"


def check_identity(key: Key, job: dict[str, Any]) -> None:
    """Check that a job signs in as its environment's identity, by azure/login or by itself."""
    logins = [step["with"] for step in job["steps"] if "azure/login@" in step.get("uses", "")]
    own = {name: value for name, value in job.get("env", {}).items() if name in IDENTITY}
    found = [
        {f"AZURE_{name.upper().replace('-', '_')}": value for name, value in login.items()}
        for login in logins
    ] or [own]
    assert all(each == IDENTITY for each in found), key


def check_step(key: Key, step: dict[str, Any]) -> None:
    """Check one step: pinned, without credentials left behind, nothing pasted into a script."""
    uses = step.get("uses", "")
    assert not uses or uses.startswith("$/") or re.search(r"@[0-9a-f]{40}$", uses), (key, uses)
    if uses.startswith("actions/checkout@"):
        assert step["with"]["persist-credentials"] is False, key
    script = step.get("run", "")
    assert "${{" not in script, f"{key}: pass values through env"
    if re.search(r"\bgh (api|pr|run)\b", script):
        assert GH_HOST in script, f"{key}: gh asks github.com, wherever the repository is"
    tried_again = step.get("id") == "keep" and key == ("ml-cicd.yml", "train-dev")
    assert tried_again or "continue-on-error" not in step, f"{key}: {step.get('name')} cannot fail"
    for name, value in (step.get("env", {}) | step.get("with", {})).items():
        secret = SECRET_NAME.search(name) and name not in {"persist-credentials"}
        known = str(value) == "${{ github.token }}" or (key == WATCHES and name in TOLD)
        assert not secret or known, f"{key}: {name}"


RULES = {
    check.__name__.removeprefix("check_"): check
    for check in (
        check_permissions, check_environments, check_releases, check_needs,
        check_runners, check_steps, check_rights, check_secrets, check_data, check_evidence,
        check_audit, check_attest, check_concurrency, check_identities, check_infra, check_matrices,
        check_weekly, check_bots,
        check_caches, check_required, check_triggers, check_jobs, check_counted, check_candidate,
        check_watch, check_template,
    )
}  # fmt: skip
