"""What callers must send to a version, and how that of another version differs.

Compared is what a caller sends: names, kinds, whether null is answered and what may be left out;
and whether the answer is of another task.
Typical values, the decision threshold and the version's number are no part of it.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from mlops.features import Features, Kind
from mlops.tasks import Target, Task


def features_of(signature: Mapping[str, Any]) -> Features:
    """Return the features of a version, by the content of its signature.json."""
    return Features.read(signature["features"])


def target_of(signature: Mapping[str, Any]) -> Target:
    """Return what a version predicts, by the content of its signature.json."""
    return Target.read(signature)


def differences(served: Mapping[str, Any], candidate: Mapping[str, Any]) -> tuple[str, ...]:
    """Return why requests for one version are refused by another: a sentence for each reason.

    Args:
        served: the content of the signature.json whose requests callers send.
        candidate: that of the version that is to answer them.
    """
    return (
        *_other_task(served, candidate),
        *_differences(_by_name(served), _by_name(candidate)),
    )


def _other_task(served: Mapping[str, Any], candidate: Mapping[str, Any]) -> Iterator[str]:
    before, after = (each.get("task", Task.BINARY) for each in (served, candidate))
    if before != after:
        yield f"the answer is that of a {after} model and was that of a {before} one"


def _differences(
    served: Mapping[str, Mapping[str, Any]], candidate: Mapping[str, Mapping[str, Any]]
) -> Iterator[str]:
    for name, feature in candidate.items():
        if name not in served and not is_optional(feature):
            yield f"{name} must be sent and was not known before"
    for name, before in served.items():
        after = candidate.get(name)
        if after is None:
            yield f"{name} is no longer known and is refused"
            continue
        if _kind(after) != _kind(before) and not _only_named_now(before, after):
            yield f"{name} must be a {_kind(after)} and was a {_kind(before)}"
        if before["nullable"] and not after["nullable"]:
            yield f"{name} must not be null any more"
        if is_optional(before) and not is_optional(after):
            yield f"{name} must not be left out any more"


def is_optional(feature: Mapping[str, Any]) -> bool:
    """Tell whether callers may leave a feature of a signature out; it is null then."""
    return bool(feature.get("optional", False))


def _kind(feature: Mapping[str, Any]) -> str:
    return str(feature.get("kind", Kind.NUMBER))


def _only_named_now(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Tell whether a boolean was asked for as 0 or 1, before kinds were written down."""
    unnamed = "kind" not in before and before.get("example") in (0, 1)
    return unnamed and _kind(after) == Kind.BOOLEAN


def _by_name(signature: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {str(feature["name"]): feature for feature in signature["features"]}
