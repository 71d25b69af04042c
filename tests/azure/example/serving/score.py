"""Answers with the version that its model's file holds, and with what it was asked."""

import json
import os
from pathlib import Path
from typing import Any

VERSION = ""


def init() -> None:
    """Read the model."""
    global VERSION
    found = next(Path(os.environ["AZUREML_MODEL_DIR"]).rglob("version.txt"))
    VERSION = found.read_text()
    if VERSION == "broken":
        raise ValueError("this model cannot be loaded")
    print(f"loaded {found.relative_to(os.environ['AZUREML_MODEL_DIR'])}", flush=True)


def run(raw_data: str) -> dict[str, Any]:
    """Answer one request."""
    asked = json.loads(raw_data)
    if asked.get("fail"):
        raise ValueError("asked to fail")
    return {"version": VERSION, "asked": asked}
