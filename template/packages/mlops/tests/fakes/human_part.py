"""The human part of a model card, filled."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from mlops.governance.human_part import TEXTS

FILLED: Mapping[str, Any] = {
    **dict.fromkeys(TEXTS, "Said."),
    "owners": ["One", "Two"],
    "review_date": date(2026, 12, 1),
}


def write(root: Path, **changed: Any) -> Path:
    """Write the file of a project, with some fields changed; return its path."""
    (root / "compliance").mkdir(exist_ok=True)
    path = root / "compliance" / "model_card.yaml"
    path.write_text(yaml.safe_dump({**FILLED, **changed}))
    return path
