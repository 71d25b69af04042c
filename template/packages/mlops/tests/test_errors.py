"""An error is a sentence and a remedy."""

import pickle

import pytest

from mlops.diagnosis import Diagnosis, diagnose
from mlops.errors import ConfigError, Hold, MlopsError, PlatformError, Refused


@pytest.mark.parametrize(
    ("kind", "code"), [(Refused, 1), (ConfigError, 2), (PlatformError, 3), (Hold, 4)]
)
def test_an_error_reads_as_one_sentence_and_keeps_its_remedy(
    kind: type[MlopsError], code: int
) -> None:
    error = kind("a is missing; so is b", "make both")
    assert str(error) == "a is missing; so is b; make both"
    assert (error.message, error.remedy) == ("a is missing; so is b", "make both")
    assert error.exit_code == code
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), again.message, again.remedy) == (kind, error.message, error.remedy)


def test_an_error_may_have_no_remedy() -> None:
    error = Refused("the data are refused; all of them")
    assert str(error) == error.message
    assert error.remedy == ""


def test_a_diagnosis_takes_the_remedy_of_the_error_before_the_general_one() -> None:
    def fail(*words: str) -> str:
        raise ConfigError(*words)

    assert diagnose("x", lambda: "there", "help") == Diagnosis("x", True, "there", "")
    assert diagnose("x", lambda: fail("no; not"), "help") == Diagnosis(
        "x", False, "no; not", "help"
    )
    assert diagnose("x", lambda: fail("no", "do"), "help") == Diagnosis("x", False, "no", "do")
