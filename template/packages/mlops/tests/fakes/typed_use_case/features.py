from datetime import date

import ibis


def build_features(days: ibis.Table, _reference_date: date) -> ibis.Table:
    """Trusts its caller to hide what came after the day, so that a leak would show."""
    newest = ibis.desc(days.day)
    return days.group_by("shop").aggregate(
        amount=days.amount.sum(),
        visits=days.visits.sum(),
        open=days.open.first(order_by=newest, include_null=True),
        colour=days.colour.first(order_by=newest, include_null=True),
    )
