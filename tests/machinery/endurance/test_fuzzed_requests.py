"""Two thousand requests, most of them damaged: refused in a sentence, or read as they are."""

from pathlib import Path

from fakes.request_check import Scorer
from fakes.request_fuzz import requests


def test_no_request_brings_the_scoring_script_down(tmp_path: Path) -> None:
    scorer = Scorer(tmp_path)
    outcomes = [scorer.check(request) for request in requests(seed=11, count=2000)]
    assert outcomes.count("answered") > 400
    assert outcomes.count("refused") > 1000
