"""The training part of the tiny project with parameters to tune, without its holdout."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fakes.tunable import make_tunable
from mlops.artifacts.prepared import Prepared, holdout_file
from mlops.data.source import locate
from mlops.settings.loading import LoadedSettings
from mlops.steps import prepare, validate


@pytest.fixture
def tunable(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let the tiny use case have parameters and this search space."""

    def let(space: Callable[[Any], Any]) -> None:
        make_tunable(monkeypatch, space)

    return let


@pytest.fixture
def parts(
    load: Callable[..., LoadedSettings],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> tuple[Prepared, LoadedSettings]:
    """A training part; whoever reads the holdout fails."""
    make_tunable(monkeypatch)
    settings = load()
    validate.run(locate(settings, None), tmp_path / "validated", settings)
    prepared = prepare.run(tmp_path / "validated", tmp_path / "prepared", settings)
    holdout_file(prepared.folder).write_bytes(b"nobody may read this")

    def refuse(_prepared: Prepared) -> None:
        raise AssertionError("the holdout was read")

    monkeypatch.setattr(Prepared, "holdout", refuse)
    return prepared, settings
