"""What a deployment of Azure ML was made of besides the model: kept in one tag, to make it again.

They are named there in a form that fits beside other words into the 256 characters of a tag:
`code 1f0c…:1, environment serving:2a9d…, on Standard_D2as_v4`. The number of machines is not among
them, as it may change by itself.
"""

import re
from dataclasses import dataclass
from typing import Any

from mlops.errors import ConfigError
from mlops.hints import typed

_ASSET = re.compile(r"/workspaces/[^/]+/(codes|environments)/([^/]+)/versions/([^/]+)$")
_ORIGIN = re.compile(r"code (\S+:\S+), environment (\S+:\S+), on (\S+)")


@dataclass(frozen=True)
class AzureOrigin:
    """Code and environment as `name:version` in the workspace, and the kind of machine."""

    code: str
    environment: str
    instance_type: str

    def __str__(self) -> str:
        """Return it as a tag holds it."""
        return f"code {self.code}, environment {self.environment}, on {self.instance_type}"


def origin_of(found: Any) -> str:
    """Return the origin of a deployment as Azure describes it.

    It is empty where this project's commands could not make the deployment again from it.
    """
    configuration = getattr(found, "code_configuration", None)
    code = _asset(getattr(configuration, "code", None), "codes")
    environment = _asset(getattr(found, "environment", None), "environments")
    if not (code and environment and found.instance_type):
        return ""
    return str(AzureOrigin(code, environment, found.instance_type))


def read_origin(text: str) -> AzureOrigin:
    """Return what an origin says.

    Raises:
        ConfigError: it cannot be read.
    """
    found = _ORIGIN.fullmatch(text)
    if found is None:
        raise ConfigError(
            f"what is recorded of a deployment cannot be read: {text!r}",
            f"{typed('release')} with an older version's number makes it anew",
        )
    return AzureOrigin(found[1], found[2], found[3])


def asset_id(workspace: str, kind: str, asset: str) -> str:
    """Return the id of an asset, `name:version`, in the workspace with this id."""
    name, _, version = asset.rpartition(":")
    return f"{workspace}/{kind}/{name}/versions/{version}"


def _asset(reference: Any, kind: str) -> str:
    found = _ASSET.search(str(reference or ""))
    return f"{found[2]}:{found[3]}" if found and found[1] == kind else ""
