"""Late labels of the worked example: labels.py over raw data, as a count by hand has them."""

import json
import os
import shutil
from pathlib import Path

from tests.support import MACHINERY, machinery_python, run
from tools.worktree import ROOT

EXAMPLE = ROOT / "template" / "src" / "{% if example == 'rfm' %}{{package_name}}{% endif %}"
SCRIPT = """\
import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl

from mlops.monitoring.raw_labels import labels_of_raw_data
from mlops.settings.loading import load_settings
from mlops.settings.project import find_project
from mlops.tasks import Target

TODAY, HORIZON = date(2026, 6, 30), 60
settings = load_settings(
    find_project(), variables={}, clock=lambda: datetime(2026, 6, 30, 12, tzinfo=UTC)
)
raw = settings.use_case.sample(400, 3, 0.0, TODAY)
Path("data").mkdir()
raw.write_parquet("data/sales.parquet")
days = [TODAY - timedelta(days=HORIZON + n) for n in (0, 1, 30, -1)]
keys = raw.select(pl.col("customer_id").unique().alias("key")).join(
    pl.DataFrame({"day": days}), how="cross"
)
found = labels_of_raw_data(Path("data"), keys, Target(), settings)
counted = []
for day in days[:3]:
    known = raw.filter(pl.col("order_date") <= day)["customer_id"].unique().to_list()
    within = pl.col("order_date").is_between(day, day + timedelta(days=HORIZON), closed="right")
    again = set(raw.filter(within)["customer_id"].to_list())
    counted += [(key, day, float(key in again)) for key in known]
told = [row[:3] for row in found.rows.iter_rows()]
print(json.dumps({
    "same": sorted(told) == sorted(counted),
    "rows": len(told),
    "rate": sum(label for _, _, label in told) / len(told),
    "newest": str(raw["order_date"].max()),
    "notes": found.notes,
}))
"""
PYPROJECT = """\
[tool.mlops]
name = "shop"
package = "shop"
title = "Shop"
description = "Who buys again."
team = "Testers"
contact = "testers@example.com"
maturity_level = 1
"""


def test_each_day_s_label_is_what_came_in_the_sixty_days_after_it(tmp_path: Path) -> None:
    """And a day whose sixty days the data do not hold has none."""
    shutil.copytree(EXAMPLE, tmp_path / "shop")
    (tmp_path / "pyproject.toml").write_text(PYPROJECT)
    (tmp_path / "conf").mkdir()
    for name in ("base", "dev"):
        (tmp_path / "conf" / f"{name}.yaml").write_text("")
    (tmp_path / "look.py").write_text(SCRIPT)
    paths = os.pathsep.join([str(tmp_path), str(MACHINERY / "src")])
    said = run(machinery_python(), "look.py", folder=tmp_path, env={"PYTHONPATH": paths})
    told = json.loads(said.splitlines()[-1])
    assert told["same"], said
    assert told["newest"] == "2026-06-30"
    assert told["rows"] > 600
    assert 0.05 < told["rate"] < 0.95
    assert told["notes"] == [
        "the data end on 2026-06-30: labels of 2026-05-02 are not complete and left out"
    ]
