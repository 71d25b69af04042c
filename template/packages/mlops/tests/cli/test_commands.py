"""The table of commands says what the commands themselves say, and they load quickly."""

import json
import subprocess
import sys
from collections.abc import Iterator

import click
import pytest

from fakes.cli import Command
from mlops.cli.lazy import LazyCommand
from mlops.cli.main import mlops as root

HEAVY = {
    "aiohttp",
    "azure",
    "duckdb",
    "ibis",
    "jinja2",
    "matplotlib",
    "mlflow",
    "numpy",
    "onnx",
    "onnxruntime",
    "pandas",
    "pandera",
    "polars",
    "scipy",
    "skl2onnx",
    "sklearn",
    "skops",
    "uvicorn",
}


def entries(group: click.Group = root, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the words that call each command and each group."""
    for name, command in group.commands.items():
        yield (*path, name)
        if isinstance(command, click.Group):
            yield from entries(command, (*path, name))


def find(words: tuple[str, ...]) -> tuple[click.Command, click.Command]:
    """Return what stands in the table, and the command itself."""
    entry: click.Command = root
    command: click.Command | None = root
    for word in words:
        assert isinstance(command, click.Group)
        entry = command.commands[word]
        command = command.get_command(click.Context(command), word)
    assert command is not None
    return entry, command


ALL = list(entries())


@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_the_table_says_what_the_command_says(words: tuple[str, ...]) -> None:
    entry, command = find(words)
    assert command.name == words[-1]
    assert entry.get_short_help_str(200) == command.get_short_help_str(200) != ""
    if isinstance(entry, LazyCommand):
        assert entry.help == entry.get_short_help_str(200), "a sentence, and no more"


@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_every_command_explains_itself(
    mlops: Command, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    assert mlops(*words, "--help") == 0
    assert len(capsys.readouterr().out.splitlines()) > 3


@pytest.mark.parametrize("words", [words for words in ALL if len(words) == 2], ids=" ".join)
def test_the_commands_of_a_group_stand_in_its_module(words: tuple[str, ...]) -> None:
    entry, _ = find(words)
    assert isinstance(entry, LazyCommand)
    assert entry.place.startswith((f"mlops.cli.{words[0]}:", f"mlops.cli.{words[0]}_"))


def test_help_of_every_command_loads_nothing_heavy() -> None:
    code = (
        "import json, sys\n"
        "from mlops.cli.main import mlops\n"
        "for words in json.loads(sys.argv[1]):\n"
        "    mlops.main([*words, '--help'], standalone_mode=False)\n"
        "print(json.dumps(sorted(sys.modules)), file=sys.stderr)\n"
    )
    command = [sys.executable, "-c", code, json.dumps(ALL)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.count("Usage: ") == len(ALL)
    loaded = {name.split(".")[0] for name in json.loads(done.stderr)}
    assert loaded.isdisjoint(HEAVY)
    assert loaded >= {"mlops", "click", "rich"}
