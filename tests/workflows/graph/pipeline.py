"""What must be true of a project's workflows in the model, whatever happens to their jobs."""

from collections.abc import Iterator, Mapping

from tests.workflows.graph.language import Language
from tests.workflows.graph.play import (
    CHECKS,
    QUEUED,
    TRAINING,
    WEEKLY,
    WELL,
    Fate,
    Project,
    approve_all,
    by_hand,
    go_on,
    proposed,
    pushed,
    server_of,
)
from tests.workflows.graph.repository import Event, Workflow
from tests.workflows.graph.server import READINGS, Run, Server
from tests.workflows.policy import REQUIRED

Workflows = Mapping[str, Workflow]
RELEASE = "deploy-prod/release"
MAY_DIFFER = ("comment",)
"""Shown or not where the training that it is of failed: nothing follows from it."""
BEFORE_PROD = (*CHECKS, "train-dev", "register-model", "deploy-test", "deploy-test/release")
CODECOV = {"CODECOV": "true"}
AUDIT_BRANCH = {"MLOPS_AUDIT_BRANCH": "true"}
AZURE, LOCAL = Project(), Project(platform="local")
AUDITED = Project(platform="local", more=AUDIT_BRANCH)
PIPELINE = {
    "Pull request": (proposed(), AZURE),
    "From a fork": (proposed("else/model"), AZURE),
    "Merge queue": (QUEUED, AZURE),
    "develop": (pushed("develop"), AZURE),
    "main, level 1": (pushed(), Project(level=1)),
    "main, level 2": (pushed(), Project(level=2)),
    "main, rehearsal": (pushed(), LOCAL),
    "rehearsal, audit branch": (pushed(), AUDITED),
    "main, Azure": (pushed(), AZURE),
    "main, by hand": (by_hand(), AZURE),
    "Documentation": (pushed(), Project(trains=False)),
}
"""The columns of the table: what starts ml-cicd.yml, and in which project."""
PLAYED = {
    **PIPELINE,
    "one approval": (pushed(), Project(approvals=1)),
    "no approval": (pushed(), Project(approvals=0)),
    "other variables": (pushed(), Project(more={"MLOPS_RUNNER": "own", **CODECOV})),
    "pull request with coverage": (proposed(), Project(more=CODECOV)),
}


def pipeline_run(server: Server, event: Event) -> Run:
    """Start ml-cicd.yml."""
    return _of(server.happen(event), "ml-cicd.yml")


def results(run: Run) -> dict[str, str]:
    """Return how each job ended."""
    return {"/".join(path): job.result or job.state for path, job in run.jobs.items()}


def played(
    language: Language, workflows: Workflows, event: Event, project: Project, fate: Fate
) -> Run:
    """Return a run that ended, after it was seen that no reading of the rules changes it."""
    runs = []
    for reading in READINGS:
        server = server_of(language, workflows, project, reading)
        runs.append(pipeline_run(server, event))
        approve_all(server, runs[-1], project, fate)
    found = [{**results(run), **dict.fromkeys(MAY_DIFFER)} for run in runs]
    assert all(each == found[0] for each in found), f"{fate}: it depends on how GitHub reads a rule"
    return runs[0]


def fates(run: Run) -> Iterator[Fate]:
    """Return all that can happen to the jobs that ran."""
    for path, job in run.jobs.items():
        if job.ran_in_attempts:
            yield Fate("/".join(path), "failure")
            yield Fate("/".join(path), "cancelled")


def check_ends(language: Language, workflows: Workflows) -> None:
    """A run is green only if all that was meant to run ran, and prod only follows on success."""
    for name, (event, project) in PLAYED.items():
        whole = played(language, workflows, event, project, WELL)
        assert whole.is_green, (name, results(whole))
        releases = event.ref == "refs/heads/main" and project.level >= 2 and project.trains
        assert (results(whole).get(RELEASE) == "success") == releases, f"{name}: prod"
        for fate in fates(whole):
            run = played(language, workflows, event, project, fate)
            assert not run.is_green, f"{name}: {fate}, and the run is green"
            if event.name in ("pull_request", "merge_group"):
                check = results(run)["required"]
                if fate.job not in ("comment", "coverage"):
                    assert check in ("failure", "cancelled"), fate
                elif fate.result == "failure":
                    assert check == "success", fate
            if releases and fate.job in BEFORE_PROD:
                assert not _entered(run, RELEASE), f"{name}: {fate}, and prod was released"


def _entered(run: Run, name: str) -> bool:
    job = run.jobs.get(tuple(name.split("/")))
    return bool(job and job.ran_in_attempts)


