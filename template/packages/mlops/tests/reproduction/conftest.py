"""A version of the tiny use case, registered once for all tests, which only read it."""

import shutil
from pathlib import Path

import pytest

from fakes.registered import Registered
from mlops.governance.gate import judge_run
from mlops.platforms.local.platform import LocalPlatform
from mlops.settings.loading import load_settings
from mlops.settings.project import find_project
from mlops.steps.register import register_run


@pytest.fixture(scope="session")
def registered(
    trained_once: tuple[Path, str], tmp_path_factory: pytest.TempPathFactory
) -> Registered:
    original, run_id = trained_once
    root = tmp_path_factory.mktemp("registered") / "project"
    shutil.copytree(original, root)
    settings = load_settings(find_project(root), variables={})
    platform = LocalPlatform(settings)
    run = platform.run(run_id)
    judge_run(platform, run, settings)
    return Registered(settings, register_run(platform, run, settings).folder)
