"""The model card: what a person must know before relying on a model version.

Follows Mitchell et al., "Model Cards for Model Reporting" (2019). The head of the file is metadata
in the format that Hugging Face reads, so that other tools can read it too.
"""

from collections.abc import Mapping
from typing import Any

import jinja2
import yaml

from mlops.artifacts.data_source import DataSource, read_source
from mlops.artifacts.documents import CARD
from mlops.artifacts.version_folder import IMPORTANCE_PLOT, PLOTS, QUALITY_PLOT
from mlops.markdown import checks_table, escaped, table
from mlops.metrics import decimal

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

Registered {{ card.created_at }} by team {{ card.team | plain }} ({{ card.contact }}).

## Quality on the holdout

{{ card.evaluation.rows }} rows that \
{{ 'this version was not' if split.by == 'time' else 'no version was' }} trained on, \
{{ '%.1f' | format(100 * card.evaluation.positive_rate) }} % with label 1. \
The prediction is 1 from a probability of {{ card.evaluation.decision_threshold }}.
{% for line in how_split %}

{{ line | plain }}
{% endfor %}

{{ metrics }}

![quality on the holdout]({{ plots }}/{{ quality_plot }})

![importance of the features]({{ plots }}/{{ importance_plot }})

## The gate's verdict

{{ checks }}
{% if card.verdict.get('champion_note') %}

{{ card.verdict.champion_note | plain }}.
{% endif %}

## Slices
{% if card.evaluation.slices %}

{{ slices }}
{% else %}

No slices are defined in `slices.py`: differences between groups were not assessed.
{% endif %}

## Where it comes from

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
- Largest difference of a probability, ONNX against scikit-learn: \
{{ '%.1e' | format(card.parity_gap) }}, on {{ card.evaluation.parity.probes }} probes, \
of which they decide {{ card.evaluation.parity.flips }} otherwise

## Features

{% for feature in card.features %}
- `{{ feature.name }}`{{ ' (may be null)' if feature.nullable }}
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
) -> dict[str, Any]:
    """Return the content of `card.json`: all that the card says, for programs."""
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
        "parity_gap": parity_gap,
    }
    return CARD.with_schema(content)


def render_card(card: Mapping[str, Any]) -> str:
    """Return the card as Markdown with YAML metadata on top."""
    source = read_source(card["lineage"]["data"].get("source"))
    body = _BODY.render(
        card=card,
        source=source,
        banner=_banner(source),
        split=_split(card),
        how_split=_how_split(_split(card)),
        plots=PLOTS,
        quality_plot=QUALITY_PLOT,
        importance_plot=IMPORTANCE_PLOT,
        **_tables(card),
    )
    return (
        f"---\n{yaml.safe_dump(_metadata(card), sort_keys=False, allow_unicode=True)}---\n\n{body}"
    )


def _banner(source: DataSource) -> list[str]:
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


def _split(card: Mapping[str, Any]) -> dict[str, Any]:
    """Return how the data were split; cards made before splits in time do not say it."""
    return {"by": "key", "grouped": False, **card.get("split", {})}


def _how_split(split: Mapping[str, Any]) -> list[str]:
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
    evaluation, metric = card["evaluation"], card["metric"]
    metrics = [
        (name, decimal(value), decimal(evaluation["baseline"][name]))
        for name, value in evaluation["model"].items()
    ]
    checks = [
        (each["name"], each["found"], each["asked"], each["passed"])
        for each in card["verdict"]["checks"]
    ]
    slices = [
        (each["slice"], each["value"], each["rows"], decimal(each["metrics"][metric]))
        for each in evaluation["slices"]
    ]
    return {
        "metrics": "\n".join(table(("metric", "model", "baseline"), metrics)),
        "checks": "\n".join(checks_table(checks)),
        "slices": "\n".join(table(("slice", "value", "rows", metric), slices)),
    }


def _metadata(card: Mapping[str, Any]) -> dict[str, Any]:
    metrics = [
        {"type": name, "name": name, "value": value}
        for name, value in card["evaluation"]["model"].items()
        if value is not None
    ]
    result = {
        "task": {"type": "tabular-classification"},
        "dataset": {
            "type": "holdout",
            "name": "holdout",
            "revision": card["lineage"]["data"]["hash"],
        },
        "metrics": metrics,
    }
    return {
        "library_name": "onnx",
        "pipeline_tag": "tabular-classification",
        "tags": ["tabular-classification", "binary-classification"],
        "model-index": [{"name": card["model"]["name"], "results": [result]}],
    }
