"""Which version may take which one's place, by the data that they are made of."""

import pytest

from fakes.tiny_version import MADE_UP, REAL
from mlops.artifacts.data_source import UNKNOWN, DataSource
from mlops.governance.standing import Standing, champion_number, standing

COMPARED, REPLACES, REFUSED = Standing.COMPARED, Standing.REPLACES, Standing.REFUSED


@pytest.mark.parametrize(
    ("candidate", "present", "found"),
    [
        (REAL, REAL, COMPARED),
        (REAL, MADE_UP, REPLACES),
        (REAL, UNKNOWN, COMPARED),
        (MADE_UP, REAL, REFUSED),
        (MADE_UP, MADE_UP, COMPARED),
        (MADE_UP, UNKNOWN, COMPARED),
        (UNKNOWN, REAL, REFUSED),
        (UNKNOWN, MADE_UP, COMPARED),
        (UNKNOWN, UNKNOWN, COMPARED),
    ],
)
def test_made_up_data_never_win_over_real_ones_and_unknown_data_are_not_real(
    candidate: DataSource, present: DataSource, found: Standing
) -> None:
    assert standing(candidate, present) is found


@pytest.mark.parametrize(
    ("serving", "data", "champion"),
    [
        (None, {}, None),
        (None, {1: REAL, 2: REAL}, 2),
        (1, {1: REAL, 2: REAL}, 1),
        (None, {1: REAL, 2: MADE_UP}, 1),
        (2, {1: REAL, 2: MADE_UP}, 1),
        (None, {1: UNKNOWN, 2: MADE_UP}, 1),
        (1, {1: MADE_UP, 2: MADE_UP}, 1),
        (None, {1: MADE_UP, 2: MADE_UP}, 2),
        (7, {1: REAL, 2: MADE_UP}, 1),
        (7, {}, None),
    ],
)
def test_the_champion_is_of_real_data_where_there_is_one(
    serving: int | None, data: dict[int, DataSource], champion: int | None
) -> None:
    assert champion_number(serving, data) == champion


@pytest.mark.parametrize(
    ("serving", "data", "said"),
    [
        (7, {1: REAL}, [", so version 1 is the champion"]),
        (7, {}, [""]),
        (1, {1: REAL}, []),
        (1, {1: MADE_UP, 2: REAL}, []),
        (None, {1: REAL}, []),
    ],
)
def test_a_version_that_serves_and_is_gone_is_spoken_of(
    serving: int | None, data: dict[int, DataSource], said: list[str]
) -> None:
    told: list[str] = []
    champion_number(serving, data, told.append)
    gone = "version 7 serves in prod and is not registered any more"
    assert told == [f"{gone}{more}" for more in said]
