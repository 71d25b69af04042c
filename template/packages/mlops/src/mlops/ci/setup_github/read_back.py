"""Whether a repository is as it was to be: GitHub takes some settings silently in part."""

from collections.abc import Iterator, Mapping
from typing import Any

from mlops.ci.setup_github.environments import GitHubEnvironment
from mlops.ci.setup_github.plan import Found, Wanted, policies_wanted, protection_wanted
from mlops.ci.setup_github.protection import Known, Protection, Reviewer
from mlops.ci.setup_github.repository import Repository
from mlops.ci.setup_github.verdict import listed

GIVE_ACCESS = "give them at least read access (Settings, Collaborators and teams), and run it again"


def environment_differences(
    repository: Repository,
    wanted: Wanted,
    before: Found,
    now: Mapping[str, Known],
    names: Mapping[Reviewer, str],
) -> list[str]:
    """Say what of the environments is not as it was to be.

    Args:
        repository: with what its plan has.
        wanted: the state it is to have.
        before: what was found before anything was set.
        now: what GitHub says now.
        names: of the reviewers, as they were given.
    """
    found: list[str] = []
    dropped: dict[Reviewer, list[str]] = {}
    for environment in wanted.environments:
        known = now.get(environment.name)
        if known is None:
            found.append(f"environment {environment.name}: it is not there")
            continue
        earlier = before.environments.get(environment.name, Known())
        if repository.has_reviewers:
            asked = protection_wanted(repository, environment, wanted, earlier)
            for who in asked.reviewers or ():
                if who not in (known.protection.reviewers or ()):
                    dropped.setdefault(who, []).append(environment.name)
            found += _protection_differences(environment.name, asked, known.protection)
        if repository.has_branch_rules and environment.branches:
            found += _branch_differences(environment, earlier, known)
    return [*map(_dropped(names), dropped.items()), *found]


def _dropped(names: Mapping[Reviewer, str]) -> Any:
    def say(item: tuple[Reviewer, list[str]]) -> str:
        who, where = item
        return (
            f"GitHub did not take {_named(who, names)} as a reviewer of {listed(where)}, and did "
            f"not say so, as it does with those who have no access: {GIVE_ACCESS}"
        )

    return say


def _protection_differences(name: str, asked: Protection, known: Protection) -> Iterator[str]:
    what = f"environment {name}"
    wanted = asked.reviewers or ()
    more = [who for who in known.reviewers or () if who not in wanted]
    if more:
        yield f"{what}: {listed([_named(who, {}) for who in more])} may still approve"
    if wanted and known.reviewers and asked.prevent_self_review and not known.prevent_self_review:
        yield f"{what}: who starts a run may approve it (prevent_self_review)"
    if not asked.admins_bypass and known.reviewers and known.admins_bypass:
        yield f"{what}: administrators may go on without an approval (can_admins_bypass)"
    if asked.wait_minutes is not None and asked.wait_minutes != known.wait_minutes:
        yield f"{what}: it no longer waits {asked.wait_minutes} minutes"


def _branch_differences(
    environment: GitHubEnvironment, before: Known, known: Known
) -> Iterator[str]:
    what = f"environment {environment.name}"
    if not known.restricted:
        yield f"{what}: it is not limited to branches by name"
        return
    wanted = {(each.type, each.name): each for each in policies_wanted(environment, before)}
    found = {(each.type, each.name): each for each in known.policies}
    for key in sorted(wanted.keys() - found.keys()):
        yield f"{what}: it does not allow {wanted[key]}"
    for key in sorted(found.keys() - wanted.keys()):
        yield f"{what}: it still allows {found[key]}, run it again"


def ruleset_differences(wanted: Mapping[str, Any], now: Mapping[str, Any] | None) -> list[str]:
    """Say what of the rules of main is not as the file says; GitHub may add defaults.

    Args:
        wanted: what the file says.
        now: what GitHub says; None: there is no such ruleset.
    """
    if now is None:
        return ["the rules of main: they are not there"]
    differing = [
        key for key in wanted if key != "rules" and not holds(wanted[key], now.get(key, ...))
    ]
    rules = {rule["type"]: rule for rule in now.get("rules", ())}
    asked = {rule["type"]: rule for rule in wanted.get("rules", ())}
    differing += [kind for kind, rule in asked.items() if not holds(rule, rules.get(kind, ...))]
    differing += sorted(rules.keys() - asked.keys())
    return [f"the rules of main: {each} is not as in the file" for each in differing]


def holds(wanted: Any, now: Any) -> bool:
    """Tell whether GitHub's answer holds what was wanted; keys that it adds do not count."""
    if isinstance(wanted, Mapping):
        return isinstance(now, Mapping) and all(
            holds(value, now.get(key, ...)) for key, value in wanted.items()
        )
    if isinstance(wanted, list):
        return (
            isinstance(now, list)
            and len(now) == len(wanted)
            and all(any(holds(each, other) for other in now) for each in wanted)
        )
    return bool(wanted == now)


def _named(who: Reviewer, names: Mapping[Reviewer, str]) -> str:
    return names.get(who) or f"the {who.type.lower()} with the number {who.id}"
