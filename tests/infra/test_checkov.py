"""checkov, on the resources that infra/ makes: it finds what is known and nothing else."""

import json
import tomllib
from pathlib import Path

from tests.infra.project import Infra
from tests.support import run, uv
from tools.worktree import ROOT

CHECKOV = "checkov==3.3.30"
# What checkov would have otherwise, and why it is as it is.
ACCEPTED = {
    "CKV_AZURE_166": "images are built by the workspace; quarantine would need a scanner",
    "CKV_AZURE_206": "copies in another region cost more; what is stored can be made anew",
    "CKV_AZURE_243": "the private endpoint is a resource of its own, which this check does not see",
}
ACCEPTED_IN_PUBLIC = {
    "CKV_AZURE_35": "open to the internet, with identities alone, unless privateNetwork",
    "CKV_AZURE_59": "the same",
    "CKV_AZURE_109": "the same",
    "CKV_AZURE_139": "the same",
    "CKV_AZURE_189": "the same",
    "CKV2_AZURE_49": "the same",
}
ACCEPTED_IN_DEV = {
    "CKV_AZURE_42": "dev can be torn down and made anew the same day",
    "CKV_AZURE_110": "the same",
    "CKV_AZURE_163": "the registry is the cheapest, which is not scanned",
}


def test_checkov_finds_what_is_known_and_nothing_else(infra: Infra, tmp_path: Path) -> None:
    """It reads no Bicep of today, but the resources as an ARM template."""
    templates = {
        "shared": infra.shared(),
        "dev": infra.environment("dev"),
        "prod": infra.environment("prod"),
        "private": infra.environment("prod", privateNetwork=True),
    }
    for name, result in templates.items():
        text = json.dumps(result.template())
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
    found: dict[str, set[str]] = {name: set() for name in templates}
    for each in report["results"]["failed_checks"]:
        found[Path(each["file_path"]).stem].add(each["check_id"])
    expected = {
        "shared": set(),
        "dev": {*ACCEPTED, *ACCEPTED_IN_DEV, *ACCEPTED_IN_PUBLIC},
        "prod": {*ACCEPTED, *ACCEPTED_IN_PUBLIC},
        "private": {*ACCEPTED},
    }
    assert found == expected
