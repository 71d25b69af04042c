"""Step 5: one immutable, relocatable folder for a model that passed the gate."""

import shutil
from pathlib import Path
from typing import Any

from ..errors import Refused
from ..files import file_sha256, read_json, write_json, write_text
from ..governance.gate import require_passed
from ..governance.lineage import build_lineage
from ..governance.model_card import build_card, render_card
from ..monitoring.baseline import drift_baseline
from ..onnx_model import convert, parity_gap, predict
from ..platforms.base import ModelVersion, Platform, Run
from ..settings import LoadedSettings
from .fit import load_model, matrix
from .prepare import Prepared, load_prepared

SIGNATURE_SCHEMA = 1


def register_run(platform: Platform, run: Run, settings: LoadedSettings) -> ModelVersion:
    """Register the model of a run that passed the gate.

    Raises:
        Refused: there is no passing verdict on this very model, or ONNX does not give the same
            probabilities as scikit-learn.
    """
    verdict = require_passed(run)
    return platform.register(
        run, lambda folder, version: _build(folder, version, run, verdict, settings)
    )


def build_signature(
    name: str, version: int, threshold: float, prepared: Prepared
) -> dict[str, Any]:
    """Return the content of `signature.json`: what the scoring server accepts and answers."""
    return {
        "schema": SIGNATURE_SCHEMA,
        "model_name": name,
        "model_version": version,
        "decision_threshold": threshold,
        "features": [
            {"name": f.name, "nullable": f.nullable, "example": f.example}
            for f in prepared.features
        ],
    }


def _build(
    folder: Path, version: int, run: Run, verdict: dict[str, Any], settings: LoadedSettings
) -> None:
    prepared = load_prepared(run.folder / "prepared")
    evaluation = read_json(run.folder / "evaluation" / "evaluation.json", schema=1)
    training = read_json(run.folder / "model" / "training.json", schema=1)
    model = load_model(run.folder / "model" / "model.skops")
    onnx, gap = _checked_onnx(model, prepared, settings.values.gate.parity_tolerance)

    (folder / "model.onnx").write_bytes(onnx)
    shutil.copyfile(run.folder / "model" / "model.skops", folder / "model.skops")
    name = settings.model_name
    signature = build_signature(name, version, evaluation["decision_threshold"], prepared)
    write_json(folder / "signature.json", signature)
    train = prepared.train()
    probabilities = predict(onnx, matrix(train, prepared.feature_names))
    drift_baseline(train, prepared.feature_names, probabilities).write_parquet(
        folder / "baseline.parquet"
    )
    (folder / "plots").mkdir()
    for plot in (run.folder / "evaluation").glob("*.png"):
        shutil.copyfile(plot, folder / "plots" / plot.name)

    lineage = build_lineage(
        model={"name": name, "version": version},
        run_id=run.run_id,
        prepared=read_json(run.folder / "prepared" / "prepared.json", schema=1),
        training=training,
        verdict=verdict,
    )
    facts = settings.project.facts
    card = build_card(
        title=str(facts["title"]),
        description=str(facts["description"]),
        team=str(facts["team"]),
        contact=str(facts["contact"]),
        metric=settings.values.gate.metric,
        features=signature["features"],
        evaluation=evaluation,
        lineage=lineage,
        parity_gap=gap,
    )
    write_json(folder / "card.json", card)
    write_text(folder / "MODEL_CARD.md", render_card(card))
    write_json(folder / "lineage.json", {**lineage, "files": _hashes(folder)})


def _checked_onnx(model: Any, prepared: Prepared, tolerance: float) -> tuple[bytes, float]:
    onnx = convert(model, len(prepared.features))
    gap = parity_gap(model, onnx, matrix(prepared.holdout(), prepared.feature_names))
    if not gap <= tolerance:
        raise Refused(
            f"ONNX and scikit-learn differ by {gap:.2e} on the holdout "
            f"(gate.parity_tolerance allows {tolerance:.0e}): the served model would not be the "
            "one that was judged"
        )
    return onnx, gap


def _hashes(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): file_sha256(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
