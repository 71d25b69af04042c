"""Evidently makes its page of a window, for real."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.support import MACHINERY, machinery_python

pytestmark = pytest.mark.slow


def test_evidently_makes_a_page_of_a_window(tmp_path: Path) -> None:
    page = tmp_path / "drift.html"
    script = Path(__file__).with_name("drift") / "report.py"
    environment = {**os.environ, "PYTHONPATH": str(MACHINERY / "tests")}
    subprocess.run([machinery_python(), script, page], env=environment, check=True, timeout=600)
    text = page.read_text(encoding="utf-8")
    assert text.lstrip().startswith("<")
    for name in ("normal_0", "names_5", "nulls_6", "__prediction"):
        assert name in text
