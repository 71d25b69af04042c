"""The comment on a pull request says what the run's own files say."""

from pathlib import Path
from typing import Any

import pytest

from fakes.tiny_version import MADE_UP, REAL
from mlops.artifacts.data_source import UNKNOWN, DataSource
from mlops.artifacts.documents import EVALUATION, VERDICT
from mlops.artifacts.prepared import Prepared, write_description
from mlops.artifacts.run_folder import RunFolder
from mlops.ci.comment import run_comment
from mlops.errors import ConfigError
from mlops.features import Features

MEASURED = {
    "rows": 1200,
    "model": {"f1": 0.81234, "roc_auc": 0.91, "brier": None},
    "baseline": {"f1": 0.7, "roc_auc": None, "brier": 0.2},
}
CHECKS = [
    {"name": "f1", "found": "0.8123", "asked": "at least 0.75", "passed": True},
    {"name": "f1 in slices", "found": "0.2000 in a=b", "asked": "gap at most 0.1", "passed": False},
]


def write_run(
    folder: Path, verdict: dict[str, Any] | None = None, source: DataSource = REAL
) -> Path:
    prepared = Prepared(folder, "k", Features(), "c", "r", "h", 9, {}, {}, "s", source)
    write_description(prepared, RunFolder(folder).prepared_path)
    EVALUATION.write(RunFolder(folder).evaluation.path, MEASURED)
    if verdict is not None:
        VERDICT.write(folder, verdict)
    return folder


def test_a_refused_run_shows_every_metric_and_every_check(tmp_path: Path) -> None:
    run = write_run(tmp_path, {"passed": False, "checks": CHECKS})
    assert run_comment(run).splitlines() == [
        "### Metrics on the holdout (1,200 rows)",
        "",
        "| metric | model | baseline |",
        "| --- | --- | --- |",
        "| f1 | 0.8123 | 0.7000 |",
        "| roc\\_auc | 0.9100 | not computed |",
        "| brier | not computed | 0.2000 |",
        "",
        "### The gate refuses it",
        "",
        "| check | found | asked |  |",
        "| --- | --- | --- | --- |",
        "| f1 | 0.8123 | at least 0.75 | passed |",
        "| f1 in slices | 0.2000 in a=b | gap at most 0.1 | FAILED |",
        "",
        "From a training on real data (folder data/orders).",
    ]


def test_a_run_that_passed_says_so_whatever_its_checks_say(tmp_path: Path) -> None:
    text = run_comment(write_run(tmp_path, {"passed": True, "checks": CHECKS}))
    assert "### The gate lets it pass" in text
    assert "refuses" not in text


def test_a_run_that_was_not_judged_has_a_comment_too(tmp_path: Path) -> None:
    assert "The gate" not in run_comment(write_run(tmp_path))


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (REAL.of_share(0.999), "99.9 % of real data (folder data/orders)"),
        (MADE_UP.of_share(0.05), "5 % of made-up data (sample size 300, seed 1, drift 0)"),
        (UNKNOWN, "unknown data"),
    ],
)
def test_a_training_on_less_than_all_real_data_is_told(
    tmp_path: Path, source: DataSource, said: str
) -> None:
    comment = run_comment(write_run(tmp_path, source=source))
    assert comment.endswith(f"From a training on {said}.\n")


def test_a_champion_that_was_not_compared_is_told(tmp_path: Path) -> None:
    verdict = {"passed": True, "checks": CHECKS, "champion_note": "version 1 was not compared"}
    assert "\nversion 1 was not compared.\n" in run_comment(write_run(tmp_path, verdict))


def test_a_run_that_was_not_evaluated_has_no_comment(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"evaluation\.json does not exist"):
        run_comment(tmp_path)
