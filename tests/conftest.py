import os
from collections.abc import Iterator
from pathlib import Path
from types import CodeType
from typing import Any

import jinja2
import pytest
from filelock import FileLock

from .support import Template

pytest_plugins = ["tests.components"]

LONGEST = (
    "azure/test_life_cycle.py",
    "project/test_rfm.py",
    "workflows/test_pipeline.py",
    "template/test_update.py",
)
"""Files that take minutes come first, so that no worker is left alone with one at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest files first, in their order."""
    here = Path(__file__).parent
    places = {here / name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path, len(places)))


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """This template in a git repository that all test processes share: do not change it."""
    mine = tmp_path_factory.getbasetemp()
    shared = (mine.parent if "PYTEST_XDIST_WORKER" in os.environ else mine) / "template"
    with FileLock(f"{shared}.lock"):
        if not (shared / ".git" / "refs" / "tags" / "1.0.0").exists():
            Template.make(shared)
    return Template(shared)


@pytest.fixture(scope="session", autouse=True)
def each_text_compiled_once() -> Iterator[None]:
    """Let Jinja compile a text once, not once for each path that Copier renders.

    Copier makes a template of each part of each path: some 4,700 for a project, half of the
    seconds that rendering one takes.
    """
    compiled: dict[Any, CodeType] = {}
    compile_text = jinja2.Environment.compile

    def compile_once(self: jinja2.Environment, source: str, *place: Any, **options: Any) -> Any:
        settings = (type(self), self.undefined, self.keep_trailing_newline)
        key = (settings, source, place, tuple(options.items()))
        if key not in compiled:
            compiled[key] = compile_text(self, source, *place, **options)
        return compiled[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jinja2.Environment, "compile", compile_once)
        yield


@pytest.fixture(scope="session", autouse=True)
def no_question_of_git_for_each_file() -> Iterator[None]:
    """Let Copier not ask git of each file whether its mode is to be told: here it never is.

    It asks for the sake of Windows, where git cannot see the mode; elsewhere nothing follows.
    """
    with pytest.MonkeyPatch.context() as patch:
        if os.name != "nt":
            patch.setattr("copier._main.Worker._sync_git_index_executable_bit", lambda *_: None)
        yield
