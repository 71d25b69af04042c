"""Groups of commands that import a command's module only when the command is called."""

from importlib import import_module

import click


class LazyCommand(click.Command):
    """Stands for a command until it is called: where it is defined, and what it does in a sentence.

    Attributes:
        place: module and attribute, as in `mlops.cli.data:make`.
    """

    def __init__(self, name: str, place: str, summary: str) -> None:
        super().__init__(name, help=summary)
        self.place = place

    def load(self) -> click.Command:
        """Import the command.

        Raises:
            TypeError: there is something else in its place.
        """
        module, _, attribute = self.place.partition(":")
        command = getattr(import_module(module), attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"{self.place} is no command")
        return command


class LazyGroup(click.Group):
    """A group that shows its commands in their given order and imports none of them for that.

    `commands` holds what stands for each; `get_command` returns the command itself.
    """

    def list_commands(self, _context: click.Context) -> list[str]:
        """Return the names in the order in which they were given."""
        return list(self.commands)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """Return the command, imported; None if there is none of this name."""
        command = super().get_command(context, name)
        return command.load() if isinstance(command, LazyCommand) else command

    def format_commands(self, _context: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands."""
        limit = formatter.width - 6 - max(map(len, self.commands))  # as click leaves room
        rows = [(name, each.get_short_help_str(limit)) for name, each in self.commands.items()]
        with formatter.section("Commands"):
            formatter.write_dl(rows)
