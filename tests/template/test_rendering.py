"""What is rendered, before anything is installed: files, leftovers, format, lint, security."""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from copier import run_copy

from tests.support import HOSTILE, LONG_PACKAGE, QUESTIONS, Template, contents, run
from tools.expected_files import EXAMPLES, LEVELS, expected_files, files_in

PAGES_ON_UPDATES = {"docs/pipeline.md", "docs/adopting.md"}
VARIANTS: dict[str, dict[str, Any]] = {
    **{
        f"{example}-level-{level}": {"example": example, "maturity_level": level}
        for example in EXAMPLES
        for level in LEVELS
    },
    **{
        f"blank-{task}": {"example": "blank", "task": task} for task in ("multiclass", "regression")
    },
    "rfm-long-names": {
        "example": "rfm",
        "project_name": "x" * 60,
        "project_slug": "a-slug-of-27-plain-letters1",
        "package_name": LONG_PACKAGE,
        "description": "x" * 200,
        "team": "x" * 60,
        "license": "MIT",
        "python_version": "3.14",
    },
    "rfm-own-infrastructure": {"example": "rfm", "infrastructure": "none"},
    "rfm-adopted": {"example": "rfm", "adopted": True},
    "blank-hostile": {"example": "blank", "license": "Apache-2.0", **HOSTILE},
}

SECOND = ("spend-level-1", "spend-level-2", "blank-level-2", "blank-multiclass")
"""What another example or level shows as well."""


@dataclass(frozen=True)
class Rendered:
    """A rendered project and the answers it was made from."""

    path: Path
    answers: dict[str, Any]

    def texts(self) -> dict[str, str]:
        files = (self.path / name for name in files_in(self.path))
        return {
            path.relative_to(self.path).as_posix(): path.read_bytes().decode()
            for path in files
            if path.suffix != ".png"
        }


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(name, marks=pytest.mark.slow) if name in SECOND else name for name in VARIANTS
    ],
)
def rendered(
    request: pytest.FixtureRequest, template: Template, tmp_path_factory: pytest.TempPathFactory
) -> Rendered:
    answers = VARIANTS[request.param]
    project = template.render(tmp_path_factory.mktemp("rendered") / "project", **answers)
    recorded = yaml.safe_load((project / ".copier-answers.yml").read_text(encoding="utf-8"))
    return Rendered(project, recorded)


def test_a_project_is_what_copier_makes_of_all_files(template: Template, tmp_path: Path) -> None:
    run_copy(str(template.path), tmp_path / "whole", defaults=True, quiet=True)
    project = template.render(tmp_path / "project")
    assert contents(project) == contents(tmp_path / "whole")
    for name in files_in(project):
        assert (project / name).stat().st_mode == (tmp_path / "whole" / name).stat().st_mode


def test_the_answers_are_all_recorded(rendered: Rendered) -> None:
    assert rendered.answers.keys() - QUESTIONS.keys() == {"_commit", "_src_path"}
    assert QUESTIONS.keys() <= rendered.answers.keys()


def test_the_files_are_those_of_the_list(rendered: Rendered) -> None:
    """`make files` writes the lists."""
    answers = rendered.answers
    expected = expected_files(
        answers["example"],
        answers["maturity_level"],
        answers["package_name"],
        answers["infrastructure"],
        answers["adopted"],
    )
    assert files_in(rendered.path) == expected


def test_a_level_keeps_what_the_level_below_has(template: Template, tmp_path: Path) -> None:
    one, two, three = (
        contents(template.render(tmp_path / str(level), maturity_level=level)) for level in LEVELS
    )
    assert one.keys() < two.keys() < three.keys()
    for lower, higher in ((one, two), (two, three)):
        differing = {name for name in lower if lower[name] != higher[name]}
        assert differing <= {
            ".copier-answers.yml",
            "pyproject.toml",
            "AGENTS.md",
            "README.md",
            ".agents/skills/add-environment/SKILL.md",
            ".agents/skills/answer-an-auditor/SKILL.md",
            ".agents/skills/read-drift-report/SKILL.md",
            ".agents/skills/respond-to-alert/SKILL.md",
            "docs/add-a-feature.md",
            "docs/assistants.md",
            "docs/cost-and-teardown.md",
            "docs/going-live.md",
            "docs/obligations.md",
            "docs/release.md",
            "infra/dev.bicepparam",
            "infra/prod.bicepparam",
            "infra/shared.bicepparam",
        }


