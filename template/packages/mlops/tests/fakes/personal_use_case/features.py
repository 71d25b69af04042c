from datetime import date

import ibis


def build_features(readings: ibis.Table, _reference_date: date) -> ibis.Table:
    """Makes of personal columns what names nobody."""
    domain = readings.email.split("@")[1]
    return readings.group_by("machine").aggregate(
        highest=readings.reading.max(),
        lowest=readings.reading.min(),
        domain_length=domain.length().max(),
        earns_well=(readings.salary > 1_000).any(),
        born_before_1900=(readings.born.year() < 1900).any(),
    )
