"""A project of the tests' own, with the tiny use case."""

import tomllib
from dataclasses import replace
from datetime import date
from pathlib import Path

from mlops.settings.project import Facts, Project, find_project

TODAY = date(2024, 6, 30)

PYPROJECT = """\
[tool.mlops]
name = "tiny"
package = "fakes.tiny_use_case"
title = "Tiny"
description = "Predicts alarms."
team = "Testers"
contact = "testers@example.com"
maturity_level = 1
"""

FACTS = Facts.model_validate(tomllib.loads(PYPROJECT)["tool"]["mlops"])

CONF = f"""\
data:
  reference_date: {TODAY}
  sample:
    size: 300
    seed: 1
gate:
  sample_thresholds:
    f1: 0.75
    roc_auc: 0.75
"""


def write_project(root: Path) -> Project:
    (root / "conf").mkdir(parents=True)
    (root / "pyproject.toml").write_text(PYPROJECT)
    (root / "conf" / "base.yaml").write_text(CONF)
    (root / "conf" / "dev.yaml").write_text("")
    return find_project(root)


def with_level(project: Project, level: int) -> Project:
    """Return a project at another maturity level."""
    return replace(project, facts=project.facts.model_copy(update={"maturity_level": level}))
