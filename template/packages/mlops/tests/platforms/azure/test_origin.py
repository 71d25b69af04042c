"""What a deployment was made of: read from Azure, kept as text, and named again."""

from types import SimpleNamespace
from typing import Any

import pytest

from mlops.errors import ConfigError
from mlops.platforms.azure.origin import AzureOrigin, asset_id, origin_of, read_origin

WORKSPACE = (
    "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w"
)
CODE = f"{WORKSPACE}/codes/0123-4567/versions/1"
IMAGE = f"{WORKSPACE}/environments/serving/versions/89ab"
TEXT = "code 0123-4567:1, environment serving:89ab, on Standard_D2as_v4"


def found(code: Any = CODE, image: Any = IMAGE) -> Any:
    return SimpleNamespace(
        code_configuration=SimpleNamespace(code=code),
        environment=image,
        instance_type="Standard_D2as_v4",
    )


def test_an_origin_leads_back_to_what_was_deployed() -> None:
    assert origin_of(found()) == TEXT
    origin = read_origin(TEXT)
    assert origin == AzureOrigin("0123-4567:1", "serving:89ab", "Standard_D2as_v4")
    assert asset_id(WORKSPACE, "codes", origin.code) == CODE
    assert asset_id(WORKSPACE, "environments", origin.environment) == IMAGE


@pytest.mark.parametrize(
    "deployment",
    [
        found(code=None),
        found(image=None),
        found(image="azureml://registries/r/environments/e/versions/1"),
        found(code=IMAGE),
        SimpleNamespace(),
    ],
)
def test_what_cannot_be_made_again_has_none(deployment: Any) -> None:
    assert origin_of(deployment) == ""


def test_what_cannot_be_read_is_refused() -> None:
    with pytest.raises(ConfigError, match="cannot be read: 'something'"):
        read_origin("something")
