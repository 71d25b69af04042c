"""What became of a version since its registration, as a table of its card."""

from collections.abc import Sequence
from datetime import UTC

from mlops.governance.card_numbers import Table
from mlops.governance.later import Happening

UNREAD = "Could not be read, so it may tell more"
_COLUMNS = ("when (UTC)", "what", "environment", "outcome", "said", "recorded in")


def later_table(happenings: Sequence[Happening]) -> Table:
    """Return happenings as a table, in their order; it has no row where nothing is recorded."""
    rows = (
        (
            f"{each.moment.astimezone(UTC):%Y-%m-%d %H:%M}" if each.time else "not recorded",
            each.what,
            each.environment,
            each.outcome,
            each.detail,
            ", ".join(filter(None, (each.place, each.page))),
        )
        for each in happenings
    )
    return Table(_COLUMNS, tuple(rows))
