"""The gate: may this run's model be registered?

The verdict names the model and the holdout by their hashes, so that it holds for exactly the files
that were judged.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mlops.artifacts.documents import VERDICT
from mlops.artifacts.prepared import holdout_file
from mlops.artifacts.run_folder import RunFolder
from mlops.artifacts.signature import differences
from mlops.artifacts.version_folder import VersionFolder
from mlops.checks import Check, failures
from mlops.errors import Refused
from mlops.files import file_sha256
from mlops.governance.champion import Comparison, compare
from mlops.metrics import LOWER_IS_BETTER
from mlops.platforms.base import ModelVersion, Platform, Run
from mlops.settings.loading import LoadedSettings
from mlops.settings.sections import GateSettings


@dataclass(frozen=True)
class Verdict:
    """The gate's decision on one model, with every check behind it.

    `warnings` says what decides nothing here and will matter later.
    """

    run_id: str
    model_sha256: str
    holdout_sha256: str
    evaluation_sha256: str
    champion_version: int | None
    checks: tuple[Check, ...]
    judged_at: str
    warnings: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether every check passed; a gate with no check refuses."""
        return bool(self.checks) and all(check.passed for check in self.checks)

    @property
    def refusal(self) -> str:
        """What to say of a model that did not pass."""
        return (
            f"the gate refuses run {self.run_id}: {failures(self.checks)} "
            "(docs/gate.md tells what each check asks, and where to set it)"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the content of `verdict.json`."""
        return VERDICT.with_schema({"passed": self.passed, **asdict(self)})


def judge(
    evaluation: Mapping[str, Any], gate: GateSettings, comparison: Comparison | None
) -> tuple[Check, ...]:
    """Check an evaluation against thresholds, baseline, champion and slices.

    Args:
        evaluation: the content of evaluation.json.
        gate: the limits.
        comparison: model and champion side by side; None where there is no champion yet.
    """
    model = evaluation["model"]
    checks = [
        _compare(name, model.get(name), limit, sign_of=name, words="")
        for name, limit in gate.thresholds.active().items()
    ]
    if gate.beat_baseline:
        checks.append(_beats_baseline(gate.metric, model, evaluation["baseline"]))
    if gate.compare_to_champion and comparison is not None:
        checks.append(_matches_champion(gate, comparison))
    if gate.max_slice_gap is not None:
        checks.append(_slices_hold(gate, gate.max_slice_gap, evaluation))
    return tuple(checks)


def judge_run(platform: Platform, run: Run, settings: LoadedSettings) -> Verdict:
    """Judge a run's model and keep the verdict with the run.

    Raises:
        Refused: the model or holdout was changed after the evaluation.
        ConfigError: the run's outputs are not complete.
    """
    judged = _Judged.of(run)
    evaluation = RunFolder(run.folder).evaluation.results()
    model_sha256, holdout_sha256 = file_sha256(judged.model), file_sha256(judged.holdout)
    if model_sha256 != evaluation["model_sha256"]:
        name = _within(run, judged.model)
        raise Refused(f"run {run.run_id}: {name} was changed after its evaluation")
    if holdout_sha256 != evaluation["holdout_sha256"]:
        name = _within(run, judged.holdout)
        raise Refused(f"run {run.run_id}: {name} was changed after the evaluation")
    gate = settings.values.gate
    version = platform.champion() if gate.compare_to_champion else None
    comparison = None if version is None else compare(version, run)
    verdict = Verdict(
        run_id=run.run_id,
        model_sha256=model_sha256,
        holdout_sha256=holdout_sha256,
        evaluation_sha256=file_sha256(judged.evaluation),
        champion_version=None if comparison is None else comparison.version,
        checks=judge(evaluation, gate, comparison),
        judged_at=datetime.now(UTC).isoformat(timespec="seconds"),
        warnings=() if version is None else _warnings(version, run),
    )
    platform.store_verdict(run, verdict.to_dict())
    return verdict


def require_passed(run: Run) -> dict[str, Any]:
    """Return the run's verdict if it passed and speaks of the files that lie in the run now.

    Raises:
        Refused: there is no verdict, it did not pass, or a file it judged was changed since.
    """
    folder = RunFolder(run.folder)
    if not folder.is_judged():
        how = f"run `mlops evaluate --run-id {run.run_id}`"
        raise Refused(f"run {run.run_id} has no verdict of the gate", how)
    verdict = folder.verdict()
    if not verdict["passed"]:
        failed = [check["name"] for check in verdict["checks"] if not check["passed"]]
        raise Refused(f"run {run.run_id} did not pass the gate ({', '.join(failed)})")
    judged = _Judged.of(run)
    bound = {
        judged.model: "model_sha256",
        judged.holdout: "holdout_sha256",
        judged.evaluation: "evaluation_sha256",
    }
    if not judged.holdout.is_file():
        # a packaged run goes on without its data; the package was made while they were there
        del bound[judged.holdout]
    for path, key in bound.items():
        if file_sha256(path) != verdict[key]:
            name = _within(run, path)
            raise Refused(f"run {run.run_id}: {name} was changed after its verdict", "train again")
    return verdict


def _warnings(champion: ModelVersion, run: Run) -> tuple[str, ...]:
    """Say what callers of the champion would have to send otherwise, null left aside."""
    features = RunFolder(run.folder).prepared().features
    asked = {
        "features": [{"name": f.name, "nullable": True, "optional": f.optional} for f in features]
    }
    changes = differences(VersionFolder(champion.folder).signature(), asked)
    if not changes:
        return ()
    return (
        f"callers of version {champion.version} would have to send something else "
        f"({', '.join(changes)}): a release refuses that, see docs/release.md",
    )


@dataclass(frozen=True)
class _Judged:
    """The files that a verdict is about."""

    model: Path
    holdout: Path
    evaluation: Path

    @classmethod
    def of(cls, run: Run) -> "_Judged":
        folder = RunFolder(run.folder)
        return cls(
            model=folder.model.model,
            holdout=holdout_file(folder.prepared_path),
            evaluation=folder.evaluation.results_file,
        )


def _within(run: Run, path: Path) -> str:
    return path.relative_to(run.folder).as_posix()


def _compare(name: str, found: float | None, limit: float, sign_of: str, words: str) -> Check:
    """Check `found` against `limit`: at least, or at most where lower is better."""
    lower = sign_of in LOWER_IS_BETTER
    asked = f"{'at most' if lower else 'at least'} {limit:.4f}{words}"
    if found is None or found != found:
        return Check(name, "not computed", asked, passed=False)
    passed = found <= limit if lower else found >= limit
    return Check(name, f"{found:.4f}", asked, passed)


def _beats_baseline(
    metric: str, model: Mapping[str, float | None], baseline: Mapping[str, float | None]
) -> Check:
    name = f"{metric} against the baseline"
    ours, theirs = model.get(metric), baseline.get(metric)
    if ours is None or theirs is None:
        return Check(name, "not computed", "better than the baseline", passed=False)
    better = ours < theirs if metric in LOWER_IS_BETTER else ours > theirs
    return Check(name, f"{ours:.4f}", f"better than {theirs:.4f}", better)


def _matches_champion(gate: GateSettings, comparison: Comparison) -> Check:
    name = f"{gate.metric} against champion {comparison.version}"
    theirs = comparison.champion.get(gate.metric)
    if theirs is None:
        why = comparison.problem or f"{gate.metric} could not be computed for it"
        asked = f"comparable ({why}; gate.compare_to_champion: false leaves this out)"
        return Check(name, "not comparable", asked, passed=False)
    sign = 1 if gate.metric in LOWER_IS_BETTER else -1
    limit = theirs + sign * gate.tolerance
    words = f" (champion {theirs:.4f}, tolerance {gate.tolerance:g})"
    ours = comparison.challenger.get(gate.metric)
    return _compare(name, ours, limit, sign_of=gate.metric, words=words)


def _slices_hold(gate: GateSettings, allowed: float, evaluation: Mapping[str, Any]) -> Check:
    name = f"{gate.metric} in slices"
    asked = f"gap at most {allowed:.4f}"
    judged = [s for s in evaluation["slices"] if s["rows"] >= gate.min_slice_rows]
    whole = evaluation["model"].get(gate.metric)
    if len(judged) < 2 or whole is None:
        return Check(name, "not assessed: fewer than two slices", asked, passed=False)
    sign = -1 if gate.metric in LOWER_IS_BETTER else 1
    gaps: list[tuple[float, str]] = []
    for part in judged:
        label = f"{part['slice']}={part['value']}"
        value = part["metrics"].get(gate.metric)
        if value is None:
            return Check(name, f"not computed in {label}", asked, passed=False)
        gaps.append((sign * (whole - value), label))
    worst, label = max(gaps)
    return Check(name, f"{worst:.4f} in {label}", asked, worst <= allowed)
