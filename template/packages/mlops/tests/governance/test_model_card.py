"""Every field of the card comes from where it should, in `card.json` and in `MODEL_CARD.md`."""

from typing import Any

import pytest
import yaml

from mlops.artifacts.data_source import UNKNOWN, DataSource
from mlops.governance.model_card import build_card, render_card

EVALUATION = {
    "rows": 1203,
    "positive_rate": 0.314,
    "decision_threshold": 0.45,
    "parity": {"probes": 4321, "flips": 7},
    "model": {"f1": 0.81, "accuracy": 0.92, "brier": None},
    "baseline": {"f1": 0.71, "accuracy": None, "brier": 0.23},
    "slices": [
        {"slice": "level", "value": "high", "rows": 640, "metrics": {"f1": 0.83, "accuracy": 0.94}},
        {"slice": "level", "value": "low", "rows": 563, "metrics": {"f1": None, "accuracy": 0.88}},
    ],
}
SOURCE = DataSource("asset", "orders:3", made_up=False, files={"a": "1", "b": "2"}, fraction=1.0)
CHECKS = [
    {"name": "the first", "found": "0.8100", "asked": "at least 0.7500", "passed": True},
    {"name": "the second", "found": "0.1100", "asked": "gap at most 0.1000", "passed": False},
]
LINEAGE: dict[str, Any] = {
    "model": {"name": "tiny", "version": 4},
    "created_at": "2024-07-02T11:00:00+00:00",
    "run_id": "run-9",
    "git": {"commit": "c0ffee", "branch": "main", "dirty": False},
    "environment": {"python": "3.11.9", "system": "Linux", "packages_sha256": "hash-of-packages"},
    "data": {
        "source": DataSource(
            "asset", "orders:3", False, {"a.csv": "h", "b.csv": "h"}, 1.0
        ).to_dict(),
        "hash": "hash-of-data",
        "rows": 7001,
        "reference_date": "2024-06-30",
        "cutoff": "2024-06-20",
        "holdout_sha256": "hash-of-holdout",
    },
    "training": {
        "model_type": "Tree",
        "params": {"depth": 3},
        "seed": 42,
        "rows": 5604,
        "model_sha256": "hash-of-model",
    },
    "split": {"salt": "grain"},
    "settings": {"training.seed": 42},
    "verdict": {"passed": True, "checks": CHECKS},
}
FEATURES = [
    {"name": "height", "nullable": False, "example": 1.5},
    {"name": "width", "nullable": True, "example": 2.5},
]


def card(**changed: Any) -> dict[str, Any]:
    given = {
        "title": "Tiny",
        "description": "Predicts alarms.",
        "team": "Testers",
        "contact": "testers@example.com",
        "metric": "accuracy",
        "features": FEATURES,
        "evaluation": EVALUATION,
        "lineage": LINEAGE,
        "parity_gap": 1.2e-7,
    }
    return build_card(**{**given, **changed})


def tables(text: str) -> dict[str, list[list[str]]]:
    """Return the rows of the first table below each heading, without heads and rulers."""
    found: dict[str, list[list[str]]] = {}
    for part in text.split("\n## ")[1:]:
        heading, *lines = part.splitlines()
        rows = [
            [cell.strip() for cell in line[1:-1].split("|")] for line in lines if line[:1] == "|"
        ]
        if rows:
            found[heading] = rows
    return found


def test_every_field_of_the_data_has_its_source() -> None:
    assert card() == {
        "schema": 1,
        "title": "Tiny",
        "description": "Predicts alarms.",
        "team": "Testers",
        "contact": "testers@example.com",
        "model": {"name": "tiny", "version": 4},
        "created_at": "2024-07-02T11:00:00+00:00",
        "metric": "accuracy",
        "features": FEATURES,
        "evaluation": EVALUATION,
        "verdict": {"passed": True, "checks": CHECKS},
        "split": {"salt": "grain"},
        "lineage": {
            key: LINEAGE[key] for key in ("run_id", "git", "data", "training", "environment")
        },
        "parity_gap": 1.2e-7,
    }


IN_TIME = {
    "by": "time",
    "date": "first_order",
    "key": "household",
    "grouped": True,
    "first_holdout_day": "2024-05-01",
    "last_training_day": "2024-04-20",
    "gap_days": 10,
    "rows_cut_away": 37,
    "dates": 12,
}


def test_a_split_in_time_is_told_and_so_are_groups() -> None:
    text = render_card({**card(), "split": IN_TIME})
    assert "1203 rows that this version was not trained on, 31.4 % with label 1." in text
    assert (
        "\n\nSplit in time: the holdout is the newest by first\\_order, from 2024-05-01 on; "
        "the training part ends on 2024-04-20; 37 rows cut away (gap: 10 days); dates: 12.\n\n"
        "All rows with the same household are on one side.\n\n|"
    ) in text


def test_a_card_made_before_splits_in_time_reads_as_it_did() -> None:
    before = {name: value for name, value in card().items() if name != "split"}
    assert render_card(before) == render_card(card())


