"""There is one clock."""

import ast
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

import mlops
from mlops.cli.options import now
from mlops.clock import seconds_ahead, shifted, system_clock

SOURCE = Path(mlops.__file__).parent
ASKED = {
    "datetime.now",
    "datetime.utcnow",
    "datetime.today",
    "date.today",
    "time.time",
    "time.time_ns",
    "time.localtime",
    "time.gmtime",
}
HANDED_DOWN_BY = (
    *("cli/", "clock.py", "settings/loading.py", "platforms/local/router.py"),
    "simulation/moved_clock.py",
)
"""The command line, what settings have unless they are told, the router's own process, and the
clock that is handed down in the command line's place."""


def names(text: str) -> Iterator[str]:
    """Yield what is named as an attribute of a module or class, however that was imported."""
    tree = ast.parse(text)
    short = {
        alias.asname or alias.name: alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            owner = node.value
            inner = owner.attr if isinstance(owner, ast.Attribute) else getattr(owner, "id", "")
            yield f"{short.get(inner, inner)}.{node.attr}"
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def modules() -> Iterator[tuple[str, set[str]]]:
    """Yield each module of the machinery with what it names."""
    for path in SOURCE.rglob("*.py"):
        yield path.relative_to(SOURCE).as_posix(), set(names(path.read_text(encoding="utf-8")))


def test_nothing_but_the_clock_asks_the_system_for_the_time() -> None:
    found = {module: named & ASKED for module, named in modules()}
    assert found.pop("clock.py") == {"datetime.now"}
    # it runs without the machinery, and is told how far ahead its time is
    assert found.pop("platforms/local/scoring_launcher.py") == {"time.time"}
    assert {module: named for module, named in found.items() if named} == {}


def test_it_is_handed_down_by_the_command_line() -> None:
    asking = {module for module, named in modules() if "mlops.clock.system_clock" in named}
    assert {module for module in asking if not module.startswith(HANDED_DOWN_BY)} == set()
    assert "cli/options.py" in asking


@pytest.mark.parametrize(
    "text",
    [
        "import time\ntime.time()",
        "from time import time\ntime()",
        "from time import time as seconds",
        "import time as t\nt.time_ns()",
        "import datetime as dt\ndt.datetime.now()",
        "from datetime import datetime as when\nwhen.now()",
        "from datetime import date\ndate.today()",
        "import time\nask = time.time",
    ],
)
def test_each_way_to_ask_is_found(text: str) -> None:
    assert set(names(text)) & ASKED


def test_the_clock_tells_the_time_in_utc() -> None:
    before = datetime.now(UTC)
    assert before <= system_clock() <= datetime.now(UTC)


def test_a_command_is_told_the_time_by_who_calls_it() -> None:
    import click

    @click.command()
    def tell() -> None:
        click.echo(now().isoformat())

    moment = datetime(2026, 6, 30, tzinfo=UTC)
    assert CliRunner().invoke(tell, obj=lambda: moment).output == "2026-06-30T00:00:00+00:00\n"


def test_another_process_is_told_how_far_ahead_a_clock_is() -> None:
    assert seconds_ahead(system_clock) == 0
    assert shifted(0) is system_clock
    ahead = seconds_ahead(lambda: system_clock() + timedelta(days=30))
    assert ahead == pytest.approx(30 * 86_400, abs=60)
    assert seconds_ahead(shifted(ahead)) == pytest.approx(ahead, abs=60)
