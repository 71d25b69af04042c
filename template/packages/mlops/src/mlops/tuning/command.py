"""From raw data to a search on their training part."""

import tempfile
from pathlib import Path

from mlops.artifacts.prepared import holdout_file
from mlops.data.findings import DATA_REFUSED
from mlops.data.source import locate
from mlops.errors import Refused
from mlops.hints import typed
from mlops.progress import Report
from mlops.settings.loading import LoadedSettings
from mlops.tuning.proposals import require_optuna
from mlops.tuning.study import Asked, Found, search

FOLDER = "tuning"


def tuned(
    settings: LoadedSettings, data_dir: Path | None, asked: Asked, trials: int, report: Report
) -> Found:
    """Validate and prepare data as training does, take the holdout away, and search.

    Raises:
        ConfigError: model.py has no search space, or Optuna is missing.
        Refused: the data did not pass validation, or nothing could be measured.
        Interrupted: what was tried until then is kept.
    """
    from mlops.steps import prepare, validate

    settings.use_case.search_space()
    require_optuna()
    folder = settings.project.state_dir / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    source = locate(settings, data_dir)
    with tempfile.TemporaryDirectory(prefix=".data-", dir=folder) as scratch:
        validated, prepared = Path(scratch, "validated-data"), Path(scratch, "parts")
        report(f"checking the contract of {source.kind} {source.name}")
        if not validate.run(source, validated, settings).passed:
            raise Refused(DATA_REFUSED, f"{typed('data validate')} tells why")
        report("computing features and labels")
        found = prepare.run(validated, prepared, settings)
        holdout_file(prepared).unlink()
        report(f"trying {trials} parameters on {found.rows['train']:,} rows")
        return search(found, settings, asked, trials, folder, report)
