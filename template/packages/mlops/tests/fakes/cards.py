"""The cards of a version that was really trained, with groups that were assessed: for a browser."""

import json
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from fakes.human_part import write
from fakes.project import write_project
from mlops.artifacts.version_folder import VersionFolder
from mlops.governance.card_page import render_page
from mlops.governance.gate import judge_run
from mlops.governance.since import Happening
from mlops.platforms.local.platform import LocalPlatform
from mlops.progress import silent
from mlops.settings.loading import load_settings
from mlops.steps.register import register_run


def write_cards(folder: Path) -> None:
    """Write card.md, card.html, since.html and evaluation.json into a folder."""
    project = write_project(folder / "project")
    described = project.facts.model_copy(update={"description": "Says <who> calls & why; 1 < 2."})
    project = replace(project, facts=described)
    write(project.root, users=["Operators of machines.", "Nobody else."])
    overrides = {"gate.min_slice_rows": 5}
    platform = LocalPlatform(load_settings(project, overrides=overrides, variables={}))
    run = platform.train(None, silent)
    judge_run(platform, run, platform.settings)
    version = VersionFolder(register_run(platform, run, platform.settings).folder)
    (folder / "card.md").write_bytes(version.model_card.read_bytes())
    (folder / "card.html").write_bytes(version.card_page.read_bytes())
    (folder / "evaluation.json").write_text(json.dumps(version.card()["evaluation"]))
    moment = datetime(2026, 12, 1, 9, tzinfo=UTC)
    said = Happening(
        moment, "release", "prod", "promoted", "the smoke test passed", "evidence.json"
    )
    page = render_page(version.card(), version.plots / "quality.png", (said,) * 3)
    (folder / "since.html").write_text(page, encoding="utf-8")


if __name__ == "__main__":
    write_cards(Path(sys.argv[1]))
