"""Where versions come from and what became of them."""

from typing import Any

import click

from mlops.cli.options import environment_option, json_option, settings_for
from mlops.console import emit, progress, show, show_table, show_tree
from mlops.errors import ConfigError, Hold
from mlops.hints import typed
from mlops.platforms import open_platform

_QUESTIONS = "--model-version, --endpoint or --data-hash"


@click.command()
@click.option("--model-version", type=int, help="Where does this version come from?")
@click.option("--endpoint", metavar="ENVIRONMENT", help="What answers there now, such as in prod?")
@click.option(
    "--data-hash",
    metavar="HASH",
    help="Which versions saw these data, or this file? The first 8 characters are enough.",
)
@environment_option
@json_option
def lineage(
    model_version: int | None,
    endpoint: str | None,
    data_hash: str | None,
    environment: str | None,
    as_json: bool,
) -> None:
    """Where a version comes from and what became of it; what answers now; who saw data.

    Exit 4 if nothing is recorded.
    """
    given = [each for each in (model_version, endpoint, data_hash) if each is not None]
    if len(given) != 1:
        raise ConfigError(
            f"{len(given) or 'no'} questions are asked at once", f"give one of {_QUESTIONS}"
        )
    if model_version is not None:
        _of_version(model_version, environment, as_json=as_json)
    elif endpoint is not None:
        _of_endpoint(endpoint, environment, as_json=as_json)
    elif data_hash is not None:
        _of_data(data_hash, environment, as_json=as_json)


def _of_version(number: int, environment: str | None, *, as_json: bool) -> None:
    from mlops.cli.lineage_tree import version_tree
    from mlops.ops.lineage import version_lineage

    settings = settings_for(environment)
    with progress("lineage") as report:
        found = version_lineage(settings, open_platform(settings), number, report)
    if as_json:
        emit(found)
    else:
        show_tree(version_tree(found))


def _of_endpoint(endpoint: str, environment: str | None, *, as_json: bool) -> None:
    from mlops.cli.lineage_tree import endpoint_tree
    from mlops.ops.lineage import endpoint_lineage

    if environment not in (None, endpoint):
        raise ConfigError(
            f"--environment {environment} and --endpoint {endpoint} are two environments",
            "leave --environment out",
        )
    with progress("lineage") as report:
        found = endpoint_lineage(settings_for(endpoint), report)
    answers = any(each["share"] for each in found["deployments"])
    if as_json:
        emit(found)
    elif found["deployments"]:
        show_tree(endpoint_tree(found))
    if not answers:
        raise Hold(
            f"nothing answers in {endpoint}",
            f"{typed('status')} shows what is deployed where",
        )


def _of_data(wanted: str, environment: str | None, *, as_json: bool) -> None:
    from mlops.ops.lineage import data_lineage

    with progress("lineage") as report:
        found = data_lineage(open_platform(settings_for(environment)), wanted, report)
    if as_json:
        emit(found)
    elif found["versions"]:
        rows = [(each["version"], each["by"], each["words"]) for each in found["versions"]]
        title = f"Versions that saw {found['data_hash'][:16]}…"
        show_table(title, ("version", "saw", "of"), rows, is_result=True)
    for each in found["not_read"]:
        show(f"could not be read: {each}", style="yellow")
    if not found["versions"]:
        raise Hold(
            _nobody_saw(found), "a hash that is not recorded proves nothing: see docs/lineage.md"
        )


def _nobody_saw(found: dict[str, Any]) -> str:
    asked = found["asked"] - len(found["not_read"])
    return (
        f"none of {asked} versions recorded that it saw data or a file with the hash "
        f"{found['data_hash']}"
    )
