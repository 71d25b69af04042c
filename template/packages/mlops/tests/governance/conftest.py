"""A version that was registered once for all tests of this folder."""

import shutil
from pathlib import Path

import pytest

from fakes.human_part import write
from mlops.artifacts.run_folder import RunFolder
from mlops.governance.gate import judge_run
from mlops.platforms.local.platform import LocalPlatform
from mlops.settings.loading import load_settings
from mlops.settings.project import find_project
from mlops.steps import evaluate
from mlops.steps.register import register_run


@pytest.fixture(scope="session")
def registered_once(
    trained_once: tuple[Path, str], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The folder of version 1 of `tiny`, with people's part and groups that were assessed."""
    original, run_id = trained_once
    root = tmp_path_factory.mktemp("registered") / "project"
    shutil.copytree(original, root)
    write(root, users=["<b>Them</b>", "Us"], limitations=None)
    overrides = {"gate.min_slice_rows": 5}
    settings = load_settings(find_project(root), overrides=overrides, variables={})
    platform = LocalPlatform(settings)
    run = platform.run(run_id)
    folder = RunFolder(run.folder)
    evaluate.run(folder.prepared_path, folder.model.path, folder.evaluation.path, settings)
    judge_run(platform, run, settings)
    return register_run(platform, run, settings).folder


@pytest.fixture
def version(registered_once: Path, tmp_path: Path) -> Path:
    """A copy of its folder, for who changes it."""
    return Path(shutil.copytree(registered_once, tmp_path / "version"))
