"""`mlops ci template-update` says what it made, and where it cannot know it fails."""

import json
from pathlib import Path

import pytest

from fakes.cli import Command, Outputs
from mlops.ci.template_proposal import Update
from mlops.ci.template_update import News
from mlops.cli import ci_template
from mlops.errors import PlatformError
from mlops.settings.project import Project

WORKFLOW = ".github/workflows/weekly.yml"


@pytest.fixture
def news(monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """What Copier finds, and what an update of it is."""
    found: dict[str, object] = {"news": News("1.0.0", "1.1.0"), "changed": ("README.md",)}

    def find(*_args: object) -> object:
        if isinstance(found["news"], Exception):
            raise found["news"]
        return found["news"]

    def make(_root: Path, output: Path, *_args: object) -> Update:
        output.mkdir(parents=True)
        changed = found["changed"]
        assert isinstance(changed, tuple)
        return Update("1.0.0", "1.1.0", (), changed, True, "")

    monkeypatch.setattr(ci_template, "find_news", find)
    monkeypatch.setattr(ci_template, "make_update", make)
    return found


@pytest.mark.parametrize(("changed", "kind"), [("README.md", "pull"), (WORKFLOW, "issue")])
def test_it_says_how_the_update_is_proposed(
    mlops: Command,
    project: Project,
    outputs: Outputs,
    news: dict[str, object],
    changed: str,
    kind: str,
) -> None:
    news["changed"] = (changed,)
    assert mlops("ci", "template-update", "--output", "out") == 0
    assert outputs() == {"kind": kind, "title": "Update from the template: 1.0.0 to 1.1.0"}
    assert "What 1.1.0 brings" in (project.root / "out/body.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("as_json", [False, True])
def test_without_news_it_is_done(
    mlops: Command,
    outputs: Outputs,
    news: dict[str, object],
    as_json: bool,
    capsys: pytest.CaptureFixture[str],
) -> None:
    news["news"] = None
    assert mlops("ci", "template-update", *(["--json"] if as_json else [])) == 0
    assert outputs() == {"kind": "none"}
    said = capsys.readouterr()
    assert json.loads(said.out) == {"kind": "none"} if as_json else "newest version" in said.err


def test_where_copier_does_not_say_it_fails(
    mlops: Command, news: dict[str, object], tmp_path: Path
) -> None:
    news["news"] = PlatformError("copier failed: not found", "see that it may be read")
    assert mlops("ci", "template-update", "--output", tmp_path / "out") == 3
    assert not (tmp_path / "out").exists()


def test_a_project_without_a_template_is_a_mistake(mlops: Command) -> None:
    assert mlops("ci", "template-update") == 2
