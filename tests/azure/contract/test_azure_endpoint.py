"""The contract of endpoints on Azure: put into a generated project, run on an emulator."""

import json
import shutil
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest
from contracts.endpoint import PURPOSE, EndpointContract, Place
from fakes.changes import held_by_another, longer_by
from fakes.tiny_version import ROW, write_version
from mlops.artifacts.version_folder import HASH_TAG
from mlops.clock import system_clock
from mlops.errors import PlatformError
from mlops.files import file_sha256
from mlops.platforms.azure.client import AzureClients
from mlops.platforms.azure.endpoint import AzureEndpoint
from mlops.platforms.azure.models import AzureModels
from mlops.platforms.base import ModelVersion
from mlops.progress import silent
from mlops.settings.loading import LoadedSettings, load_settings
from mlops.settings.project import find_project
from mlops.window import Window

WINDOW = Window.last(timedelta(days=1), system_clock())
HOLD = f"""
import json, sys, time
from mlops.platforms import open_platform
from mlops.platforms.lease_terms import RELEASE
from mlops.settings.project import find_project
from mlops.settings.loading import load_settings
settings = load_settings(find_project())
endpoint = open_platform(settings).endpoint(settings.endpoint_name)
with endpoint.lease("{PURPOSE}", RELEASE):
    endpoint.set_mirror(None)
    endpoint.set_traffic(json.loads(sys.argv[1]))
    print("held", flush=True)
    time.sleep(120)
"""


class AzurePlace:
    """The endpoint of the environment dev, with the tiny model as the project's."""

    def __init__(self, settings: LoadedSettings, models: AzureModels) -> None:
        self._settings = settings
        self._models = models

    def _endpoint(self, name: str) -> AzureEndpoint:
        return AzureEndpoint(AzureClients(self._settings), self._models, name)

    @property
    def endpoint(self) -> AzureEndpoint:
        return self._endpoint(self._settings.endpoint_name)

    @property
    def unused(self) -> AzureEndpoint:
        return self._endpoint("unused-dev")

    def version(self, number: int) -> ModelVersion:
        return self._models.version(number)

    def another_command(self, traffic: dict[str, int]) -> AbstractContextManager[object]:
        return held_by_another(HOLD, json.dumps(traffic))

    def changed_script(self, addition: str) -> AbstractContextManager[None]:
        return longer_by(addition, self._settings.project.root / "serving" / "score.py")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> AzurePlace:
    """Two shared versions, deployed as blue and green."""
    from azure.ai.ml.entities import Model

    settings = load_settings(find_project())
    clients = AzureClients(settings)
    models = AzureModels(clients)
    for number in (1, 2):
        folder = write_version(tmp_path_factory.mktemp("version") / "tiny", number)
        hashed = {HASH_TAG: file_sha256(folder / "model.onnx")}
        clients.workspace.models.create_or_update(
            Model(
                path=str(folder),
                name=models.name,
                version=str(number),
                type="custom_model",
                tags=hashed,
            )
        )
        models.share(number, silent)
    place = AzurePlace(settings, models)
    for number, name in ((1, "blue"), (2, "green")):
        place.endpoint.deploy(name, place.version(number), silent)
    return place


class TestAzureEndpoint(EndpointContract):
    @pytest.fixture
    def place(self, made: AzurePlace) -> AzurePlace:
        endpoint = made.endpoint
        endpoint.repair(silent)
        if endpoint.mirror():
            endpoint.set_mirror(None)
        if "green" not in endpoint.traffic():
            endpoint.deploy("green", made.version(2), silent)
        endpoint.set_traffic({"blue": 100})
        return made

    def test_each_row_that_is_answered_leaves_an_event(self, place: Place) -> None:
        """Not yet: nothing reads events in Azure. Keys come back as everywhere."""
        answer = place.endpoint.invoke({"data": [ROW, ROW], "keys": ["x", 7]})
        assert (answer.status, answer.body["keys"]) == (200, ["x", 7])
        with pytest.raises(PlatformError, match="events of predictions are not read on the plat"):
            place.endpoint.predictions(WINDOW)

    def test_a_request_that_fails_leaves_an_event_too(self, place: Place) -> None:
        """Not yet, as above."""
        with pytest.raises(PlatformError, match="not read on the platform azure yet"):
            place.endpoint.predictions(WINDOW)

    def test_what_checks_find_can_be_read_again(self, place: Place) -> None:
        """Not yet: neither is kept."""
        with pytest.raises(PlatformError, match="what checks find is not kept on the platform"):
            place.endpoint.keep_checks([])
        with pytest.raises(PlatformError, match="what checks found is not read on the platform"):
            place.endpoint.checks("drift", WINDOW)

    def test_what_is_altered_after_its_download_is_refused(self, place: AzurePlace) -> None:
        from mlops.errors import Refused

        folder = place.version(1).folder
        model = folder / "model.onnx"
        model.write_bytes(model.read_bytes() + b"\0")
        with pytest.raises(Refused, match="is not the file that was registered"):
            place.version(1)
        shutil.rmtree(folder)
        assert place.version(1).folder == folder
