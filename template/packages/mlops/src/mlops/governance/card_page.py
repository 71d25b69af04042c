"""The model card as one page of HTML, which asks no host for anything."""

import base64
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from markupsafe import Markup

from mlops.artifacts.data_source import read_source
from mlops.errors import ConfigError
from mlops.governance.card_charts import calibration_chart, importance_chart, slices_chart
from mlops.governance.card_later import UNREAD, later_table
from mlops.governance.card_numbers import (
    Cell,
    Number,
    calibration_table,
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
from mlops.governance.later import Happening
from mlops.governance.model_card import banner, how_split, labels_sentence, split_of
from mlops.html_page import page_environment


def render_page(
    card: Mapping[str, Any],
    quality_plot: Path,
    happened: Sequence[Happening] | None = None,
    unread: Sequence[str] = (),
) -> str:
    """Return the card as HTML: text is escaped, and each number says where it is from.

    A number stands in an element `data` with the attributes `value`, as evaluation.json has it, and
    `data-field`, the JSON pointer there.

    Args:
        card: the content of card.json.
        quality_plot: the picture of the model's quality.
        happened: what happened since the registration, oldest first; None: the page is of then.
        unread: what could not be read, and may tell more.

    Raises:
        ConfigError: evaluation.json lacks what the card shows, or the picture is missing.
    """
    if not quality_plot.is_file():
        raise ConfigError(f"{quality_plot.name} is missing, which the model card shows")
    evaluation, source = card["evaluation"], read_source(card["lineage"]["data"].get("source"))
    environment = page_environment()
    environment.filters["cell"] = _cell
    text = files("mlops.governance").joinpath("card.html").read_text(encoding="utf-8")
    picture = base64.b64encode(quality_plot.read_bytes()).decode("ascii")
    return environment.from_string(text).render(
        card=card,
        source=source,
        banner=banner(source),
        human=human_sections(card),
        labels=labels_sentence(evaluation),
        how_split=how_split(split_of(card)),
        remarks=remarks(card),
        metrics=metrics_table(evaluation),
        calibration=calibration_table(evaluation),
        calibration_words=calibration_words(evaluation),
        calibration_chart=calibration_chart(evaluation),
        slices=slices_table(evaluation, card["metric"]) if evaluation["slices"] else None,
        slices_words=slices_words(evaluation),
        slices_chart=slices_chart(evaluation, card["metric"]),
        importances=importance_table(evaluation),
        importance_chart=importance_chart(evaluation),
        happened=None if happened is None else later_table(happened),
        unread=[f"{UNREAD}: {each}" for each in unread],
        picture=picture,
    )


def _cell(cell: Cell) -> Markup | str:
    if not isinstance(cell, Number):
        return cell
    if cell.value is None:
        return Markup('<span data-field="{}">{}</span>').format(cell.field, cell.shown)
    return Markup('<data value="{}" data-field="{}">{}</data>').format(
        repr(cell.value), cell.field, cell.shown
    )
