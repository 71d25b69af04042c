"""A repository as the model sees it: its workflows, its environments, and what starts a run."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Any

import yaml

from tests.workflows.graph.language import Language

BRANCH = "refs/heads/"


@dataclass(frozen=True)
class Event:
    """What happened.

    Attributes:
        name: GitHub's word for it.
        ref: the branch, as GITHUB_REF says it.
        sha: the commit.
        payload: what the event says besides.
        files: what changed; where it is empty, no filter of paths lets it pass.
        message: of the newest commit.
    """

    name: str
    ref: str = "refs/heads/main"
    sha: str = "a"
    payload: Mapping[str, Any] = field(default_factory=dict)
    files: tuple[str, ...] = ("src/model.py",)
    message: str = ""


@dataclass(frozen=True)
class Gate:
    """An environment: whose branches may enter (none named: any), and whether people are asked."""

    branches: tuple[str, ...] = ()
    reviewed: bool = False

    def lets_in(self, ref: str) -> bool:
        """Tell whether a run of this ref may enter."""
        return not self.branches or any(
            fnmatchcase(ref, f"{BRANCH}{branch}") for branch in self.branches
        )


@dataclass(frozen=True)
class Workflow:
    """One workflow: its text, and each job's whole condition as GitHub's parser writes it."""

    file: str
    content: Mapping[Any, Any]
    conditions: Mapping[str, str]

    @classmethod
    def read(cls, language: Language, file: str, text: str) -> "Workflow":
        """Parse a workflow, which must be one."""
        parsed = language.parse(file, text)
        assert parsed.errors == (), parsed.errors
        return cls(file, yaml.safe_load(text), parsed.conditions)

    @cached_property
    def triggers(self) -> Mapping[str, Mapping[str, Any]]:
        """What starts it; YAML reads the word `on` as true."""
        found = self.content["on"] if "on" in self.content else self.content[True]
        if isinstance(found, str):
            found = [found]
        if isinstance(found, list):
            found = dict.fromkeys(found)
        return {name: rules or {} for name, rules in found.items()}

    def starts_by(self, event: Event) -> bool:
        """Tell whether an event starts it.

        A pull request is compared by its base, a push by its own branch. `[skip ci]` in the newest
        commit keeps both from starting anything, and a schedule lives on the default branch alone.
        Source: docs.github.com, "Workflow syntax" (on), "Skipping workflow runs".
        """
        if event.name not in self.triggers:
            return False
        rules = self.triggers[event.name]
        if event.name in ("push", "pull_request") and "[skip ci]" in event.message:
            return False
        if event.name == "schedule":
            return event.ref == f"{BRANCH}main"
        unknown = rules.keys() - {"branches", "paths", "inputs", "outputs"} if rules else None
        assert not unknown, f"{self.file}: the model does not know {unknown}"
        branch = event.ref.removeprefix(BRANCH)
        if event.name == "pull_request":
            branch = event.payload["pull_request"]["base"]["ref"]
        if "branches" in rules and not any(fnmatchcase(branch, each) for each in rules["branches"]):
            return False
        paths = rules.get("paths")
        return paths is None or any(_matches(file, paths) for file in event.files)


@dataclass(frozen=True)
class Repository:
    """What GitHub knows of a repository."""

    workflows: Mapping[str, Workflow]
    environments: Mapping[str, Gate] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    name: str = "acme/model"


def _matches(file: str, patterns: list[str]) -> bool:
    return any(
        file.startswith(each.removesuffix("**")) if each.endswith("**") else file == each
        for each in patterns
    )
