"""Faulty Dockerfiles: the check that a fault names must notice it."""

from pathlib import Path

import pytest

from . import build
from .checks import CANARY, CHECKS, Built
from .faults import FAULTS

pytestmark = [pytest.mark.slow, pytest.mark.needs("images")]


def of(kind: str) -> list[str]:
    return [name for name, fault in FAULTS.items() if fault[0] == kind]


def noticed(good: Built, folder: Path, name: str) -> None:
    _, old, new, check = FAULTS[name]

    def break_it(context: Path) -> None:
        dockerfile = context / "Dockerfile"
        text = dockerfile.read_text(encoding="utf-8")
        if old not in text:
            pytest.fail("the fault no longer applies: give it the present text")
        before, _, after = text.rpartition(old) if old else (text, "", "")
        dockerfile.write_text(before + new + after, encoding="utf-8")
        (context / "data").mkdir()
        (context / "data" / "customers.csv").write_text(CANARY, encoding="utf-8")

    with build.rebuilt(good, folder, break_it) as faulty:
        assert CHECKS[check](faulty) != []


@pytest.mark.parametrize("name", of("serving"))
def test_a_fault_of_the_serving_image_is_noticed(serving: Built, tmp_path: Path, name: str) -> None:
    noticed(serving, tmp_path, name)


@pytest.mark.parametrize("name", of("training"))
def test_a_fault_of_the_training_image_is_noticed(
    training: Built, tmp_path: Path, name: str
) -> None:
    noticed(training, tmp_path, name)
