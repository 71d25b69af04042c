"""Steady requests at an endpoint: one every so often, whether or not the ones before are answered.

A caller who waits for each answer before the next request slows down just when the endpoint does,
and so never sees what others would. This one keeps to its schedule (an open loop).
"""

import asyncio
import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import aiohttp

DEPLOYMENT_HEADER = "azureml-model-deployment"


@dataclass(frozen=True)
class Sample:
    """One request: when it was due, its answer (status 0: none), and the seconds in between."""

    due: float
    status: int
    seconds: float
    deployment: str = ""
    said: str = ""


class Load:
    """Requests at a steady rate, from `with Load(…)` to its end, when all are answered."""

    def __init__(self, url: str, key: str, payload: Mapping[str, Any], rate: float) -> None:
        self.samples: list[Sample] = []
        self._url = url
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        self._body = json.dumps(payload).encode()
        self._rate = rate
        self._over = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))

    def __enter__(self) -> "Load":
        self._thread.start()
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()

    @property
    def failed(self) -> list[Sample]:
        return [sample for sample in self.samples if sample.status != 200]

    @property
    def seconds(self) -> float:
        """How long requests were due."""
        due = [sample.due for sample in self.samples]
        return max(due) - min(due)

    def percentile(self, share: float) -> float:
        """The latency in seconds that so large a share of the answers kept."""
        ordered = sorted(sample.seconds for sample in self.samples)
        return ordered[int(share * (len(ordered) - 1))]

    async def _run(self) -> None:
        # shorter than the router keeps an idle connection: neither end closes it under the other
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=2.0)
        client = aiohttp.ClientSession(connector=connector)
        async with client, asyncio.TaskGroup() as requests:
            start, sent = time.perf_counter(), 0
            while not self._over.is_set():
                due = start + sent / self._rate
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                requests.create_task(self._send(client, due))
                sent += 1

    async def _send(self, client: aiohttp.ClientSession, due: float) -> None:
        status, deployment, said = 0, "", ""
        try:
            async with client.post(self._url, data=self._body, headers=self._headers) as answer:
                said = await answer.text()
                status = answer.status
                deployment = answer.headers.get(DEPLOYMENT_HEADER, "")
        except (aiohttp.ClientError, OSError) as error:
            said = repr(error)
        seconds = time.perf_counter() - due
        self.samples.append(Sample(due, status, seconds, deployment, "" if status == 200 else said))
