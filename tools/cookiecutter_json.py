"""Write cookiecutter.json from copier.yml: the questions of Cookiecutter's door.

Cookiecutter asks every question, checks no answer and renders texts as Jinja. So what copier.yml
asks goes in with its default, what it asks only sometimes with one more choice, `default`, and what
it never asks with an underscore before its name, which no prompt shows: `_license=MIT`. An empty
text and `default` leave the question to Copier.
"""

import json
from typing import Any

import yaml

from tools.questions_page import is_core
from tools.worktree import ROOT

TARGET = ROOT / "cookiecutter.json"
BY_COPIER = "default"
RECORDED = ("adopted", "kept")
"""What is of no use here: files that a repository had before, which this door refuses."""
DIRECTORY = "directory"
DIRECTORY_HELP = "In which new folder? It has nothing to do with the project's names."
HINTS = {
    "project_name": "If it has no Latin letters, begin again with `_project_slug=churn` at the end "
    "of the command."
}
"""What Copier would ask later, and Cookiecutter cannot."""
FOLDER = (
    "{% set name = cookiecutter.directory %}"
    "{{ 'no-such-folder' if not name or name != name.strip(' .') "
    r"""or name | select('in', '/\\:*?"<>|') | list else name }}"""
)
"""The folder that Cookiecutter makes: another where the answer is a path, or no name of a folder
on Windows, so that the hook can refuse it before anything stands elsewhere."""


def content() -> str:
    """Return the file's text."""
    settings = yaml.safe_load((ROOT / "copier.yml").read_text(encoding="utf-8"))
    questions = {name: value for name, value in settings.items() if not name.startswith("_")}
    core = {name: value for name, value in questions.items() if is_core(name, value)}
    hidden = [name for name in questions if name not in core and name not in RECORDED]
    choices = {name: choices_of(question) for name, question in core.items()}
    asked = {name: choices[name] or text_of(value, core) for name, value in core.items()}
    first, *others = asked
    made = {
        first: asked[first],
        DIRECTORY: "{{ cookiecutter.project_name | slugify or 'my-model' }}",
        **{name: asked[name] for name in others},
        **{f"_{name}": "" for name in hidden},
        "__folder": FOLDER,
        "__defaults": {
            **{
                name: value[0] if isinstance(value, list) else value
                for name, value in asked.items()
            },
            **dict.fromkeys(hidden, ""),
        },
        "__prompts__": {
            DIRECTORY: DIRECTORY_HELP,
            **{name: prompt(name, question, choices[name]) for name, question in core.items()},
        },
    }
    return json.dumps(made, indent=2, ensure_ascii=False) + "\n"


def choices_of(question: dict[str, Any]) -> list[str]:
    """Return the values that can be chosen, the default one first; none where text is typed."""
    values = [str(value) for value in labels(question)]
    if values and "ask" in question:
        return [BY_COPIER, *values]
    return sorted(values, key=lambda value: value != str(question["default"]))


def labels(question: dict[str, Any]) -> dict[Any, str]:
    """Return what a prompt shows for each value that can be chosen."""
    choices = question.get("choices", {})
    if isinstance(choices, dict):
        return {value: label for label, value in choices.items()}
    return {value: str(value) for value in choices}


def text_of(question: dict[str, Any], core: dict[str, Any]) -> str:
    """Return a default as Cookiecutter renders it, which knows answers by another name."""
    default = str(question["default"])
    known = "".join(
        f"{{% set {name} = cookiecutter.{name} %}}" for name in core if f" {name} " in default
    )
    return known + default


def prompt(name: str, question: dict[str, Any], choices: list[str]) -> str | dict[str, str]:
    """Return what Cookiecutter shows: the help and the label of each choice, no markup in it."""
    text = shown(f"{question['help']} {HINTS.get(name, '')}")
    if not choices:
        return text
    by_copier = {BY_COPIER: "default: what follows from the answers before"}
    every = by_copier | {str(value): label for value, label in labels(question).items()}
    return {"__prompt__": text} | {choice: shown(every[choice]) for choice in choices}


def shown(text: str) -> str:
    """Return a text on one line, with nothing in it that a terminal's colours are made from."""
    return " ".join(text.split()).replace("[", r"\[")


if __name__ == "__main__":
    TARGET.write_text(content(), encoding="utf-8", newline="\n")
