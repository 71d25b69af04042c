"""Signing in: which way, and a fresh assertion each time."""

from typing import Any

import pytest
import requests

from mlops.errors import ConfigError, PlatformError
from mlops.platforms.azure.credentials import AUDIENCE, github_assertion, sign_in_kind

GITHUB = {
    "ACTIONS_ID_TOKEN_REQUEST_URL": "https://token.example/?x=1",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "t",
    "AZURE_CLIENT_ID": "c",
}
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
    assert github_assertion(GITHUB, Session(failures=2)) == "assertion 3"  # type: ignore[arg-type]
    with pytest.raises(PlatformError, match="no assertion"):
        github_assertion(GITHUB, Session(failures=3))  # type: ignore[arg-type]


def test_a_job_without_the_permission_is_told_so() -> None:
    with pytest.raises(ConfigError, match="id-token: write"):
        github_assertion({"AZURE_CLIENT_ID": "c"})
