"""What is wrong with the texts that assistants read: form, commands, paths, tests they name."""

import ast
import re
import shlex
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

import click
import yaml
from mlops.cli.main import mlops

from tests.support import BIN, MACHINERY, run
from tools.worktree import ROOT

SKILLS = ".agents/skills"
INSTRUCTIONS = ".github/instructions"
ALWAYS_READ = ("AGENTS.md", "CLAUDE.md", ".github/copilot-instructions.md")
REVIEWED_CHARACTERS = 4_000
"""What Copilot's reviews read of a file."""
AGENTS_BYTES = 32 * 1024
"""What Codex reads of all AGENTS.md together."""
SKILL_LINES = 500
FIELDS = {"name", "description", "license", "compatibility", "metadata", "allowed-tools"}
NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
FRONTMATTER = re.compile(r"---\n(.*?\n)---\n(.+)", re.DOTALL)
FENCED = re.compile(r"^```\w*\n(.*?)^```$", re.DOTALL | re.MULTILINE)
CODE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\]\((?!https?:)([^)\s#]+)\)")
PATH = re.compile(r"[\w.<>*-]*[\w>*]/[\w./<>*-]*|[\w-]+\.(?:py|md|toml|ya?ml|json|yml)|\.[\w/.-]+")
OWN = ("data/", ".mlops/", "mlops/", "notebooks/")
"""Where the team's files are that no fresh project has, and the machinery's as people name it."""
ENDINGS_ALONE = {".ipynb", ".rej"}
ABSENT = re.compile(r"tests/__init__\.py|src/\w+/AGENTS\.md")
"""What must not be there, and what a team may write."""
TOOLS = {"pytest", "ruff", "mypy", "bandit", "pre-commit"}


@dataclass(frozen=True)
class Texts:
    """The files that assistants read in a rendered project, by their paths in it."""

    project: Path
    texts: Mapping[str, str]

    @classmethod
    def read(cls, project: Path) -> "Texts":
        paths = [project / name for name in ALWAYS_READ]
        paths += sorted((project / INSTRUCTIONS).iterdir())
        paths += sorted((project / SKILLS).rglob("*.md"))
        named = {path.relative_to(project).as_posix(): path for path in paths}
        return cls(project, {name: path.read_text("utf-8") for name, path in named.items()})

    def skills(self) -> list[str]:
        return [name for name in self.texts if PurePosixPath(name).name == "SKILL.md"]

    def with_fault(self, name: str, old: str, new: str) -> "Texts":
        assert self.texts[name].count(old) >= 1, f"{name} does not say {old}"
        return replace(self, texts={**self.texts, name: self.texts[name].replace(old, new)})

    def problems(self) -> list[str]:
        found = [*self._form(), *self._sizes(), *self._lists()]
        for name, text in self.texts.items():
            found += [f"{name}: {each}" for each in wrong_commands(text)]
            found += [f"{name}: {each}" for each in self._wrong_paths(name, text)]
        return found

    def _form(self) -> Iterator[str]:
        descriptions: Counter[str] = Counter()
        for name in self.skills():
            folder = PurePosixPath(name).parent
            if folder.parent != PurePosixPath(SKILLS):
                yield f"{name}: it is not found so deep"
            fields = frontmatter(self.texts[name])
            yield from (f"{name}: {each}" for each in wrong_fields(fields, folder.name))
            descriptions[str(fields.get("description"))] += 1
        yield from (f"twice: {text}" for text, number in descriptions.items() if number > 1)
        for name in self.texts:
            if name.startswith(INSTRUCTIONS):
                yield from (f"{name}: {each}" for each in self._wrong_scope(self.texts[name]))
            if "/references/" in name and LINK.search(self.texts[name]):
                yield f"{name}: a reference leads to no other one"

    def _wrong_scope(self, text: str) -> Iterator[str]:
        fields = frontmatter(text)
        globs = str(fields.get("applyTo", "")).split(",")
        yield from (
            f"applyTo {each!r}" for each in globs if not any(self.project.glob(each or "x"))
        )
        if fields.keys() != {"applyTo"}:
            yield f"fields {sorted(fields)}"

    def _sizes(self) -> Iterator[str]:
        for name, text in self.texts.items():
            if name.startswith(".github/") and len(text) > REVIEWED_CHARACTERS:
                yield f"{name}: {len(text)} characters"
            if name == "AGENTS.md" and len(text.encode()) > AGENTS_BYTES:
                yield f"{name}: {len(text.encode())} bytes"
            if name.startswith(SKILLS) and text.count("\n") >= SKILL_LINES:
                yield f"{name}: {text.count(chr(10))} lines"

    def _lists(self) -> Iterator[str]:
        """AGENTS.md lists every skill, and CLAUDE.md leads there; a skill links its references."""
        for name in self.skills():
            if f"`{name}`" not in self.texts["AGENTS.md"]:
                yield f"AGENTS.md does not list {name}"
            folder = f"{PurePosixPath(name).parent}/references/"
            linked = set(LINK.findall(self.texts[name]))
            for each in self.texts:
                if (
                    each.startswith(folder)
                    and each.removeprefix(f"{PurePosixPath(name).parent}/") not in linked
                ):
                    yield f"{name} does not lead to {each}"
        if "@AGENTS.md" not in self.texts["CLAUDE.md"].splitlines():
            yield "CLAUDE.md does not bring AGENTS.md"

    def _wrong_paths(self, name: str, text: str) -> Iterator[str]:
        for target in LINK.findall(text):
            if not (self.project / name).parent.joinpath(target).exists():
                yield f"the link {target} leads nowhere"
        for code in CODE.findall(FENCED.sub("", text)):
            if (
                not PATH.fullmatch(code)
                or code.startswith(OWN)
                or code in ENDINGS_ALONE
                or ABSENT.fullmatch(code)
            ):
                continue
            if not self._exists(code):
                yield f"there is no {code}"

    def _exists(self, code: str) -> bool:
        """Tell whether a path is there: from the root, or a bare name in the team's package."""
        pattern = re.sub(r"<[\w-]+>", "*", code).rstrip("/")
        folders = [self.project] if "/" in pattern else [self.project, *self.project.glob("src/*")]
        return any(any(folder.glob(pattern)) for folder in folders)


def frontmatter(text: str) -> dict[str, Any]:
    """Return the fields of a file's frontmatter; none where it cannot be read."""
    parts = FRONTMATTER.fullmatch(text)
    if parts is None:
        return {}
    try:
        fields = yaml.safe_load(parts[1])
    except yaml.YAMLError:
        return {}
    return fields if isinstance(fields, dict) else {}


def wrong_fields(fields: Mapping[str, Any], folder: str) -> Iterator[str]:
    """Yield what agentskills.io's rules say against a skill's frontmatter."""
    name, description = fields.get("name"), fields.get("description")
    if not isinstance(name, str) or name != folder or not NAME.fullmatch(name) or len(name) > 64:
        yield f"the name {name!r}"
    if not isinstance(description, str) or not 1 <= len(description) <= 1024:
        yield "the description"
    elif not re.search(r"\bUse when\b", description):
        yield "the description does not say when"
    if more := fields.keys() - FIELDS:
        yield f"fields {sorted(more)}"


def wrong_commands(text: str) -> list[str]:
    """Return the commands of fenced blocks and between backticks that would not be taken."""
    lines = [line for block in FENCED.findall(text) for line in block.splitlines()]
    lines += CODE.findall(FENCED.sub("", text))
    found = []
    for line in lines:
        for command in line.partition(" #")[0].split("&&"):
            try:
                problem = wrong_command(shlex.split(command))
            except ValueError:
                continue  # no command: a lone quote
            found += [f"{command.strip()}: {problem}"] if problem else []
    return found


def wrong_command(words: list[str]) -> str:
    """Return why a command would not be taken; nothing if it would, or is not one of ours."""
    match words:
        case ["uv", "run", "mlops", "…"]:
            return ""
        case ["uv", "run", "mlops", *rest]:
            return wrong_call(rest)
        case ["mlops", name, *_] if name[0] != "-":
            return "" if name in mlops.list_commands(click.Context(mlops)) else "no such command"
        case ["uv", "run", "pytest", *rest]:
            return wrong_pytest(rest)
        case ["uv", "run", tool, *_]:
            return "" if tool in TOOLS else f"no {tool} is installed"
        case ["uvx", "copier", name, *rest]:
            if name not in copier_words("--help"):
                return "Copier has no such command"
            options = {each for each in rest if each.startswith("-")}
            return "" if options <= copier_words(name, "--help") else f"no {sorted(options)}"
        case ["uvx", *_]:
            return "another tool"
    return ""


def wrong_call(words: list[str]) -> str:
    """Return what the command line has against a call of `mlops`; nothing is run."""
    command: click.Command = mlops
    context = click.Context(mlops, info_name="mlops")
    try:
        while isinstance(command, click.Group):
            name, found, words = command.resolve_command(context, words)
            assert found
            command = found
        command.make_context(name, list(words), parent=context)
    except click.exceptions.Exit:
        return ""
    except click.UsageError as error:
        return error.format_message()
    except IndexError:
        return "a group alone"
    return ""


def wrong_pytest(words: list[str]) -> str:
    """Return which word after -k selects no test of every use case and model, if any does not."""
    if "-k" not in words:
        return ""
    asked = words[words.index("-k") + 1].split(" or ")
    wrong = [word for word in asked if not any(word.lower() in each for each in inherited_tests())]
    return f"-k {wrong} selects nothing" if wrong else ""


@cache
def inherited_tests() -> frozenset[str]:
    """Return the tests that tests/test_use_case.py inherits, named as by pytest, in lower case."""
    found = {"testusecase", "testmodel"}
    for path in (MACHINERY / "src/mlops/testing").glob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        functions = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))
        found |= {node.name for node in functions if node.name.startswith("test_")}
    return frozenset(found)


@cache
def copier_words(*asked: str) -> frozenset[str]:
    """Return the commands and options that a help of Copier begins lines with."""
    said = run(BIN / "copier", *asked, folder=ROOT)
    lines = re.findall(r"^    ((?:-{0,2}\w[\w-]*(?:, )?)+)", said, re.MULTILINE)
    return frozenset(word for line in lines for word in line.split(", "))
