"""Downloading a job's named outputs, however the service words their kinds.

The history of a job calls a folder `UriFolder`. The SDK's releases from 1.35.0 to 1.35.2 look for
`uri_folder` and then bring nothing, without a word (azure-sdk-for-python#48941): so the words are
turned into its own before it compares them.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mlops.platforms.azure.errors import azure_errors

_KINDS = {"urifolder": "uri_folder", "urifile": "uri_file", "mltable": "mltable"}


def download_output(jobs: Any, job: str, output: str, folder: Path) -> Path | None:
    """Download one output below a folder; return where it is, or None if the job has none.

    Args:
        jobs: the jobs of a workspace's client.
        job: the job's name.
        output: the output's.
        folder: gets the folder `named-outputs`.

    Raises:
        MlopsError: Azure fails.
    """
    with azure_errors(f"downloading {output} of {job}"), _own_words(jobs):
        jobs.download(job, output_name=output, download_path=folder)
    found = folder / "named-outputs" / output
    return found if found.is_dir() and any(found.iterdir()) else None


@contextlib.contextmanager
def _own_words(jobs: Any) -> Iterator[None]:
    runs: Any = getattr(jobs, "_runs_operations", None)
    ask = getattr(runs, "get_run_data", None)
    if ask is None:
        yield
        return

    def asked(*arguments: Any, **options: Any) -> Any:
        found = ask(*arguments, **options)
        for each in (found.run_metadata.outputs or {}).values():
            each.type = _KINDS.get(str(each.type).replace("_", "").lower(), each.type)
        return found

    runs.get_run_data = asked
    try:
        yield
    finally:
        del runs.get_run_data