def test_the_limit_of_latency_leaves_room_for_the_way_to_azure(rendered: Rendered) -> None:
    """GitHub's machines may be on another continent: 300 ms would refuse good versions."""
    for name, text in rendered.texts().items():
        if re.fullmatch(r"conf/\w+\.yaml", name):
            smoke_test = yaml.safe_load(text).get("smoke_test", {})
            assert smoke_test.get("max_p95_ms", 1000) >= 1000, name


def test_nothing_of_the_template_is_left(rendered: Rendered) -> None:
    names = "|".join([*QUESTIONS, "_copier"])
    leftover = re.compile(rf"\{{\{{-?\s*({names})|\{{%-?\s*(if|for|set|raw|macro)\b[^}}]*({names})")
    for name, text in rendered.texts().items():
        assert "{" not in name
        assert not name.endswith(".jinja")
        assert not leftover.search(text), name
        told = {".copier-answers.yml", "README.md", "AGENTS.md"}
        told.add(".agents/skills/update-from-template/SKILL.md")
        if name not in told and "template" not in name and name not in PAGES_ON_UPDATES:
            # Messages and pages may name the command that raises the level; modules and a workflow
            # look for news of what the project came from.
            assert "copier" not in text.lower().replace("copier update", ""), name


def test_text_files_are_tidy(rendered: Rendered) -> None:
    for name, text in rendered.texts().items():
        assert "\r" not in text, name
        assert text == "" or text.endswith("\n"), name
        assert not text.endswith("\n\n"), name
        assert not re.search(r"[ \t]$", text, re.MULTILINE), name


def test_configuration_can_be_read(rendered: Rendered) -> None:
    for name, text in rendered.texts().items():
        if name.endswith((".yml", ".yaml")):
            yaml.safe_load(text)
        elif name.endswith(".toml"):
            tomllib.loads(text)


def test_python_is_formatted_and_linted(rendered: Rendered) -> None:
    run("ruff", "format", "--check", "--no-cache", ".", folder=rendered.path)
    run("ruff", "check", "--no-cache", ".", folder=rendered.path)


def test_bandit_finds_nothing(rendered: Rendered) -> None:
    """The machinery is the same in every project: `make lint` looks at it."""
    command = ["bandit", "--quiet", "--configfile", "pyproject.toml", "--exclude", "./packages"]
    run(*command, "--recursive", ".", folder=rendered.path)


AZ_ML = re.compile(r"""\baz(ure-cli)?\b["',\s]+ml\b|extension["',\s]+add\b""")


def test_nothing_calls_the_az_ml_extension(rendered: Rendered) -> None:
    """All goes through the SDK; `az` itself only deploys what infra/ says."""
    assert [name for name, text in rendered.texts().items() if AZ_ML.search(text)] == []


@pytest.mark.parametrize(
    "call",
    [
        "run: az ml job create --file train.yml",
        "az  ml \\\n  model list",
        'subprocess.run(["az", "ml", "job"])',
        "az extension add --name ml",
        "['az', 'extension', 'add', '-n', 'ml']",
    ],
)
def test_a_call_of_the_az_ml_extension_is_noticed(call: str) -> None:
    assert AZ_ML.search(call)
    assert not AZ_ML.search("az deployment sub create; mlops train --environment dev")


@pytest.mark.parametrize(
    ("answer", "first", "field"),
    [
        (
            "proprietary",
            "Copyright (c) Data Science. All rights reserved.",
            "LicenseRef-Proprietary",
        ),
        ("MIT", "MIT License", "MIT"),
        ("Apache-2.0", "Apache License", "Apache-2.0"),
    ],
)
def test_the_license_is_the_one_that_was_chosen(
    template: Template, tmp_path: Path, answer: str, first: str, field: str
) -> None:
    project = template.render(tmp_path / "project", license=answer)
    assert (project / "LICENSE").read_text(encoding="utf-8").splitlines()[0].strip() == first
    metadata = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert metadata["license"] == field
    assert ("Private :: Do Not Upload" in metadata.get("classifiers", [])) == (
        answer == "proprietary"
    )
