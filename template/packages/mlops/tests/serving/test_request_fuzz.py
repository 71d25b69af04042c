"""Whatever is sent: a 400 with a sentence, or the values that an independent reader finds."""

from pathlib import Path

import pytest

from fakes.request_check import Scorer
from fakes.request_fuzz import requests


def test_requests_are_refused_in_a_sentence_or_read_as_they_are(tmp_path: Path) -> None:
    scorer = Scorer(tmp_path)
    outcomes = [scorer.check(request) for request in requests(seed=1, count=400)]
    assert outcomes.count("answered") > 80


@pytest.mark.parametrize("seed", range(3))
def test_the_same_seed_makes_the_same_requests(seed: int) -> None:
    assert list(requests(seed, 20)) == list(requests(seed, 20))
