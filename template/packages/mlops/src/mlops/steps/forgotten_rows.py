"""Raw data that leave this machine: none of their rows may be of a key that was forgotten.

Where they go the suppression list may not be, so what is sent there is looked at before.
"""

from pathlib import Path

from mlops.errors import Refused
from mlops.hints import typed
from mlops.settings.loading import LoadedSettings

_REMEDY = "remove them from the source of the data, then make the folder anew (docs/forget.md)"


def require_nobody_forgotten(folder: Path, settings: LoadedSettings) -> None:
    """Check that no row of a folder's data files is of a key of the suppression list.

    Raises:
        ConfigError: the list, or its secret, cannot be read.
        Refused: rows are, or a file cannot be read, so that nobody knows.
    """
    from mlops.data.folder import list_files
    from mlops.data.reader import read_file
    from mlops.data.suppression import suppression_of
    from mlops.steps.validate import asked_columns

    suppression = suppression_of(settings)
    if not suppression:
        return
    key = settings.use_case.key
    columns = {key: asked_columns(settings.use_case.contract().to_schema())[key]}
    rows, unread = 0, []
    for name, path in list_files(folder).files.items():
        found = read_file(path, name, columns, suppression=suppression)
        rows += found.forgotten
        unread += [] if found.complete or found.forgotten else [name]
    if rows:
        raise Refused(f"{rows:,} rows of {folder} are of keys that were forgotten", _REMEDY)
    if unread:
        raise Refused(
            f"nobody can tell whether {folder} has rows of keys that were forgotten: "
            f"{', '.join(unread)} cannot be read",
            f"{typed(f'data validate --data-dir {folder}')} says why",
        )
