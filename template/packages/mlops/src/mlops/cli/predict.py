"""Ask an endpoint without curl and keys."""

import json
import sys

import click

from mlops.artifacts.version_folder import VersionFolder, typical_row
from mlops.cli.options import environment_option, json_option, settings_for
from mlops.console import emit, progress, show, show_result, show_table
from mlops.hints import typed
from mlops.platforms import open_platform
from mlops.scoring.ask import STDIN, ask, payload_of, table_of, text_of
from mlops.scoring.served import require_deployed, served_version


@click.command()
@click.argument("rows", required=False)
@environment_option
@json_option
def predict(rows: str | None, environment: str | None, as_json: bool) -> None:
    """Ask an endpoint; without rows, show a typical one to copy.

    ROWS is one row as JSON, '{"feature": 1}', or a list of them, or a file that holds them; - reads
    the standard input. Exit 1 if the endpoint refuses a row.
    """
    settings = settings_for(environment)
    platform = open_platform(settings)
    endpoint = platform.endpoint(settings.endpoint_name)
    name = settings.values.environment
    require_deployed(endpoint, name)
    if rows is None:
        served = served_version(platform, endpoint, name)
        row = typical_row(VersionFolder(served.version.folder).signature())
        if as_json:
            emit(row)
            return
        show(f"a typical row of version {served.version.version}, which {endpoint.name} serves:")
        show_result(json.dumps(row, ensure_ascii=False))
        how = typed(f"predict '{{…}}' --environment {name}")
        show(f"{how} asks the endpoint; a file or - in place of the row works in every shell")
        return
    payload = payload_of(text_of(rows, sys.stdin.read() if rows == STDIN else ""))
    with progress("asking"):
        answer = ask(endpoint, payload)
    if as_json:
        emit(answer.body)
        return
    columns, told = table_of(answer.body)
    show_table(f"Version {answer.body['model_version']}", columns, told, is_result=True)