def test_every_sentence_says_what_the_data_say() -> None:
    body = render_card(card()).split("---\n", 2)[2]
    prose = [line for line in body.splitlines() if line and line[0] != "|"]
    assert prose == [
        "# Tiny, version 4",
        "Predicts alarms.",
        "Registered 2024-07-02T11:00:00+00:00 by team Testers (testers@example.com).",
        "## Quality on the holdout",
        "1203 rows that no version was trained on, 31.4 % with label 1. "
        "The prediction is 1 from a probability of 0.45.",
        "![quality on the holdout](plots/quality.png)",
        "![importance of the features](plots/importance.png)",
        "## The gate's verdict",
        "## Slices",
        "## Where it comes from",
        "- Training run: `run-9`",
        "- Commit: `c0ffee`",
        "- Source: real data (asset orders:3), 2 files",
        "- Data: 7001 raw rows, hash `hash-of-data`, reference date 2024-06-30; "
        "features end on 2024-06-20",
        "- Training part: 5604 rows",
        "- Estimator: Tree, seed 42",
        "- Python 3.11.9, packages hash `hash-of-packages`",
        "- Largest difference of a probability, ONNX against scikit-learn: 1.2e-07, "
        "on 4321 probes, of which they decide 7 otherwise",
        "## Features",
        "- `height`",
        "- `width` (may be null)",
    ]


def test_every_cell_says_what_the_data_say() -> None:
    found = tables(render_card(card()))
    assert {name: [rows[0], *rows[2:]] for name, rows in found.items()} == {
        "Quality on the holdout": [
            ["metric", "model", "baseline"],
            ["f1", "0.8100", "0.7100"],
            ["accuracy", "0.9200", "not computed"],
            ["brier", "not computed", "0.2300"],
        ],
        "The gate's verdict": [
            ["check", "found", "asked", ""],
            ["the first", "0.8100", "at least 0.7500", "passed"],
            ["the second", "0.1100", "gap at most 0.1000", "FAILED"],
        ],
        "Slices": [
            ["slice", "value", "rows", "accuracy"],
            ["level", "high", "640", "0.9400"],
            ["level", "low", "563", "0.8800"],
        ],
    }


@pytest.mark.parametrize(
    ("git", "said"),
    [
        ({"commit": "c0ffee", "dirty": True}, "- Commit: `c0ffee` (with uncommitted changes)"),
        ({"commit": "", "dirty": True}, "- Commit: `none` (with uncommitted changes)"),
        ({"commit": "c0ffee", "dirty": False}, "- Commit: `c0ffee`"),
    ],
)
def test_uncommitted_changes_are_told(git: dict[str, Any], said: str) -> None:
    text = render_card(card(lineage={**LINEAGE, "git": git}))
    assert said in text.splitlines()


@pytest.mark.parametrize(
    ("source", "banner"),
    [
        (DataSource("folder", "d", made_up=False, fraction=1.0), []),
        (
            DataSource("sample", "size 9", made_up=True, fraction=1.0),
            [
                "> **Made-up data: this version is made of generated data and says nothing about "
                "real ones**"
            ],
        ),
        (
            DataSource("folder", "d", made_up=False, fraction=0.1),
            ["> **It is made of 10 % of the data: it is never shared nor released on Azure**"],
        ),
        (
            UNKNOWN,
            [
                "> **Nobody knows what data this version is made of, nor whether they are real**",
                "> **It is made of an unknown part of the data: it is never shared nor released on "
                "Azure**",
            ],
        ),
    ],
)
def test_what_is_unusual_about_the_data_stands_on_top(
    source: DataSource, banner: list[str]
) -> None:
    data = {**LINEAGE["data"], "source": source.to_dict()}
    text = render_card(card(lineage={**LINEAGE, "data": data}))
    top = text.split("---\n", 2)[2].partition("Registered")[0].splitlines()
    assert [line for line in top if line] == ["# Tiny, version 4", *banner, "Predicts alarms."]
    older = {name: value for name, value in data.items() if name != "source"}
    unknown = render_card(card(lineage={**LINEAGE, "data": older}))
    assert "Nobody knows what data" in unknown


def test_a_champion_that_was_not_compared_is_told_in_one_line() -> None:
    verdict = {**LINEAGE["verdict"], "champion_note": "version 1 was not compared: it is a demo"}
    text = render_card(card(lineage={**LINEAGE, "verdict": verdict}))
    (said,) = [line for line in text.splitlines() if "not compared" in line]
    assert said == "version 1 was not compared: it is a demo."


def test_the_metadata_for_other_tools() -> None:
    head = render_card(card()).split("---\n", 2)[1]
    assert yaml.safe_load(head) == {
        "library_name": "onnx",
        "pipeline_tag": "tabular-classification",
        "tags": ["tabular-classification", "binary-classification"],
        "model-index": [
            {
                "name": "tiny",
                "results": [
                    {
                        "task": {"type": "tabular-classification"},
                        "dataset": {
                            "type": "holdout",
                            "name": "holdout",
                            "revision": "hash-of-data",
                        },
                        "metrics": [
                            {"type": "f1", "name": "f1", "value": 0.81},
                            {"type": "accuracy", "name": "accuracy", "value": 0.92},
                        ],
                    }
                ],
            }
        ],
    }
