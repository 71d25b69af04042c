"""Rules of Azure Monitor, as ARM tells of each and lists those of a group.

The answer has the form of Microsoft's API description, 2023-12-01 (Azure/azure-rest-api-specs,
monitor/resource-manager/Microsoft.Insights, the example getScheduledQueryRule).
"""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from .errors import AzureError, bad_request, not_found
from .state import State

GROUP = "/subscriptions/{subscription}/resourceGroups/{group}"
KIND = "Microsoft.Insights/scheduledQueryRules"
_VERSIONS = ("2023-12-01", "2026-03-01")


class AlertRules:
    """The rules of each resource group; `denied` has those that who signs in may not read."""

    def __init__(self, state: State) -> None:
        self._state = state
        self.rules: dict[tuple[str, str], dict[str, Any]] = {}
        self.denied: set[str] = set()

    def deploy(self, group: str, *names: str, enabled: bool = True) -> None:
        """Make rules, or make them anew."""
        for name in names:
            self.rules[group.lower(), name.lower()] = self._rule(group, name, enabled=enabled)

    def remove(self, group: str, name: str) -> None:
        """Remove a rule."""
        del self.rules[group.lower(), name.lower()]

    def routes(self) -> list[Route]:
        """Return the routes below management.azure.com."""
        path = f"{GROUP}/providers/{KIND}"
        return [Route(path, self._list), Route(f"{path}/{{name}}", self._get)]

    def _rule(self, group: str, name: str, *, enabled: bool) -> dict[str, Any]:
        place = self._state.group_id(group)
        return {
            "id": f"{place}/providers/{KIND}/{name}",
            "name": name,
            "type": KIND,
            "kind": "LogAlert",
            "location": self._state.region,
            "tags": {},
            "properties": {
                "displayName": name,
                "description": "a rule",
                "severity": 0,
                "enabled": enabled,
                "evaluationFrequency": "PT5M",
                "scopes": [f"{place}/providers/Microsoft.OperationalInsights/workspaces/log"],
                "windowSize": "PT10M",
                "criteria": {"allOf": []},
                "autoMitigate": True,
                "actions": {"actionGroups": []},
                "createdWithApiVersion": "2023-12-01",
                "isLegacyLogAnalyticsRule": False,
                "isWorkspaceAlertsStorageConfigured": False,
                "skipQueryValidation": True,
            },
        }

    async def _get(self, request: Request) -> Response:
        self._check(request)
        group, name = request.path_params["group"], request.path_params["name"]
        found = self.rules.get((group.lower(), name.lower()))
        if name in self.denied:
            raise _forbidden(request.url.path)
        if found is None:
            raise not_found(f"The Resource '{KIND}/{name}' under resource group '{group}'")
        return JSONResponse(found)

    async def _list(self, request: Request) -> Response:
        self._check(request)
        if self.denied:
            raise _forbidden(request.url.path)
        group = request.path_params["group"].lower()
        return JSONResponse(
            {"value": [each for key, each in self.rules.items() if key[0] == group]}
        )

    def _check(self, request: Request) -> None:
        version = request.query_params.get("api-version")
        if version not in _VERSIONS:
            said = f"No registered resource provider found for {KIND} in api-version {version}."
            self._state.client_faults.append(said)
            raise bad_request(said)


def _forbidden(path: str) -> AzureError:
    return AzureError(
        403,
        "AuthorizationFailed",
        "The client 'c' with object id 'o' does not have authorization to perform action "
        f"'{KIND}/read' over scope '{path}' or the scope is invalid. If access was recently "
        "granted, please refresh your credentials.",
    )
