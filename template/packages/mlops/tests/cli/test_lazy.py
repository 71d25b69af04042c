"""Commands are shown without their modules, and imported when they are called."""

import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from mlops.cli.lazy import LazyCommand, LazyGroup

MODULE = "commands_of_a_test"


@pytest.fixture
def group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LazyGroup:
    """Two commands in a module that nobody has imported yet, and one that is there already."""
    (tmp_path / f"{MODULE}.py").write_text(
        "import click\n\n@click.command()\ndef make(): click.echo('made')\n\nnothing = None\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, MODULE, raising=False)
    return LazyGroup(
        "group",
        commands=[
            LazyCommand("make", f"{MODULE}:make", "Make something."),
            LazyCommand("absent", f"{MODULE}:nothing", "There is no such command in its place."),
            click.Command("at-hand", help="Is there."),
        ],
    )


def test_help_lists_the_commands_in_their_order_and_imports_none(group: LazyGroup) -> None:
    said = CliRunner().invoke(group, ["--help"]).output
    lines = said[said.index("Commands:") :].splitlines()[1:]
    assert [line.split()[0] for line in lines] == ["make", "absent", "at-hand"]
    assert lines[0].endswith("Make something.")
    assert MODULE not in sys.modules


def test_the_list_is_written_as_click_writes_it(group: LazyGroup) -> None:
    plain = click.Group("group", commands=group.commands)
    group.commands = {name: group.commands[name] for name in sorted(group.commands)}
    for width in (40, 80):
        shown = [
            CliRunner().invoke(each, ["--help"], terminal_width=width).output
            for each in (group, plain)
        ]
        assert shown[0] == shown[1]


def test_a_command_is_imported_when_it_is_called(group: LazyGroup) -> None:
    assert CliRunner().invoke(group, ["make"]).output == "made\n"
    assert MODULE in sys.modules


def test_a_name_that_is_close_is_suggested(group: LazyGroup) -> None:
    done = CliRunner().invoke(group, ["maek"])
    assert done.exit_code == 2
    assert "No such command 'maek'" in done.output
    assert group.get_command(click.Context(group), "maek") is None


def test_something_else_in_a_commands_place_is_an_error(group: LazyGroup) -> None:
    with pytest.raises(TypeError, match=f"{MODULE}:nothing is no command"):
        group.get_command(click.Context(group), "absent")
