"""What people see of a release while it runs: traffic, the evidence so far, the decision."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from mlops.console import console, show_table
from mlops.release.ab_test.decision import limits_of
from mlops.release.ab_test.looks import Look, number
from mlops.release.evidence import Record, ab_columns, ab_rows, copies_sentence
from mlops.release.watchers import Ended, Watchers, unheard
from mlops.settings.sections import AbTestSettings

_BAR = 24
_LINE_SECONDS = 5.0
_BY = {"mirror": "copies of requests", "share": "callers' requests"}
_CAPTION = "last two columns: e-values, and from where on they decide"
_STYLES = {"blue": "blue", "green": "green"}


class ReleaseView:
    """A view of one release; drawn anew with every number that comes in.

    Args:
        settings: of the A/B test.
        say: prints a line where nothing can be drawn.
    """

    def __init__(self, settings: AbTestSettings, say: Callable[[str], None] | None = None) -> None:
        self._limits = limits_of(settings)
        self._say = say
        self._line = ""
        self._look: Look | None = None
        self._traffic: Mapping[str, int] = {}
        self._mirror: Mapping[str, int] = {}
        self._said_at = 0.0

    def report(self, line: str) -> None:
        """Take a line about the progress."""
        self._line = line
        if self._say:
            self._say(line)

    def watch(self, look: Look, traffic: dict[str, int], mirror: dict[str, int]) -> None:
        """Take the numbers after a batch."""
        self._look, self._traffic, self._mirror = look, traffic, mirror
        if self._say and look.seconds - self._said_at >= _LINE_SECONDS:
            self._said_at = look.seconds
            self._say(self.sentence())

    def sentence(self) -> str:
        """Return the numbers in a line."""
        look = self._look
        if look is None:
            return ""
        evidence = "; ".join(
            f"{metric}: {number(each.worse)} for promotion, {number(each.not_worse)} for rejection"
            for metric, each in look.evidence.items()
        )
        kind = "copies" if look.phase == "mirror" else "requests"
        return f"{look.seconds:.0f} s, {look.compared.requests:,} {kind}; e-values: {evidence}"

    def __rich__(self) -> Group:
        """Draw the last line, the shares of traffic and the evidence."""
        return Group(Text(self._line), self.numbers)

    @property
    def numbers(self) -> "Numbers":
        """The shares of traffic and the evidence, without the last line."""
        return Numbers(self)

    def draw_numbers(self) -> Group:
        """Draw the shares of traffic and the evidence; nothing before the first batch."""
        return Group(self._bar(), self._table(self._look)) if self._look else Group()

    def _bar(self) -> Text:
        bar = Text()
        for name, share in self._traffic.items():
            bar.append("█" * round(_BAR * share / 100), style=_STYLES.get(name, ""))
        for name, share in self._traffic.items():
            bar.append(f"  {name} {share} %", style=_STYLES.get(name, ""))
        for name, percent in self._mirror.items():
            bar.append(f"  + copies of {percent} % to {name}", style=_STYLES.get(name, ""))
        return bar

    def _table(self, look: Look) -> Table:
        columns = ab_columns("baseline", "candidate", self._limits, look)
        copies = copies_sentence("the candidate", look)
        table = Table(
            title=f"A/B test by {_BY[look.phase]}, {look.seconds:.0f} s",
            title_justify="left",
            caption="\n".join(filter(None, (_CAPTION, copies))),
            caption_justify="left",
        )
        for column in columns:
            table.add_column(column)
        for row in ab_rows(look):
            table.add_row(*row)
        return table


class Numbers:
    """What `ReleaseView` knows at the moment of drawing."""

    def __init__(self, view: ReleaseView) -> None:
        self._view = view

    def __rich__(self) -> Group:
        """Draw them."""
        return self._view.draw_numbers()


@contextmanager
def release_shown(
    title: str, settings: AbTestSettings, ended: Callable[[Ended], None] = unheard
) -> Iterator[Watchers]:
    """Show a release while the block runs; yield the watchers that feed the display."""
    screen = console()
    if not screen.is_terminal:
        view = ReleaseView(settings, lambda line: screen.print(f"{title}: {line}", markup=False))
        yield Watchers(view.report, view.watch, ended)
        return
    view = ReleaseView(settings)
    with Live(view, console=screen, refresh_per_second=8):
        yield Watchers(view.report, view.watch, ended)


def show_record(record: Record) -> None:
    """Print how a release or an A/B test ended, and on the job's page in CI."""
    versions = ", ".join(f"{name} version {number}" for name, number in record.versions.items())
    after = ", ".join(f"{name} {share} %" for name, share in record.traffic_after.items())
    rows = [
        ("outcome", record.outcome),
        ("why", record.reason),
        ("compared" if record.ab_test else "deployed", versions),
        ("traffic now", after or "none"),
    ]
    if record.warning:
        rows.append(("warning", record.warning))
    if record.changes:
        rows.append(("callers", "\n".join(record.changes)))
    if record.breaking:
        rows.append(("breaking, since", record.breaking))
    if record.rehearsal:
        rows.append(("a rehearsal", record.rehearsal))
    result = record.ab_test
    if result and result.looks and (copies := copies_sentence(result.candidate, result.looks[-1])):
        rows.append(("before callers", copies))
    show_table(f"{record.kind} at {record.endpoint}", ("", ""), rows)
    if result and result.looks:
        last = result.looks[-1]
        columns = ab_columns(result.baseline, result.candidate, result.limits, last)
        show_table("A/B test: rates and e-values", columns, ab_rows(last))
