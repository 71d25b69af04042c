"""Every field of the lineage comes from where it should: no two sources here share a value."""

from datetime import UTC, datetime

from fakes.candidates import candidate
from mlops.governance.lineage import build_lineage
from mlops.governance.origin import origin_of

PREPARED = {
    "data_hash": "hash of the data",
    "data_hash_schema": 2,
    "data_rows": 7001,
    "data_days": ["2024-01-02", "2024-06-29"],
    "source": {
        "kind": "asset",
        "name": "orders:3",
        "made_up": False,
        "files": {"a.csv": "hash of a.csv"},
        "fraction": 0.1,
    },
    "reference_date": "2024-06-30",
    "cutoff": "2024-06-20",
    "holdout_sha256": "hash of the holdout",
    "split": {"salt": "grain", "holdout_fraction": 0.2, "key": "machine"},
    "rows": {"train": 70, "holdout": 30},
}
TRAINING = {
    "model_type": "Tree",
    "baseline_type": "Line",
    "model_sha256": "hash of the model",
    "params": {"depth": 3},
    "seed": 42,
    "rows": 71,
    "seconds": 1.5,
    "types": ["a.b"],
    "git": {"commit": "c0ffee", "branch": "main", "dirty": False},
    "environment": {"python": "3.11.9", "packages_sha256": "hash of the packages"},
    "settings": {"training.seed": 42, "environment": "dev"},
}
VERDICT = {
    "passed": True,
    "judged_at": "2024-07-01T10:00:00+00:00",
    "checks": [{"name": "f1"}],
    "champion_version": 3,
    "champion_note": "on 7 rows",
}
PAGE = "https://github.example/o/r/actions/runs/12/attempts/1"


def test_every_field_has_its_source() -> None:
    created = datetime(2026, 6, 30, 12, 34, 56, tzinfo=UTC)
    lineage = build_lineage(
        model={"name": "tiny", "version": 4},
        run_id="run-9",
        prepared=PREPARED,
        training=TRAINING,
        verdict=VERDICT,
        created_at=created,
        pipeline=PAGE,
    )
    assert lineage.pop("created_at") == "2026-06-30T12:34:56+00:00"
    assert lineage == {
        "schema": 1,
        "model": {"name": "tiny", "version": 4},
        "run_id": "run-9",
        "pipeline": {"url": PAGE},
        "parent": {"version": 3, "note": "on 7 rows"},
        "git": {"commit": "c0ffee", "branch": "main", "dirty": False},
        "environment": {"python": "3.11.9", "packages_sha256": "hash of the packages"},
        "data": {
            "source": PREPARED["source"],
            "hash": "hash of the data",
            "hash_schema": 2,
            "rows": 7001,
            "first_day": "2024-01-02",
            "last_day": "2024-06-29",
            "reference_date": "2024-06-30",
            "cutoff": "2024-06-20",
            "holdout_sha256": "hash of the holdout",
        },
        "split": {"salt": "grain", "holdout_fraction": 0.2, "key": "machine"},
        "training": {
            "model_type": "Tree",
            "params": {"depth": 3},
            "seed": 42,
            "rows": 71,
            "model_sha256": "hash of the model",
        },
        "settings": {"training.seed": 42, "environment": "dev"},
        "verdict": VERDICT,
    }


def test_all_that_is_written_is_read() -> None:
    """And a run of before that says less makes a version all the same."""
    moment = datetime(2026, 6, 30, tzinfo=UTC)
    made = candidate()
    old = {key: value for key, value in PREPARED.items() if key != "data_days"}
    lineage = build_lineage(
        model={"name": "tiny", "version": 4},
        run_id="run-9",
        prepared=old,
        training=TRAINING,
        verdict={"passed": True, "checks": []},
        created_at=moment,
        candidate=made,
    )
    found = origin_of(lineage)
    assert found["candidate"] == made.model_dump(mode="json")
    assert found["parent"] == {"version": None, "note": ""}
    assert found["run"] == {"id": "run-9", "pipeline": ""}
    assert (found["data"]["first_day"], found["data"]["rows"]) == (None, 7001)
    assert found["environment"]["packages_sha256"] == "hash of the packages"
