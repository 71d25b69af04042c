"""The model card as others read it: Hugging Face's parser, a browser, and who sees no picture."""

import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from huggingface_hub import ModelCard
from playwright.sync_api import Browser

from tests.support import MACHINERY, machinery_python, run

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def cards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the cards of a version that was trained for them."""
    folder = tmp_path_factory.mktemp("cards")
    env = {"PYTHONPATH": "tests", "OMP_NUM_THREADS": "1"}
    run(machinery_python(), "-m", "fakes.cards", folder, folder=MACHINERY, env=env)
    return folder


def test_the_head_of_the_markdown_is_read_by_hugging_face(cards: Path) -> None:
    card = ModelCard((cards / "card.md").read_text(encoding="utf-8"))
    evaluation = json.loads((cards / "evaluation.json").read_text(encoding="utf-8"))
    data: Any = card.data
    found = data.to_dict()
    assert found["library_name"] == "onnx"
    assert found["pipeline_tag"] == "tabular-classification"
    assert data.model_name == "tiny"
    values = {each.metric_type: each.metric_value for each in data.eval_results}
    expected = {name: value for name, value in evaluation["model"].items() if value is not None}
    assert values == expected
    assert len(expected) > 5
    (judged,) = [each for each in data.eval_results if each.metric_args]
    intervals = evaluation["intervals"]
    assert judged.metric_type == intervals["metric"]
    assert judged.metric_args == {"interval": intervals["model"], "level": intervals["level"]}
    assert card.text.lstrip().startswith("# Tiny, version 1")


@pytest.mark.needs("browser")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [375, 1440])
@pytest.mark.parametrize("name", ["card", "since"])
def test_everybody_can_read_the_page(
    cards: Path, chromium: Browser, name: str, width: int, scheme: str
) -> None:
    context = chromium.new_context(
        viewport={"width": width, "height": 900},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    page = context.new_page()
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("request", lambda request: asked.append(request.url.partition(",")[0]))
    address = (cards / f"{name}.html").as_uri()
    page.goto(address)
    assert said == []
    assert set(asked) <= {address, "data:image/png;base64"}
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    levels = page.evaluate("[...document.querySelectorAll('h1,h2,h3')].map(h => +h.tagName[1])")
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    texts = page.evaluate(
        """() => [...document.querySelectorAll('svg text')].map(text => [
            getComputedStyle(text).fill, getComputedStyle(document.body).color,
            text.getBoundingClientRect().height])"""
    )
    assert len(texts) > 10
    assert {fill for fill, _, _ in texts} == {colour for _, colour, _ in texts}
    assert min(height for _, _, height in texts) >= 9
    violations = Axe().run(page).response["violations"]
    assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in violations] == []
    context.close()
