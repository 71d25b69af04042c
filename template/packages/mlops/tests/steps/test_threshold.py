import numpy as np
import pytest
from sklearn.metrics import f1_score

from mlops.errors import Refused
from mlops.steps.threshold import FEWEST, best_f1


def scores_of(rows: int, seed: int, digits: int = 6) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    labels = (random.random(rows) < 0.2).astype(np.int8)
    scores = np.clip(random.normal(0.2 + 0.2 * labels, 0.1), 0, 1).round(digits)
    return labels, scores.astype(np.float32)


def f1_at(labels: np.ndarray, scores: np.ndarray, threshold: float) -> float:
    return float(f1_score(labels, scores >= threshold, zero_division=0))


@pytest.mark.parametrize("digits", [1, 2, 6])
@pytest.mark.parametrize("seed", range(3))
def test_no_other_threshold_between_scores_has_a_better_f1(seed: int, digits: int) -> None:
    labels, scores = scores_of(200, seed, digits)
    threshold = best_f1(labels, scores)
    every = np.unique(scores)[1:]
    best = max(f1_at(labels, scores, each) for each in every)
    assert f1_at(labels, scores, threshold) == best


def test_it_lies_in_the_middle_of_two_scores_and_is_none_of_them() -> None:
    labels = np.repeat([0, 1], FEWEST)
    scores = np.repeat([0.25, 0.75], FEWEST).astype(np.float32)
    assert best_f1(labels, scores) == 0.5
    labels, scores = scores_of(300, 1)
    threshold = best_f1(labels, scores)
    below, above = scores[scores < threshold].max(), scores[scores > threshold].min()
    assert threshold not in scores
    assert threshold == np.float32((float(below) + float(above)) / 2)


def test_of_equally_good_ones_it_is_the_highest() -> None:
    """F1 is 2/3 if all but the lowest ten rows count as 1, and as well if only the highest do."""
    labels = np.array([0] * 10 + [1] * 10 + [0] * 20 + [1] * 10)
    scores = np.repeat([0.1, 0.2, 0.3, 0.4, 0.5], 10).astype(np.float32)
    assert f1_at(labels, scores, 0.15) == f1_at(labels, scores, 0.45) == pytest.approx(2 / 3)
    assert best_f1(labels, scores) == pytest.approx(0.45)


def test_between_neighbouring_float32_it_decides_as_between_others() -> None:
    low = np.float32(0.3)
    high = np.nextafter(low, np.float32(1))
    labels = np.repeat([0, 1], FEWEST)
    scores = np.repeat(np.array([low, high], dtype=np.float32), FEWEST)
    threshold = best_f1(labels, scores)
    assert ((scores >= threshold).astype(int) == labels).all()
    assert all((float(score) >= threshold) == (score == high) for score in scores)


def test_the_order_of_rows_does_not_matter() -> None:
    labels, scores = scores_of(400, 3)
    order = np.random.default_rng(0).permutation(400)
    assert best_f1(labels, scores) == best_f1(labels[order], scores[order])


@pytest.mark.parametrize(
    ("positives", "negatives", "label"), [(9, 100, 1), (0, 100, 1), (100, 9, 0), (0, 0, 1)]
)
def test_too_few_rows_of_a_label_are_refused(positives: int, negatives: int, label: int) -> None:
    labels = np.array([1] * positives + [0] * negatives, dtype=np.int8)
    scores = np.linspace(0, 1, len(labels), dtype=np.float32)
    with pytest.raises(Refused, match=f"needs at least 10 rows .* have label {label}; bring more"):
        best_f1(labels, scores)


def test_scores_that_are_all_the_same_are_refused() -> None:
    labels = np.repeat([0, 1], FEWEST)
    with pytest.raises(Refused, match="gives all 20 rows of the training part the same score"):
        best_f1(labels, np.full(20, 0.5, dtype=np.float32))
