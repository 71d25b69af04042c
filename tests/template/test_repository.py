"""This repository itself: what git keeps, what the Makefile offers, its own workflow."""

import re
import tomllib
from pathlib import Path

import pytest
from mlops.ops.template_files import LIST, compare, read_list
from test_sizes import FUNCTION_LINES, MODULE_LINES, TEST_LINES, lines_of, long_functions

from tests.support import run, uv
from tools import cookiecutter_json, loop_picture
from tools.machinery_files import machinery_list
from tools.questions_page import TARGET, page
from tools.worktree import ROOT, tracked_files

pytestmark = pytest.mark.fast

PYTHON = [path for path in tracked_files() if path.suffix == ".py"]
TOOLS = [ROOT / path for path in PYTHON if path.parts[0] in ("tools", "hooks", "benchmarks")]
TESTS = [ROOT / path for path in PYTHON if path.parts[0] == "tests"]
TEXT = [path for path in tracked_files() if path.suffix not in {".png", ".parquet"}]


def test_git_ignores_no_file_of_the_template() -> None:
    """Neither through this repository's .gitignore nor through the one that is rendered."""
    command = ["git", "ls-files", "--others", "--ignored", "--exclude-standard", "--", "template"]
    ignored = run(*command, folder=ROOT).splitlines()
    caches = {"__pycache__", ".ruff_cache", ".mypy_cache", ".pytest_cache"}
    caches |= {".venv", ".mlops", "uv.lock", ".coverage"}  # of the machinery's own environment
    assert [path for path in ignored if not caches.intersection(path.split("/"))] == []
    tracked = run("git", "ls-files", "template", folder=ROOT)
    paths = run(
        "git", "check-ignore", "--no-index", *tracked.splitlines(), folder=ROOT, expect=None
    )
    assert paths == ""


def test_no_lock_is_kept() -> None:
    """It would name a package registry."""
    assert [path for path in tracked_files() if path.name == "uv.lock"] == []


def test_both_resolvers_are_frozen_on_the_same_day() -> None:
    days = [
        re.findall(r'^exclude-newer = "(\d{4}-\d\d-\d\d)"$', (ROOT / name).read_text("utf-8"), re.M)
        for name in ("pyproject.toml", "template/pyproject.toml.jinja")
    ]
    assert len(days[0]) == 1
    assert days[0] == days[1]


def requirements(name: str) -> dict[str, str]:
    """Return what a pyproject file below template/ depends on, also to work on it, by package."""
    text = (ROOT / "template" / name).read_text(encoding="utf-8")
    lists = re.findall(r"^(?:dependencies|dev) = \[.*?^\]", text, re.M | re.S)
    assert len(lists) == 2
    found = [each for part in lists for group in tomllib.loads(part).values() for each in group]
    return {re.split(r"[^\w-]", each)[0]: each for each in found}


def test_a_project_and_its_machinery_ask_for_the_same_versions() -> None:
    project = requirements("pyproject.toml.jinja")
    machinery = requirements("packages/mlops/pyproject.toml")
    both = project.keys() & machinery.keys()
    assert both > {"mypy", "numpy", "pytest", "ruff"}
    assert {name: project[name] for name in both} == {name: machinery[name] for name in both}


def test_the_scoring_server_has_the_versions_of_that_day() -> None:
    """`make requirements` writes them."""
    serving = ROOT / "template" / "serving"
    kept = (serving / "requirements.txt").read_text(encoding="utf-8")
    options = ("--universal", "--python-version", "3.11", "--no-annotate", "--no-header")
    wanted = run(uv(), "pip", "compile", *options, serving / "requirements.in", folder=ROOT)
    versions = [line for line in kept.splitlines() if not line.startswith("#")]
    assert versions == [line for line in wanted.splitlines() if "==" in line]


@pytest.mark.parametrize("path", TEXT, ids=str)
def test_text_is_utf8_with_plain_line_ends(path: Path) -> None:
    content = (ROOT / path).read_bytes()
    content.decode("utf-8")
    assert b"\r" not in content


def test_file_names_work_on_windows() -> None:
    for path in tracked_files():
        assert not re.search(r'[<>:"\\|?*]|[ .]$', path.as_posix()), path


@pytest.mark.parametrize(
    "target",
    [
        "demo",
        "test",
        "test-fast",
        "test-all",
        "machinery",
        "lint",
        "docs",
        "render",
        "bases",
        "images",
    ],
)
def test_the_makefile_has_its_targets(target: str) -> None:
    """Each begins with fetching uv."""
    wanted = run("make", "--dry-run", "--always-make", target, folder=ROOT)
    assert "Fetching uv" in wanted
    assert f"\n{target} " in run("make", "help", folder=ROOT)


def test_nothing_here_is_longer_than_in_the_machinery() -> None:
    assert len(TOOLS) > 5
    assert len(TESTS) > 50
    assert [each for path in TOOLS for each in long_functions(path, FUNCTION_LINES)] == []
    assert [path.name for path in TOOLS if lines_of(path) > MODULE_LINES] == []
    assert [path.name for path in TESTS if lines_of(path) >= TEST_LINES] == []


def test_one_version_of_copier_everywhere() -> None:
    versions = {
        match
        for name in ("pyproject.toml", "tools/demo.py")
        for match in re.findall(r"copier==([\d.]+)", (ROOT / name).read_text(encoding="utf-8"))
    }
    assert len(versions) == 1


def test_the_page_of_questions_is_that_of_copier_yml() -> None:
    """`make questions` writes it."""
    assert TARGET.read_text(encoding="utf-8") == page()


def test_the_picture_is_drawn_by_its_script() -> None:
    """`make picture` draws it."""
    assert loop_picture.TARGET.read_text(encoding="utf-8") == loop_picture.picture()


def test_cookiecutter_asks_what_copier_yml_asks() -> None:
    """`make cookiecutter` writes it."""
    written = cookiecutter_json.TARGET.read_text(encoding="utf-8")
    assert written == cookiecutter_json.content()


def test_the_list_of_the_machinery_is_that_of_its_files() -> None:
    """`make files` writes it; a project compares its packages/ with it."""
    listed = read_list((ROOT / "template" / LIST).read_text(encoding="utf-8"))
    present = read_list(machinery_list())
    assert len(present) > 600
    assert compare(listed, present, {}).rows() == []


def test_the_machine_and_github_run_what_people_run() -> None:
    machine = (ROOT / ".ci/run").read_text(encoding="utf-8")
    assert re.search(r"^\s*make test$", machine, re.M)
    assert machine.index("make bases") < machine.rindex('"make test"')
    workflow = (ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8")
    assert "run: make test" in workflow


def test_no_ci_can_lose_the_images() -> None:
    machine = (ROOT / ".ci/run").read_text(encoding="utf-8")
    assert re.findall(r"MLOPS_TEST_REQUIRE=(\S+)", machine) == [
        "browser,images",
        "browser,images,bicep",
    ]
    workflow = (ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8")
    assert "run: sudo MLOPS_TEST_REQUIRE=images make images" in workflow
