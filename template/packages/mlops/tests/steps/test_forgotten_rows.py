"""Raw data that leave this machine are looked at before: nobody who was forgotten goes along."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from fakes.project import TODAY
from mlops.data.suppression import Entry, list_file, make_secret, secret_file, write_entries
from mlops.errors import ConfigError, Refused
from mlops.platforms.azure import data as azure_data
from mlops.platforms.azure import jobs
from mlops.platforms.azure.platform import AzurePlatform
from mlops.progress import silent
from mlops.settings.loading import LoadedSettings
from mlops.steps.forgotten_rows import require_nobody_forgotten


@pytest.fixture
def settings(load: Callable[..., LoadedSettings], tmp_path: Path) -> LoadedSettings:
    secret = str(tmp_path / "elsewhere" / "secret.json")
    return load(platform="azure", azure__subscription_id="s", forget__secret_file=secret)


@pytest.fixture
def raw(settings: LoadedSettings, tmp_path: Path) -> Path:
    folder = tmp_path / "raw"
    folder.mkdir()
    settings.use_case.sample(50, 1, 0.0, TODAY).write_parquet(folder / "a.parquet")
    return folder


def suppress(settings: LoadedSettings, raw: Path) -> str:
    """Put a key of the data on the list; return it."""
    import polars as pl

    key = str(pl.read_parquet(raw / "a.parquet")["machine"][0])
    secret = make_secret(secret_file(settings))
    entry = Entry(secret.digest(key), secret.id, "r1", "2026-05-01T12:00:00+00:00")
    list_file(settings).parent.mkdir(parents=True, exist_ok=True)
    write_entries(list_file(settings), [entry])
    return key


def test_without_a_list_nothing_is_read(settings: LoadedSettings, tmp_path: Path) -> None:
    require_nobody_forgotten(tmp_path / "not there", settings)


def test_rows_of_a_forgotten_key_are_refused_by_their_number(
    settings: LoadedSettings, raw: Path
) -> None:
    key = suppress(settings, raw)
    with pytest.raises(
        Refused, match=r"rows of .* are of keys that were forgotten; remove them"
    ) as no:
        require_nobody_forgotten(raw, settings)
    assert key not in str(no.value)


def test_data_without_them_pass(settings: LoadedSettings, raw: Path) -> None:
    import polars as pl

    key = suppress(settings, raw)
    rows = pl.read_parquet(raw / "a.parquet")
    rows.filter(pl.col("machine") != key).write_parquet(raw / "a.parquet")
    require_nobody_forgotten(raw, settings)


def test_what_cannot_be_read_is_refused_too(settings: LoadedSettings, raw: Path) -> None:
    suppress(settings, raw)
    (raw / "a.parquet").write_bytes(b"PAR1 and no table")
    with pytest.raises(Refused, match=r"nobody can tell whether .*a\.parquet cannot be read"):
        require_nobody_forgotten(raw, settings)


def test_a_list_without_its_secret_lets_nothing_leave(settings: LoadedSettings, raw: Path) -> None:
    suppress(settings, raw)
    secret_file(settings).unlink()
    with pytest.raises(ConfigError, match="is missing"):
        require_nobody_forgotten(raw, settings)


def test_neither_a_registration_nor_a_training_uploads_them(
    settings: LoadedSettings, raw: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    suppress(settings, raw)
    sent: list[Any] = []
    monkeypatch.setattr(azure_data, "register", lambda *_: sent.append("registered"))
    stand_in: Any = SimpleNamespace(settings=settings, _clients=None)
    with pytest.raises(Refused, match="were forgotten"):
        AzurePlatform.register_data(stand_in, raw, "transactions", silent)
    with pytest.raises(Refused, match="were forgotten"):
        jobs._data(stand_in, raw)
    assert sent == []


def test_a_platform_that_looks_at_data_opens_without_reading_any() -> None:
    """Commands of the pipeline ask the platform where none of the packages for data are."""
    code = "import sys, mlops.platforms.azure.platform; print('pyarrow' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "False"
