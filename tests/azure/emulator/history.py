"""The run history of a region: how jobs and their steps went, and where their files lie."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from . import hosts
from .arm import WORKSPACE
from .azurite import Azurite
from .errors import not_found
from .jobs import Jobs, Run, log_folder
from .state import Body, State

_HISTORY = f"/history/v1.0{WORKSPACE}"


class History:
    """What the SDK asks after a job besides the job itself."""

    def __init__(self, state: State, azurite: Azurite, jobs: Jobs) -> None:
        self._state = state
        self._azurite = azurite
        self._jobs = jobs

    def routes(self) -> list[Route]:
        """Return the routes of a region's API."""
        return [
            Route("/discovery", self._discovery),
            Route(f"{_HISTORY}/runs/{{run}}", self._run),
            Route(f"{_HISTORY}/runs/{{run}}/details", self._details),
            Route(f"{_HISTORY}/runs/{{run}}/children", self._children),
            Route(f"{_HISTORY}/rundata", self._data, methods=["POST"]),
            Route(
                f"/data/v1.0{WORKSPACE}/dataversion/batchGetResolvedUris",
                self._uris,
                methods=["POST"],
            ),
        ]

    async def _discovery(self, request: Request) -> Response:
        url = f"https://{hosts.ml_api(request.path_params['region'])}"
        names = ("api", "history", "experimentation", "mlflow", "modelmanagement")
        return JSONResponse(dict.fromkeys(names, url))

    async def _run(self, request: Request) -> Response:
        return JSONResponse(_described(self._find(request.path_params["run"])))

    async def _children(self, request: Request) -> Response:
        run = self._find(request.path_params["run"])
        return JSONResponse({"value": [_described(child) for child in run.children]})

    async def _details(self, request: Request) -> Response:
        run = self._find(request.path_params["run"])
        store, folder = self._jobs.store(run), log_folder(run)
        token = self._azurite.sas(store, "r")
        logs = {
            name.removeprefix(f"{folder}/"): f"{self._azurite.url(store, name)}?{token}"
            for name in self._azurite.names(store, folder)
        }
        return JSONResponse({**_described(run), "logFiles": logs})

    async def _data(self, request: Request) -> Response:
        run = self._find((await request.json())["runId"])
        return JSONResponse({"runMetadata": _described(run), "jobSpecification": None})

    async def _uris(self, request: Request) -> Response:
        wanted = set((await request.json())["values"])
        found = {
            _output_id(run, name): {"uri": uri, "type": _kind(run, name)}
            for run in self._jobs.runs.values()
            for name, uri in run.outputs.items()
        }
        return JSONResponse({"values": {k: v for k, v in found.items() if k in wanted}})

    def _find(self, name: str) -> Run:
        found = self._jobs.runs.get(name)
        if found is None:
            raise not_found(f"Run {name}")
        return found


def _described(run: Run) -> Body:
    said: dict[str, Any] = {
        "runId": run.id,
        "rootRunId": run.parent or run.id,
        "parentRunId": run.parent,
        "displayName": run.name,
        "experimentId": run.experiment,
        "status": run.status,
        "startTimeUtc": run.started or None,
        "endTimeUtc": run.ended or None,
        "properties": {"azureml.parameters": "{}"},
        "tags": run.tags,
        "outputs": {
            name: {"assetId": _output_id(run, name), "type": _kind(run, name)}
            for name in run.outputs
        },
    }
    if run.error:
        said["error"] = {"error": {"code": "UserError", "message": run.error}}
    return said


def _kind(run: Run, name: str) -> str:
    """Return the kind of an output as the history words it, unlike the job itself."""
    return {"uri_folder": "UriFolder", "uri_file": "UriFile", "mltable": "MLTable"}[run.kinds[name]]


def _output_id(run: Run, name: str) -> str:
    number = run.workspace.rpartition("/")[2]
    return f"azureml://locations/here/workspaces/{number}/data/azureml_{run.id}_output_{name}/versions/1"
