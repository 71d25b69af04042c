"""What assistants read in a project is true and in a form that they load, and comes and goes."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.support import Template
from tests.template.assistants import SKILLS, Texts

ALWAYS = {
    *("add-environment", "add-metric", "move-a-notebook", "update-from-template"),
    *("fill-model-card", "answer-an-auditor"),
}
WATCHING = {"read-drift-report", "respond-to-alert"}
STUBS = "fill-stubs"
PROJECTS: dict[str, tuple[dict[str, Any], set[str]]] = {
    "rfm-3": ({"example": "rfm", "maturity_level": 3, "infrastructure": "bicep"}, WATCHING),
    "spend-3": ({"example": "spend", "maturity_level": 3, "infrastructure": "bicep"}, WATCHING),
    "blank-3": (
        {"example": "blank", "maturity_level": 3, "infrastructure": "none", "task": "multiclass"},
        WATCHING | {STUBS},
    ),
    "rfm-2": ({"example": "rfm", "maturity_level": 2, "infrastructure": "bicep"}, WATCHING),
    "blank-1": (
        {"example": "blank", "maturity_level": 1, "infrastructure": "bicep", "task": "regression"},
        {STUBS},
    ),
}
TURNS = ("contract", "sample", "features", "labels", "model", "slices")


def read(template: Template, folder: Path, name: str) -> Texts:
    return Texts.read(template.render(folder / "project", **PROJECTS[name][0]))


@pytest.fixture(scope="module", params=PROJECTS)
def project(
    request: pytest.FixtureRequest, template: Template, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Texts]:
    name = request.param
    return name, read(template, tmp_path_factory.mktemp("assistants"), name)


@pytest.fixture(scope="module")
def blank(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Texts:
    return read(template, tmp_path_factory.mktemp("assistants"), "blank-3")


def test_nothing_is_wrong_with_them(project: tuple[str, Texts]) -> None:
    assert project[1].problems() == []


def test_skills_come_and_go_with_the_answers(project: tuple[str, Texts]) -> None:
    name, texts = project
    found = {path.name for path in (texts.project / SKILLS).iterdir()}
    assert found == ALWAYS | PROJECTS[name][1]
    listed = re.findall(rf"`{SKILLS}/([\w-]+)/SKILL\.md`", texts.texts["AGENTS.md"])
    assert sorted(listed) == sorted(found)
    page = (texts.project / "docs/assistants.md").read_text(encoding="utf-8")
    assert {*re.findall(r"^\| `([a-z-]+)` \|", page, re.MULTILINE)} == found


@pytest.mark.parametrize("part", TURNS)
def test_each_stub_says_its_test_its_files_and_its_limits(blank: Texts, part: str) -> None:
    text = blank.texts[f"{SKILLS}/{STUBS}/references/{part}.md"]
    touched = re.search(r"^\*\*(?:Only file|Files) you may touch\*\*: (.*)$", text, re.MULTILINE)
    green = re.search(r"^\*\*Must turn green\*\*: (.*)$", text, re.MULTILINE)
    assert touched
    assert f"`src/purchase_prediction/{part}.py`" in touched[1]
    assert green
    assert f'-k "test_{part}' in green[1]
    assert re.search(r"^\*\*Never\*\*: ", text, re.MULTILINE)


def test_the_turns_are_those_of_the_command(blank: Texts) -> None:
    table = re.findall(r"^\| \d \| `src/\w+/(\w+)\.py`", skill(blank, STUBS), re.MULTILINE)
    assert table == list(TURNS)


def skill(texts: Texts, name: str) -> str:
    return texts.texts[f"{SKILLS}/{name}/SKILL.md"]


ADD, FILL, MODEL = (
    f"{SKILLS}/add-metric/SKILL.md",
    f"{SKILLS}/{STUBS}/SKILL.md",
    f"{SKILLS}/{STUBS}/references/model.md",
)
CONF = ".github/instructions/conf.instructions.md"
FAULTS = {
    "a command that is not there": (ADD, "uv run mlops train", "uv run mlops trian"),
    "a group of commands alone": (ADD, "`uv run mlops config`", "`uv run mlops data`"),
    "a command named in passing": (FILL, "`mlops stubs`", "`mlops stub`"),
    "an option that is not there": (ADD, "--run-id RUN", "--run RUN"),
    "an option that is missing": (ADD, " --run-id RUN", ""),
    "an option without a value": (FILL, "--data-dir data", "--data-dir"),
    "an option of Copier": (f"{SKILLS}/update-from-template/SKILL.md", "--defaults`", "--default`"),
    "a command of Copier": (f"{SKILLS}/update-from-template/SKILL.md", "check-update", "check"),
    "a tool that is not installed": (FILL, "uv run mypy", "uv run pyright"),
    "a test that is not there": (MODEL, '-k "test_model"', '-k "test_modle"'),
    "a path": (ADD, "`docs/gate.md`", "`docs/gates.md`"),
    "a file of the team's package": (FILL, "/labels.py`", "/label.py`"),
    "a bare name of a file": (CONF, "`docs/going-live.md`", "`going_live.py`"),
    "a placeholder that stands for nothing": (CONF, "conf/<environment>.yaml", "conf/<one>.yml"),
    "a link": (FILL, "](references/model.md)", "](references/models.md)"),
    "a path in AGENTS.md": ("AGENTS.md", "`docs/choosing.md`", "`docs/choice.md`"),
    "a skill that AGENTS.md leaves out": ("AGENTS.md", f"`{ADD}`", "a skill"),
    "CLAUDE.md that leads nowhere": ("CLAUDE.md", "@AGENTS.md", "AGENTS.md"),
    "a name other than the folder's": (ADD, "name: add-metric", "name: add-metrics"),
    "a colon that breaks the frontmatter": (
        ADD,
        'description: "Adds a metric',
        "description: Adds",
    ),
    "a line before the frontmatter": (ADD, "---\nname: add-metric", "\n---\nname: add-metric"),
    "a field that a validator refuses": (ADD, "\n---\n\n#", "\nmodel: large\n---\n\n#"),
    "a description that is too long": (ADD, "Adds a metric", "Adds a metric" * 80),
    "a description that does not say when": (ADD, "Use when", "For when"),
    "a skill that is too long": (ADD, "## Of a group", "\n" * 500 + "## Of a group"),
    "instructions for no file": (CONF, 'applyTo: "conf/**"', 'applyTo: "config/**"'),
    "instructions without a scope": (CONF, "applyTo:", "applyto:"),
    "instructions that are too long": (CONF, "# Settings", "# Settings\n" * 400),
    "AGENTS.md that is too long": ("AGENTS.md", "## Rules", "## Rules\n" * 4_000),
    "references of references": (MODEL, "`docs/models.md`", "[the model](labels.md)"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_noticed(blank: Texts, fault: str) -> None:
    name, old, new = FAULTS[fault]
    assert blank.with_fault(name, old, new).problems() != []


def test_two_skills_with_one_description_are_noticed(blank: Texts) -> None:
    lines = [skill(blank, name).splitlines()[2] for name in ("add-metric", STUBS)]
    assert all(line.startswith("description: ") for line in lines)
    assert blank.with_fault(ADD, lines[0], lines[1]).problems() != []
