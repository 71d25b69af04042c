"""The gate: may this run's model be registered?

The verdict names the model and the holdout by their hashes, so that it holds for exactly the files
that were judged.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mlops.artifacts.data_source import UNKNOWN, DataSource
from mlops.artifacts.documents import VERDICT
from mlops.artifacts.forgotten import holdout_changed_by, read_requests
from mlops.artifacts.prepared import holdout_file
from mlops.artifacts.run_folder import RunFolder
from mlops.checks import Check, failures
from mlops.errors import ConfigError, Refused
from mlops.files import file_sha256
from mlops.governance.audit.entry import Act, Ending
from mlops.governance.audit.record import recorded
from mlops.governance.champion import Comparison
from mlops.governance.contest import hold_contest
from mlops.governance.group_checks import required_slice, slices_hold
from mlops.governance.registered import registered_as
from mlops.hints import typed
from mlops.metrics import METRICS
from mlops.platforms.base import Platform, Run
from mlops.settings.loading import LoadedSettings
from mlops.settings.sections import GateSettings


@dataclass(frozen=True)
class Verdict:
    """The gate's decision on one model, with every check behind it.

    `champion_note` says why a champion was not compared, or what is odd about the comparison;
    `warnings` what decides nothing here and will matter later. `champion_difference` are the ends
    of the 95 % interval of `gate.metric` minus the champion's, which decides nothing either.
    """

    run_id: str
    model_sha256: str
    onnx_sha256: str
    holdout_sha256: str
    evaluation_sha256: str
    champion_version: int | None
    checks: tuple[Check, ...]
    judged_at: str
    warnings: tuple[str, ...] = ()
    champion_note: str = ""
    champion_difference: tuple[float, float] | None = None

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
    evaluation: Mapping[str, Any],
    gate: GateSettings,
    comparison: Comparison | None,
    source: DataSource = UNKNOWN,
) -> tuple[Check, ...]:
    """Check an evaluation against thresholds, baseline, champion and slices.

    Args:
        evaluation: the content of evaluation.json.
        gate: the limits.
        comparison: model and champion side by side; None where there is none to compare with.
        source: the data that the model is made of; made-up ones have limits of their own.
    """
    model = evaluation["model"]
    checks = [
        _compare(name, model.get(name), limit, sign_of=name, words="")
        for name, limit in gate.limits(made_up=source.made_up).items()
    ]
    if gate.beat_baseline:
        checks.append(_beats_baseline(gate.metric, model, evaluation["baseline"]))
    if gate.compare_to_champion and comparison is not None:
        checks.append(_matches_champion(gate, comparison))
    if gate.max_slice_gap is not None:
        checks.append(slices_hold(gate, gate.max_slice_gap, evaluation))
    checks += [required_slice(name, gate, evaluation) for name in gate.required_slices]
    return tuple(checks)


def judge_run(platform: Platform, run: Run, settings: LoadedSettings) -> Verdict:
    """Judge a run's model and keep the verdict with the run.

    A run that is registered keeps the verdict that it was registered with.

    Raises:
        Refused: the model or holdout was changed after the evaluation.
        ConfigError: the run's outputs are not complete.
    """
    subject = {"run_id": run.run_id}
    with recorded(platform, settings, Act.GATE, subject) as recording:
        verdict = _judge_run(platform, run, settings)
        recording.outcome = "passed" if verdict.passed else Ending.REFUSED.value
        recording.reason = "" if verdict.passed else verdict.refusal
        recording.details |= {
            "checks": len(verdict.checks),
            "model_sha256": verdict.model_sha256,
            "champion": verdict.champion_version,
        }
    return verdict


def _judge_run(platform: Platform, run: Run, settings: LoadedSettings) -> Verdict:
    judged = _Judged.of(run)
    evaluation = RunFolder(run.folder).evaluation.results()
    if not judged.onnx.is_file() or "onnx_sha256" not in evaluation:
        raise ConfigError(
            f"run {run.run_id} has no {_within(run, judged.onnx)}, which is what is judged",
            "train again",
        )
    hashes = {name: file_sha256(path) for name, path in judged.measured().items()}
    for name, path in judged.measured().items():
        if hashes[name] != evaluation[name]:
            where = _within(run, path)
            by = _request(settings.project.state_dir, evaluation, hashes, name)
            remedy = "train again" if by else ""
            raise Refused(f"run {run.run_id}: {where} was changed {by}after its evaluation", remedy)
    gate = settings.values.gate
    source = RunFolder(run.folder).prepared().source
    contest = hold_contest(platform, run, source, gate)
    checks = judge(evaluation, gate, contest.comparison, source)
    made = registered_as(platform, run) if _is_judged(run, hashes["model_sha256"]) else None
    warnings = contest.warnings
    if made is not None:
        warnings += (f"the run is version {made} already and keeps the verdict that made it so",)
    verdict = Verdict(
        run_id=run.run_id,
        **hashes,
        evaluation_sha256=file_sha256(judged.evaluation),
        champion_version=contest.champion,
        checks=(*checks, *contest.refusals),
        judged_at=settings.clock().isoformat(timespec="seconds"),
        warnings=warnings,
        champion_note=contest.note,
        champion_difference=contest.comparison.difference if contest.comparison else None,
    )
    if made is None:
        platform.store_verdict(run, verdict.to_dict())
    return verdict


def _is_judged(run: Run, model_sha256: str) -> bool:
    """Whether there is a verdict on this very model, however it was."""
    folder = RunFolder(run.folder)
    return folder.is_judged() and folder.verdict()["model_sha256"] == model_sha256


def _request(
    state_dir: Path | None, recorded: Mapping[str, Any], found: Mapping[str, str], name: str
) -> str:
    """Return `by request …` where a request of deletion changed the holdout, else nothing."""
    if state_dir is None or name != "holdout_sha256":
        return ""
    known = read_requests(state_dir)
    by = holdout_changed_by(known, str(recorded.get(name)), found[name])
    return f"by request {by} " if by else ""


def require_passed(run: Run, state_dir: Path | None = None) -> dict[str, Any]:
    """Return the run's verdict if it passed and speaks of the files that lie in the run now.

    Args:
        run: the run.
        state_dir: where the project remembers by which requests of deletion holdouts were changed.

    Raises:
        Refused: there is no verdict, it did not pass, or a file it judged was changed since.
    """
    folder = RunFolder(run.folder)
    if not folder.is_judged():
        how = f"run {typed(f'evaluate --run-id {run.run_id}')}"
        raise Refused(f"run {run.run_id} has no verdict of the gate", how)
    verdict = folder.verdict()
    if not verdict["passed"]:
        failed = [check["name"] for check in verdict["checks"] if not check["passed"]]
        raise Refused(f"run {run.run_id} did not pass the gate ({', '.join(failed)})")
    judged = _Judged.of(run)
    bound = {**judged.measured(), "evaluation_sha256": judged.evaluation}
    if not judged.holdout.is_file():
        # a packaged run goes on without its data; the package was made while they were there
        del bound["holdout_sha256"]
    for key, path in bound.items():
        found = file_sha256(path) if path.is_file() else ""
        if not found or found != verdict.get(key):
            name, by = _within(run, path), _request(state_dir, verdict, {key: found}, key)
            raise Refused(
                f"run {run.run_id}: {name} was changed {by}after its verdict", "train again"
            )
    return verdict


@dataclass(frozen=True)
class _Judged:
    """The files that a verdict is about."""

    model: Path
    onnx: Path
    holdout: Path
    evaluation: Path

    def measured(self) -> dict[str, Path]:
        """Return what the evaluation measured, by the name of its hash."""
        return {
            "model_sha256": self.model,
            "onnx_sha256": self.onnx,
            "holdout_sha256": self.holdout,
        }

    @classmethod
    def of(cls, run: Run) -> "_Judged":
        folder = RunFolder(run.folder)
        return cls(
            model=folder.model.model,
            onnx=folder.model.onnx,
            holdout=holdout_file(folder.prepared_path),
            evaluation=folder.evaluation.results_file,
        )


def _within(run: Run, path: Path) -> str:
    return path.relative_to(run.folder).as_posix()


def _compare(name: str, found: float | None, limit: float, sign_of: str, words: str) -> Check:
    """Check `found` against `limit`: at least, or at most where lower is better."""
    lower = METRICS[sign_of].lower_is_better
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
    better = METRICS[metric].better(ours, theirs)
    return Check(name, f"{ours:.4f}", f"better than {theirs:.4f}", better)


def _matches_champion(gate: GateSettings, comparison: Comparison) -> Check:
    name = f"{gate.metric} against champion {comparison.version}"
    theirs = comparison.champion.get(gate.metric)
    if theirs is None:
        why = comparison.problem or f"{gate.metric} could not be computed for it"
        asked = f"comparable ({why}; gate.compare_to_champion: false leaves this out)"
        return Check(name, "not comparable", asked, passed=False)
    limit = METRICS[gate.metric].loosened(theirs, gate.tolerance)
    words = f" (champion {theirs:.4f}, tolerance {gate.tolerance:g})"
    ours = comparison.challenger.get(gate.metric)
    return _compare(name, ours, limit, sign_of=gate.metric, words=words)
