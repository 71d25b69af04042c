"""Copier, Cookiecutter and cruft as a person starts them, each with settings of its own."""

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.support import BIN, GIT, HOSTILE, QUESTIONS, Template, commit_all, contents, run
from tools.cookiecutter_json import content
from tools.expected_files import files_in

KEPT = ("pyproject.toml", "src/mlops/errors.py")
"""What stays of the machinery where a door is tried: Copier takes time for each file."""
LEFT_OUT = (".github", "aml", "docs", "infra", "observability", "serving")
ASKED: dict[str, object] = {
    name: value for name, value in json.loads(content()).items() if not name.startswith("_")
}
"""What Cookiecutter asks, in order; of a choice the values that a number stands for."""

SETS: dict[str, dict[str, str]] = {
    "defaults": {},
    "hostile": HOSTILE,
    "more hostile": {
        "project_name": """予測 [bold red]x[/] {% endraw %}{{ cookiecutter.team }} \\""",
        "description": """\"\"\" r''' \\' {#- {{ cookiecutter }} -%} $(id) ${{ x }} \\u0041 ;""",
        "team": """{{ 1/0 }} {% raw %} ]] <script> 'A' & "B" #""",
        "contact_email": "%s'+x@example.com",
        "example": "blank",
        "task": "multiclass",
        "project_slug": "yosoku",
        "package_name": "yosoku_model",
        "python_version": "3.13",
        "license": "Apache-2.0",
    },
    "spend": {
        "project_name": "Prévision d'achat — été",
        "example": "spend",
        "maturity_level": "1",
        "infrastructure": "none",
        "license": "MIT",
    },
    "blank": {
        "project_name": "🚀 Launch",
        "example": "blank",
        "task": "regression",
        "maturity_level": "2",
        "azure_region": "eastus2",
    },
}


def few_files(path: Path) -> Template:
    """Make a template of version 1.0.0 with few files in its projects."""
    template = Template.make_small(path, KEPT)
    for name in LEFT_OUT:
        shutil.rmtree(path / "template" / name)
    commit_all(path, "Less")
    run(*GIT, "tag", "--force", "1.0.0", folder=path)
    return template


@dataclass(frozen=True)
class Desk:
    """A folder in which a person works, with a home of its own beside it."""

    folder: Path

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.home.mkdir(exist_ok=True)

    @property
    def home(self) -> Path:
        return self.folder.with_name(f"{self.folder.name}-home")

    @property
    def env(self) -> dict[str, str]:
        """Variables that keep clones and settings of this machine out."""
        home = str(self.home)
        path = os.pathsep.join([str(BIN), os.environ["PATH"]])
        return {
            **dict.fromkeys(("HOME", "USERPROFILE", "COPIER_CACHE_DIR"), home),
            "PATH": path,
            "PWD": str(self.folder),
            "PYTHONUTF8": "1",
        }

    def run(
        self,
        *command: str | Path,
        expect: int | None = 0,
        typed: str = "",
        env: Mapping[str, str] | None = None,
    ) -> str:
        env = self.env | dict(env or {})
        return run(*command, folder=self.folder, env=env, expect=expect, typed=typed)

    def copier(self, source: str | Path, name: str, answers: Mapping[str, str], *more: str) -> Path:
        assert answers.keys() <= QUESTIONS.keys()
        data = [part for each in answers.items() for part in ("--data", "=".join(each))]
        self.run("copier", "copy", "--defaults", "--quiet", *more, *data, source, name)
        return self.folder / name

    def typed_at_cookiecutter(
        self, source: str | Path, name: str, answers: Mapping[str, str]
    ) -> Path:
        """Answer each question by hand; what is not asked stands on the command line."""
        hidden = [f"_{key}={value}" for key, value in answers.items() if key not in ASKED]
        typed = typed_lines({**answers, "directory": name})
        self.run("cookiecutter", source, *hidden, typed=typed)
        return self.folder / name

    def cookiecutter(self, source: str | Path, name: str, answers: Mapping[str, str]) -> Path:
        """Answer on the command line, where Cookiecutter renders texts."""
        options = [f"{key}={value}" for key, value in escaped(answers).items()]
        self.run("cookiecutter", source, "--no-input", f"directory={name}", *options)
        return self.folder / name

    def cruft(self, source: str | Path, name: str, answers: Mapping[str, str], *more: str) -> Path:
        context = json.dumps({"directory": name, **escaped(answers)})
        self.run("cruft", "create", str(source), "--no-input", "--extra-context", context, *more)
        return self.folder / name

    def left(self) -> list[str]:
        """All that is in the folder, folders as well."""
        return sorted(path.relative_to(self.folder).as_posix() for path in self.folder.rglob("*"))


def typed_lines(answers: Mapping[str, str]) -> str:
    """Return what is typed at Cookiecutter's prompts: a text, a choice's number, or nothing."""
    lines = []
    for name, default in ASKED.items():
        answer = answers.get(name, "")
        if answer and isinstance(default, list):
            answer = str(default.index(answer) + 1)
        lines.append(answer)
    return "\n".join([*lines, ""])


def escaped(answers: Mapping[str, str]) -> dict[str, str]:
    """Return answers by Cookiecutter's names, texts as expressions that Jinja renders to them."""
    found = {}
    for name, answer in answers.items():
        if name not in ASKED:
            found[f"_{name}"] = answer
        elif isinstance(ASKED[name], list):
            found[name] = answer
        else:
            found[name] = "{{ " + json.dumps(answer, ensure_ascii=False) + " }}"
    return found


def without_cruft(project: Path) -> dict[str, bytes]:
    """Return the bytes of a project's files, without the one that cruft adds."""
    assert ".cruft.json" in files_in(project)
    return {name: text for name, text in contents(project).items() if name != ".cruft.json"}
