"""The contract of endpoints on Azure: put into a generated project, run on an emulator."""

import json
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from contracts.endpoint import PURPOSE, EndpointContract, Place
from fakes.changes import held_by_another, longer_by
from fakes.tiny_version import FAILS, ROW, write_version
from fakes.waiting import wait_for
from mlops.artifacts.event_folders import event_folders
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
FAILING = f"""
score_rightly = score

def score(model, matrix):
    if matrix[0, 0] == {FAILS}:
        raise ZeroDivisionError("the model failed")
    return score_rightly(model, matrix)
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

    def scored(self, run: str) -> Path:
        settings = self._settings
        return event_folders(settings.project.state_dir, settings.endpoint_name).score(run)

    def another_command(self, traffic: dict[str, int]) -> AbstractContextManager[object]:
        return held_by_another(HOLD, json.dumps(traffic))

    def changed_script(self, addition: str) -> AbstractContextManager[None]:
        return longer_by(addition, self._settings.project.root / "serving" / "score.py")

    @contextmanager
    def unkept_checks(self) -> Iterator[None]:
        known = self._settings
        azure = known.values.azure
        nowhere = (azure.insights_connection_string or "").replace("https://", "https://gone.")
        lost = azure.model_copy(update={"insights_connection_string": nowhere})
        self._settings = replace(known, values=known.values.model_copy(update={"azure": lost}))
        try:
            yield
        finally:
            self._settings = known


@pytest.fixture(scope="module")
def script() -> Iterator[Path]:
    """The project's own, whose model fails where it is asked to."""
    path = find_project().root / "serving" / "score.py"
    with longer_by(FAILING, path):
        yield path


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, script: Path) -> AzurePlace:
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

    def test_all_that_the_front_passed_on_or_answered_is_in_its_log(
        self, place: AzurePlace
    ) -> None:
        endpoint, start = place.endpoint, system_clock() - timedelta(seconds=1)
        assert endpoint.invoke({"data": [ROW]}).status == 200
        assert endpoint.invoke({"data": []}, "green").status == 400
        window = Window(start, start + timedelta(days=1))
        found = wait_for(lambda: (rows := endpoint.front_log(window))[1:] and rows)
        assert [(row["deployment"], row["status"], row["model_status"]) for row in found[-2:]] == [
            ("blue", 200, 200),
            ("green", 424, 400),
        ]
        assert {row["endpoint"] for row in found} == {endpoint.name}

    def test_what_checks_find_and_cannot_be_kept_is_a_failure_of_the_platform(
        self, place: Place
    ) -> None:
        """What cannot be read is shown with the log's own answers, which no test here can spoil."""
        row = {"check": "drift", "time": system_clock().isoformat()}
        with place.unkept_checks(), pytest.raises(PlatformError, match="cannot be reached"):
            place.endpoint.keep_checks([row])

    def test_what_is_altered_after_its_download_is_refused(self, place: AzurePlace) -> None:
        from mlops.errors import Refused

        folder = place.version(1).folder
        model = folder / "model.onnx"
        model.write_bytes(model.read_bytes() + b"\0")
        with pytest.raises(Refused, match="is not the file that was registered"):
            place.version(1)
        shutil.rmtree(folder)
        assert place.version(1).folder == folder