def check_rights(language: Language, workflows: Workflows) -> None:
    """Before it is merged, no code enters an environment, and none of it gets a token."""
    for name in ("Pull request", "From a fork", "Merge queue"):
        event, project = PIPELINE[name]
        server = server_of(language, workflows, project)
        run = pipeline_run(server, event)
        approve_all(server, run, project)
        for path, job in run.jobs.items():
            if job.ran_in_attempts:
                assert job.environment == "", (name, path)
                assert "id-token" not in job.content.get("permissions", {}), (name, path)


def check_coverage(language: Language, workflows: Workflows) -> None:
    """The coverage is sent where it is wanted, and not by a fork, which gets no token."""
    wanted = Project(more=CODECOV)
    for event, project, sent in (
        (pushed(), wanted, True),
        (proposed(), wanted, True),
        (proposed("else/model"), wanted, False),
        (pushed(), AZURE, False),
    ):
        run = played(language, workflows, event, project, WELL)
        assert _entered(run, "coverage") == sent, event
        assert run.is_green


def check_weekly(language: Language, workflows: Workflows) -> None:
    """What is newer is proposed also where it turns tests red; from main alone."""
    keeps = READINGS[1]
    for result, event, proposes in (
        ("success", WEEKLY, True),
        ("failure", WEEKLY, True),
        ("cancelled", WEEKLY, False),
        ("success", by_hand("idea"), False),
    ):
        server = server_of(language, workflows, AZURE, keeps)
        run = _of(server.happen(event), "weekly.yml")
        go_on(server, run, AZURE, Fate("newer", result))
        assert _entered(run, "propose") == proposes, (result, event)
        assert run.is_green == (result == "success")


def check_required(language: Language, workflows: Workflows) -> None:
    """A pull request's check is reported by pull requests and merge queues, and by nothing else."""
    for event, project in (*PIPELINE.values(), (by_hand("idea"), AZURE)):
        server = server_of(language, workflows, project)
        run = pipeline_run(server, event)
        assert not server.may_merge("a", [REQUIRED]), f"{event.name}: it is not done yet"
        approve_all(server, run, project)
        merged = server.may_merge("a", [REQUIRED])
        assert merged == (event.name in ("pull_request", "merge_group")), event
    server = server_of(language, workflows, AZURE)
    run = pipeline_run(server, proposed())
    go_on(server, run, AZURE, Fate(TRAINING, "failure"))
    other = pipeline_run(server, pushed("develop"))
    approve_all(server, other, AZURE)
    assert not server.may_merge("a", [REQUIRED]), "a push of the same commit let it be merged"


def check_waiting(language: Language, workflows: Workflows) -> None:
    """What waits for people holds up nobody; two people are asked, one after the other."""
    for stuck_at in ("prod-approval", "prod"):
        server = server_of(language, workflows, AZURE)
        older, newer = (pipeline_run(server, pushed(sha=sha)) for sha in "ab")
        for run in (older, newer):
            go_on(server, run, AZURE)
            assert _asked(run) == ["prod-approval"], results(run)
        if stuck_at == "prod":
            server.review(older, "prod-approval")
            go_on(server, older, AZURE)
        assert _asked(older) == [stuck_at]
        server.review(newer, "prod-approval")
        go_on(server, newer, AZURE)
        assert _asked(newer) == ["prod"], "it waits behind a run that nobody approved"
        server.review(newer, "prod")
        go_on(server, newer, AZURE)
        assert newer.is_green, results(newer)
        server.wait_days(30)
        go_on(server, older, AZURE)
        assert older.is_done
        assert not older.is_green, "nobody approved it for a month"
        assert not _entered(older, RELEASE)


def check_evidence(language: Language, workflows: Workflows) -> None:
    """However a release on Azure ends, what is known of it is kept beside the version."""
    ends = [Fate(RELEASE, result) for result in ("success", "failure", "cancelled")]
    ends += [Fate("deploy-test/release", "failure"), Fate("deploy-test/release", "cancelled")]
    for fate in ends:
        run = played(language, workflows, pushed(), AZURE, fate)
        for name in ("test", "prod"):
            assert _entered(run, f"evidence/{name}"), f"{fate}: nothing is kept of {name}"
    server = server_of(language, workflows, AZURE)
    run = pipeline_run(server, pushed())
    go_on(server, run, AZURE)
    server.review(run, "prod-approval", approved=False)
    go_on(server, run, AZURE)
    assert _entered(run, "evidence/prod"), "who rejected it is not kept"
    local = played(language, workflows, pushed(), LOCAL, WELL)
    assert not any(path[0] == "evidence" and len(path) > 1 for path in local.jobs)


