"""How GitHub decides which job runs, waits, is skipped, fails or is cancelled.

Each rule names its source. What documents leave open, and what only reports say, is a `Reading`:
workflows must end alike under each of them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from tests.workflows.graph.language import Language, Status
from tests.workflows.graph.queues import Queues
from tests.workflows.graph.repository import Event, Gate, Repository, Workflow

Path = tuple[str, ...]
"""A job by its name; one of a called workflow or of a matrix below the job that makes it."""

DAYS_TO_REVIEW = 30


@dataclass(frozen=True)
class Reading:
    """How a sentence is read that says less than one needs to know.

    Attributes:
        failed_outputs: a job that failed hands on what its steps had said before (what the runner
            does; the documents do not say it).
        inside_calls: success() also sees a job that was skipped inside a called workflow (reports:
            camunda/camunda#39521, actions/runner#2205); the documents speak of "the chain" alone.
        through_calls: the jobs of a called workflow see the chain of the job that calls it (guess).
    """

    inside_calls: bool = True
    through_calls: bool = True
    failed_outputs: bool = False


PESSIMISTIC = Reading()
READINGS = [
    PESSIMISTIC,
    Reading(inside_calls=True, through_calls=False, failed_outputs=True),
    Reading(inside_calls=False, through_calls=True, failed_outputs=True),
    Reading(inside_calls=False, through_calls=False, failed_outputs=False),
]


@dataclass
class Job:
    """A job of a run, a call of a workflow, or one combination of a matrix.

    `state` is pending, queued (for its concurrency group), asked (for an approval), running, open
    (its own jobs are at work) or done; then `result` says how it ended.
    """

    path: Path
    content: Mapping[str, Any]
    condition: str
    needs: tuple[Path, ...]
    inputs: Mapping[str, Any]
    parent: "Job | None" = None
    matrix: Mapping[str, Any] = field(default_factory=dict)
    state: str = "pending"
    result: str = ""
    outputs: dict[str, Any] = field(default_factory=dict)
    environment: str = ""
    asked_on: int = 0
    asked_in_attempts: list[int] = field(default_factory=list)
    ran_in_attempts: list[int] = field(default_factory=list)
    reason: str = ""

    def end(self, result: str, reason: str = "") -> None:
        """Let it be done."""
        self.state, self.result, self.reason = "done", result, reason


@dataclass
class Run:
    """One run of a workflow, in its present attempt."""

    id: int
    workflow: Workflow
    event: Event
    jobs: dict[Path, Job]
    attempt: int = 1
    cancelled: bool = False
    admitted: bool = False
    reviews: list[tuple[str, str]] = field(default_factory=list)

    def __getitem__(self, name: str) -> Job:
        """Return a job by its path, such as `deploy-prod/release`."""
        return self.jobs[tuple(name.split("/"))]

    def children(self, job: Job) -> list[Job]:
        """Return the jobs that a call or a matrix made."""
        return [each for each in self.jobs.values() if each.parent is job]

    @property
    def is_done(self) -> bool:
        """Whether every job has ended."""
        return all(job.state == "done" for job in self.jobs.values())

    @property
    def is_green(self) -> bool:
        """Whether it ended and nothing failed: skipped jobs do not make it red."""
        return self.is_done and not self.cancelled and self._results <= {"success", "skipped"}

    @property
    def _results(self) -> set[str]:
        return {job.result for job in self.jobs.values()}


class Server:
    """GitHub, with one repository.

    Args:
        language: evaluates expressions.
        repository: the repository.
        reading: how open sentences are read.
    """

    def __init__(
        self, language: Language, repository: Repository, reading: Reading = Reading()
    ) -> None:
        self.repository = repository
        self.runs: list[Run] = []
        self.today = 0
        self._language = language
        self._reading = reading
        self._ids = count(1)
        self._queues = Queues()

    def happen(self, event: Event) -> list[Run]:
        """Start the runs of an event."""
        started = [
            self._start(workflow, event)
            for workflow in self.repository.workflows.values()
            if workflow.starts_by(event)
        ]
        self._settle()
        return started

    def running(self) -> list[tuple[Run, Job]]:
        """Return the jobs that are at work on a machine."""
        return [
            (run, job) for run in self.runs for job in run.jobs.values() if job.state == "running"
        ]

    def finish(
        self, run: Run, job: Job, result: str = "success", outputs: Mapping[str, Any] | None = None
    ) -> None:
        """Let a running job end."""
        assert job.state == "running", (job.path, job.state)
        kept = result == "success" or (result == "failure" and self._reading.failed_outputs)
        job.outputs = dict(outputs or {}) if kept else {}
        job.end(result)
        self._queues.leave((run.id, job.path))
        self._settle()

    def review(self, run: Run, environment: str, *, approved: bool = True) -> None:
        """Let a reviewer answer all jobs of a run that wait at an environment.

        Source: docs.github.com, "Reviewing deployments": a rejected job fails.
        """
        waiting = [
            job
            for job in run.jobs.values()
            if job.state == "asked" and job.environment == environment
        ]
        assert waiting, f"nobody is asked for {environment}"
        run.reviews.append((environment, "approved" if approved else "rejected"))
        for job in waiting:
            if approved:
                self._run(run, job)
            else:
                job.end("failure", "rejected")
                self._queues.leave((run.id, job.path))
        self._settle()

    def wait_days(self, days: int) -> None:
        """Let days pass. Source: the same page: after 30 days without approval a job fails."""
        self.today += days
        for run in self.runs:
            for job in run.jobs.values():
                if job.state == "asked" and self.today - job.asked_on >= DAYS_TO_REVIEW:
                    job.end("failure", "nobody approved")
                    self._queues.leave((run.id, job.path))
        self._settle()

    def cancel(self, run: Run) -> None:
        """Cancel a run.

        Source: docs.github.com, "Workflow cancellation": conditions of running jobs are evaluated
        again, and what is true then goes on. That one which had not begun counts as skipped is what
        reports say.
        """
        run.cancelled = True
        for job in run.jobs.values():
            if job.state in ("queued", "asked", "running") and not self._is_wanted(run, job):
                job.end("cancelled")
                self._queues.leave((run.id, job.path))
        if not run.admitted:
            run.admitted = True
            self._queues.leave((run.id, ()))
        self._settle()

    def rerun(self, run: Run, *, failed_only: bool = False) -> None:
        """Run it again: all of it, or what failed and whatever depends on that.

        The commit is the same, and jobs that are not run again keep their outputs.
        Source: docs.github.com, "Re-running workflows and jobs".
        """
        assert run.is_done
        again = {path for path, job in run.jobs.items() if not failed_only or _failed(job)}
        while more := {job.path for job in run.jobs.values() if _follows(run, job, again)}:
            again |= more
        run.attempt += 1
        run.cancelled = False
        for path in sorted(again):
            if path in run.jobs:
                self._reset(run, run.jobs[path], again)
        self._settle()

    def _reset(self, run: Run, job: Job, again: set[Path]) -> None:
        """Let a job wait again; a call whose own needs stay goes on with those of its jobs."""
        children = run.children(job)
        goes_on = bool(children) and job.parent is None and not again & {*job.needs}
        goes_on &= any(each.path not in again for each in children)
        if not goes_on:
            for each in children:
                del run.jobs[each.path]
        job.state, job.result, job.reason = ("open" if goes_on else "pending"), "", ""
        job.outputs = {}

    def environment_of(self, run: Run, job: Job) -> dict[str, str]:
        """Return what the first step of a job is told in its environment variables."""
        variables = job.content["steps"][0]["env"]
        context = self._context(run, job)
        return {
            name: str(self._language.evaluate(text, context)) for name, text in variables.items()
        }

    def checks(self, sha: str) -> dict[str, str]:
        """Return the newest result of each check of a commit, by its name; none while it waits."""
        found: dict[str, str] = {}
        for run in self.runs:
            if run.event.sha == sha:
                for job in run.jobs.values():
                    if job.state != "open":
                        found[self._name(run, job)] = job.result
        return found

    def may_merge(self, sha: str, required: list[str]) -> bool:
        """Tell whether the required checks let a commit be merged.

        A skipped job reports success; a check that is never reported waits for ever.
        Source: docs.github.com, "Troubleshooting required status checks".
        """
        checks = self.checks(sha)
        return all(checks.get(name) in ("success", "skipped") for name in required)

    def _start(self, workflow: Workflow, event: Event) -> Run:
        run = Run(next(self._ids), workflow, event, {})
        for job in self._jobs_of(workflow, {}, None):
            run.jobs[job.path] = job
        self.runs.append(run)
        inputs = {"inputs": event.payload.get("inputs", {})}
        group, cancels, keeps = self._concurrency(workflow.content.get("concurrency"), run, inputs)
        ousted = self._queues.enter((run.id, ()), group, cancels=cancels, keeps=keeps)
        for number, _ in ousted:
            self.cancel(next(each for each in self.runs if each.id == number))
        return run

    def _jobs_of(
        self, workflow: Workflow, inputs: Mapping[str, Any], parent: Job | None
    ) -> Iterator[Job]:
        above = parent.path if parent else ()
        for name, content in workflow.content["jobs"].items():
            needs = content.get("needs", [])
            needs = [needs] if isinstance(needs, str) else needs
            paths = tuple((*above, each) for each in needs)
            condition = workflow.conditions[name]
            yield Job((*above, name), content, condition, paths, inputs, parent)

    def _settle(self) -> None:
        """Let everything go on that can."""
        while any(self._advance(run, job) for run in self.runs for job in [*run.jobs.values()]):
            pass
        for run in self.runs:
            if run.is_done:
                self._queues.leave((run.id, ()))
        if any(self._may_enter(run) for run in self.runs):
            self._settle()

    def _may_enter(self, run: Run) -> bool:
        if run.admitted or not self._queues.is_first((run.id, ())):
            return False
        run.admitted = True
        return True

    def _advance(self, run: Run, job: Job) -> bool:
        """Take a job one step on, and tell whether that was possible."""
        before = job.state
        if job.state == "pending" and self._is_due(run, job):
            self._begin(run, job)
        elif job.state == "queued" and self._queues.is_first((run.id, job.path)):
            self._ask(run, job)
        elif job.state == "open":
            self._close(run, job)
        return job.state != before

    def _is_due(self, run: Run, job: Job) -> bool:
        if not (run.admitted or self._may_enter(run)):
            return False
        if job.matrix and job.parent is not None:
            limit = int(job.parent.content["strategy"].get("max-parallel", 256))
            at_work = [
                each
                for each in run.children(job.parent)
                if each.state in ("queued", "asked", "running")
            ]
            return len(at_work) < limit
        return all(run.jobs[path].state == "done" for path in job.needs)

    def _begin(self, run: Run, job: Job) -> None:
        if not job.matrix and not self._is_wanted(run, job):
            job.end("skipped", "its condition is false")
            self._queues.leave((run.id, job.path))
            return
        context = self._context(run, job)
        if "uses" in job.content and not self._is_admitted(run, job, context):
            return
        if "uses" in job.content:
            given = {
                name: self._language.evaluate(value, context)
                for name, value in job.content.get("with", {}).items()
            }
            called = self.repository.workflows[job.content["uses"].rpartition("/")[2]]
            for each in self._jobs_of(called, given, job):
                run.jobs[each.path] = each
            job.state = "open"
            return
        if "strategy" in job.content and not job.matrix:
            self._spread(run, job, context)
            return
        environment = job.content.get("environment", "")
        name = environment["name"] if isinstance(environment, Mapping) else environment
        job.environment = str(self._language.evaluate(name, context))
        # One that does not exist is made on the spot, and asks for nothing ("Deployments and
        # environments"): so that each is known is a matter of the workflows.
        gate = self.repository.environments.get(job.environment, Gate())
        if job.environment and not gate.lets_in(run.event.ref):
            job.end("failure", f"{run.event.ref} may not enter {job.environment}")
            return
        self._enter(run, job, job.content.get("concurrency"), context)
        job.state = "queued"

    def _spread(self, run: Run, job: Job, context: Mapping[str, Any]) -> None:
        """Make the jobs of a matrix of one dimension."""
        ((name, values),) = job.content["strategy"]["matrix"].items()
        for value in self._language.evaluate(values, context):
            path = (*job.path, str(value))
            run.jobs[path] = Job(
                path, job.content, job.condition, job.needs, job.inputs, job, {name: value}
            )
        job.state = "open"

    def _ask(self, run: Run, job: Job) -> None:
        """Ask for an approval, once the concurrency group is free.

        That a job which waits for its approval holds its group is what the documents say of jobs in
        progress and what reports confirm (github/community discussion 17963).
        """
        gate = self.repository.environments.get(job.environment)
        if gate is not None and gate.reviewed:
            job.state, job.asked_on = "asked", self.today
            job.asked_in_attempts.append(run.attempt)
        else:
            self._run(run, job)

    def _run(self, run: Run, job: Job) -> None:
        job.state = "running"
        job.ran_in_attempts.append(run.attempt)

    def _close(self, run: Run, job: Job) -> None:
        """End a call or a matrix once its jobs have; its result is the worst of theirs."""
        children = run.children(job)
        if job.content.get("strategy", {}).get("fail-fast", True) and "strategy" in job.content:
            self._fail_fast(run, children)
        if not all(each.state == "done" for each in children):
            return
        results = {each.result for each in children}
        worst = ("failure", "cancelled", "success")
        result = next((each for each in worst if each in results), "skipped")
        if "uses" in job.content:
            called = self.repository.workflows[job.content["uses"].rpartition("/")[2]]
            declared = called.triggers["workflow_call"].get("outputs", {})
            jobs = {each.path[-1]: {"outputs": each.outputs} for each in children}
            job.outputs = {
                name: self._language.evaluate(each["value"], {"jobs": jobs})
                for name, each in declared.items()
            }
        job.end(result)
        self._queues.leave((run.id, job.path))

    def _is_admitted(self, run: Run, job: Job, context: Mapping[str, Any]) -> bool:
        """Let a call enter its group, or that of the called workflow; tell whether it may begin.

        Source: docs.github.com, "Reuse workflows" (concurrency is among the keys of a calling job).
        """
        called = self.repository.workflows[job.content["uses"].rpartition("/")[2]]
        content = job.content.get("concurrency", called.content.get("concurrency"))
        if job.reason != "queued":
            job.reason = "queued"
            self._enter(run, job, content, context)
        return self._queues.is_first((run.id, job.path))

    def _enter(self, run: Run, job: Job, content: Any, context: Mapping[str, Any]) -> None:
        group, cancels, keeps = self._concurrency(content, run, context)
        for number, path in self._queues.enter(
            (run.id, job.path), group, cancels=cancels, keeps=keeps
        ):
            other = next(each for each in self.runs if each.id == number)
            other.jobs[path].end("cancelled", "another took its place in the queue")

    def _fail_fast(self, run: Run, children: list[Job]) -> None:
        if any(each.result == "failure" for each in children):
            for each in children:
                if each.state != "done":
                    each.end("cancelled", "another of the matrix failed")
                    self._queues.leave((run.id, each.path))

    def _is_wanted(self, run: Run, job: Job) -> bool:
        """Evaluate a job's condition.

        success() is true if all jobs of the chain succeeded: "a failure or skip applies to all jobs
        in the dependency chain from the point of failure or skip onwards" (docs.github.com,
        "Workflow syntax", needs); failure() if any ancestor failed ("Evaluate expressions").
        """
        results = {each.result for each in self._chain(run, job)}
        status = Status(
            success=results <= {"success"} and not run.cancelled,
            failure="failure" in results,
            cancelled=run.cancelled,
        )
        return bool(self._language.evaluate(job.condition, self._context(run, job), status))

    def _chain(self, run: Run, job: Job) -> list[Job]:
        """Return all jobs that a job depends on."""
        found: dict[Path, Job] = {}
        waiting = [run.jobs[path] for path in job.needs]
        if self._reading.through_calls and job.parent is not None:
            waiting += self._chain(run, job.parent)
        while waiting:
            each = waiting.pop()
            if each.path not in found:
                found[each.path] = each
                waiting += [run.jobs[path] for path in each.needs]
                if self._reading.inside_calls:
                    waiting += run.children(each)
        return [*found.values()]

    def _context(self, run: Run, job: Job) -> dict[str, Any]:
        needs = {
            path[-1]: {"result": run.jobs[path].result, "outputs": run.jobs[path].outputs}
            for path in job.needs
        }
        return {
            "github": self._github(run),
            "needs": needs,
            "vars": self.repository.variables,
            "inputs": job.inputs or run.event.payload.get("inputs", {}),
            "matrix": job.matrix,
        }

    def _github(self, run: Run) -> dict[str, Any]:
        return {
            "event_name": run.event.name,
            "event": run.event.payload,
            "ref": run.event.ref,
            "sha": run.event.sha,
            "repository": self.repository.name,
            "run_id": str(run.id),
            "run_attempt": str(run.attempt),
            "workflow": run.workflow.content["name"],
            "actor": run.event.payload.get("sender", {}).get("login", "ann"),
        }

    def _concurrency(
        self, content: Mapping[str, Any] | str | None, run: Run, context: Mapping[str, Any]
    ) -> tuple[str, bool, bool]:
        if content is None:
            return "", False, False
        if isinstance(content, str):
            content = {"group": content}
        known = {**context, "github": self._github(run), "vars": self.repository.variables}
        group = str(self._language.evaluate(content["group"], known))
        cancels = bool(self._language.evaluate(content.get("cancel-in-progress", False), known))
        return group, cancels, content.get("queue") == "max"

    def _name(self, run: Run, job: Job) -> str:
        parts = [] if job.parent is None else [self._name(run, job.parent)]
        own = job.content.get("name", job.path[-1])
        parts.append(str(self._language.evaluate(own, self._context(run, job))))
        return " / ".join(parts)


def _failed(job: Job) -> bool:
    return job.result in ("failure", "cancelled")


def _follows(run: Run, job: Job, again: set[Path]) -> bool:
    """Tell whether a job is run again because another one is."""
    below = any(each.path in again for each in run.children(job))
    return job.path not in again and (below or bool(again & {*job.needs}))
