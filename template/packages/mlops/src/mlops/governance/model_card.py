"""The model card: what a person must know before relying on a model version.

Follows Mitchell et al., "Model Cards for Model Reporting" (2019). The head of the file is metadata
in the format that Hugging Face reads, so that other tools can read it too.
"""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jinja2
import yaml

from mlops.artifacts.data_source import DataSource, read_source
from mlops.artifacts.documents import CARD
from mlops.artifacts.version_folder import IMPORTANCE_PLOT, PLOTS, QUALITY_PLOT
from mlops.errors import ConfigError
from mlops.governance.card_later import UNREAD, later_table
from mlops.governance.card_numbers import (
    Table,
    calibration_table,
    cells,
    importance_table,
    metrics_table,
    slices_table,
)
from mlops.governance.card_remarks import (
    calibration_words,
    human_sections,
    remarks,
    slices_words,
)
from mlops.governance.human_part import HumanPart
from mlops.governance.later import Happening
from mlops.markdown import checks_table, escaped, table
from mlops.tasks import Target, Task

_SHARES = 10
"""So many classes are listed with their shares."""
_ENVIRONMENT = jinja2.Environment(  # nosec B701  # the result is Markdown, no page of a server
    trim_blocks=True,
    lstrip_blocks=True,
    undefined=jinja2.StrictUndefined,
)
_ENVIRONMENT.filters["plain"] = escaped

_BODY = _ENVIRONMENT.from_string(
    """\
# {{ card.title | plain }}, version {{ card.model.version }}

{% for line in banner %}
> **{{ line | plain }}**

{% endfor %}
{{ card.description | plain }}

{% if card.get('human') %}
{% for heading, paragraphs in human %}
## {{ heading }}

{% for text in paragraphs %}
{{ '- ' if paragraphs | length > 1 }}{{ text | plain }}
{% if paragraphs | length == 1 or loop.last %}

{% endif %}
{% else %}
Nothing was written here when the version was registered.

{% endfor %}
{% endfor %}
To be reviewed by: {{ card.human.review_date or 'no day was written' }}.

## The version

{% endif %}
Registered {{ card.created_at }} by team {{ card.team | plain }} ({{ card.contact }}).

## Quality on the holdout

{{ card.evaluation.rows }} rows that \
{{ 'this version was not' if split.by == 'time' else 'no version was' }} trained on, \
{{ labels | plain }}
{% for line in how_split %}

{{ line | plain }}
{% endfor %}

{{ metrics }}
{% for line in remarks %}

{{ line | plain }}
{% endfor %}

![quality on the holdout]({{ plots }}/{{ quality_plot }})

{% if calibration %}
## Calibration

{{ calibration_words | plain }}

{{ calibration }}

{% endif %}
{% if importances %}
## Importance of the features

{{ importances }}

{% endif %}
![importance of the features]({{ plots }}/{{ importance_plot }})

## The gate's verdict

{{ checks }}
{% if card.verdict.get('champion_note') %}

{{ card.verdict.champion_note | plain }}.
{% endif %}

## Slices
{% if card.evaluation.slices %}

{% if slices_words %}
{{ slices_words | plain }}

{% endif %}
{{ slices }}
{% else %}

No slices are defined in `slices.py`: differences between groups were not assessed.
{% endif %}

## Where it comes from

{% if card.get('candidate') %}
- Retrained in the place of version {{ card.candidate.reference }} \
({{ card.candidate.environment | plain }}), cause: {{ card.candidate.cause | plain }} \
({{ card.candidate.reason | plain }}), candidate `{{ card.candidate.id }}`
{% endif %}
- Training run: `{{ card.lineage.run_id }}`
- Commit: `{{ card.lineage.git.commit or 'none' }}`\
{{ ' (with uncommitted changes)' if card.lineage.git.dirty else '' }}
- Source: {{ source.words | plain }}{{ ', %d files' % source.files | length if source.files }}
- Data: {{ card.lineage.data.rows }} raw rows, hash `{{ card.lineage.data.hash }}`, \
reference date {{ card.lineage.data.reference_date }}; \
features end on {{ card.lineage.data.cutoff }}
- Training part: {{ card.lineage.training.rows }} rows
- Estimator: {{ card.lineage.training.model_type }}, seed {{ card.lineage.training.seed }}
- Python {{ card.lineage.environment.python }}, packages hash \
`{{ card.lineage.environment.packages_sha256 }}`
- Largest difference {{ compared }}, ONNX against scikit-learn: \
{{ '%.1e' | format(card.parity_gap) }}, on {{ card.evaluation.parity.probes }} probes\
{{ ', of which they decide %d otherwise' % card.evaluation.parity.flips if decides }}

## Features

{% if card.get('drift_baseline') %}
Their distribution in training is kept in `{{ card.drift_baseline.file }}`, SHA-256 \
`{{ card.drift_baseline.sha256 }}`: drift is measured against it.

{% endif %}
{% for feature in card.features %}
- `{{ feature.name }}`{{ ' (%s)' % feature.kind if feature.get('kind', 'number') != 'number' }}
{{- ' (may be null)' if feature.nullable }}
{{- ' (may be left out)' if feature.get('optional') }}
{% endfor %}
"""
)


