"""Where the raw data comes from when a command names no `--data-dir`."""

from pathlib import Path

from mlops.errors import ConfigError
from mlops.files import new_folder
from mlops.settings.loading import LoadedSettings

SAMPLE_FILE = "sample.parquet"


def locate(settings: LoadedSettings, data_dir: Path | None) -> Path:
    """Return the folder of raw data: `data_dir`, or the source that conf names.

    The source `sample` is generated anew under `.mlops/data`.

    Raises:
        ConfigError: the folder does not exist.
    """
    data = settings.values.data
    if data_dir is None and data.source == "sample":
        return _sample_folder(settings)
    folder = data_dir or settings.project.root / data.folder
    if folder.is_file():
        raise ConfigError(f"{folder} is a file", "name the folder that holds it")
    if not folder.is_dir():
        asked = "--data-dir" if data_dir else "data.folder"
        raise ConfigError(f"{asked}: the folder {folder} does not exist")
    return folder


def write_sample(
    settings: LoadedSettings, folder: Path, size: int, seed: int, drift: float
) -> Path:
    """Generate raw data into `folder`/sample.parquet, replacing what was there."""
    frame = settings.use_case.sample(size, seed, drift, settings.reference_date)
    with new_folder(folder, replaces=SAMPLE_FILE) as new:
        frame.write_parquet(new / SAMPLE_FILE)
    return folder / SAMPLE_FILE


def _sample_folder(settings: LoadedSettings) -> Path:
    sample = settings.values.data.sample
    name = f"sample-{settings.reference_date}-{sample.size}-{sample.seed}-{sample.drift:g}"
    folder = settings.project.state_dir / "data" / name
    write_sample(settings, folder, sample.size, sample.seed, sample.drift)
    return folder
