"""Real servers under load: half a minute of releases and rollbacks, an A/B test, a kill."""

import shutil
from pathlib import Path

import pytest

from tests.machinery.copy import MachineryCopy
from tests.support import Template

pytestmark = pytest.mark.slow


def test_no_caller_notices_a_change(template: Template, tmp_path: Path) -> None:
    machinery = MachineryCopy.make(template, tmp_path / "project")
    folder = machinery.package / "tests" / "integration" / "endurance"
    shutil.copytree(Path(__file__).with_name("endurance"), folder)
    print(machinery.pytest("-rP", folder, timeout=1800)[-2000:])
