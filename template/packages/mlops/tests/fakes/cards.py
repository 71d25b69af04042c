"""The cards of a version that was really trained, with groups that were assessed: for a browser."""

import json
import sys
from dataclasses import replace
from pathlib import Path

from fakes.human_part import write
from fakes.project import write_project
from mlops.artifacts.version_folder import VersionFolder
from mlops.governance.card_page import render_page
from mlops.governance.gate import judge_run
from mlops.governance.later import Happening
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
    said = Happening(
        version=1,
        time="2026-12-01T09:00:00+00:00",
        what="release",
        outcome="promoted",
        environment="prod",
        detail="the smoke test passed",
        page="https://github.com/owner/name/actions/runs/123456789/attempts/1",
        place="evidence prod-20261201T090000.000000Z and line 12 of the audit log",
    )
    page = render_page(version.card(), version.plots / "quality.png", (said,) * 3, ("it is gone",))
    (folder / "since.html").write_text(page, encoding="utf-8")


if __name__ == "__main__":
    write_cards(Path(sys.argv[1]))
