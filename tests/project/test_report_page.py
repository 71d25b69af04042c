"""The page of `mlops report` in a real browser: narrow and wide, light and dark, full and empty."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.support import MACHINERY, machinery_python, run

pytestmark = pytest.mark.needs("browser")
WIDTHS = (375, 1440)


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the pages of a busy project and of an empty one."""
    folder = tmp_path_factory.mktemp("pages")
    env = {"PYTHONPATH": "tests"}
    run(machinery_python(), "-m", "fakes.watched", folder, folder=MACHINERY, env=env)
    return folder


@pytest.fixture
def page(chromium: Browser, width: int, scheme: str) -> Iterator[Page]:
    context = chromium.new_context(
        viewport={"width": width, "height": 900},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", ["busy", "empty"])
def test_everybody_can_read_it(pages: Path, page: Page, name: str, width: int) -> None:
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    address = (pages / f"{name}.html").as_uri()
    page.goto(address)
    assert (said, asked) == ([], [address])
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for summary in page.locator("summary").all():
        summary.click()
    violations = Axe().run(page).response["violations"]
    assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in violations] == []


@pytest.mark.parametrize("scheme", ["light"])
@pytest.mark.parametrize("width", [375])
def test_it_works_without_a_mouse(pages: Path, page: Page) -> None:
    page.goto((pages / "busy.html").as_uri())
    first = page.locator("details").first
    assert first.get_attribute("open") is None
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.tagName") == "SUMMARY":
            break
    page.keyboard.press("Enter")
    assert first.get_attribute("open") is not None
    assert first.locator("td").first.is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [375])
def test_text_in_pictures_is_the_page_s_own_and_not_small(pages: Path, page: Page) -> None:
    page.goto((pages / "busy.html").as_uri())
    found = page.evaluate(
        """() => [...document.querySelectorAll('svg text')].map(text => [
            getComputedStyle(text).fill, getComputedStyle(document.body).color,
            text.getBoundingClientRect().height])"""
    )
    assert len(found) > 20
    assert {fill for fill, _, _ in found} == {colour for _, colour, _ in found}
    assert min(height for _, _, height in found) >= 9
