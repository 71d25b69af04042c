"""The model does what GitHub's documents and the reports say, each on a workflow of a few lines."""

from typing import Any

import pytest

from tests.workflows.graph.language import Language
from tests.workflows.graph.repository import Event, Gate, Repository, Workflow
from tests.workflows.graph.server import PESSIMISTIC, READINGS, Reading, Run, Server

HEAD = "name: w\non: {push: , pull_request: , workflow_dispatch: }\njobs:\n"
LEAF = "runs-on: ubuntu-24.04, steps: [{run: 'true'}]"


def server_of(
    language: Language,
    *jobs: str,
    head: str = HEAD,
    reading: Reading = PESSIMISTIC,
    gates: dict[str, Gate] | None = None,
    called: str = "",
) -> Server:
    """A repository with one workflow of these jobs, and perhaps one that it calls."""
    texts = {"w.yml": head + "".join(f"  {job}\n" for job in jobs)}
    if called:
        texts["called.yml"] = "name: called\non: {workflow_call: }\njobs:\n" + called
    workflows = {file: Workflow.read(language, file, text) for file, text in texts.items()}
    return Server(language, Repository(workflows, gates or {}), reading)


def job(name: str, *rest: str) -> str:
    return f"{name}: {{{', '.join([*rest, LEAF])}}}"


def play(server: Server, run: Run, **results: str) -> dict[str, str]:
    """Let each job end as said, with success where nothing is said."""
    while at_work := [job for other, job in server.running() if other is run]:
        server.finish(run, at_work[0], results.get("_".join(at_work[0].path), "success"))
    return {"/".join(path): job.result or job.state for path, job in run.jobs.items()}


def test_a_failure_or_skip_applies_to_the_whole_chain(language: Language) -> None:
    """docs.github.com, "Workflow syntax", jobs.<job_id>.needs."""
    jobs = (
        job("a"),
        job("b", "needs: a"),
        job("c", "needs: b"),
        job("d", "needs: [c]", "if: always()"),
    )
    server = server_of(language, *jobs)
    (run,) = server.happen(Event("push"))
    expected = {"a": "failure", "b": "skipped", "c": "skipped", "d": "success"}
    assert play(server, run, a="failure") == expected
    assert not run.is_green


def test_behind_a_skipped_job_success_is_false_even_if_the_own_need_succeeded(
    language: Language,
) -> None:
    """actions/runner#2205, open: the implicit success() looks at the whole chain."""
    jobs = (
        job("a", "if: false"),
        job("b", "needs: a", "if: '!cancelled()'"),
        job("c", "needs: b"),
        job("d", "needs: b", "if: \"!cancelled() && needs.b.result == 'success'\""),
    )
    server = server_of(language, *jobs)
    (run,) = server.happen(Event("push"))
    assert play(server, run) == {"a": "skipped", "b": "success", "c": "skipped", "d": "success"}
    assert run.is_green, "and GitHub shows such a run as green"


CALLED = f"  a: {{if: false, {LEAF}}}\n  b: {{needs: a, if: '!cancelled()', {LEAF}}}\n"


@pytest.mark.parametrize("reading", READINGS)
def test_a_job_skipped_inside_a_call_skips_what_follows_as_reports_say(
    language: Language, reading: Reading
) -> None:
    """camunda/camunda#39521; the documents do not say it."""
    jobs = ("first: {uses: ./.github/workflows/called.yml}", job("next", "needs: first"))
    server = server_of(language, *jobs, called=CALLED, reading=reading)
    (run,) = server.happen(Event("push"))
    found = play(server, run)
    assert found["first"] == "success"
    assert found["next"] == ("skipped" if reading.inside_calls else "success")


def test_a_call_is_as_bad_as_its_worst_job(language: Language) -> None:
    """docs.github.com, "Reuse workflows"; what all skipped jobs come to is a guess."""
    called = f"  a: {{{LEAF}}}\n  b: {{needs: a, {LEAF}}}\n"
    for result, expected in (("success", "success"), ("failure", "failure")):
        server = server_of(language, "first: {uses: ./.github/workflows/called.yml}", called=called)
        (run,) = server.happen(Event("push"))
        assert play(server, run, first_b=result)["first"] == expected


