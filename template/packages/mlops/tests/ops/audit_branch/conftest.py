"""A remote with a project, and settings whose clock is a day after the lines."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from fakes.audit_lines import WHEN
from fakes.audit_remote import Remote
from mlops.ops.audit_branch import publish
from mlops.settings.loading import LoadedSettings


@pytest.fixture
def remote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Remote:
    monkeypatch.setattr(publish, "WAITS", ())
    return Remote.make(tmp_path / "remote.git")


@pytest.fixture
def settings(settings: LoadedSettings) -> LoadedSettings:
    return replace(settings, clock=lambda: WHEN + timedelta(days=1))
