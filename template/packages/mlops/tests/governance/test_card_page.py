"""The card of a registered version: every number in it is that of evaluation.json."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from fakes.human_part import write
from mlops.errors import ConfigError
from mlops.governance.card_later import later_table
from mlops.governance.card_numbers import number, value_of
from mlops.governance.card_page import render_page
from mlops.governance.gate import judge_run
from mlops.governance.later import Happening, later
from mlops.governance.model_card import render_card
from mlops.metrics import decimal
from mlops.platforms.base import ModelVersion
from mlops.platforms.local.platform import LocalPlatform
from mlops.steps.register import register_run

Trained = tuple[LocalPlatform, str]


def register(trained: Trained) -> ModelVersion:
    platform, run_id = trained
    run = platform.run(run_id)
    judge_run(platform, run, platform.settings)
    return register_run(platform, run, platform.settings)


class Page(HTMLParser):
    """The numbers of a page by the field that they say they are, its headings and its words."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.numbers: list[tuple[str, str | None, str]] = []
        self.headings: list[int] = []
        self.words: list[str] = []
        self.sources: list[str] = []
        self._open: tuple[str, str | None] | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.sources += [str(given[name]) for name in ("src", "href") if name in given]
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if field := given.get("data-field"):
            self._open = (field, given.get("value"))

    def handle_data(self, data: str) -> None:
        self.words.append(data)
        if self._open:
            self.numbers.append((*self._open, data))
            self._open = None


def at(document: Any, pointer: str) -> Any:
    """Return what a JSON pointer names."""
    for part in pointer.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        document = document[int(key)] if isinstance(document, list) else document[key]
    return document


def read(folder: Path, name: str) -> Any:
    return json.loads((folder / name).read_text(encoding="utf-8"))


def test_each_number_of_the_page_is_that_of_the_evaluation(registered_once: Path) -> None:
    page = Page((registered_once / "MODEL_CARD.html").read_text(encoding="utf-8"))
    run = registered_once.parents[2] / "runs"
    (path,) = run.rglob("evaluation/evaluation.json")
    evaluation = json.loads(path.read_text())
    for field, value, shown in page.numbers:
        found = at(evaluation, field)
        if value is None:
            assert (found, shown) in [(None, "not computed"), (None, "no row")]
            continue
        assert json.loads(value) == found, field
        assert shown in (decimal(found), f"{found:,}"), field
    fields = {field for field, _, _ in page.numbers}
    models = ("model", "baseline", "naive")
    metrics = {f"/{model}/{name}" for model in models for name in evaluation["model"]}
    bins = {f"/calibration/bins/{n}/rows" for n in range(10)}
    groups = {f"/slices/{n}/rows" for n in range(len(evaluation["slices"]))}
    importances = {f"/importance/features/{name}" for name in ("highest", "lowest", "count")}
    assert metrics | bins | groups | importances | {"/rows", "/slices/0/interval/0"} <= fields


def test_the_markdown_shows_the_same_numbers(registered_once: Path) -> None:
    text = (registered_once / "MODEL_CARD.md").read_text(encoding="utf-8")
    for name, value in read(registered_once, "card.json")["evaluation"]["model"].items():
        shown = name.replace("_", r"\_")
        assert f"| {shown} | {decimal(value)} |" in text


def test_the_page_stands_alone_and_its_headings_are_in_order(registered_once: Path) -> None:
    page = Page((registered_once / "MODEL_CARD.html").read_text(encoding="utf-8"))
    assert page.headings[0] == 1
    assert page.headings.count(1) == 1
    steps = zip(page.headings, page.headings[1:], strict=False)
    assert all(after <= before + 1 for before, after in steps)
    assert [source[:10] for source in page.sources] == ["data:image"]


