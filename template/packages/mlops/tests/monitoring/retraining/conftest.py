"""An endpoint that serves a version whose commit can be had."""

from dataclasses import replace
from pathlib import Path

import pytest

from fakes.platform import FakePlatform
from fakes.project import with_level
from fakes.retraining import Loop


@pytest.fixture
def loop(tmp_path: Path) -> Loop:
    return Loop(FakePlatform(tmp_path / "platform"), tmp_path / "machines")


@pytest.fixture
def at_level_2(loop: Loop) -> Loop:
    loop.settings = replace(loop.settings, project=with_level(loop.settings.project, 2))
    return loop
