"""How often a workflow runs, where something else counts on it."""

from datetime import timedelta

import pytest
import yaml
from mlops.monitoring.rules.alerts import LEAST_OF_CHECKS
from mlops.window import span_of

from tools.worktree import ROOT

pytestmark = pytest.mark.fast
MONITOR = ROOT / "template" / ".github" / "workflows" / "monitor.yml"


def test_alerts_on_checks_look_back_over_two_runs_of_what_makes_them() -> None:
    workflow = yaml.safe_load(MONITOR.read_text(encoding="utf-8"))
    (schedule,) = workflow[True]["schedule"]  # YAML 1.1 reads `on` so
    minute, *other = schedule["cron"].split()
    assert minute.isdecimal()
    assert other == ["*"] * 4
    assert span_of(LEAST_OF_CHECKS) >= timedelta(hours=2)
