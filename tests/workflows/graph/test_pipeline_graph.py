"""The generated workflows in the model of GitHub."""

from pathlib import Path

import pytest

from tests.workflows.graph.language import Language
from tests.workflows.graph.pipeline import GRAPH
from tests.workflows.graph.play import workflows_of


@pytest.mark.parametrize("check", GRAPH)
def test_it_holds_whatever_happens(language: Language, repository: Path, check: str) -> None:
    GRAPH[check](language, workflows_of(language, repository))