def check_audit(language: Language, workflows: Workflows) -> None:
    """However a run of main ends on GitHub alone, its lines come to the branch, where asked for."""
    whole = played(language, workflows, pushed(), AUDITED, WELL)
    for fate in [WELL, *fates(whole)]:
        run = played(language, workflows, pushed(), AUDITED, fate)
        trained = _entered(run, "train-dev")
        assert _entered(run, "audit") == trained, f"{fate}: what was done is not kept"
    first = Project(platform="local", level=1, more=AUDIT_BRANCH)
    assert _entered(played(language, workflows, pushed(), first, WELL), "audit")
    for event, project in (
        (pushed(), LOCAL),
        (pushed(), Project(more=AUDIT_BRANCH)),
        (pushed("develop"), AUDITED),
        (proposed(), AUDITED),
        (QUEUED, AUDITED),
        (by_hand("idea"), AUDITED),
        (pushed(), Project(platform="local", trains=False, more=AUDIT_BRANCH)),
    ):
        run = played(language, workflows, event, project, WELL)
        assert not _entered(run, "audit"), (event, project)


def check_infra(language: Language, workflows: Workflows) -> None:
    """Who does not answer holds up no other deployment of infra/; a rejection stops but its own."""
    event = pushed(files=("infra/main.bicep",))
    server = server_of(language, workflows, AZURE)
    older, newer = (_of(server.happen(event), "infra.yml") for _ in range(2))
    for run in (older, newer):
        go_on(server, run, AZURE)
        assert _asked(run) == ["infra"], results(run)
    server.review(newer, "infra", approved=False)
    while not newer.is_done:
        server.review(newer, "infra")
        go_on(server, newer, AZURE)
    found = results(newer)
    assert [found[f"deploy/{name}"] for name in ("dev", "test", "prod")] == [
        "failure", "success", "success",
    ], found  # fmt: skip
    assert older["deploy/dev"].state == "asked"
    for other in (proposed(files=event.files), pushed("develop", files=event.files)):
        for run in server_of(language, workflows, AZURE).happen(other):
            assert not any(job.environment == "infra" for job in run.jobs.values())
    idle = server_of(language, workflows, LOCAL)
    run = _of(idle.happen(event), "infra.yml")
    go_on(idle, run, LOCAL)
    assert run.is_green
    assert _asked(run) == []


def _of(runs: list[Run], file: str) -> Run:
    found = [run for run in runs if run.workflow.file == file]
    assert found, f"nothing starts {file}"
    return found[0]


def check_attempts(language: Language, workflows: Workflows) -> None:
    """In an attempt after a reviewed one nobody is asked, nothing released, and the run is red."""
    for gate in ("prod-approval", "prod"):
        for failed_only in (True, False):
            server = server_of(language, workflows, AZURE)
            run = pipeline_run(server, pushed())
            go_on(server, run, AZURE)
            if gate == "prod":
                server.review(run, "prod-approval")
                go_on(server, run, AZURE)
            server.review(run, gate, approved=False)
            go_on(server, run, AZURE)
            assert run.is_done, results(run)
            assert not run.is_green, "a rejected approval"
            server.rerun(run, failed_only=failed_only)
            # `mlops ci attempt` finds the review of before
            go_on(server, run, AZURE, Fate("deploy-prod/ready", "failure"))
            assert _asked(run) == [], (gate, failed_only)
            assert run.is_done
            assert not run.is_green
            assert not _entered(run, RELEASE)
    server = server_of(language, workflows, AZURE)
    run = pipeline_run(server, pushed())
    go_on(server, run, AZURE, Fate("train-dev", "failure"))
    server.rerun(run, failed_only=True)
    approve_all(server, run, AZURE)
    assert run.is_green, "nobody was asked before: what failed for a moment is run again"
    assert run[RELEASE].ran_in_attempts == [2]
    assert run[RELEASE].asked_in_attempts == [2]


def check_alone(language: Language, workflows: Workflows) -> None:
    """What is not needed is not asked for: with 1 prod alone asks; with 0 a re-run releases."""
    one = Project(approvals=1)
    server = server_of(language, workflows, one)
    run = pipeline_run(server, pushed())
    go_on(server, run, one)
    assert _asked(run) == ["prod"], "one approval, and so one place that asks"
    assert _entered(run, "deploy-prod/ready")
    project = Project(approvals=0)
    server = server_of(language, workflows, project)
    run = pipeline_run(server, pushed())
    go_on(server, run, project)
    assert _asked(run) == ["prod"], "the environment's own reviewers, if it has any"
    server.review(run, "prod")
    go_on(server, run, project, Fate(RELEASE, "failure"))
    server.rerun(run, failed_only=True)
    approve_all(server, run, project)
    assert run.is_green, results(run)


def _asked(run: Run) -> list[str]:
    return sorted({job.environment for job in run.jobs.values() if job.state == "asked"})


GRAPH = {
    f"graph_{check.__name__.removeprefix('check_')}": check
    for check in (
        check_ends, check_rights, check_required, check_waiting, check_infra, check_attempts,
        check_alone, check_evidence, check_audit, check_coverage, check_weekly,
    )
}  # fmt: skip
"""Each by the name that a seeded fault calls it."""
