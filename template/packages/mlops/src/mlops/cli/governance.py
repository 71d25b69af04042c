"""What is known of a version, for people: its card, and what each environment would refuse."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mlops.cli.options import environment_option, folder, json_option, settings_for, version_option
from mlops.console import emit, progress, show, show_table
from mlops.errors import ConfigError, Refused
from mlops.hints import typed
from mlops.platforms import open_platform

if TYPE_CHECKING:
    from mlops.governance.readiness import Evidence
    from mlops.platforms.base import ModelVersion, Platform
    from mlops.settings.loading import LoadedSettings


@click.command()
@version_option
@click.option("--folder", "place", type=folder, help="Where to; default: docs/model-cards.")
@environment_option
@json_option
def card(model_version: int, place: Path | None, environment: str | None, as_json: bool) -> None:
    """Write a version's card, with what happened since it was registered.

    As Markdown, HTML and JSON; the version's own folder is never changed.
    """
    from mlops.artifacts.documents import card_document
    from mlops.artifacts.version_folder import QUALITY_PLOT, VersionFolder
    from mlops.files import write_text
    from mlops.governance.card_page import render_page
    from mlops.governance.model_card import render_since
    from mlops.ops.lineage import since_registration

    settings = settings_for(environment)
    platform = open_platform(settings)
    with progress("reading what happened") as report:
        version = platform.version(model_version)
        source = VersionFolder(version.folder)
        content = source.card()
        came = since_registration(settings, platform, model_version, report)
    folder_of_cards = place or settings.project.root / "docs" / "model-cards"
    folder_of_cards.mkdir(parents=True, exist_ok=True)
    stem = f"{version.name}-{model_version}"
    paths = [folder_of_cards / f"{stem}.{kind}" for kind in ("md", "html", "json")]
    pictures = folder_of_cards / stem
    since, unread = came.happenings, came.not_read
    write_text(paths[0], render_since(content, since, source.plots, pictures, unread))
    write_text(paths[1], render_page(content, source.plots / QUALITY_PLOT, since, unread))
    told = {"since": [each.to_dict() for each in since], "unread": list(unread)}
    card_document(stem).write(folder_of_cards, {"card": content, **told})
    for each in unread:
        show(f"could not be read: {each}", style="yellow")
    if as_json:
        emit({"files": list(map(str, paths)), **told})
        return
    for path in paths:
        click.echo(str(path))


@click.command()
@click.option("--run-id", help="A run that may be registered.")
@click.option("--model-version", type=int, help="A registered version; default: the newest one.")
@click.option("--explain", is_flag=True, help="Say it of every environment, and refuse nothing.")
@environment_option
@json_option
def gate(
    run_id: str | None,
    model_version: int | None,
    explain: bool,
    environment: str | None,
    as_json: bool,
) -> None:
    """Tell what an environment would refuse of a version; exit 1 if it would.

    With --explain for every environment, and exit 0.
    """
    from mlops.governance.readiness import lacks
    from mlops.release.readiness import demands_of

    if run_id is not None and model_version is not None:
        raise ConfigError("--run-id and --model-version exclude each other", "name one of them")
    settings = settings_for(environment)
    platform = open_platform(settings)
    subject, evidence = _subject(platform, settings, run_id, model_version)
    names = settings.project.environments() if explain else [settings.values.environment]
    found = {name: lacks(evidence, demands_of(settings_for(name))) for name in names}
    if as_json:
        said: dict[str, Any] = {name: [each.to_dict() for each in found[name]] for name in found}
        emit({"subject": subject, "refuses": said})
    else:
        rows = [
            (name, *row)
            for name, each in found.items()
            for row in [(lack.requirement.value, lack.said) for lack in each]
            or [("nothing is missing", "")]
        ]
        show_table(f"What is missing for {subject}", ("environment", "missing", "found"), rows)
    if evidence.model_version is not None:
        _tell_what_stays(platform.version(evidence.model_version))
    if not platform.has_callers:
        show("here nothing of this is refused: the endpoints have no callers of their own")
    if not explain and found[names[0]]:
        count = len(found[names[0]])
        what = "1 thing is" if count == 1 else f"{count} things are"
        raise Refused(
            f"{names[0]} would refuse {subject}: {what} missing",
            "docs/gate.md tells what each environment asks for",
        )


def _tell_what_stays(version: "ModelVersion") -> None:
    """Say of a version of a part of the data that no cloud gets it."""
    from mlops.release.data_rules import require_whole

    try:
        require_whole(version, "shared, nor released where callers are")
    except Refused as error:
        show(f"besides: {error.message}", style="yellow")


def _subject(
    platform: "Platform",
    settings: "LoadedSettings",
    run_id: str | None,
    model_version: int | None,
) -> "tuple[str, Evidence]":
    """Return what is looked at, in words, and what is known of it."""
    from mlops.release.readiness import evidence_of_run, evidence_of_version

    if run_id is not None:
        return f"run {run_id}", evidence_of_run(platform.run(run_id), settings)
    if model_version is None:
        known = [each.version for each in platform.versions()]
        if not known:
            raise ConfigError(
                "no version is registered", f"name a run with --run-id, as {typed('train')} prints"
            )
        model_version = max(known)
    found = evidence_of_version(platform.version(model_version), settings)
    return f"version {model_version}", found
