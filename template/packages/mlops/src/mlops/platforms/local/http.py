"""HTTP calls to servers on this machine: never through a proxy, never with somebody's netrc."""

from typing import Any

import requests

from mlops.platforms.base import Observation
from mlops.platforms.http import Unreachable, content_of
from mlops.platforms.local.observations import PAGE
from mlops.platforms.local.processes import LOCALHOST


def local_session() -> requests.Session:
    """Return a session that ignores proxies and netrc, which would break calls to 127.0.0.1."""
    session = requests.Session()
    session.trust_env = False
    return session


def get_json(session: requests.Session, port: int, timeout: float) -> Any:
    """Return what a healthy server says at `/` on a local port, or None if it is not healthy."""
    try:
        response = session.get(f"http://{LOCALHOST}:{port}/", timeout=timeout)
    except requests.RequestException:
        return None
    return content_of(response) if response.status_code == requests.codes.ok else None


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
