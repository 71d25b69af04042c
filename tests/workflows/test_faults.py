"""Faults in the workflows: a linter, a rule, the model of GitHub or a scenario must notice each.

Each patch in `faults/` seeds one; a line `# red: <layer>` says what must notice it. The layers are
lint, the rules of policy.py and of graph/pipeline.py, and the scenarios under act. A patch that no
longer applies fails: make it anew with `git diff` in a project rendered with the default answers.
"""

import re
import shutil
from pathlib import Path

import pytest

from tests.support import run
from tests.workflows.act import Act
from tests.workflows.github_api import GitHubApi
from tests.workflows.graph.language import Language
from tests.workflows.graph.pipeline import GRAPH
from tests.workflows.graph.play import workflows_of
from tests.workflows.linters import lint
from tests.workflows.policy import RULES, Workflows
from tests.workflows.scenarios import SCENARIOS

FAULTS = sorted(Path(__file__).with_name("faults").glob("*.patch"))


def layers_of(patch: Path) -> list[str]:
    return re.findall(r"^# red: (\w+)$", patch.read_text(encoding="utf-8"), re.MULTILINE)


def is_played(patch: Path) -> bool:
    """Whether a scenario must notice it, which act plays for seconds."""
    return any(layer in SCENARIOS for layer in layers_of(patch))


def test_there_are_enough() -> None:
    assert len(FAULTS) >= 12


@pytest.mark.parametrize("patch", FAULTS, ids=lambda patch: patch.stem)
def test_a_fault_applies_and_names_its_layers(repository: Path, patch: Path) -> None:
    layers = layers_of(patch)
    assert layers, f"{patch.name} needs a line `# red: …`"
    assert set(layers) <= {"lint", *RULES, *GRAPH, *SCENARIOS}
    run("git", "apply", "--check", patch, folder=repository)


@pytest.mark.parametrize(
    "patch",
    [
        pytest.param(patch, id=patch.stem, marks=[pytest.mark.slow] if is_played(patch) else [])
        for patch in FAULTS
    ],
)
def test_a_fault_turns_a_layer_red(
    repository: Path, tmp_path: Path, api: GitHubApi, language: Language, patch: Path
) -> None:
    project = tmp_path / "faulty"
    part = "." if {*layers_of(patch)} - {*RULES, *GRAPH} else ".github"
    shutil.copytree(repository / part, project / part)
    run("git", "apply", patch, folder=project)
    for layer in layers_of(patch):
        with pytest.raises(AssertionError):
            check(layer, project, tmp_path, api, language)


def check(layer: str, project: Path, folder: Path, api: GitHubApi, language: Language) -> None:
    if layer == "lint":
        lint(project)
    elif layer in RULES:
        RULES[layer](Workflows.read(project))
    elif layer in GRAPH:
        GRAPH[layer](language, workflows_of(language, project))
    else:
        SCENARIOS[layer](Act(folder / layer, project, api))