def test_what_people_wrote_stands_in_every_form(registered_once: Path) -> None:
    assert read(registered_once, "card.json")["human"]["texts"]["users"] == ["<b>Them</b>", "Us"]
    page = (registered_once / "MODEL_CARD.html").read_text(encoding="utf-8")
    text = (registered_once / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "<h2>Users</h2>\n<p>&lt;b&gt;Them&lt;/b&gt;</p>\n<p>Us</p>" in page
    assert "## Users\n\n- \\<b>Them\\</b>\n- Us\n" in text
    for each in (page, text):
        assert each.count("Nothing was written here when the version was registered.") == 1


def test_an_unreadable_human_part_registers_nothing(trained: Trained) -> None:
    write(trained[0].settings.project.root).write_text("users: 3\n")
    with pytest.raises(ConfigError, match=r"model_card\.yaml: users is neither"):
        register(trained)
    assert trained[0].versions() == []


def rename_metric(content: Any) -> None:
    content["model"]["f_one"] = content["model"].pop("log_loss")


def drop_of_baseline(content: Any) -> None:
    del content["baseline"]["log_loss"]


def drop_in_group(content: Any) -> None:
    del content["slices"][0]["metrics"]["f1"]


def rename_in_bins(content: Any) -> None:
    content["calibration"]["bins"][0]["seen"] = content["calibration"]["bins"][0].pop("observed")


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (rename_metric, r"model\.f_one"),
        (drop_of_baseline, r"baseline\.log_loss"),
        (drop_in_group, r"slices\.0\.metrics\.f1"),
        (rename_in_bins, r"calibration\.bins\.0\.observed"),
    ],
)
def test_a_number_under_another_name_makes_no_card(
    registered_once: Path, change: Any, named: str
) -> None:
    card = read(registered_once, "card.json")
    change(card["evaluation"])
    with pytest.raises(ConfigError, match=rf"evaluation\.json.*{named}"):
        render_card(card)
    with pytest.raises(ConfigError, match=rf"evaluation\.json.*{named}"):
        render_page(card, registered_once / "plots" / "quality.png")


@pytest.mark.parametrize("name", ["evaluation.json", "quality.png", "importance.png"])
def test_without_a_file_of_the_evaluation_there_is_no_card(trained: Trained, name: str) -> None:
    platform, run_id = trained
    (platform.run(run_id).folder / "evaluation" / name).unlink()
    with pytest.raises(ConfigError, match=name):
        register(trained)
    assert platform.versions() == []


def test_what_is_no_number_is_named() -> None:
    with pytest.raises(ConfigError, match=r"model\.f1 is no number"):
        number({"model": {"f1": "0.8"}}, "model", "f1")
    with pytest.raises(ConfigError, match=r"has no slices\.3"):
        value_of({"slices": []}, "slices", 3)


def test_an_older_card_can_still_be_shown(registered_once: Path) -> None:
    """One that was made before groups were tested, and people's part was asked for."""
    card = read(registered_once, "card.json")
    for name in ("calibration", "importance", "slice_test", "slices_not_crossed"):
        card["evaluation"].pop(name)
    for part in card["evaluation"]["slices"]:
        for name in ("gap", "p", "interval", "not_assessed", "of", "values"):
            part.pop(name, None)
    del card["drift_baseline"]
    page = render_page(card, registered_once / "plots" / "quality.png")
    assert "Calibration" not in Page(page).words
    assert "| level | high |" in render_card(card)


def test_what_happened_since_is_one_sequence(registered_once: Path) -> None:
    card = read(registered_once, "card.json")
    plot = registered_once / "plots" / "quality.png"
    late = Happening(
        version=1,
        time="2026-12-01T12:00:00+02:00",
        what="rehearsal",
        outcome="promoted",
        environment="prod",
        detail="the smoke test passed",
        page="https://github.example/runs/12",
        place="evidence prod-1",
    )
    early = Happening(1, "2026-12-01T09:00:00+00:00", "approval", "approved", "prod")
    undated = replace(early, time="", outcome="unknown")
    found = later(1, [late, early, late, undated])
    assert found == (undated, early, late)
    table = later_table(found)
    assert table.columns == ("when (UTC)", "what", "environment", "outcome", "said", "recorded in")
    assert [row[0] for row in table.rows] == [
        "not recorded",
        "2026-12-01 09:00",
        "2026-12-01 10:00",
    ]
    assert table.rows[2][1:] == (
        *("rehearsal", "prod", "promoted", "the smoke test passed"),
        "evidence prod-1, https://github.example/runs/12",
    )
    words = "|".join(Page(render_page(card, plot, found, ["the log <is> gone"])).words)
    assert words.index("2026-12-01 09:00") < words.index("2026-12-01 10:00")
    assert "the smoke test passed" in words
    assert "Could not be read, so it may tell more: the log <is> gone" in words
    assert "Nothing is recorded." in "".join(Page(render_page(card, plot, ())).words)
    assert "Since the registration" not in Page(render_page(card, plot)).words
