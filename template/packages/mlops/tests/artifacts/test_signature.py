"""Which versions answer the requests of another one."""

from typing import Any

import pytest

from mlops.artifacts.signature import differences


def signature(*features: dict[str, Any], **more: Any) -> dict[str, Any]:
    whole = [{"nullable": False, "example": 1.0, **feature} for feature in features]
    return {"features": whole, "decision_threshold": 0.5, "model_version": 1, **more}


A, B = {"name": "amount"}, {"name": "age"}
NULL = {"nullable": True}
OPTIONAL = {"nullable": True, "optional": True}
SERVED = signature(A, B)


@pytest.mark.parametrize(
    "candidate",
    [
        signature(A, B),
        signature(B, A),
        signature(A | {"example": 7.5}, B, decision_threshold=0.3, model_version=2),
        signature(A | NULL, B),
        signature(A | OPTIONAL, B),
        signature(A, B, {"name": "new"} | OPTIONAL),
        signature(A | {"kind": "number"}, B),
    ],
)
def test_what_answers_the_same_requests_is_compatible(candidate: dict[str, Any]) -> None:
    assert differences(SERVED, candidate) == ()


@pytest.mark.parametrize(
    ("served", "candidate", "said"),
    [
        (SERVED, signature(A, B, {"name": "new"}), ["new must be sent and was not known before"]),
        (
            SERVED,
            signature(A, B, {"name": "new"} | NULL),
            ["new must be sent and was not known before"],
        ),
        (SERVED, signature(A), ["age is no longer known and is refused"]),
        (
            SERVED,
            signature(A, {"name": "years"}),
            [
                "years must be sent and was not known before",
                "age is no longer known and is refused",
            ],
        ),
        (
            SERVED,
            signature(A | {"kind": "category"}, B),
            ["amount must be a category and was a number"],
        ),
        (signature(A | NULL), signature(A), ["amount must not be null any more"]),
        (
            signature(A | OPTIONAL),
            signature(A | NULL),
            ["amount must not be left out any more"],
        ),
    ],
)
def test_each_difference_is_named(
    served: dict[str, Any], candidate: dict[str, Any], said: list[str]
) -> None:
    assert list(differences(served, candidate)) == said
