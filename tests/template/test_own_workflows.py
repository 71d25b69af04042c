"""The workflows of this repository that no project gets: the week's and a release's."""

import os
import stat
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support import run
from tools.worktree import ROOT

pytestmark = pytest.mark.fast

GH = """\
#!/usr/bin/env bash
printf '%s\\n' "$*" >> "$CALLS"
case "$1 $2" in "issue list") printf '%s' "$OPEN" ;; esac
"""


def jobs(name: str) -> dict[str, Any]:
    text = (ROOT / ".github" / "workflows" / name).read_text(encoding="utf-8")
    found: dict[str, Any] = yaml.safe_load(text)["jobs"]
    return found


def told(tmp_path: Path, number: str) -> list[str]:
    """Run the step that tells of a red week, where an issue of that number is open; its calls."""
    gh = tmp_path / "gh"
    gh.write_text(GH, encoding="utf-8")
    gh.chmod(gh.stat().st_mode | stat.S_IXUSR)
    calls = tmp_path / "calls"
    (step,) = jobs("weekly.yml")["red"]["steps"]
    path = os.pathsep.join([str(tmp_path), os.environ["PATH"]])
    env = {"PATH": path, "CALLS": str(calls), "OPEN": number, "RUN": "https://example.com/runs/7"}
    run("bash", "-euo", "pipefail", "-c", step["run"], folder=tmp_path, env=env)
    return calls.read_text(encoding="utf-8").splitlines()


def test_a_red_week_opens_one_issue(tmp_path: Path) -> None:
    opened = told(tmp_path, "")[-1]
    assert opened.startswith("issue create")
    assert opened.endswith(
        "--label weekly --body The weekly run is red: https://example.com/runs/7"
    )


def test_the_next_red_week_is_said_in_it(tmp_path: Path) -> None:
    calls = told(tmp_path, "12")
    assert calls[-1].startswith("issue comment 12 --body")
    assert not any(call.startswith("issue create") for call in calls)


def test_each_job_of_the_week_is_looked_at() -> None:
    found = jobs("weekly.yml")
    assert {*found["red"]["needs"]} == {*found} - {"red"}
    assert "failure()" in found["red"]["if"]


def test_nothing_is_published_untested_or_by_nobody() -> None:
    found = jobs("release.yml")
    assert found["publish"]["needs"] == "test"
    assert found["publish"]["environment"] == {"name": "release"}
    assert found["test"]["permissions"] == {"contents": "read"}
    steps = [step.get("run", step.get("uses", "")) for step in found["publish"]["steps"]]
    attested = next(n for n, step in enumerate(steps) if step.startswith("actions/attest@"))
    assert attested == len(steps) - 2
    assert steps[-1].startswith('gh release create "$TAG" out/*.zip --verify-tag')
