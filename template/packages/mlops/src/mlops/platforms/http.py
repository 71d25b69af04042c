"""HTTP calls to endpoints: how a request is sent and its answer read."""

import json
import time
from collections.abc import Mapping
from typing import Any

import requests
from typing_extensions import override

from mlops.errors import PlatformError
from mlops.platforms.answers import is_answer
from mlops.platforms.base import Answer


class Unreachable(PlatformError):
    """Nothing accepts connections at an address, or it broke one off."""


class OwnSession(requests.Session):
    """A session whose requests keep their own Authorization header.

    `requests` would replace it by what `~/.netrc` knows of the host, or by its `default`. Proxies
    and certificates stay those of the environment.
    """

    def __init__(self) -> None:
        super().__init__()
        self.auth = _as_it_is

    @override
    def rebuild_auth(
        self, prepared_request: requests.PreparedRequest, response: requests.Response
    ) -> None:
        """Take the header away from a redirect to another host, and put no other one there."""
        sent_to, goes_to = response.request.url or "", prepared_request.url or ""
        if self.should_strip_auth(sent_to, goes_to):  # type: ignore[no-untyped-call]
            prepared_request.headers.pop("Authorization", None)


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def post(
    session: requests.Session,
    url: str,
    payload: bytes | Mapping[str, Any],
    headers: Mapping[str, str],
    timeout: float,
) -> Answer:
    """Post JSON and return the answer, whatever its status.

    Raises:
        Unreachable: nothing is there, or it ended before it answered.
        PlatformError: no answer came in time.
    """
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    started = time.perf_counter()
    try:
        response = session.post(
            url,
            data=body,
            headers={"Content-Type": "application/json", **headers},
            timeout=timeout,
        )
    except requests.ConnectionError as error:
        raise Unreachable(f"{url} cannot be reached: {error}") from None
    except requests.RequestException as error:
        raise PlatformError(f"{url} did not answer: {error}") from None
    seconds = time.perf_counter() - started
    return Answer(response.status_code, content_of(response), seconds, dict(response.headers))


def predicts_as(answer: Answer, version: int) -> bool:
    """Tell whether an answer is a prediction of this model version."""
    body = answer.body if is_answer(answer.status) else None
    return isinstance(body, dict) and body.get("model_version") == version


def content_of(response: requests.Response) -> Any:
    """Return what an answer holds: JSON, or else its text."""
    try:
        return response.json()
    except requests.JSONDecodeError:
        return response.text
