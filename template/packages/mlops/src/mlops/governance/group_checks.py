"""What the gate asks of the groups of slices.py, as evaluation.json tells of them."""

from collections.abc import Mapping
from typing import Any

from mlops.checks import Check, shortened
from mlops.metrics import METRICS
from mlops.settings.sections import GateSettings


def slices_hold(gate: GateSettings, allowed: float, evaluation: Mapping[str, Any]) -> Check:
    """Check that in no group `gate.metric` is worse than of all rows by more than the gap.

    A gap counts if it is more than chance would make it as well. Of an evaluation from before that
    was tested each gap counts.
    """
    name = f"{gate.metric} in slices"
    asked = f"gap at most {allowed:.4f}"
    test = evaluation.get("slice_test")
    if test is not None:
        if test["metric"] != gate.metric:
            found = f"not assessed: the groups were tested by {test['metric']}"
            return Check(name, found, f"{asked} (train again)", passed=False)
        if (finest := _finest_chance(test)) > gate.slice_alpha:
            found = f"not assessed: no probability below {finest:g} was told"
            return Check(name, found, f"{asked} (gate.slice_alpha: {finest:g})", passed=False)
        asked += f", unless chance makes it with a probability above {gate.slice_alpha:g}"
    judged = [part for part in evaluation["slices"] if _is_judged(part, gate)]
    whole = evaluation["model"].get(gate.metric)
    if len(judged) < 2 or whole is None:
        return Check(name, "not assessed: fewer than two slices", asked, passed=False)
    gaps: list[tuple[bool, float, str]] = []
    for part in judged:
        label = group_name(part)
        value = part["metrics"].get(gate.metric)
        if value is None:
            return Check(name, f"not computed in {label}", asked, passed=False)
        gap, p = METRICS[gate.metric].worse_by(value, whole), part.get("p")
        counts = gap > allowed and (p is None or p <= gate.slice_alpha)
        said = label if p is None else f"{label} (p {p:.3f})"
        gaps.append((counts, gap, said))
    refused, worst, said = max(gaps)
    return Check(name, f"{worst:.4f} in {said}", asked, passed=not refused)


def required_slice(name: str, gate: GateSettings, evaluation: Mapping[str, Any]) -> Check:
    """Check that every group of a slice was assessed, as `gate.required_slices` asks."""
    groups = [part for part in evaluation["slices"] if part["slice"] == name]
    asked = "every group assessed"
    if not groups:
        return Check(f"groups of {name}", "no such slice in slices.py", asked, passed=False)
    lacking = [f"{group_name(part)}: {why}" for part in groups if (why := not_assessed(part, gate))]
    found = f"not assessed: {shortened(lacking)}" if lacking else f"{len(groups)} assessed"
    return Check(f"groups of {name}", found, asked, passed=not lacking)


def not_assessed(part: Mapping[str, Any], gate: GateSettings) -> str:
    """Return why a group was not assessed, or nothing."""
    if part["rows"] < gate.min_slice_rows:
        return f"{part['rows']} rows, and {gate.min_slice_rows} are asked"
    return part.get("not_assessed") or ""


def group_name(part: Mapping[str, Any]) -> str:
    """Return how a group is called: the slice and its value."""
    return f"{part['slice']}={part['value']}"


def _finest_chance(test: Mapping[str, Any]) -> float:
    """Return the least probability that the test could find: what was seen is one of the deals."""
    return 1 / (int(test["permutations"]) + 1)


def _is_judged(part: Mapping[str, Any], gate: GateSettings) -> bool:
    return not not_assessed(part, gate)
