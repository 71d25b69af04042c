"""Signing in: which way, and a fresh assertion each time."""

import base64
from typing import Any

import pytest
import requests

from mlops.errors import ConfigError, PlatformError
from mlops.platforms.azure.credentials import (
    AUDIENCE,
    PatientCredential,
    github_assertion,
    sign_in_kind,
    who_signed_in,
)

GITHUB = {
    "ACTIONS_ID_TOKEN_REQUEST_URL": "https://token.example/?x=1",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "t",
    "AZURE_CLIENT_ID": "c",
}
PART = base64.urlsafe_b64encode(b'{"upn": "anna@example.org", "appid": "a"}').decode().rstrip("=")
DEVOPS = {"SYSTEM_OIDCREQUESTURI": "u", "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID": "s"}


@pytest.mark.parametrize(
    ("variables", "kind"),
    [
        ({}, "default"),
        ({"AZURE_CLIENT_ID": "c"}, "default"),
        (GITHUB, "github"),
        ({**GITHUB, "AZURE_CLIENT_ID": ""}, "default"),
        (DEVOPS, "azure-devops"),
    ],
)
def test_the_place_decides_how_to_sign_in(variables: dict[str, str], kind: str) -> None:
    assert sign_in_kind(variables) == kind


class Session:
    """Gives another assertion each time, after some failures."""

    def __init__(self, failures: int = 0) -> None:
        self.failures = failures
        self.asked: list[dict[str, Any]] = []

    def get(self, url: str, **options: Any) -> Any:
        self.asked.append({"url": url, **options})
        if len(self.asked) <= self.failures:
            raise requests.ConnectionError("lost")
        answer = requests.Response()
        answer.status_code = 200
        answer._content = f'{{"value": "assertion {len(self.asked)}"}}'.encode()
        return answer


def test_each_assertion_is_a_fresh_one() -> None:
    session: Any = Session()
    assert github_assertion(GITHUB, session) == "assertion 1"
    assert github_assertion(GITHUB, session) == "assertion 2"
    assert session.asked[0]["params"] == {"audience": AUDIENCE}
    assert session.asked[0]["headers"] == {"Authorization": "Bearer t"}


def test_a_lost_connection_is_tried_again_and_then_told() -> None:
    slept: list[float] = []
    session: Any = Session(failures=2)
    assert github_assertion(GITHUB, session, slept.append) == "assertion 3"
    assert slept == [0.0, 5.0, 15.0]
    session = Session(failures=3)
    with pytest.raises(PlatformError, match="no assertion"):
        github_assertion(GITHUB, session, slept.append)


class Credential:
    """Fails so often, then gives a token."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)

    def get_token(self, *scopes: str, **_options: Any) -> str:
        if self.failures:
            raise self.failures.pop(0)
        return f"token for {scopes[0]}"

    get_token_info = get_token


EMPTY = ValueError("Expecting value: line 1 column 1 (char 0)")
OWN_FAULT = RuntimeError("AADSTS90033: A transient error has occurred.")
NO_MATCH = RuntimeError("AADSTS700213: No matching federated identity record found.")


def test_a_sign_in_that_fails_for_a_moment_is_asked_again() -> None:
    slept: list[float] = []
    inner = Credential(EMPTY, OWN_FAULT)
    patient = PatientCredential(inner, worked=True, sleep=slept.append)
    assert patient.get_token("a") == patient.get_token_info("a") == "token for a"
    assert slept == [5.0, 15.0]
    inner.failures = [EMPTY] * 3
    with pytest.raises(ValueError, match="Expecting value"):
        patient.get_token("a")


def test_what_is_decided_is_not_asked_again() -> None:
    """What Entra refuses, what a job may not do, and who never signed in."""

    def never(_seconds: float) -> None:
        raise AssertionError

    for error in (NO_MATCH, ConfigError("no identity"), PlatformError("GitHub, three times")):
        patient = PatientCredential(Credential(error), worked=True, sleep=never)
        with pytest.raises(type(error)):
            patient.get_token("a")
    patient = PatientCredential(Credential(EMPTY), worked=False, sleep=never)
    with pytest.raises(ValueError, match="Expecting value"):
        patient.get_token("a")


def test_once_it_has_worked_it_is_asked_again() -> None:
    inner, slept = Credential(), list[float]()
    patient = PatientCredential(inner, worked=False, sleep=slept.append)
    patient.get_token("a")
    inner.failures = [EMPTY]
    patient.get_token("a")
    assert slept == [5.0]


@pytest.mark.parametrize(
    ("token", "who"),
    [
        (f"x.{PART}.y", "Credential, as anna@example.org"),
        ("opaque", "Credential"),
        ("a.!!.b", "Credential"),
    ],
)
def test_the_credential_that_is_used_is_named(token: str, who: str) -> None:
    assert who_signed_in(PatientCredential(Credential(), worked=True), token) == who


def test_a_job_without_the_permission_is_told_so() -> None:
    with pytest.raises(ConfigError, match="id-token: write"):
        github_assertion({"AZURE_CLIENT_ID": "c"})
