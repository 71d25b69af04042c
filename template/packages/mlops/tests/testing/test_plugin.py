"""The plugin that turns an unfilled stub into an expected failure."""

import pytest

pytest_plugins = ["pytester"]

TESTS = """
import pytest

class StubNotFilled(NotImplementedError):
    pass

@pytest.fixture
def sample():
    raise StubNotFilled("a sample")

def test_meets_a_stub():
    raise StubNotFilled("a model")

def test_needs_a_stub(sample):
    pass

def test_hides_a_stub():
    try:
        raise StubNotFilled("a model")
    except StubNotFilled as error:
        raise ValueError("wrong") from error

def test_is_not_implemented():
    raise NotImplementedError

def test_is_filled():
    pass
"""


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    pytester.makeconftest('pytest_plugins = ["mlops.testing.plugin"]')
    pytester.makepyfile(TESTS)
    return pytester


def test_only_unfilled_stubs_are_expected_to_fail(project: pytest.Pytester) -> None:
    result = project.runpytest("-rx", "-p", "no:cacheprovider")

    result.assert_outcomes(passed=1, xfailed=2, failed=2)
    result.stdout.fnmatch_lines(["XFAIL *test_meets_a_stub*stub to fill: a model*"])


def test_no_stubs_lets_them_fail(project: pytest.Pytester) -> None:
    result = project.runpytest("--no-stubs", "-p", "no:cacheprovider")

    result.assert_outcomes(passed=1, failed=3, errors=1)
