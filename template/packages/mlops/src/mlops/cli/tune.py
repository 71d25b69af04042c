"""Look for better parameters without looking at the holdout."""

import json
from pathlib import Path

import click
import yaml

from mlops.artifacts.documents import tuning_content
from mlops.cli.options import data_dir_option, environment_option, json_option, settings_for
from mlops.console import emit, progress, show, show_table
from mlops.hints import typed
from mlops.metrics import decimal

TRIALS = 30
_SHOWN = 10


@click.command()
@data_dir_option
@click.option(
    "--trials",
    type=click.IntRange(1, 10_000),
    default=TRIALS,
    show_default=True,
    help="How many parameters to try, those of an earlier call with the same seed included.",
)
@click.option("--metric", help="What is compared; default: gate.metric.")
@click.option(
    "--folds",
    type=click.IntRange(2, 50),
    help="Of the cross-validation; default: training.cross_validation, else 5.",
)
@click.option(
    "--sampler",
    type=click.Choice(["random", "tpe"]),
    default="random",
    show_default=True,
    help="How trials are proposed; tpe learns from earlier ones.",
)
@click.option("--seed", type=int, help="Of the sampler; default: training.seed.")
@environment_option
@json_option
def tune(
    data_dir: Path | None,
    trials: int,
    metric: str | None,
    folds: int | None,
    sampler: str,
    seed: int | None,
    environment: str | None,
    as_json: bool,
) -> None:
    """Try parameters by cross-validation on the training part; print the best for conf."""
    from mlops.steps.cross_validation import DEFAULT_FOLDS
    from mlops.tuning.command import tuned
    from mlops.tuning.study import Asked

    settings = settings_for(environment)
    training = settings.values.training
    asked = Asked(
        metric=metric or settings.values.gate.metric,
        folds=folds or training.cross_validation or DEFAULT_FOLDS,
        sampler=sampler,
        seed=training.seed if seed is None else seed,
    )
    with progress("tuning") as report:
        found = tuned(settings, data_dir, asked, trials, report)
    if found.resumed:
        show(f"{found.resumed} of {trials} trials were kept from before")
    rows: list[tuple[object, ...]] = [
        (each.number + 1, decimal(each.value), _words(each.params)) for each in found.best(_SHOWN)
    ]
    title = f"The best of {trials} trials ({asked.folds} folds of the training part)"
    rows.append(("conf", decimal(found.now.value), "what conf names now"))
    show_table(title, ("trial", asked.metric, "parameters"), rows)
    show(f"all trials: {found.file}")
    if as_json:
        emit({**tuning_content(found.file), "improves": found.improves})
    elif found.improves:
        show("the best of many looks better than it is: train with it, and let the gate judge")
        show(f"to take it, put this into conf/base.yaml, then {typed('train')}:")
        click.echo(yaml.safe_dump({"params": found.best(1)[0].params}, sort_keys=False).rstrip())
    else:
        show("no trial is better than what conf names")


def _words(params: dict[str, object]) -> str:
    return ", ".join(f"{name} {_short(value)}" for name, value in params.items())


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else json.dumps(value, ensure_ascii=False)
