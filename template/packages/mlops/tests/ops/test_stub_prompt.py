"""The tests that a prompt names are those of the use case's contract, all of them."""

import pytest

from mlops.ops.stub_prompt import names_of_tests
from mlops.testing import UseCaseContract

FILES = ("contract.py", "sample.py", "features.py", "labels.py", "model.py")
OF_OPTIONAL_FILES = ("test_params", "test_slices")
TESTS = [name for name in vars(UseCaseContract) if name.startswith("test_")]


@pytest.mark.parametrize("file", FILES)
def test_each_file_has_tests(file: str) -> None:
    for wanted in names_of_tests(file):
        assert any(name.startswith(wanted) for name in TESTS), wanted


def test_no_test_is_left_out() -> None:
    wanted = tuple(each for file in FILES for each in names_of_tests(file)) + OF_OPTIONAL_FILES
    assert [name for name in TESTS if not name.startswith(wanted)] == []


def test_another_file_has_names_of_tests_its_name() -> None:
    assert names_of_tests("slices.py") == ("test_slices",)
