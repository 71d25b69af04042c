"""The evidence of releases, kept beside the version that was released."""

from dataclasses import asdict
from pathlib import Path

import click

from mlops.artifacts.evidence_folder import releases_folder
from mlops.cli.options import environment_option, folder, json_option, settings_for, version_option
from mlops.console import emit, progress, show, show_table
from mlops.errors import Hold
from mlops.hints import typed
from mlops.platforms import open_platform
from mlops.release.kept_evidence import Releases, keep_releases


@click.command()
@version_option
@click.option(
    "--release", required=True, metavar="NAME", help="The environment it was released to."
)
@click.option(
    "--folder", "place", type=folder, help="What the release wrote; default: .mlops/releases."
)
@environment_option
@json_option
def keep(
    model_version: int, release: str, place: Path | None, environment: str | None, as_json: bool
) -> None:
    """Keep the evidence of a version's release beside it; exit 4 if there is none.

    The version's own folder is never changed.
    """
    settings = settings_for(environment)
    releases = Releases(
        folder=place or releases_folder(settings.project.state_dir),
        environment=release,
        endpoint=settings_for(release).endpoint_name,
        model_version=model_version,
    )
    with progress("keeping the evidence"):
        kept = keep_releases(open_platform(settings), releases)
    if as_json:
        emit({**asdict(kept.evidence), "outcomes": kept.outcomes, "files": kept.files})
        return
    rows = [
        ("kept as", kept.evidence.name),
        ("outcomes", ", ".join(kept.outcomes)),
        *(("file", each) for each in kept.files),
    ]
    show_table(f"Evidence kept beside version {model_version}", ("", ""), rows)
    click.echo(kept.evidence.place)


@click.command("list")
@version_option
@click.option("--download", type=folder, help="Folder to make of what is kept, one for each.")
@environment_option
@json_option
def list_kept(
    model_version: int, download: Path | None, environment: str | None, as_json: bool
) -> None:
    """List what is kept beside a version, or download it; exit 4 if there is none.

    Exit 1 if what was downloaded is not what was kept.
    """
    platform = open_platform(settings_for(environment))
    with progress("reading the evidence") as report:
        found = platform.evidence(model_version)
        for each in found if download else ():
            report(f"downloading {each.name}")
            platform.fetch_evidence(model_version, each.name, Path(str(download)) / each.name)
    if as_json:
        emit({"model_version": model_version, "evidence": [asdict(each) for each in found]})
    if not found:
        raise Hold(
            f"no evidence of a release of version {model_version} is kept",
            f"{typed(f'evidence keep --model-version {model_version} --release …')} keeps it",
        )
    if not as_json:
        rows = [(each.name, each.place) for each in found]
        show_table(f"Kept beside version {model_version}", ("name", "place"), rows)
    if download:
        show(f"downloaded to {download}")
