"""The worst of several exit codes: 1, then 3, 4 and 0; what is unknown has failed."""

import itertools

import pytest

from mlops.ci.worst import read_codes, worst


def test_the_order_is_one_three_four_none() -> None:
    order = [1, 3, 4, 0]
    for first, second in itertools.combinations_with_replacement(order, 2):
        assert worst([first, second]) == worst([second, first]) == first


@pytest.mark.parametrize("codes", [[2], [130, 0], [143, 4], [-9], []])
def test_what_is_unknown_has_failed(codes: list[int]) -> None:
    assert worst(codes) == 3


def test_an_alarm_goes_before_what_is_unknown() -> None:
    assert worst([2, 1]) == 1


def test_a_code_that_is_missing_has_failed() -> None:
    found = read_codes(["drift=4", "monitor=", "retrain", "report=x"])
    assert found == {"drift": 4, "monitor": 3, "retrain": 3, "report": 3}
