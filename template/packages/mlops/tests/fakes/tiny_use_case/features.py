from datetime import date

import ibis


def build_features(readings: ibis.Table, _reference_date: date) -> ibis.Table:
    """Trusts its caller to hide what came after the cutoff, so that a leak would show."""
    return readings.group_by("machine").aggregate(
        highest=readings.reading.max(), lowest=readings.reading.min(), count=readings.count()
    )
