"""A bill of materials is one by CycloneDX's strict schema, and has what that does not ask for."""

import copy
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from mlops.governance.bom import build_bom, considerations, serial_number
from mlops.governance.bom_check import OF_A_LIBRARY, OF_A_MODEL, REQUIRED, problems, schema_problem

SHA = "ab" * 32
LINEAGE = {
    "model": {"name": "tiny", "version": 3},
    "created_at": "2026-11-20T10:00:00+00:00",
    "run_id": "run-1",
    "git": {"commit": "0123456789abcdef", "dirty": False},
    "data": {
        "source": {"kind": "folder", "name": "data/orders", "made_up": False, "fraction": 1.0},
        "hash": "datahash",
        "rows": 300,
        "cutoff": "2026-11-01",
    },
    "training": {"model_type": "HistGradientBoostingClassifier"},
    "files": {"model.onnx": SHA, "card.json": "cd" * 32},
}
CARD = {
    "description": "Who buys again",
    "evaluation": {
        "model": {"f1": 0.8125, "roc_auc": 0.9, "mape": None},
        "slices": [
            {"slice": "size", "value": "big", "rows": 60, "metrics": {"f1": 0.75, "roc_auc": None}}
        ],
    },
}
SIGNATURE = {
    "task": "binary",
    "features": [{"name": "a", "kind": "number"}, {"name": "c", "kind": "category"}],
}
PACKAGES = {
    "metadata": {"tools": {"components": [{"type": "application", "name": "cyclonedx-py"}]}},
    "components": [
        {
            "type": "library",
            "bom-ref": "numpy==2.4.6",
            "name": "numpy",
            "version": "2.4.6",
            "purl": "pkg:pypi/numpy@2.4.6",
            "licenses": [{"expression": "BSD-3-Clause AND MIT"}],
        },
        {
            "type": "library",
            "bom-ref": "flask==3.1.3",
            "name": "flask",
            "version": "3.1.3",
            "purl": "pkg:pypi/flask@3.1.3",
            "licenses": [{"license": {"id": "BSD-3-Clause"}}],
        },
    ],
    "dependencies": [{"ref": "numpy==2.4.6"}, {"ref": "flask==3.1.3"}],
}
HUMAN = {
    "intended_use": "Decide whom to write to.",
    "users": ["Marketing", "TODO: who else?"],
    "out_of_scope": ["credit"],
    "limitations": "",
    "ethical_considerations": "TODO",
    "people_affected": ["new customers"],
}


def bill(**changes: Any) -> dict[str, Any]:
    given: dict[str, Any] = {
        "card": CARD,
        "lineage": LINEAGE,
        "signature": SIGNATURE,
        "packages": PACKAGES,
        "human": HUMAN,
        "requirements_sha256": SHA,
    }
    return copy.deepcopy(build_bom(**{**given, **changes}))


def wrong(content: dict[str, Any]) -> str:
    return " | ".join([schema_problem(json.dumps(content)), *problems(content)])


def model_of(content: dict[str, Any]) -> dict[str, Any]:
    (model,) = (c for c in content["components"] if c["type"] == "machine-learning-model")
    return dict(model)


def test_the_bill_passes_the_strict_schema_and_ours() -> None:
    assert schema_problem(json.dumps(bill())) == ""
    assert problems(bill()) == []
    assert problems(bill(human={})) == []
    assert schema_problem(json.dumps(bill(human={}))) == ""


def test_the_model_card_says_what_the_version_says() -> None:
    model = model_of(bill())
    assert (model["name"], model["version"]) == ("tiny", "3")
    assert model["hashes"] == [{"alg": "SHA-256", "content": SHA}]
    assert model["pedigree"] == {"commits": [{"uid": "0123456789abcdef"}]}
    card = model["modelCard"]
    assert card["modelParameters"]["task"] == "binary"
    assert card["modelParameters"]["inputs"] == [{"format": "a: number"}, {"format": "c: category"}]
    assert card["quantitativeAnalysis"]["performanceMetrics"] == [
        {"type": "f1", "value": "0.8125"},
        {"type": "roc_auc", "value": "0.9"},
        {"type": "f1", "value": "0.75", "slice": "size = big"},
    ]
    assert card["considerations"] == {
        "users": ["Marketing"],
        "useCases": ["Decide whom to write to."],
        "technicalLimitations": ["not for: credit"],
        "fairnessAssessments": [{"groupAtRisk": "new customers"}],
    }