def test_failure_sees_every_ancestor(language: Language) -> None:
    """docs.github.com, "Evaluate expressions", failure()."""
    jobs = (job("a"), job("b", "needs: a", "if: always()"), job("c", "needs: b", "if: failure()"))
    server = server_of(language, *jobs)
    (run,) = server.happen(Event("push"))
    assert play(server, run, a="failure")["c"] == "success"
    (run,) = server.happen(Event("push"))
    assert play(server, run)["c"] == "skipped"


def test_when_a_run_is_cancelled_what_is_always_wanted_goes_on(language: Language) -> None:
    """docs.github.com, "Workflow cancellation reference", step 1."""
    jobs = (
        job("a"), job("b", "if: always()"), job("c", "needs: a"),
        job("d", "needs: a", "if: '!cancelled()'"), job("e", "needs: a", "if: always()"),
    )  # fmt: skip
    server = server_of(language, *jobs)
    (run,) = server.happen(Event("push"))
    server.cancel(run)
    assert play(server, run) == {
        "a": "cancelled", "b": "success", "c": "skipped", "d": "skipped", "e": "success",
    }  # fmt: skip
    assert not run.is_green


REVIEWED = {"prod": Gate(("main",), reviewed=True)}
IN_LINE = "concurrency: {group: line}"
KEPT = "concurrency: {group: Line, queue: max}"


def test_who_waits_for_an_approval_holds_its_concurrency_group_for_a_month(
    language: Language,
) -> None:
    """github/community#17963; docs.github.com, "Reviewing deployments", 30 days."""
    server = server_of(language, job("a", "environment: prod", KEPT), gates=REVIEWED)
    (first,) = server.happen(Event("push"))
    (second,) = server.happen(Event("push"))
    assert (first["a"].state, second["a"].state) == ("asked", "queued")
    server.wait_days(29)
    assert second["a"].state == "queued"
    server.wait_days(1)
    assert (first["a"].result, second["a"].state) == ("failure", "asked")
    server.review(second, "prod")
    assert play(server, second) == {"a": "success"}


def test_of_those_that_wait_in_a_group_only_the_newest_stays(language: Language) -> None:
    """docs.github.com, "Control the concurrency of workflows and jobs"."""
    server = server_of(language, job("a", IN_LINE))
    runs = [server.happen(Event("push"))[0] for _ in range(3)]
    assert [run["a"].state for run in runs] == ["running", "done", "queued"]
    assert runs[1]["a"].result == "cancelled"
    server = server_of(language, job("a", KEPT))
    runs = [server.happen(Event("push"))[0] for _ in range(3)]
    assert [run["a"].state for run in runs] == ["running", "queued", "queued"]
    play(server, runs[0])
    assert [run["a"].state for run in runs] == ["done", "running", "queued"]


def test_a_run_may_end_the_one_before_it(language: Language) -> None:
    """The same page, cancel-in-progress."""
    head = HEAD.replace(
        "jobs:", "concurrency: {group: '${{ github.ref }}', cancel-in-progress: true}\njobs:"
    )
    server = server_of(language, job("a"), head=head)
    (first,) = server.happen(Event("push"))
    (other,) = server.happen(Event("push", "refs/heads/other"))
    (second,) = server.happen(Event("push"))
    assert (first["a"].result, second["a"].state, other["a"].state) == (
        "cancelled", "running", "running",
    )  # fmt: skip


def test_an_environment_lets_in_its_branches_alone(language: Language) -> None:
    """docs.github.com, "Deployments and environments"."""
    server = server_of(language, job("a", "environment: prod"), gates=REVIEWED)
    (run,) = server.happen(Event("push", "refs/heads/idea"))
    assert run["a"].result == "failure"
    assert "may not enter prod" in run["a"].reason
    (run,) = server.happen(Event("push"))
    server.review(run, "prod", approved=False)
    assert run["a"].result == "failure"


def test_what_failed_is_run_again_with_what_depends_on_it(language: Language) -> None:
    """docs.github.com, "Re-running workflows and jobs": the others keep their outputs."""
    jobs = (
        job("a", "outputs: {x: '1'}"),
        job("b", "needs: a"),
        job("c", "needs: [a, b]", "if: needs.a.outputs.x == '1'"),
        job("d"),
    )
    server = server_of(language, *jobs)
    (run,) = server.happen(Event("push"))
    server.finish(run, run["a"], outputs={"x": "1"})
    assert play(server, run, b="failure")["c"] == "skipped"
    server.rerun(run, failed_only=True)
    assert play(server, run) == dict.fromkeys("abcd", "success")
    assert [run[each].ran_in_attempts for each in "abcd"] == [[1], [1, 2], [2], [1]]
    server.rerun(run)
    play(server, run)
    assert run["a"].ran_in_attempts == [1, 3]


