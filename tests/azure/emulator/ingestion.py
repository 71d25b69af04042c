"""Application Insights' ingestion: what Microsoft's exporters send becomes rows of AppEvents."""

import json
import uuid
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from . import hosts
from .state import State

_EVENT = "Microsoft.ApplicationInsights.Event"


class Ingestion:
    """One Application Insights, in which only who signs in may write."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._key = str(uuid.uuid4())

    @property
    def connection_string(self) -> str:
        """Where it is, as Azure says it."""
        region = self._state.region
        parts = {
            "InstrumentationKey": self._key,
            "IngestionEndpoint": f"https://{hosts.ingestion(region)}/",
            "LiveEndpoint": f"https://{region}.livediagnostics.monitor.azure.com/",
        }
        return ";".join(f"{name}={value}" for name, value in parts.items())

    def routes(self) -> list[Route]:
        """Return the routes of the region's ingestion endpoint."""
        # the address ends in a slash, to which some versions of the exporter add another
        paths = ("/v2.1/track", "//v2.1/track")
        return [Route(path, self._track, methods=["POST"]) for path in paths]

    async def _track(self, request: Request) -> Response:
        items: list[dict[str, Any]] = json.loads(await request.body())
        errors = []
        for number, item in enumerate(items):
            if item["iKey"] != self._key:
                errors.append(
                    {"index": number, "statusCode": 400, "message": "Invalid instrumentation key"}
                )
            elif item["name"] == _EVENT:
                data = item["data"]["baseData"]
                self._state.events.append((item["time"], data["name"], data["properties"]))
            else:
                self._state.client_faults.append(f"Application Insights: {item['name']}")
        accepted = len(items) - len(errors)
        said = {"itemsReceived": len(items), "itemsAccepted": accepted, "errors": errors}
        return JSONResponse(said, 206 if errors else 200)
