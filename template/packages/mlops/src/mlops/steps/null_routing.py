"""Where scikit-learn's trees send a null, written into their ONNX graph, which skl2onnx leaves out.

A tree that saw no null in training sends one to the child with more training rows, one that did
where it found best; ONNX sends it to the right unless told. See `missing_go_to_left` in
scikit-learn's `sklearn.tree._tree.Tree`, and sklearn-onnx's issue 1253.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from mlops.steps.boosters import library_of

_TRACKS_TRUE = "nodes_missing_value_tracks_true"


def route_nulls(graph: Any, model: Any) -> None:
    """Let each tree of a converted graph send nulls where the model's own tree does.

    The graph has its ensembles in an order of its own, so each is known by the sizes of its trees.
    A model whose trees cannot be told apart in the graph is left as it is: the check of parity on
    nulls finds it.

    Args:
        graph: the ONNX graph of the model; it is changed.
        model: the fitted scikit-learn model.
    """
    ensembles = [node for node in graph.node if node.op_type.startswith("TreeEnsemble")]
    groups = list(_groups(model))
    if len(groups) != len(ensembles):
        return
    for trees in groups:
        if trees is None:
            continue
        sizes = [tree.node_count for tree in trees]
        node = next((each for each in ensembles if _sizes(each) == sizes), None)
        if node is None:
            return
        ensembles = [each for each in ensembles if each is not node]
        _route(node, trees)


def _sizes(node: Any) -> list[int]:
    """Return how many nodes each tree of an ensemble in the graph has."""
    counts = Counter(next(each.ints for each in node.attribute if each.name == "nodes_treeids"))
    return [counts[tree] for tree in range(len(counts))]


def _route(node: Any, trees: Sequence[Any]) -> None:
    attributes = {each.name: each for each in node.attribute}
    places = zip(attributes["nodes_treeids"].ints, attributes["nodes_nodeids"].ints, strict=True)
    flags = [int(trees[tree].missing_go_to_left[place]) for tree, place in places]
    attributes[_TRACKS_TRUE].ints[:] = flags


def _groups(model: Any) -> Iterator[Sequence[Any] | None]:
    """Yield the trees of each ensemble in the order of the graph; None where they are right."""
    from sklearn.ensemble._forest import BaseForest
    from sklearn.ensemble._gb import BaseGradientBoosting

    converted = hasattr(model, "_predictors") or library_of(model)
    if converted or isinstance(model, BaseGradientBoosting):
        yield None  # those are converted with their nulls, the last takes none
    elif hasattr(model, "tree_"):
        yield [model.tree_]
    elif isinstance(model, BaseForest):
        yield [each.tree_ for each in model.estimators_]
    else:
        for each in _inner(model):
            yield from _groups(each)


def _inner(model: Any) -> list[Any]:
    """Return the fitted models that another is made of, in the order of their conversion."""
    if hasattr(model, "steps"):
        return [step for _, step in model.steps]
    if hasattr(model, "calibrated_classifiers_"):
        return [each.estimator for each in model.calibrated_classifiers_]
    if hasattr(model, "best_estimator_"):
        return [model.best_estimator_]
    final = [model.final_estimator_] if hasattr(model, "final_estimator_") else []
    return [*getattr(model, "estimators_", ()), *final]
