"""Write docs/reference/questions.md from copier.yml."""

from typing import Any

import yaml
from jinja2 import Environment

from tools.worktree import ROOT

TARGET = ROOT / "docs" / "reference" / "questions.md"
HEADER = """\
# Questions

<!-- Written from copier.yml by `make questions`: change it there. -->

Answer at the prompt, or with `-d name=value` on the command line of `copier copy`;
`--defaults` takes the default for the rest. The answers are in the project's `.copier-answers.yml`.
[Cookiecutter](../how-to/cookiecutter.md) asks them, too.
"""
ADVANCED = """
# Advanced

Not asked, except where no default can be found; set them with `-d name=value`.
"""


def page() -> str:
    """Return the page's Markdown."""
    settings = yaml.safe_load((ROOT / "copier.yml").read_text(encoding="utf-8"))
    questions = {name: value for name, value in settings.items() if not name.startswith("_")}
    core = [section(n, q) for n, q in questions.items() if is_core(n, q)]
    advanced = [section(n, q) for n, q in questions.items() if not is_core(n, q)]
    return "".join([HEADER, *core, ADVANCED.replace("# ", "## ", 1), *advanced])


def is_core(name: str, question: dict[str, Any]) -> bool:
    """Tell whether a question is asked: always, or of some examples."""
    return name == "task" or "ask" not in question


def section(name: str, question: dict[str, Any]) -> str:
    """Return one question's heading, help, default and choices."""
    help_text = " ".join(question["help"].split())
    text = f"\n### `{name}`\n\n{help_text}\n\n- Default: {default(question)}\n"
    choices = question.get("choices", [])
    if isinstance(choices, dict):
        lines = (f"    - `{value}` ({label})\n" for label, value in choices.items())
    else:
        lines = (f"    - `{value}`\n" for value in choices)
    return text + ("- Choices:\n\n" + "".join(lines) if choices else "")


def default(question: dict[str, Any]) -> str:
    """Return the default of a project that is made anew as code, or what it is derived from."""
    text = str(question["default"])
    for name in ("project_name", "project_slug", "maturity_level", "example"):
        if text.startswith("{") and name in text:
            return f"made from `{name}`"
    if text.startswith("{{"):
        text = Environment(autoescape=True).from_string(text).render()
    return f"`{text}`"


if __name__ == "__main__":
    TARGET.write_text(page(), encoding="utf-8", newline="\n")
