"""The maturity level that the project shows."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from mlops.ci.job import set_output
from mlops.cli.options import environment_option, json_option, settings_for
from mlops.console import emit, progress, show, show_table
from mlops.errors import Hold, MlopsError, Refused
from mlops.governance.maturity import CLAIMS, Maturity, hold_against, read_claims
from mlops.hints import typed
from mlops.platforms import open_platform, platform_class
from mlops.settings.loading import LoadedSettings


@click.command()
@click.option(
    "--results",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="What pytest wrote with --junitxml, once for each run; default: the last recorded runs.",
)
@click.option("--run", "run_them", is_flag=True, help="Run the tests that are named, first.")
@click.option("--strict", is_flag=True, help="Exit 1 below the level that pyproject.toml says.")
@environment_option
@json_option
def maturity(
    results: tuple[Path, ...],
    run_them: bool,
    strict: bool,
    environment: str | None,
    as_json: bool,
) -> None:
    """Compute the maturity level from what tests and files show."""
    from mlops.governance.recorded_tests import read_record
    from mlops.ops.claimed_tests import record_of, run_claimed

    settings = settings_for(environment)
    project = settings.project
    said = project.maturity_level
    levels = [each for each in read_claims(project.root / CLAIMS) if each.level <= said]
    if run_them:
        with progress("maturity") as report:
            run_claimed(project.root, project.state_dir, levels, report)
    files = results or [path for path in record_of(project.state_dir) if path.is_file()]
    if not files:
        raise Hold(
            "no run of the tests is recorded, so nothing is known of the level",
            f"{typed('maturity --run')} runs those that it asks about",
        )
    record = read_record(files)
    found = hold_against(levels, record.outcomes, project.root)
    released = _released(settings)
    set_output("level", found.level)
    if as_json:
        emit(_content(found, said, record.began, released))
    else:
        _show(found, record.began, released)
    if strict and found.level < said:
        raise Refused(
            f"pyproject.toml says maturity level {said}, and level {found.level} is shown",
            "mend what is missing, or say the lower level in [tool.mlops]",
        )


def _released(settings: LoadedSettings) -> list[str] | None:
    """Return the evidence that Azure keeps beside versions; None if it could not be asked."""
    if not platform_class(settings).has_callers:
        return []
    try:
        platform = open_platform(settings)
        return [
            f"version {each.version}: {kept.name}"
            for each in platform.versions()
            for kept in platform.evidence(each.version)
        ]
    except MlopsError as error:
        show(f"Azure could not be asked what it keeps: {error.message}", style="yellow")
        return None


def _show(found: Maturity, began: str, released: Sequence[str] | None) -> None:
    for level in found.levels:
        mine = [each for each in found.findings if each.level == level.level]
        rows = [("open" if each.missing else "shown", each.requirement.asks) for each in mine]
        near = ", ".join(f"{name.title()}'s {number}" for name, number in level.elsewhere.items())
        title = f"Level {level.level}: {level.name} (nearest: {near})"
        show_table(title, ("", "what is asked"), rows, is_result=True)
        for each in mine:
            if each.missing:
                show(f"{each.requirement.id}: {each.words}", style="red")
    show(f"by tests of {began or 'an unknown time'}: maturity level {found.level}")
    if released is not None:
        show(f"verified on Azure by: {', '.join(released) or 'nothing'}")


def _content(
    found: Maturity, said: int, began: str, released: Sequence[str] | None
) -> dict[str, Any]:
    return {
        "level": found.level,
        "said": said,
        "tests_began_at": began,
        "verified_on_azure": None if released is None else list(released),
        "requirements": [
            {
                "level": each.level,
                "id": each.requirement.id,
                "asks": each.requirement.asks,
                "shown": not each.missing,
                "evidence": [{"name": one.name, "word": one.word} for one in each.evidence],
            }
            for each in found.findings
        ],
    }
