"""How the numbers of a model card are to be read, a sentence each."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mlops.metrics import METRICS, decimal


def remarks(card: Mapping[str, Any]) -> list[str]:
    """Return what is said below the metrics; nothing of what an older card does not hold."""
    return list(_remarks(card))


def _remarks(card: Mapping[str, Any]) -> Iterator[str]:
    evaluation = card["evaluation"]
    if choice := evaluation.get("threshold"):
        yield (
            f"The probability of {choice['value']:.4g} was chosen by cross-validation on the "
            f"training part ({choice['rule']}, {choice['folds']} folds); the holdout had no part "
            "in it."
        )
    if weights := evaluation.get("class_weights"):
        yield (
            f"Scores, not probabilities: {', '.join(weights)} weighs classes. What asks for "
            "probabilities, such as brier and log_loss, is shown as it is."
        )
    if "intervals" in evaluation:
        yield _interval(card["metric"], evaluation["intervals"])
    verdict = card["verdict"]
    if difference := verdict.get("champion_difference"):
        yield (
            f"95 % interval of the difference of {card['metric']} to champion "
            f"{verdict['champion_version']}, on the same resamples: {_ends(difference)}."
        )
    if looks := card.get("holdout_looks"):
        yield (
            f"This holdout was looked at by {looks} {'run' if looks == 1 else 'runs'}, as far as "
            "is known where the version was registered. Each look lets a model be chosen that "
            "suits it by chance. Other features or later data make another holdout here."
        )


def _interval(metric: str, found: Mapping[str, Any] | None) -> str:
    if found is None:
        return f"{metric} has no interval: there are too few rows, or too few of a class."
    words = METRICS[found["metric"]].words
    return (
        f"{100 * found['level']:.0f} % interval of {found['metric']} ({words}): "
        f"{_ends(found['model'])}; of its difference to the baseline, on the same resamples: "
        f"{_ends(found['model_minus_baseline'])}. It is the percentile bootstrap of "
        f"{found['resamples']:,} resamples of {found['units']:,} {found['of']}, "
        f"{found['redrawn']:,} drawn again. Intervals decide nothing."
    )


def _ends(interval: Sequence[float]) -> str:
    low, high = interval
    return f"{decimal(low)} to {decimal(high)}"
