"""What serves, and how it ends."""

from pathlib import Path

import pytest

from fakes.cli import Command
from fakes.endpoint import FakeEndpoint
from mlops.release.deploy import remove_all


def test_an_unknown_version_is_not_deployed(
    mlops: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    assert mlops("deploy", "--model-version", "3") == 2
    assert "has no version 3" in capsys.readouterr().err


def test_removing_all_leaves_nothing_that_costs() -> None:
    endpoint = FakeEndpoint()
    endpoint.serve("blue", 1, share=100)
    endpoint.serve("green", 2)
    endpoint.set_mirror("green", 10)
    remove_all(endpoint)
    assert endpoint.serving == {}


def test_a_version_that_was_touched_is_not_deployed(
    inside: tuple[Command, str], capsys: pytest.CaptureFixture[str]
) -> None:
    mlops, run_id = inside
    assert mlops("evaluate", "--run-id", run_id) == 0
    assert mlops("register", "--run-id", run_id) == 0
    folder = Path.cwd() / ".mlops" / "registry" / "tiny" / "1"
    (folder / "MODEL_CARD.md").write_text("a better model")
    assert mlops("deploy", "--environment", "dev", "--model-version", 1) == 1
    assert "not as it was registered: MODEL_CARD.md was changed" in capsys.readouterr().err
