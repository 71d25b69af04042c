"""The trees of LightGBM and XGBoost, read from the text or JSON in which each writes itself.

LightGBM's text has a block of lines `name=values` for each tree. A bit of `decision_type` says that
a split is by codes; its `threshold` then counts the bit sets of `cat_threshold`. XGBoost's JSON has
the same as lists in each tree (XGBoost's documentation, "Introduction to Model IO").
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]

_BY_CODES = 1
"""The bit of LightGBM's `decision_type`, and the `split_type` of XGBoost."""
_WORD = 32
_LEAF = -1
_THRESHOLDS = re.compile(r"^threshold=(.*)\ndecision_type=(.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Splits:
    """Where trees split.

    Attributes:
        numbers: pairs of a column and a threshold, shape (splits, 2).
        codes: pairs of a column and the code of a category, shape (codes, 2).
    """

    numbers: Numbers
    codes: Numbers


def lightgbm_splits(text: str) -> Splits:
    """Return where the trees of LightGBM's text split."""
    numbers, codes = [_none()], [_none()]
    for tree in _blocks(text):
        columns, thresholds = _numbers(tree["split_feature"]), _numbers(tree["threshold"])
        by_codes = _by_codes(tree["decision_type"])
        numbers.append(np.column_stack([columns, thresholds])[~by_codes])
        for column, place in zip(columns[by_codes], thresholds[by_codes], strict=True):
            codes.append(_pairs(column, _members(tree, int(place))))
    return Splits(np.concatenate(numbers), np.concatenate(codes))


def xgboost_splits(document: bytes | bytearray) -> Splits:
    """Return where the trees of XGBoost's JSON split."""
    numbers, codes = [_none()], [_none()]
    for tree in json.loads(document)["learner"]["gradient_booster"]["model"]["trees"]:
        columns = np.array(tree["split_indices"], np.float64)
        thresholds = np.array(tree["split_conditions"], np.float32)  # which its decimals mean
        inner = np.array(tree["left_children"]) != _LEAF
        by_codes = np.array(tree["split_type"]) == _BY_CODES
        numbers.append(np.column_stack([columns, thresholds])[inner & ~by_codes])
        members = np.array(tree["categories"], np.float64)
        for node, start, size in zip(
            tree["categories_nodes"],
            tree["categories_segments"],
            tree["categories_sizes"],
            strict=True,
        ):
            codes.append(_pairs(columns[node], members[start : start + size]))
    return Splits(np.concatenate(numbers), np.concatenate(codes))


def with_thresholds(text: str, moved: Callable[[Numbers], npt.NDArray[Any]]) -> str:
    """Return LightGBM's text with other thresholds; what splits by codes stays as it is.

    The sizes of its blocks change, so they are left out; it need not say them.

    Args:
        text: the model.
        moved: makes of thresholds those that replace them, shape (splits,).
    """

    def replaced(found: re.Match[str]) -> str:
        values, kinds = found.groups()
        old = _numbers(values)
        new = np.where(_by_codes(kinds), old, moved(old))
        return f"threshold={' '.join(format(each, '.17g') for each in new)}\ndecision_type={kinds}"

    without_sizes = re.sub(r"^tree_sizes=.*\n", "", text, count=1, flags=re.MULTILINE)
    return _THRESHOLDS.sub(replaced, without_sizes)


def _blocks(text: str) -> Iterator[Mapping[str, str]]:
    """Yield the lines of each tree that splits."""
    for block in text.split("\nTree=")[1:]:
        lines = block.partition("\n\n")[0].split("\n")
        tree = dict(line.split("=", 1) for line in lines[1:])
        if tree.get("split_feature"):
            yield tree


def _members(tree: Mapping[str, str], place: int) -> Sequence[int]:
    """Return the codes of one of a tree's bit sets."""
    first, end = (int(each) for each in tree["cat_boundaries"].split()[place : place + 2])
    words = [int(each) for each in tree["cat_threshold"].split()[first:end]]
    return [
        number * _WORD + bit
        for number, word in enumerate(words)
        for bit in range(_WORD)
        if word >> bit & 1
    ]


def _by_codes(kinds: str) -> npt.NDArray[np.bool_]:
    result: npt.NDArray[np.bool_] = np.array(kinds.split(), int) & _BY_CODES == 1
    return result


def _numbers(values: str) -> Numbers:
    return np.array(values.split(), np.float64)


def _pairs(column: float, codes: Sequence[int] | Numbers) -> Numbers:
    return np.column_stack([np.full(len(codes), column), np.array(codes, np.float64)])


def _none() -> Numbers:
    return np.empty((0, 2))
