"""The card, drawn by Microsoft's own renderer in a real browser as Teams sets it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from mlops.monitoring.alerting.forms import teams
from playwright.sync_api import Browser, sync_playwright

from tests.components import browser as find_browser
from tests.notifications.known import MESSAGES, packages
from tools.worktree import ROOT

pytestmark = pytest.mark.needs("browser")
PICTURES = ROOT / ".build" / "cards"
DRAW = """([card, config]) => {
  const { AdaptiveCard, HostConfig } = AdaptiveCards;
  const drawn = new AdaptiveCard();
  drawn.hostConfig = new HostConfig(config);
  drawn.parse(card);
  const { backgroundColor } = config.containerStyles.default;
  document.body.style.cssText = `margin: 0; background: ${backgroundColor}`;
  document.body.replaceChildren(drawn.render());
}"""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=find_browser(), args=["--no-sandbox"])
        yield found
        found.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", MESSAGES)
def test_all_of_it_is_seen(chromium: Browser, name: str, scheme: str) -> None:
    renderer, designer = packages()
    hosts = designer / "node_modules/adaptivecards-designer/lib/hostConfigs"
    config = json.loads((hosts / f"microsoft-teams-{scheme}.json").read_text(encoding="utf-8-sig"))
    payload = teams(MESSAGES[name])
    page = chromium.new_page(viewport={"width": 480, "height": 400})
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.set_content("<!doctype html><body></body>")
    page.add_script_tag(path=renderer / "node_modules/adaptivecards/dist/adaptivecards.js")
    page.evaluate(DRAW, [payload["attachments"][0]["content"], config])
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=PICTURES / f"{name.replace(' ', '-')}-{scheme}.png", full_page=True)
    message = MESSAGES[name]
    seen = page.inner_text("body")
    for text in (message.heading, *(value for _, value in message.facts[:3]), *message.lines):
        assert text in seen
    assert page.locator(".ac-textBlock").count() >= 2
    assert page.evaluate("document.documentElement.scrollWidth") <= 480
    assert (page.locator("button").count() > 0) is bool(message.url)
    assert [each for each in said if "supporting-markdown" not in each] == []
    page.close()


def test_pictures_are_where_nobody_commits_them() -> None:
    assert Path(".build") in PICTURES.relative_to(ROOT).parents
