"""As whom the jobs sign in to Azure: what the deployment of infra/ returned."""

import codecs
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mlops.ci.setup_github.project_files import INFRA
from mlops.ci.setup_github.variables import CLIENT_ID, SUBSCRIPTION_ID, TENANT_ID
from mlops.errors import ConfigError


@dataclass(frozen=True)
class AzureIds:
    """As whom the jobs of each environment sign in to Azure, and to which subscription."""

    variables: Mapping[str, str]
    client_ids: Mapping[str, str]


def read_azure_ids(path: Path, root: Path) -> AzureIds:
    """Read what the deployment of infra/shared.bicep returned.

    Args:
        path: its outputs as JSON, such as `az deployment group show --query properties.outputs`
            prints; also as Windows PowerShell's `>` writes them, in UTF-16.
        root: the project's folder.

    Raises:
        ConfigError: the file is not there or says something else.
    """
    try:
        data = path.read_bytes()
        utf16 = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        content = json.loads(data.decode("utf-16" if utf16 else "utf-8-sig"))
        values = {name: output["value"] for name, output in content.items()}
        return AzureIds(
            variables={
                TENANT_ID: str(values["tenantId"]),
                SUBSCRIPTION_ID: str(values["subscriptionId"]),
            },
            client_ids={each["environment"]: str(each["clientId"]) for each in values["clientIds"]},
        )
    except (OSError, ValueError, AttributeError, KeyError, TypeError):
        if not (root / INFRA).is_file():
            raise ConfigError(
                f"--azure: {path} does not hold such outputs, and this project has no {INFRA} that "
                "returns them",
                f"leave --azure out, give {TENANT_ID} and {SUBSCRIPTION_ID} with --variable, and "
                f"each environment's identity with `gh variable set {CLIENT_ID} --env NAME "
                "--body ID`",
            ) from None
        raise ConfigError(
            f"--azure: {path} does not hold the outputs of infra/shared.bicep as JSON, with "
            "tenantId, subscriptionId and clientIds (docs/going-live.md)"
        ) from None
