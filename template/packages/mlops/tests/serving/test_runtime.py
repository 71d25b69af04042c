"""A model is judged on the runtime that serves it."""

import importlib.metadata
import tomllib
from collections.abc import Iterable
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from fakes.places import PROJECT

RUNTIME = "onnxruntime"
WRONG = ("1.26.0", "1.27.0", "1.28.0")
MACHINERY = Path(__file__).parents[2]


def asked(lines: Iterable[str]) -> str:
    found = [line.partition(" #")[0].strip() for line in lines if line.startswith(RUNTIME)]
    assert len(found) == 1
    return found[0]


def machinery() -> str:
    with (MACHINERY / "pyproject.toml").open("rb") as file:
        return asked(tomllib.load(file)["project"]["dependencies"])


def serving(name: str) -> str:
    return asked((PROJECT / "serving" / name).read_text(encoding="utf-8").splitlines())


def test_training_and_serving_have_one_runtime() -> None:
    assert machinery() == serving("requirements.in") == serving("requirements.txt")
    installed = importlib.metadata.version(RUNTIME)
    assert machinery() == f"{RUNTIME}=={installed}"


@pytest.mark.parametrize("version", WRONG)
def test_versions_that_are_known_to_be_wrong_are_not_among_them(version: str) -> None:
    """Issue 28557 of ONNX Runtime: they answer the complement for binary trees and forests."""
    assert version not in Requirement(machinery()).specifier
