from datetime import date, timedelta
from typing import Any

import ibis

WINDOW_DAYS = 10
ALARM = 100.0


def label_cutoff(reference_date: date, _params: Any) -> date:
    return reference_date - timedelta(days=WINDOW_DAYS)


def build_labels(readings: ibis.Table, cutoff: date, _reference_date: date) -> ibis.Table:
    later = (readings.day > cutoff) & (readings.reading >= ALARM)
    return readings.group_by("machine").aggregate(label=later.any().cast("int8"))
