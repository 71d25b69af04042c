"""The generated workflows in the model of GitHub."""

from pathlib import Path

import pytest

from tests.workflows.graph.language import Language
from tests.workflows.graph.pipeline import GRAPH
from tests.workflows.graph.play import workflows_of
from tests.workflows.graph.table import PAGE, page_with, parts
from tools.worktree import ROOT


@pytest.mark.parametrize("check", GRAPH)
def test_it_holds_whatever_happens(language: Language, repository: Path, check: str) -> None:
    GRAPH[check](language, workflows_of(language, repository))


def test_the_page_says_what_runs(language: Language) -> None:
    """`make pipeline` writes it anew."""
    text = PAGE.read_text(encoding="utf-8")
    assert page_with(text, parts(language, workflows_of(language, ROOT / "template"))) == text
