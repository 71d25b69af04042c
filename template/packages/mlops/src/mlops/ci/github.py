"""What the pipeline asks GitHub: who approved a release, and which run registered before it.

The address and the token come from the variables that GitHub Actions sets.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from mlops.errors import ConfigError, PlatformError, Refused

TIMEOUT_SECONDS = 30
RUNS_SEARCHED = 30
STARTED_BY_THE_TEAM = ("push", "workflow_dispatch")
_NEW_RUN = "start a new run (Actions, ml-cicd, Run workflow on main, or a push): it can be approved"


class GitHub:
    """GitHub's API as a job of this repository sees it.

    Args:
        variables: environment variables; by default those of this process.

    Raises:
        ConfigError: a variable is missing.
    """

    def __init__(self, variables: Mapping[str, str] | None = None) -> None:
        variables = os.environ if variables is None else variables
        self._repository = _needed(variables, "GITHUB_REPOSITORY")
        self._token = _needed(variables, "GITHUB_TOKEN")
        self._api = variables.get("GITHUB_API_URL") or "https://api.github.com"

    def get(self, path: str, **parameters: str | int) -> Any:
        """Return what the API answers for a path of this repository, such as `actions/runs/1`.

        Raises:
            PlatformError: GitHub does not answer, or not with success.
        """
        import requests

        from mlops.platforms.http import OwnSession

        url = f"{self._api}/repos/{self._repository}/{path}"
        headers = {
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {self._token}",
            "X-GitHub-Api-Version": "2022-11-28",
        }
        try:
            with OwnSession() as session:
                answer = session.get(
                    url, headers=headers, params=parameters, timeout=TIMEOUT_SECONDS
                )
            answer.raise_for_status()
            return answer.json()
        except (requests.RequestException, ValueError) as error:
            raise PlatformError(
                f"GitHub did not answer {path}: {error}",
                "the job needs the permission `actions: read`",
            ) from None


@dataclass(frozen=True)
class Review:
    """What one person said of a run's environments; `why_not` is empty if it counts.

    GitHub does not tell when it was said.
    """

    who: str
    state: str
    environments: tuple[str, ...]
    comment: str = ""
    why_not: str = ""


@dataclass(frozen=True)
class Approvals:
    """Who approved a release, and whose approval does not count, with the reason."""

    counted: tuple[str, ...]
    ignored: tuple[tuple[str, str], ...]
    reviews: tuple[Review, ...] = ()


@dataclass(frozen=True)
class Asked:
    """What GitHub said of a run that wants to release, and what follows.

    `refusal` is None if enough people approved.
    """

    run: Mapping[str, Any]
    approvals: Approvals
    refusal: Refused | None = None


def count_approvals(
    reviews: Iterable[Mapping[str, Any]], run: Mapping[str, Any], environments: Iterable[str]
) -> Approvals:
    """Find the distinct people who approved one of the environments and did not start the run.

    Args:
        reviews: what GitHub answers for `actions/runs/{id}/approvals`.
        run: what GitHub answers for `actions/runs/{id}`.
        environments: whose approvals count.
    """
    asked = set(environments)
    found = [_review(each, starters_of(run)) for each in reviews]
    found = [each for each in found if each.who and asked & set(each.environments)]
    counted = {each.who.lower(): each.who for each in found if not each.why_not}
    ignored = {each.who.lower(): each.why_not for each in found if each.why_not}
    left = tuple(sorted((who, why) for who, why in ignored.items() if who not in counted))
    return Approvals(tuple(sorted(counted.values())), left, tuple(found))


def require_unasked(github: GitHub, run_id: str, environment: str) -> int:
    """Return the present attempt of a run, if nobody has reviewed its release to an environment.

    GitHub keeps the reviews of a run, not of each attempt, and does not tell them apart: those of
    an earlier attempt would let a later one pass. So an attempt may ask for approvals only as long
    as no earlier one did. This is to be asked before any person is.

    Raises:
        Refused: an earlier attempt was reviewed.
        PlatformError: GitHub does not say.
    """
    attempt = _run(github, run_id).get("run_attempt")
    reviews = _reviews_of(github, run_id, environment)
    if not isinstance(attempt, int):
        raise PlatformError(f"GitHub does not say which attempt of run {run_id} this is")
    if reviews:
        raise Refused(
            f"an earlier attempt of run {run_id} was approved or rejected already, and GitHub does "
            f"not say which attempt a review was for: attempt {attempt} asks nobody",
            _NEW_RUN,
        )
    return attempt


def starters_of(run: Mapping[str, Any]) -> set[str]:
    """Return who started a run and who started it again, in lower case."""
    return {_login(run.get(role)) for role in ("actor", "triggering_actor")} - {""}


def _review(review: Mapping[str, Any], starters: set[str]) -> Review:
    user = review.get("user") or {}
    state = str(review.get("state"))
    why_not = ""
    if state != "approved":
        why_not = "did not approve"
    elif _login(user) in starters:
        why_not = "started this run"
    elif user.get("type", "User") != "User":
        why_not = "is not a person"
    return Review(
        who=str(user.get("login") or ""),
        state=state,
        environments=tuple(str(each.get("name")) for each in review.get("environments", ())),
        comment=str(review.get("comment") or ""),
        why_not=why_not,
    )


def ask_approvals(
    github: GitHub, run_id: str, required: int, environment: str, attempt: int = 1
) -> Asked:
    """Ask who approved a run's release to an environment, and judge whether that is enough.

    An approval of the gate in front, `<environment>-approval`, counts as well.

    Args:
        github: whom to ask.
        run_id: the run.
        required: how many distinct people must have approved.
        environment: to which the release goes.
        attempt: the attempt before which nobody had reviewed (`require_unasked`).

    Raises:
        ConfigError: the run's number is none.
        PlatformError: GitHub does not say.
    """
    run = _run(github, run_id)
    reviews = _reviews_of(github, run_id, environment)
    found = count_approvals(reviews, run, gates_of(environment))
    if run.get("run_attempt") != attempt:
        refusal = Refused(
            f"this is attempt {run.get('run_attempt')} of run {run_id}, and GitHub does not say "
            "which attempt was approved",
            _NEW_RUN,
        )
        return Asked(run, found, refusal)
    if len(found.counted) < required:
        have = ", ".join(found.counted) or "nobody"
        others = "".join(f", but {who} {why}" for who, why in found.ignored)
        refusal = Refused(
            f"{environment} needs {required} approvals of different people, none of whom started "
            f"the run (so far: {have}{others})",
            "start a new run and let them approve",
        )
        return Asked(run, found, refusal)
    return Asked(run, found)


def gates_of(environment: str) -> tuple[str, str]:
    """Return the environments whose approvals count for a release to one."""
    return environment, f"{environment}-approval"


def previous_run(github: GitHub, workflow: str, branch: str, artifact: str) -> int | None:
    """Return the newest run of a branch that still keeps an artifact, or None.

    It may have failed later: the number of a version that it registered is taken.

    Raises:
        PlatformError: GitHub does not say.
    """
    found = github.get(
        f"actions/workflows/{workflow}/runs",
        branch=branch,
        per_page=RUNS_SEARCHED,
    )
    for run in found["workflow_runs"]:
        if run["event"] not in STARTED_BY_THE_TEAM:
            continue  # a pull request from a fork's branch of this name
        kept = github.get(f"actions/runs/{run['id']}/artifacts", name=artifact)
        if any(not each["expired"] for each in kept["artifacts"]):
            return int(run["id"])
    return None


def _run(github: GitHub, run_id: str) -> Mapping[str, Any]:
    if not run_id.isdecimal():
        raise ConfigError(f"--run-id: {run_id!r} is not the number of a run")
    found: Mapping[str, Any] = github.get(f"actions/runs/{run_id}")
    return found


def _reviews_of(github: GitHub, run_id: str, environment: str) -> list[Mapping[str, Any]]:
    gates = set(gates_of(environment))
    return [
        review
        for review in github.get(f"actions/runs/{run_id}/approvals")
        if gates & {each.get("name") for each in review.get("environments", ())}
    ]


def _login(user: Mapping[str, Any] | None) -> str:
    """GitHub's names do not tell upper from lower case."""
    return str((user or {}).get("login") or "").lower()


def _needed(variables: Mapping[str, str], name: str) -> str:
    value = variables.get(name)
    if not value:
        raise ConfigError(
            f"the variable {name} is not set: this command runs in GitHub Actions",
            "by hand GITHUB_REPOSITORY=OWNER/NAME and GITHUB_TOKEN, a token that may read the "
            "repository's Actions, let it ask",
        )
    return value
