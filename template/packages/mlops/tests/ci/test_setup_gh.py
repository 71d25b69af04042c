"""The command gh itself, which a small script plays here."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from mlops.ci.setup_github.gh import Gh, GhError
from mlops.ci.setup_github.request import Request
from mlops.ci.setup_github.set_up import apply
from mlops.errors import ConfigError


def test_a_missing_gh_says_where_to_get_it(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match="gh is not installed; see https"):
        apply(root, Request(3, ("ann",)))


def test_what_gh_says_is_passed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "gh"
    path.write_text('#!/bin/sh\necho "gh: Not Found (HTTP 404)" >&2\nexit 1\n')
    path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    with pytest.raises(
        GhError, match=r"`gh api PUT repos/x` failed: gh: Not Found \(HTTP 404"
    ) as said:
        Gh(tmp_path).call("api", "--silent", "--method", "PUT", "repos/x", "-F", "a=b")
    assert said.value.status == 404


def test_a_gh_that_hangs_is_named(tmp_path: Path) -> None:
    def hang(arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
        raise subprocess.TimeoutExpired(list(arguments), 60)

    with pytest.raises(GhError, match="`gh api user` did not end within 60 seconds") as said:
        Gh(tmp_path, hang).get("user")
    assert said.value.status is None


@pytest.mark.parametrize(
    ("said", "of_the_plan"),
    [
        ("Upgrade to GitHub Pro or make this repository public. (HTTP 403)", 1),
        ("Please ensure the billing plan supports the required reviewers rule. (HTTP 422)", 1),
        ("Resource not accessible by personal access token (HTTP 403)", 0),
        ("Validation Failed (HTTP 422)", 0),
        ("Upgrade to a newer gh", 0),
    ],
)
def test_a_refusal_because_of_the_plan_is_told_from_others(
    tmp_path: Path, said: str, of_the_plan: int
) -> None:
    def refuse(arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(list(arguments), 1, "", f"gh: {said}")

    with pytest.raises(GhError) as error:
        Gh(tmp_path, refuse).get("user")
    assert error.value.is_of_the_plan is bool(of_the_plan)