def build_card(
    *,
    title: str,
    description: str,
    team: str,
    contact: str,
    metric: str,
    features: list[dict[str, Any]],
    evaluation: Mapping[str, Any],
    lineage: Mapping[str, Any],
    parity_gap: float,
    holdout_looks: int | None = None,
    human: HumanPart | None = None,
    drift_baseline: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the content of `card.json`: all that the card says, for programs.

    `holdout_looks` is how many runs are known that were measured on this holdout, `human` what
    people wrote, `drift_baseline` the name and hash of the file that drift is measured against.
    """
    content = {
        "title": title,
        "description": description,
        "team": team,
        "contact": contact,
        "model": lineage["model"],
        "created_at": lineage["created_at"],
        "metric": metric,
        "features": features,
        "evaluation": dict(evaluation),
        "verdict": lineage["verdict"],
        "split": lineage["split"],
        "lineage": {
            key: lineage[key] for key in ("run_id", "git", "data", "training", "environment")
        },
        **({"candidate": lineage["candidate"]} if "candidate" in lineage else {}),
        "parity_gap": parity_gap,
        **({} if human is None else {"human": human.to_dict()}),
        **({} if drift_baseline is None else {"drift_baseline": dict(drift_baseline)}),
        **({} if holdout_looks is None else {"holdout_looks": holdout_looks}),
    }
    return CARD.with_schema(content)


def render_card(card: Mapping[str, Any]) -> str:
    """Return the card as Markdown with YAML metadata on top."""
    source = read_source(card["lineage"]["data"].get("source"))
    body = _BODY.render(
        card=card,
        source=source,
        banner=banner(source),
        split=split_of(card),
        how_split=how_split(split_of(card)),
        plots=PLOTS,
        quality_plot=QUALITY_PLOT,
        importance_plot=IMPORTANCE_PLOT,
        remarks=remarks(card),
        labels=labels_sentence(card["evaluation"]),
        compared=_compared(card["evaluation"]),
        decides=_task(card) is not Task.REGRESSION,
        human=human_sections(card),
        calibration_words=calibration_words(card["evaluation"]),
        slices_words=slices_words(card["evaluation"]),
        **_tables(card),
    )
    return (
        f"---\n{yaml.safe_dump(_metadata(card), sort_keys=False, allow_unicode=True)}---\n\n{body}"
    )


def render_since(
    card: Mapping[str, Any],
    happened: Sequence[Happening],
    plots: Path,
    pictures: Path,
    unread: Sequence[str] = (),
) -> str:
    """Return the card with what happened since, for a folder outside the version's.

    Args:
        card: the content of card.json.
        happened: what happened, oldest first.
        plots: the version's pictures, which are copied.
        pictures: where they are copied to, beside the card.
        unread: what could not be read, and may tell more.

    Raises:
        ConfigError: a picture is missing.
    """
    pictures.mkdir(exist_ok=True)
    for name in (QUALITY_PLOT, IMPORTANCE_PLOT):
        if not (plots / name).is_file():
            raise ConfigError(f"{name} is missing, which the model card shows")
        shutil.copyfile(plots / name, pictures / name)
    found = later_table(happened)
    lines = table(found.columns, cells(found.rows)) if found.rows else ["Nothing is recorded."]
    lines += [part for each in unread for part in ("", escaped(f"{UNREAD}: {each}"))]
    text = render_card(card).replace(f"]({PLOTS}/", f"]({quote(pictures.name)}/")
    return f"{text}\n## Since the registration\n\n" + "\n".join(lines) + "\n"


def _task(card: Mapping[str, Any]) -> Task:
    return Target.read(card["evaluation"]).task


def labels_sentence(evaluation: Mapping[str, Any]) -> str:
    """Return what the labels of the holdout are, and how an answer is read."""
    task = Target.read(evaluation).task
    if task is Task.BINARY:
        return (
            f"{100 * evaluation['positive_rate']:.1f} % with label 1. The prediction is 1 from a "
            f"probability of {evaluation['decision_threshold']}."
        )
    if task is Task.MULTICLASS:
        rows = sorted(evaluation["class_rows"].items(), key=lambda each: -each[1])
        shares = [f"{name} {100 * count / evaluation['rows']:.1f} %" for name, count in rows]
        shown = ", ".join(shares[:_SHARES]) + (" …" if len(shares) > _SHARES else "")
        return f"of {len(rows)} classes: {shown}. The prediction is the most probable one."
    labels = evaluation["labels"]
    return (
        f"whose labels have the mean {labels['mean']:.6g}, the median {labels['median']:.6g} and "
        f"the standard deviation {labels['std']:.6g}."
    )


def _compared(evaluation: Mapping[str, Any]) -> str:
    classifies = Target.read(evaluation).task.classifies
    return "of a probability" if classifies else "of a number in standard deviations of the label"


def banner(source: DataSource) -> list[str]:
    """Return what nobody must overlook about the data: made up or unknown, or a part of them."""
    lines = []
    if source.made_up:
        lines.append(
            "Made-up data: this version is made of generated data and says nothing about real ones"
        )
    elif source.made_up is None:
        lines.append("Nobody knows what data this version is made of, nor whether they are real")
    if not source.is_whole:
        share = "an unknown part" if source.fraction is None else f"{100 * source.fraction:g} %"
        lines.append(f"It is made of {share} of the data: it is never shared nor released on Azure")
    return lines


def split_of(card: Mapping[str, Any]) -> dict[str, Any]:
    """Return how the data were split; cards made before splits in time do not say it."""
    return {"by": "key", "grouped": False, **card.get("split", {})}


def how_split(split: Mapping[str, Any]) -> list[str]:
    """Return what to know of another split than by a hash of each entity's key."""
    lines = []
    if split["by"] == "time":
        lines.append(
            f"Split in time: the holdout is the newest by {split['date']}, from "
            f"{split['first_holdout_day']} on; the training part ends on "
            f"{split['last_training_day']}; {split['rows_cut_away']} rows cut away "
            f"(gap: {split['gap_days']} days); dates: {split['dates']}."
        )
    if split["grouped"]:
        lines.append(f"All rows with the same {split['key']} are on one side.")
    return lines


def _tables(card: Mapping[str, Any]) -> dict[str, str]:
    evaluation = card["evaluation"]
    checks = [
        (each["name"], each["found"], each["asked"], each["passed"])
        for each in card["verdict"]["checks"]
    ]
    return {
        "metrics": _shown(metrics_table(evaluation)),
        "checks": "\n".join(checks_table(checks)),
        "slices": _shown(slices_table(evaluation, card["metric"])),
        "calibration": _shown(calibration_table(evaluation)),
        "importances": _shown(importance_table(evaluation)),
    }


def _shown(found: Table | None) -> str:
    return "" if found is None else "\n".join(table(found.columns, cells(found.rows)))


def _metadata(card: Mapping[str, Any]) -> dict[str, Any]:
    intervals = card["evaluation"].get("intervals")
    metrics = [
        {"type": name, "name": name, "value": value, **_interval_of(name, intervals)}
        for name, value in card["evaluation"]["model"].items()
        if value is not None
    ]
    task = _task(card)
    kind = "tabular-classification" if task.classifies else "tabular-regression"
    tags = {
        Task.BINARY: [kind, "binary-classification"],
        Task.MULTICLASS: [kind, "multiclass-classification"],
        Task.REGRESSION: [kind],
    }
    result = {
        "task": {"type": kind},
        "dataset": {
            "type": "holdout",
            "name": "holdout",
            "revision": card["lineage"]["data"]["hash"],
        },
        "metrics": metrics,
    }
    return {
        "library_name": "onnx",
        "pipeline_tag": kind,
        "tags": tags[task],
        "model-index": [{"name": card["model"]["name"], "results": [result]}],
    }


def _interval_of(name: str, intervals: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return a metric's interval as metadata has arguments of a metric; nothing of others."""
    if not intervals or intervals["metric"] != name:
        return {}
    return {"args": {"interval": list(intervals["model"]), "level": intervals["level"]}}