def test_the_bill_says_of_which_data_and_code_the_version_is() -> None:
    def said(content: dict[str, Any]) -> dict[str, str]:
        return {each["name"]: each["value"] for each in content["properties"]}

    made_up = {**LINEAGE["data"]["source"], "made_up": True}  # type: ignore[index]
    data = {**LINEAGE["data"], "source": made_up}  # type: ignore[dict-item]
    lineage = {**LINEAGE, "data": data, "git": {**LINEAGE["git"], "dirty": True}}  # type: ignore[dict-item]
    for content, word in ((bill(), "false"), (bill(lineage=lineage), "true")):
        (of_data,) = (each for each in content["components"] if each["type"] == "data")
        facts = said(of_data["data"][0]["contents"])
        assert facts["mlops:made_up"] == word
        assert (facts["mlops:hash"], facts["mlops:rows"]) == ("datahash", "300")
        assert facts["mlops:cutoff"] == "2026-11-01"
        model = said(model_of(content))
        assert model["mlops:git.dirty"] == word
        assert (model["mlops:data.hash"], model["mlops:run_id"]) == ("datahash", "run-1")
        assert model["mlops:file:card.json"] == "cd" * 32


def test_what_is_still_to_be_written_is_left_out() -> None:
    assert considerations({"users": "todo", "limitations": [None, "  "], "owners": ["x"]}) == {}


def test_a_version_of_no_commit_and_another_task() -> None:
    lineage = {**LINEAGE, "git": {"commit": "", "dirty": True}}
    regression = bill(lineage=lineage, signature={**SIGNATURE, "task": "regression"})
    assert wrong(regression) == ""
    assert "pedigree" not in model_of(regression)
    assert model_of(regression)["modelCard"]["modelParameters"]["outputs"] == [
        {"format": "predictions"}
    ]


def test_the_serial_number_follows_the_content() -> None:
    number = bill()["serialNumber"]
    assert re.fullmatch(
        r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}", number
    )
    assert bill()["serialNumber"] == number
    assert bill(requirements_sha256="cd" * 32)["serialNumber"] != number
    content = bill()
    del content["serialNumber"]
    assert serial_number(content) == number


def _remove(content: dict[str, Any], path: str) -> None:
    *parents, last = path.split(".")
    for part in parents:
        content = content[part]
    del content[last]


def _paths() -> Iterator[tuple[str, str]]:
    yield from (("", path) for path in REQUIRED)
    yield from (("machine-learning-model", path) for path in OF_A_MODEL)
    yield from (("library", path) for path in OF_A_LIBRARY)


@pytest.mark.parametrize(("kind", "path"), list(_paths()))
def test_each_required_key_is_missed(kind: str, path: str) -> None:
    content = bill()
    part = next(c for c in content["components"] if c["type"] == kind) if kind else content
    _remove(part, path)
    assert any(f"lacks {path}" in each for each in problems(content))


def _same_reference(content: dict[str, Any]) -> None:
    content["components"][-1]["bom-ref"] = content["components"][-2]["bom-ref"]


def _dangling(content: dict[str, Any]) -> None:
    content["dependencies"][0]["dependsOn"].append("gone==1")


def _dangling_data(content: dict[str, Any]) -> None:
    model = content["components"][0]
    model["modelCard"]["modelParameters"]["datasets"] = [{"ref": "other"}]


def _nonsense(content: dict[str, Any]) -> None:
    content["components"][-2]["licenses"] = [{"expression": "Nonsense AND MIT"}]


def _second_card(content: dict[str, Any]) -> None:
    content["components"][-1]["modelCard"] = {}


def _no_model(content: dict[str, Any]) -> None:
    content["components"][0]["type"] = "library"


def _other_version(content: dict[str, Any]) -> None:
    content["specVersion"] = "9"


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_same_reference, "the reference numpy==2.4.6 is there 2 times"),
        (_dangling, "the reference gone==1 leads nowhere"),
        (_dangling_data, "the reference other leads nowhere"),
        (_nonsense, "numpy has a licence that is no expression of SPDX: 'Nonsense AND MIT'"),
        (_second_card, "flask has a model card and is no model"),
        (_no_model, "the bill has 0 models, not one"),
        (_other_version, "the bill is not of CycloneDX 1.6"),
    ],
)
def test_what_the_schema_lets_pass_is_found(
    spoil: Callable[[dict[str, Any]], None], said: str
) -> None:
    content = bill()
    spoil(content)
    assert schema_problem(json.dumps(content)) == ""
    assert said in problems(content)


def test_the_strict_schema_refuses_what_it_does_not_know() -> None:
    content = bill()
    content["components"][0]["modelCard"]["modelParameters"]["approach"]["type"] = "guessing"
    assert "guessing" in schema_problem(json.dumps(content))
    content = bill()
    content["components"][0]["modelCard"]["mine"] = 1
    assert "mine" in schema_problem(json.dumps(content))
