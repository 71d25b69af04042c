"""5,000 damaged files: each is refused in a sentence, or read as independent readers read it."""

import pytest

from tests.support import MACHINERY, machinery_python, run

pytestmark = pytest.mark.slow


def test_no_damaged_file_is_misread() -> None:
    command = ["-m", "pytest", "-q", "tests/data/test_fuzz.py"]
    said = run(machinery_python(), *command, folder=MACHINERY, env={"FUZZED_FILES": "5000"})
    assert "50 passed" in said
