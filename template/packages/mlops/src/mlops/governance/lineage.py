"""Where a model version comes from: data, code, environment, run and verdict."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from mlops.artifacts.candidate import Candidate
from mlops.artifacts.data_source import read_source
from mlops.artifacts.documents import LINEAGE


def build_lineage(
    *,
    model: Mapping[str, Any],
    run_id: str,
    prepared: Mapping[str, Any],
    training: Mapping[str, Any],
    verdict: Mapping[str, Any],
    created_at: datetime,
    candidate: Candidate | None = None,
    pipeline: str = "",
) -> dict[str, Any]:
    """Return the content of `lineage.json`, but for the hashes of the version folder's files.

    Args:
        model: name and version.
        run_id: the training run.
        prepared: the content of prepared.json.
        training: the content of training.json.
        verdict: the gate's verdict.
        created_at: when the version is made.
        candidate: of which the version is made, if a retraining made it.
        pipeline: the page of the pipeline's run that makes the version; empty outside of one.
    """
    first_day, last_day = prepared.get("data_days") or (None, None)
    content = {
        "model": dict(model),
        "created_at": created_at.isoformat(timespec="seconds"),
        "run_id": run_id,
        "pipeline": {"url": pipeline},
        "parent": {
            "version": verdict.get("champion_version"),
            "note": verdict.get("champion_note", ""),
        },
        "git": training["git"],
        "environment": training["environment"],
        "data": {
            "source": read_source(prepared.get("source")).to_dict(),
            "hash": prepared["data_hash"],
            "hash_schema": prepared.get("data_hash_schema", 1),
            "rows": prepared["data_rows"],
            "first_day": first_day,
            "last_day": last_day,
            "reference_date": prepared["reference_date"],
            "cutoff": prepared["cutoff"],
            "holdout_sha256": prepared["holdout_sha256"],
        },
        "split": prepared["split"],
        "training": {
            key: training[key] for key in ("model_type", "params", "seed", "rows", "model_sha256")
        },
        "settings": training["settings"],
        "verdict": dict(verdict),
        **({} if candidate is None else {"candidate": candidate.told()}),
    }
    return LINEAGE.with_schema(content)
