"""What a security officer or an auditor asks of the project's dependencies and versions."""

from dataclasses import asdict
from pathlib import Path

import click

from mlops.cli.options import environment_option, json_option, settings_for, version_option
from mlops.console import emit, progress, show, show_table
from mlops.errors import Hold, Refused


@click.command()
@version_option
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File to write; default: print it.",
)
@environment_option
def bom(model_version: int, output: Path | None, environment: str | None) -> None:
    """Write the bill of materials of a version and of what serves it (CycloneDX).

    Version 1.6, as JSON: the model with its card, its data, and every package of the serving
    environment, which is made for this if it is not there.
    """
    from mlops.files import write_text
    from mlops.ops.bom import bom_of_version

    settings = settings_for(environment)
    with progress("the bill of materials") as report:
        text = bom_of_version(settings, model_version, report)
    if output is None:
        click.echo(text, nl=False)
        return
    write_text(output, text)
    show(f"the bill of materials of version {model_version}")
    click.echo(str(output))


@click.command()
@version_option
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="File to write, as sha256sum writes and reads it.",
)
@environment_option
def checksums(model_version: int, output: Path, environment: str | None) -> None:
    """List the SHA-256 of each file of a version; exit 1 if a file was altered.

    The same version gives the same list, wherever it lies.
    """
    from mlops.files import file_hashes, write_text
    from mlops.platforms import open_platform
    from mlops.signing.folder import require_untampered
    from mlops.signing.policy import trust_of

    settings = settings_for(environment)
    folder = open_platform(settings).version(model_version).folder
    show(f"version {model_version} is {require_untampered(folder, trust_of(settings))}")
    hashes = file_hashes(folder)
    write_text(output, "".join(f"{sha256}  {name}\n" for name, sha256 in hashes.items()))
    click.echo(str(output))


@click.command()
@version_option
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Zip to write; default: in .mlops/compliance.",
)
@click.option(
    "--results",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="What a run of the tests wrote (JUnit), may be repeated; default: what was recorded.",
)
@environment_option
@json_option
def pack(
    model_version: int,
    output: Path | None,
    results: tuple[Path, ...],
    environment: str | None,
    as_json: bool,
) -> None:
    """Put all that is recorded of a version into one zip; exit 4 if something is missing.

    The zip is written all the same. Its page lists each file with its hash, and what is missing.
    """
    from mlops.files import file_sha256, write_bytes
    from mlops.governance.pack import zipped
    from mlops.ops.pack import pack_of_version

    settings = settings_for(environment)
    with progress("what is recorded") as report:
        found = pack_of_version(settings, model_version, results, report)
    target = output or settings.project.state_dir / "compliance" / f"{found.stem}.zip"
    write_bytes(target, zipped(found))
    if as_json:
        emit({**found.to_dict(), "zip": {"path": str(target), "sha256": file_sha256(target)}})
    else:
        show(f"{len(found.items)} files, SHA-256 of the zip: {file_sha256(target)}")
        for each in found.missing:
            show(f"missing: {each.what}: {each.why}", style="yellow")
        click.echo(str(target))
    if found.missing:
        raise Hold(
            f"of version {model_version} {len(found.missing)} things are missing",
            "the zip is written, and its page names each with the reason",
        )


@click.command()
@environment_option
@json_option
def licences(environment: str | None, as_json: bool) -> None:
    """List the licences of the installed packages; exit 1 if one is not allowed.

    What is allowed stands in conf, under licences.
    """
    from mlops.governance.licences import judge_installed

    settings = settings_for(environment)
    own = (settings.model_name, "mlops-machinery")
    judged = judge_installed(settings.values.licences, own)
    bad = [each for each in judged if not each.may]
    if as_json:
        packages = [{**asdict(each), "standing": each.standing.value} for each in judged]
        emit({"schema": 1, "packages": packages, "refused": [each.package for each in bad]})
    else:
        rows = [
            (f"{each.package} {each.version}", each.licence or "says nothing", each.standing)
            for each in judged
        ]
        title = f"Licences of {len(judged)} installed packages"
        show_table(title, ("package", "licence", ""), rows, is_result=True)
        for each in judged:
            if each.why:
                show(f"{each.package} is an exception: {each.why}")
    if bad:
        names = ", ".join(f"{each.package} ({each.licence or 'says nothing'})" for each in bad)
        raise Refused(
            f"{len(bad)} packages have a licence that conf does not allow, or none that is known: "
            f"{names}",
            "leave them out, or allow them in conf under licences (docs/supply-chain.md)",
        )


@click.command()
@click.option("--service-url", help="A mirror of OSV; default: https://api.osv.dev.")
def vulnerabilities(service_url: str | None) -> None:
    """Look the packages up in OSV; exit 1 if one is vulnerable, 3 if nobody answered.

    Those of the project and of its serving environment. Where nobody answered nothing was checked.
    """
    from mlops.ops.vulnerabilities import audit
    from mlops.settings.project import find_project

    with progress("looking up vulnerabilities") as report:
        found = audit(find_project(), service_url, report)
    for part in found:
        click.echo(part.said)
    bad = [part.name for part in found if part.vulnerable]
    if bad:
        raise Refused(
            f"vulnerabilities are known of packages of {' and '.join(bad)}",
            "move the packages forward: docs/supply-chain.md",
        )
    show("no vulnerability is known")
