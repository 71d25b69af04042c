import importlib
import sys
from pathlib import Path

import pytest

from fakes.project import TODAY
from mlops.errors import ConfigError
from mlops.features import Features
from mlops.usecase.use_case import UseCase


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> UseCase:
    """A use case that defines nothing at all."""
    package = tmp_path / "bare_use_case"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "contract.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    for name in [name for name in sys.modules if name.startswith("bare_use_case")]:
        monkeypatch.delitem(sys.modules, name)
    return UseCase("bare_use_case")


def test_what_is_left_out_has_a_default(bare: UseCase) -> None:
    assert bare.date_column is None
    assert bare.slices() == {}
    assert bare.cutoff(TODAY, None) == TODAY
    assert bare.params_type()().model_dump() == {}


def test_what_is_required_is_named_with_its_file(bare: UseCase) -> None:
    with pytest.raises(ConfigError, match=r"does not define KEY in contract\.py"):
        _ = bare.key
    with pytest.raises(ConfigError, match=r"does not define make_model in model\.py"):
        bare.model(None, 1, Features())


def test_an_unknown_package_is_named() -> None:
    with pytest.raises(ConfigError, match="nowhere"):
        UseCase("nowhere.at_all").slices()


def test_a_broken_module_shows_its_own_error(bare: UseCase, tmp_path: Path) -> None:
    (tmp_path / "bare_use_case" / "slices.py").write_text("import not_installed_anywhere\n")
    importlib.invalidate_caches()
    with pytest.raises(ModuleNotFoundError, match="not_installed_anywhere"):
        bare.slices()
