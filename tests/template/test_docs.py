"""The generated project's texts are true: commands, options, messages and links that they name."""

import re
import tomllib
from pathlib import Path

import click
import pytest
from mlops.cli.main import mlops
from mlops.settings.sections import AzureSettings

from tests.support import HOSTILE, MACHINERY, Template
from tools.worktree import ROOT

SOURCES = MACHINERY / "src"
COMMAND = re.compile(
    r"\bmlops ((?:data |step |setup |ci |evidence |audit |aml |compliance |observability )?"
    r"[a-z][a-z-]*)"
)
OF_UV = re.compile(r"\buv run(?: --[a-z-]+)+")
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z0-9-]*")
FROM_LEVEL = {2: {"release", "switch-traffic", "rollback"}, 3: {"ab-test"}}
GROUPS = {"data", "step", "setup", "evidence", "audit", "aml", "compliance", "observability"}
PIPELINE = {"ci", "approvals"}  # only workflows call them
LINK = re.compile(r"\]\((?!https?:|mailto:)([^)\s]+)\)")


def commands(group: click.Group = mlops, before: str = "") -> dict[str, set[str]]:
    """Return every command of the CLI, with the options that it has."""
    context = click.Context(group)
    found: dict[str, set[str]] = {}
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command
        full = f"{before}{name}"
        found[full] = {"--help"}.union(*(each.opts for each in command.params))
        if isinstance(command, click.Group):
            found |= commands(command, f"{full} ")
    return found


def said_in_sources() -> str:
    """Return all source text with adjacent string literals joined."""
    text = "\n".join(
        path.read_text(encoding="utf-8")
        for path in (*SOURCES.rglob("*.py"), *(ROOT / "template/serving").glob("*.py"))
    )
    return re.sub(r'"\s*\n\s*f?"', "", text)


@pytest.fixture(
    scope="module",
    params=[
        ("rfm", 3, "bicep", "binary"),
        ("spend", 3, "bicep", "regression"),
        ("blank", 3, "none", "multiclass"),
        ("rfm", 2, "bicep", "binary"),
        ("blank", 1, "bicep", "regression"),
    ],
    ids=str,
)
def project(
    request: pytest.FixtureRequest, template: Template, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    example, level, infrastructure, task = request.param
    folder = tmp_path_factory.mktemp("docs") / "project"
    return template.render(
        folder, example=example, maturity_level=level, infrastructure=infrastructure, task=task
    )


def pages(project: Path) -> list[Path]:
    return [project / "README.md", project / "AGENTS.md", *(project / "docs").glob("*.md")]


def test_the_reader_of_the_cli_finds_commands() -> None:
    assert {"run", "data validate", "step fit", "smoke-test"} <= commands().keys()
    assert {"--run-id", "--threshold-f1", "--environment"} <= commands()["evaluate"]


def test_every_command_and_option_exists(project: Path) -> None:
    known = commands()
    named = set()
    for page in pages(project):
        for line in page.read_text(encoding="utf-8").splitlines():
            for code in re.findall(r"`([^`]+)`", line) or [line]:
                for command in COMMAND.findall(code):
                    assert command in known, f"{page.name}: {line}"
                    named.add(command)
            used = [*dict.fromkeys(COMMAND.findall(line))]
            if len(used) == 1:
                rest = OF_UV.sub("", line.split(f"mlops {used[0]}", 1)[1])
                unknown = {*OPTION.findall(rest)} - known[used[0]]
                assert not unknown, f"{page.name}: {line}"
    alone = {name for name in known if " " not in name} - GROUPS - PIPELINE
    level = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["mlops"]
    for least, more in FROM_LEVEL.items():
        if level["maturity_level"] < least:
            readme = COMMAND.findall((project / "README.md").read_text(encoding="utf-8"))
            assert not {*readme} & more, "README.md offers what the level does not have"
            alone -= more
    assert named >= alone


def test_every_quoted_message_exists(project: Path) -> None:
    said = said_in_sources()
    rows = (project / "docs/troubleshooting.md").read_text(encoding="utf-8").splitlines()
    quoted = [row.split("`")[1] for row in rows if row.startswith("| `") and "_" not in row[:12]]
    assert len(quoted) > 20
    pieces = [piece.strip(" '(),:") for message in quoted for piece in message.split("…")]
    assert [piece for piece in pieces if piece not in said] == []


def test_the_machine_of_a_deployment_is_the_one_whose_quota_is_explained(project: Path) -> None:
    size = AzureSettings().instance_type
    assert f"`{size}`: 2 cores" in (project / "docs/azure.md").read_text(encoding="utf-8")
    definition = (project / "aml/endpoints/deployment.yml").read_text(encoding="utf-8")
    assert f"instance_type: {size}\n" in definition


def anchors(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles}


def test_every_link_leads_somewhere(project: Path) -> None:
    for page in pages(project):
        for target in LINK.findall(page.read_text(encoding="utf-8")):
            path, _, anchor = target.partition("#")
            linked = page.parent / path if path else page
            assert linked.exists(), f"{page.name}: {target}"
            assert not anchor or anchor in anchors(linked), f"{page.name}: {target}"


def test_answers_cannot_break_the_readme(template: Template, tmp_path: Path) -> None:
    plain = template.render(tmp_path / "plain", project_slug=HOSTILE["project_slug"])
    hostile = template.render(tmp_path / "hostile", **HOSTILE)
    ours, theirs = (
        (folder / "README.md").read_text(encoding="utf-8").splitlines()
        for folder in (plain, hostile)
    )
    assert ours[5:] == theirs[5:]
    for line in theirs[:5]:
        unescaped = re.sub(r"\\.|<[^<>\s]+@[^<>\s]+>|\*\*[\w .]+\*\*", "", line)
        assert not re.search(r"[<`*_|\[]", unescaped), line
