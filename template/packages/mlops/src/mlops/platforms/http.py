"""HTTP calls to servers on this machine: never through a proxy, never with somebody's netrc."""

import json
import time
from collections.abc import Mapping
from typing import Any

import requests

from mlops.errors import PlatformError
from mlops.platforms.base import Answer, Observation
from mlops.platforms.local.observations import PAGE
from mlops.platforms.local.processes import LOCALHOST


class Unreachable(PlatformError):
    """Nothing accepts connections at an address, or it broke one off."""


def local_session() -> requests.Session:
    """Return a session that ignores proxies and netrc, which would break calls to 127.0.0.1."""
    session = requests.Session()
    session.trust_env = False
    return session


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
    return Answer(response.status_code, _content(response), seconds, dict(response.headers))


def get_json(session: requests.Session, port: int, timeout: float) -> Any:
    """Return what a healthy server says at `/` on a local port, or None if it is not healthy."""
    try:
        response = session.get(f"http://{LOCALHOST}:{port}/", timeout=timeout)
    except requests.RequestException:
        return None
    return _content(response) if response.status_code == requests.codes.ok else None


def get_observations(
    session: requests.Session,
    port: int,
    key: str,
    after: int,
    patience_seconds: float,
    timeout: float,
) -> list[Observation]:
    """Return what the router on a local port observed after a number.

    Raises:
        PlatformError: it does not answer.
    """
    url = f"http://{LOCALHOST}:{port}/observations"
    found: list[Observation] = []
    while True:
        try:
            response = session.get(
                url,
                params={
                    "after": found[-1].sequence if found else after,
                    "patience": patience_seconds,
                },
                headers={"Authorization": f"Bearer {key}"},
                timeout=timeout,
            )
            response.raise_for_status()
        except requests.RequestException as error:
            raise Unreachable(f"{url} cannot be read: {error}") from None
        page = [Observation(**fields) for fields in response.json()]
        found += page
        # not until one is empty: new requests come as fast as pages
        if len(page) < PAGE:
            return found


def _content(response: requests.Response) -> Any:
    try:
        return response.json()
    except requests.JSONDecodeError:
        return response.text
