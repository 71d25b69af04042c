"""A pytest plugin: tests that need what not every machine has.

`@pytest.mark.needs("bicep")` marks such a test. Where the component is missing the test is left
out, and the last line of the run names it; where MLOPS_TEST_REQUIRE lists the component (commas
between several) the run does not even start. `make test` passes with Python, git and make alone,
and no CI can lose a check without becoming red.
"""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

REQUIRE = "MLOPS_TEST_REQUIRE"
LEFT_OUT = pytest.StashKey[set[str]]()


@dataclass(frozen=True)
class Component:
    """Something that a test needs and this repository does not install.

    Attributes:
        find: returns where it is, None if it is missing.
        remedy: how to get it, in a few words.
    """

    find: Callable[[], str | None]
    remedy: str


def bicep() -> str | None:
    """Return Microsoft's Bicep CLI: what BICEP names, else `bicep` on PATH."""
    return shutil.which(os.environ.get("BICEP") or "bicep")


def images() -> str | None:
    """Return buildah, if this machine can build images by it: only root can, and needs a base."""
    able = hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("mmdebstrap")
    return shutil.which("buildah") if able else None


def browser() -> str | None:
    """Return Chromium or Chrome, as this machine has it."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((path for name in names if (path := shutil.which(name))), None)


COMPONENTS = {
    "browser": Component(browser, "Chromium or Chrome on PATH"),
    "bicep": Component(bicep, "Microsoft's Bicep CLI on PATH, or its path in BICEP"),
    "images": Component(images, "buildah and mmdebstrap of Debian or Ubuntu, as root"),
}


def missing() -> set[str]:
    """Return the names of the components that this machine lacks."""
    return {name for name, component in COMPONENTS.items() if component.find() is None}


def left_out_line(names: set[str]) -> str:
    """Return the sentence that names what was left out, and how to have it."""
    each = "; ".join(f"{name} ({COMPONENTS[name].remedy})" for name in sorted(names))
    return f"Left out, as this machine lacks what it needs: {each}."


def pytest_configure(config: pytest.Config) -> None:
    """Refuse to start without what MLOPS_TEST_REQUIRE lists."""
    config.addinivalue_line("markers", "needs(component): left out where the component is missing")
    config.stash[LEFT_OUT] = set[str]()
    required = {name.strip() for name in os.environ.get(REQUIRE, "").split(",") if name.strip()}
    if unknown := required - COMPONENTS.keys():
        raise pytest.UsageError(
            f"{REQUIRE} names {', '.join(sorted(unknown))}; there are {', '.join(COMPONENTS)}."
        )
    if lacking := required & missing():
        each = "; ".join(f"{name}: {COMPONENTS[name].remedy}" for name in sorted(lacking))
        raise pytest.UsageError(f"{REQUIRE} asks for what this machine lacks. {each}.")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests whose component is missing."""
    lacking = missing()
    out = [item for item in items if lacking & needs_of(item)]
    for item in out:
        config.stash[LEFT_OUT].update(lacking & needs_of(item))
    if out:
        config.hook.pytest_deselected(items=out)
        items[:] = [item for item in items if not lacking & needs_of(item)]
    if hasattr(config, "workeroutput"):
        names: set[str] = config.stash[LEFT_OUT]
        config.workeroutput["left_out"] = sorted(names)


def needs_of(item: pytest.Item) -> set[str]:
    """Return the components that a test needs."""
    return {str(name) for mark in item.iter_markers("needs") for name in mark.args}


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Hear from a worker of pytest-xdist what it left out."""
    node.config.stash[LEFT_OUT].update(getattr(node, "workeroutput", {}).get("left_out", ()))


def pytest_unconfigure(config: pytest.Config) -> None:
    """Name in the last line what was left out."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    names = config.stash.get(LEFT_OUT, set())
    if reporter is not None and names and not hasattr(config, "workeroutput"):
        reporter.write_line(left_out_line(names), yellow=True)
