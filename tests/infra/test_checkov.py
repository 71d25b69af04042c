"""checkov, on the resources that infra/ makes: it finds what is known and nothing else."""

import json
import tomllib
from pathlib import Path
from typing import Any

from tests.support import run, uv
from tools.azure_deployments import committed
from tools.bicep import Snapshot
from tools.worktree import ROOT

CHECKOV = "checkov==3.3.30"
# What checkov would have otherwise, and why it is as it is.
ACCEPTED = {
    "CKV_AZURE_166": "images are built by the workspace; quarantine would need a scanner",
    "CKV_AZURE_206": "copies in another region cost more; what is stored can be made anew",
}
ACCEPTED_IN_PUBLIC = {
    "CKV_AZURE_35": "open to the internet, with identities alone, unless privateNetwork",
    "CKV_AZURE_59": "the same",
    "CKV_AZURE_109": "the same",
    "CKV_AZURE_139": "the same",
    "CKV_AZURE_189": "the same",
    "CKV_AZURE_243": "the same",
    "CKV2_AZURE_49": "the same",
}
ACCEPTED_IN_DEV = {
    "CKV_AZURE_42": "dev can be torn down and made anew the same day",
    "CKV_AZURE_110": "the same",
    "CKV_AZURE_163": "the registry is the cheapest, which is not scanned",
}

EXPECTED: dict[str, set[str]] = {
    "shared": set(),
    "dev": {*ACCEPTED, *ACCEPTED_IN_DEV, *ACCEPTED_IN_PUBLIC},
    "prod": {*ACCEPTED, *ACCEPTED_IN_PUBLIC},
    "prod-private": {*ACCEPTED},
}


def template(snapshot: Snapshot) -> dict[str, Any]:
    """Return what is made as an ARM template, which checkov reads."""
    return {
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
        "contentVersion": "1.0.0.0",
        "resources": [
            {
                **each.body,
                "type": each.kind,
                "apiVersion": each.version,
                "name": "/".join(each.id.split("/providers/")[-1].split("/")[2::2]),
            }
            for each in snapshot.resources
        ],
    }


def test_checkov_finds_what_is_known_and_nothing_else(tmp_path: Path) -> None:
    """It reads no Bicep of today, but the resources as an ARM template."""
    for name in EXPECTED:
        text = json.dumps(template(committed(name)))
        (tmp_path / f"{name}.json").write_text(text, encoding="utf-8")
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    said = run(
        *(uv(), "tool", "run", "--quiet", "--from", CHECKOV),
        *("--exclude-newer", settings["tool"]["uv"]["exclude-newer"]),
        *("checkov", "--directory", ".", "--framework", "arm", "--skip-download", "--compact"),
        *("--quiet", "--output", "json", "--soft-fail"),
        folder=tmp_path,
    )
    report = json.loads(said[said.index("{") :])
    assert report["summary"]["parsing_errors"] == 0
    assert report["summary"]["passed"] > 50
    found: dict[str, set[str]] = {name: set() for name in EXPECTED}
    for each in report["results"]["failed_checks"]:
        found[Path(each["file_path"]).stem].add(each["check_id"])
    assert found == EXPECTED