def test_in_a_call_too_only_what_failed_is_run_again(language: Language) -> None:
    called = (
        f"  a: {{{LEAF}}}\n  b: {{needs: a, {LEAF}}}\n  c: {{needs: b, if: failure(), {LEAF}}}\n"
    )
    server = server_of(language, "first: {uses: ./.github/workflows/called.yml}", called=called)
    (run,) = server.happen(Event("push"))
    assert play(server, run, first_b="failure")["first/c"] == "success"
    server.rerun(run, failed_only=True)
    assert play(server, run)["first/c"] == "skipped"
    assert run["first/a"].ran_in_attempts == [1]
    assert run["first/b"].ran_in_attempts == [1, 2]


def test_a_skipped_check_counts_as_passed_whatever_reported_it(language: Language) -> None:
    """docs.github.com, "Troubleshooting required status checks"."""
    jobs = (job("a", "name: Trained", "if: \"github.event_name == 'pull_request'\""),)
    server = server_of(language, *jobs)
    base = {"pull_request": {"base": {"ref": "main"}}}
    assert not server.may_merge("a", ["Trained"]), "a check that nobody reports waits for ever"
    server.happen(Event("push", "refs/heads/idea"))
    assert server.may_merge("a", ["Trained"]), "what a push skipped"
    (run,) = server.happen(Event("pull_request", "refs/pull/1/merge", payload=base))
    assert not server.may_merge("a", ["Trained"])
    play(server, run, a="failure")
    assert not server.may_merge("a", ["Trained"])


def test_a_matrix_takes_turns_and_may_end_at_its_first_failure(language: Language) -> None:
    """docs.github.com, "Workflow syntax", strategy."""
    for fast, expected in (("true", "cancelled"), ("false", "success")):
        strategy = f"strategy: {{fail-fast: {fast}, max-parallel: 1, matrix: {{x: [p, q]}}}}"
        server = server_of(language, job("a", strategy))
        (run,) = server.happen(Event("push"))
        assert [run[f"a/{each}"].state for each in "pq"] == ["running", "pending"]
        assert play(server, run, a_p="failure") == {
            "a": "failure", "a/p": "failure", "a/q": expected,
        }  # fmt: skip


def event(name: str, ref: str = "refs/heads/main", **more: Any) -> Event:
    return Event(name, ref, payload={"pull_request": {"base": {"ref": "main"}}}, **more)


@pytest.mark.parametrize(
    ("trigger", "happened", "starts"),
    [
        ("push: {branches: [main]}", event("push"), True),
        ("push: {branches: [main]}", event("push", "refs/heads/idea"), False),
        ("push: {paths: ['infra/**']}", event("push", files=("infra/a/b",)), True),
        ("push: {paths: ['infra/**']}", event("push", files=("src/a",)), False),
        ("pull_request: {branches: [main]}", event("pull_request", "refs/pull/1/merge"), True),
        ("pull_request: {branches: [other]}", event("pull_request", "refs/pull/1/merge"), False),
        ("pull_request: ", event("merge_group"), False),
        ("push: ", event("push", message="docs [skip ci]"), False),
        ("workflow_dispatch: ", event("workflow_dispatch", message="docs [skip ci]"), True),
        ("schedule: [{cron: '1 1 * * 1'}]", event("schedule", "refs/heads/idea"), False),
    ],
)
def test_what_starts_a_workflow(
    language: Language, trigger: str, happened: Event, starts: bool
) -> None:
    """docs.github.com, "Events that trigger workflows", "Skipping workflow runs"."""
    head = f"name: w\non: {{{trigger}}}\njobs:\n"
    assert bool(server_of(language, job("a"), head=head).happen(happened)) == starts


def test_what_is_no_workflow_is_told_by_githubs_own_parser(language: Language) -> None:
    for text in (
        HEAD + "  a: {runs-on: x, stepz: []}\n",
        HEAD + "  a: {if: '${{ nothing.x }}', runs-on: x, steps: [{run: 'true'}]}\n",
        HEAD + "  a: {needs: b, runs-on: x, steps: [{run: 'true'}]}\n",
    ):
        assert language.parse("w.yml", text).errors
