"""Write questions/reserved.jinja: the names that a generated project cannot have.

Renders the default project, installs it and reads what is there: `make reserved` after a change of
the project's dependencies.
"""

import json
import keyword
import os
import re
import subprocess
import sys
import tempfile
import textwrap
import tomllib
from pathlib import Path

from copier import run_copy

from tools.worktree import ROOT, copy_worktree

TARGET = ROOT / "questions" / "reserved.jinja"
STANDARD_LATER = {"annotationlib", "compression", "profiling"}  # modules newer than Python 3.11
FOLDERS = {
    *("aml", "compliance", "conf", "docs", "infra", "mlops", "observability", "packages"),
    *("mlops_command", "mlops_machinery", "serving", "site", "src", "test", "tests"),
}
WINDOWS = {"aux", "con", "nul", "prn", *(f"{x}{n}" for x in ("com", "lpt") for n in range(1, 10))}

HEADER = """\
{#- Written by `make reserved`. Keywords, standard modules, the distributions and modules of the
    project's environment, its folders, and what Windows refuses as a file name. -#}
"""


def can_be_a_name(name: str) -> bool:
    """Tell whether the validators of slug and package would let `name` pass."""
    return re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name) is not None and len(name) <= 30


def names_of_python() -> set[str]:
    """Return this Python's keywords and standard modules that could be a package's name."""
    names = {*sys.stdlib_module_names, *keyword.kwlist, *keyword.softkwlist, *STANDARD_LATER}
    return set(filter(can_be_a_name, names))


def names_of_project(project: Path) -> set[str]:
    """Return the distributions and modules in the environment of a rendered, installed project."""
    lock = tomllib.loads((project / "uv.lock").read_text(encoding="utf-8"))
    names = {p["name"].replace("-", "_") for p in lock["package"] if "registry" in p["source"]}
    script = (
        "import importlib.metadata as m, json;"
        "print(json.dumps({k: v for k, v in m.packages_distributions().items()}))"
    )
    command = ["uv", "run", "--no-sync", "python", "-c", script]
    modules = json.loads(run(command, project))
    own = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))["project"]["name"]
    names |= {module for module, owners in modules.items() if own not in owners}
    return set(filter(can_be_a_name, names))


def reserved_names() -> set[str]:
    """Return what the file holds now."""
    text = TARGET.read_text(encoding="utf-8")
    return set(text.split("'''")[1].split())


def run(command: list[str], folder: Path) -> str:
    """Run uv in `folder`, apart from the environment of this process, and return what it prints."""
    uv = os.environ.get("UV", "uv")
    env = {k: v for k, v in os.environ.items() if k != "VIRTUAL_ENV"}
    return subprocess.run(
        [uv, *command[1:]], cwd=folder, env=env, check=True, stdout=subprocess.PIPE, text=True
    ).stdout


def main() -> None:
    """Render, install, read, write."""
    with tempfile.TemporaryDirectory() as folder:
        source, project = copy_worktree(Path(folder, "template")), Path(folder, "project")
        run_copy(str(source), project, defaults=True, quiet=True)
        run(["uv", "sync", "--quiet", "--all-extras", "--all-groups"], project)
        names = sorted({*names_of_python(), *names_of_project(project), *FOLDERS, *WINDOWS})
    lines = textwrap.fill(" ".join(names), 98, break_long_words=False, break_on_hyphens=False)
    TARGET.write_text(
        f"{HEADER}{{%- set reserved = '''\n{lines}\n'''.split() -%}}\n",
        encoding="utf-8",
        newline="\n",
    )
    print(f"{TARGET.relative_to(ROOT)}: {len(names)} names")


if __name__ == "__main__":
    main()
