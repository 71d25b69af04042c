"""`mlops compliance`: what an auditor asks for, as tables and JSON."""

import json

import pytest

from fakes.cli import Command
from mlops.settings.project import Project


def test_the_licences_of_what_is_installed(
    mlops: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    assert mlops("compliance", "licences") == 0
    said = capsys.readouterr()
    assert "numpy" in said.out
    assert max(len(line) for line in said.out.splitlines()) <= 80
    assert "skops is an exception: its metadata name no licence" in said.err
    assert mlops("compliance", "licences", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["refused"] == []
    assert {"package", "version", "licence", "standing", "why"} == set(found["packages"][0])


@pytest.mark.usefixtures("project")
def test_a_licence_that_conf_does_not_allow_is_named(
    mlops: Command, capsys: pytest.CaptureFixture[str], project: Project
) -> None:
    base = project.root / "conf" / "base.yaml"
    base.write_text(base.read_text() + "\nlicences:\n  allowed: [MIT]\n")
    assert mlops("compliance", "licences") == 1
    said = capsys.readouterr().err
    assert "have a licence that conf does not allow" in said
    assert "polars-runtime" not in said
    assert "requests (Apache-2.0)" in said
    assert mlops("compliance", "licences", "--json") == 1
    assert "requests" in json.loads(capsys.readouterr().out)["refused"]
