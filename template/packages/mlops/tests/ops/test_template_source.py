"""Whether updates will find the template."""

from pathlib import Path

import pytest

from mlops.ops.doctor import examine
from mlops.ops.template_source import ANSWERS, template_source
from mlops.settings.project import Project


@pytest.mark.parametrize(
    "source",
    [
        "https://github.com/acme/template.git",
        "gh:acme/template",
        "git@ssh.dev.azure.com:v3/acme/ml/template",
        "git+file:///srv/template",
        "{here}",
    ],
)
def test_what_every_machine_finds_passes(tmp_path: Path, source: str) -> None:
    recorded = source.format(here=tmp_path)
    (tmp_path / ANSWERS).write_text(f"_src_path: {recorded}\n")
    (found,) = template_source(tmp_path)
    assert (found.found, found.passed) == (recorded, True)


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("azure-mlops-template", "is a relative path"),
        ("../template", "is a relative path"),
        (".", "is a relative path"),
        ("/no/such/folder", "is not on this machine"),
    ],
)
def test_what_leads_nowhere_is_advice(project: Project, source: str, why: str) -> None:
    (project.root / ANSWERS).write_text(f"_src_path: {source}\n")
    found = {each.name: each for each in examine(project.root)}["template"]
    assert found.found == f"{source} {why}"
    assert not found.passed
    assert not found.needed
    assert "_src_path" in found.remedy


@pytest.mark.parametrize("content", [None, "", "- a\n", "_src_path: [\n", "_src_path: 3\n"])
def test_without_a_source_nothing_is_said(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / ANSWERS).write_text(content)
    assert template_source(tmp_path) == []
