"""How the numbers of a model card are to be read, a sentence each."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mlops.governance.card_numbers import value_of
from mlops.governance.human_part import TEXTS
from mlops.metrics import METRICS, decimal


def remarks(card: Mapping[str, Any]) -> list[str]:
    """Return what is said below the metrics; nothing of what an older card does not hold."""
    return list(_remarks(card))


def human_sections(card: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
    """Return the headings and paragraphs that people wrote; none in a card that has no such part.

    Raises:
        ConfigError: the card lacks a field.
    """
    if (human := card.get("human")) is None:
        return []
    return [(heading, value_of(human, "texts", field)) for field, heading in TEXTS.items()]


def calibration_words(evaluation: Mapping[str, Any]) -> str:
    """Return how the table of calibration is to be read, or nothing where there is none."""
    found = evaluation.get("calibration")
    if found is None:
        return ""
    return (
        f"How often what was predicted with a probability happened, of {found['of']}, with 95 % "
        f"intervals by Wilson. Expected calibration error {decimal(found['expected_error'])}; of a "
        "perfectly calibrated model with these probabilities it is at most "
        f"{decimal(found['expected_error_by_chance'])} in 95 % of {found['simulations']} "
        "simulations. There is no limit on it."
    )


def slices_words(evaluation: Mapping[str, Any]) -> str:
    """Return how the table of groups is to be read; nothing of evaluations of before."""
    test = evaluation.get("slice_test")
    if test is None:
        return ""
    left = [" and ".join(pair) for pair in evaluation.get("slices_not_crossed", ())]
    crossed = f" Not crossed, as there are too many groups: {', '.join(left)}." if left else ""
    return (
        f"The gap is by how much {test['metric']} is worse than {decimal(test['of_all_rows'])}, "
        f"that of all rows; below 0 it is better. p is how often {test['permutations']} deals of "
        f"the {test['dealt']} to the {test['groups']} assessed groups made a gap as large anywhere."
        f" Groups of fewer than {test['min_rows']} rows are not assessed.{crossed}"
    )


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
