"""What Azure works out and nobody else may know stays where it is asked for."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.infra.test_order import modules, resources
from tools.bicep import Bicep

pytestmark = pytest.mark.needs("bicep")
ASKED = re.compile(r"\blist[A-Z]\w*\(")
FAULTS = {
    "an output": (
        "modules/rollback-group.bicep",
        "resource group ",
        "output address string = trigger.listCallbackUrl().value\n\nresource group ",
    ),
    "a parameter of another module": (
        "main.bicep",
        "    workflowName: rollbackName\n",
        "    workflowName: listCallbackUrl('${resourceGroup().id}/providers/Microsoft.Logic"
        "/workflows/${rollbackName}/triggers/alert', '2019-05-01').value\n",
    ),
    "a tag": (
        "modules/rollback-group.bicep",
        "  tags: tags\n",
        "  tags: union(tags, { address: trigger.listCallbackUrl().value })\n",
    ),
}


def kept(template: dict[str, Any]) -> Iterator[str]:
    """Yield where a secret that Azure is asked for would be kept for others to read."""
    for module in modules(template):
        for part in ("outputs", "variables", "parameters"):
            if ASKED.search(json.dumps(module.get(part, {}))):
                yield part
        for name, each in resources(module).items():
            if each["type"] == "Microsoft.Resources/deployments":
                if ASKED.search(json.dumps(each["properties"].get("parameters", {}))):
                    yield f"a parameter of {name}"
            else:
                properties = each.get("properties", {})
                rest = {key: value for key, value in each.items() if key != "properties"}
                yield from (f"{name}" for _ in ASKED.findall(json.dumps(rest)))
                yield from (f"{name}.{key}" for key in places(properties))


def places(value: Any, path: str = "") -> Iterator[str]:
    """Yield the path of each text of a value that asks for a secret."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from places(each, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for each in value:
            yield from places(each, path)
    elif isinstance(value, str) and ASKED.search(value):
        yield path


def compiled(compiler: Bicep, infra: Path) -> list[str]:
    return [
        place
        for file in ("shared", "prod")
        for place in kept(compiler.template(infra / f"{file}.bicepparam"))
    ]


def test_an_address_with_a_signature_stands_in_one_place(compiler: Bicep, infra: Path) -> None:
    assert compiled(compiler, infra) == ["group.logicAppReceivers.callbackUrl"]


@pytest.mark.parametrize("name", FAULTS)
def test_a_secret_that_others_could_read_is_noticed(
    compiler: Bicep, infra: Path, name: str
) -> None:
    file, old, new = FAULTS[name]
    config = infra / "bicepconfig.json"
    config.write_text(
        config.read_text(encoding="utf-8").replace('"error"', '"off"'), encoding="utf-8"
    )
    path = infra / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(AssertionError):
        test_an_address_with_a_signature_stands_in_one_place(compiler, infra)
