"""The services that the pipeline uses are prepared."""

import pytest

from fakes.cli import Command


def test_the_setup_is_printed(mlops: Command, capsys: pytest.CaptureFixture[str]) -> None:
    assert mlops("setup", "github") == 0
    said = capsys.readouterr()
    assert said.out.startswith("gh api --silent --method PUT")
    assert "nothing was done" in said.err
    assert "gh variable set AZURE_CLIENT_ID" in said.err  # without infra/ there is no file to name
    assert mlops("setup", "github", "--variable", "MLOPS_PLATFORM") == 2
