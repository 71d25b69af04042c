"""A project on Azure, from its first training to a rollback in production, by commands alone."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import Template, run

from .emulator import ALWAYS
from .project import NAME, RELEASED, AzureProject, azure_project

pytestmark = [pytest.mark.project, pytest.mark.azure]


@pytest.fixture(scope="module")
def place(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AzureProject]:
    """Its workspaces' files are opened by keys, as with `storageKeys=true`."""
    folder = tmp_path_factory.mktemp("life")
    with azure_project(template, folder, storage_keys=True) as place:
        yield place


@pytest.mark.slow  # the suite of both platforms, with a real server for each deployment: minutes
def test_the_endpoint_does_what_every_endpoint_does(place: AzureProject) -> None:
    said = place.run_contract()
    assert " passed" in said
    assert " skipped" not in said


def deployed(place: AzureProject, environment: str, deployment: str) -> tuple[str, str, set[str]]:
    """The id and hash of a deployment's model, and the hashes of the files that its servers got."""
    name = f"{NAME}-{environment}"
    found = place.azure.deployment(name, deployment)
    model = found["properties"]["model"]
    reference = model["assetId"] if isinstance(model, dict) else model
    folders = (place.azure.folder / "deployments").glob(f"{name}-{deployment}-*")
    newest = max(folders, key=lambda folder: folder.stat().st_mtime)
    files = {hashlib.sha256(path.read_bytes()).hexdigest() for path in newest.rglob("model.onnx")}
    return str(reference), str(found["tags"]["model_sha256"]), files


def tags_of(place: AzureProject, version: int, environment: str = "dev") -> dict[str, str]:
    """The tags that the workspace of an environment has of a version."""
    end = f"/workspaces/mlw-{NAME}-{environment}"
    workspace = next(key for key in place.azure.state.resources if key.endswith(end))
    found = place.azure.state.get(f"{workspace}/models/{NAME}/versions/{version}")
    return dict(found["properties"]["tags"])


def registered(place: AzureProject, version: int) -> str:
    """The hash that the workspace dev notes of a version's model."""
    return tags_of(place, version)["model.sha256"]


def registry_id(version: int) -> str:
    return f"azureml://registries/mlr-{NAME}/models/{NAME}/versions/{version}"


def test_from_training_to_a_rollback(place: AzureProject) -> None:
    azure = place.azure
    azure.front.log.delay_seconds = 3600  # as where the diagnostic setting was just made
    first = place.registered(place.trained())
    assert "passed" in place.mlops("doctor", "--platform", "azure", "--environment", "dev")

    place.mlops("deploy", "--environment", "test", "--model-version", str(first))
    place.mlops("smoke-test", "--environment", "test")
    place.mlops("release", "--environment", "prod", "--model-version", str(first))
    assert place.traffic("prod") == {"blue": 100}

    place.settings["MLOPS_PARAMS__MAX_ITER"] = "60"
    second = place.registered(place.trained("local"))
    assert second == first + 1
    place.mlops("release", "--environment", "test", "--model-version", str(second))
    assert place.traffic("test") == {"green": 100}

    releasing = ("release", "--environment", "prod", "--model-version", str(second))
    soon = {"MLOPS_AZURE__LOG_PATIENCE_SECONDS": "1"}
    said = place.mlops(*releasing, settings=soon, expect=4)
    assert "neither promoted nor rejected" in said
    assert "up to 90 minutes after its diagnostic setting" in said
    assert place.traffic("prod") == {"blue": 100}
    azure.front.log.delay_seconds = 0

    since = len(azure.calls)
    with place.callers("prod") as statuses:
        said = place.mlops(*releasing)
    assert "promoted" in said
    assert place.traffic("prod") == {"green": 100}
    assert set(statuses) == {200}
    assert len(statuses) > 50

    # nothing is routed to green before its smoke test passed, then mirror, share and all
    assert place.routings("prod", since) == RELEASED
    tested = place.smoke_tested("prod", "green", since)
    assert min(tested[400], tested[200]) > 5

    for environment in ("test", "prod"):
        digest = registered(place, second)
        assert deployed(place, environment, "green") == (registry_id(second), digest, {digest})

    with place.callers("prod") as statuses:
        place.mlops("rollback", "--environment", "prod")
    assert place.traffic("prod") == {"blue": 100}
    digest = registered(place, first)
    assert deployed(place, "prod", "blue") == (registry_id(first), digest, {digest})
    assert digest != registered(place, second)
    assert set(statuses) == {200}

    status = json.loads(place.mlops("status", "--json"))
    assert [each["version"] for each in status["versions"]] == [first, second]
    (prod,) = [each for each in status["endpoints"] if each["environment"] == "prod"]
    shares = {each["name"]: each["traffic"] for each in prod["deployments"]}
    assert shares == {"blue": 100, "green": 0}  # green waited there before it was released

    said = place.mlops("stop", "--environment", "test", expect=2)
    assert "cannot be paused" in said
    assert "`uv run mlops stop --remove`" in said
    place.mlops("stop", "--remove", "--environment", "test")
    assert azure.endpoints.running[f"{NAME}-test"].servers == {}

    assert azure.called("POST", rf"/mlw-{NAME}-dev/datastores/.*/listSecrets$")
    assert azure.refused_hosts == []
    assert azure.state.client_faults == []


SCORE = """
import sys, time
from datetime import timedelta
from pathlib import Path
from azure.ai.ml import load_job
from mlops.platforms import open_platform
from mlops.platforms.azure.client import AzureClients
from mlops.platforms.azure.outputs import download_output
from mlops.settings.loading import load_settings
from mlops.settings.project import find_project
from mlops.window import Window

data, model, compute, target = sys.argv[1:]
jobs = AzureClients(load_settings(find_project(), "dev")).workspace.jobs
given = {
    "settings.default_compute": f"azureml:{compute}",
    "inputs.environment": "dev",
    "inputs.data.path": f"azureml:{data}",
    "inputs.model.path": model,
}
overrides = [{key: value} for key, value in given.items()]
job = jobs.create_or_update(load_job("aml/pipelines/score.yml", params_override=overrides))
while job.status not in ("Completed", "Failed", "Canceled"):
    time.sleep(0.5)
    job = jobs.get(job.name)
for output in ("predictions", "events"):
    download_output(jobs, job.name, output, Path(target) / output)
settings = load_settings(find_project(), "dev")
endpoint = open_platform(settings).endpoint(settings.endpoint_name)
rows = endpoint.predictions(Window.last(timedelta(days=1), settings.clock())).rows
print(rows.filter(source="score").collect().height)
print(job.status == "Completed")
"""


@pytest.mark.slow
def test_a_job_scores_raw_data_with_a_version_of_the_registry(
    place: AzureProject, tmp_path: Path
) -> None:
    """As docs/scoring.md submits it: the files as they are, with data and a version."""
    place.mlops("data", "make", "--output", str(tmp_path / "data"), "--size", "300")
    said = place.mlops("data", "register", "--data-dir", str(tmp_path / "data"), "--name", "sales")
    data = said.strip().splitlines()[-1]
    python, target = place.project.python, tmp_path / "out"
    given = (data, registry_id(1), "cpu-dev", target)
    said = run(python, "-c", SCORE, *given, folder=place.project.path, env=place.environment)
    *_, watched, completed = said.strip().splitlines()
    assert completed == "True"
    (complete,) = target.rglob("_scored.json")
    scored = json.loads(complete.read_text(encoding="utf-8"))
    assert scored["model"]["version"] == 1
    assert scored["rows"] > 200
    assert int(watched) == scored["rows"], "what watches the model sees what the job predicted"
    assert [path.name for path in (target / "events").rglob("*.parquet")] == ["part-00000.parquet"]
    here = place.mlops(
        "score", "--json", "--data-dir", str(tmp_path / "data"),
        "--output", str(tmp_path / "here"), "--environment", "prod",
    )  # fmt: skip
    assert json.loads(here[here.index("{") :])["rows"] == scored["rows"]


def test_an_endpoint_without_keys_is_deployed_and_called_with_tokens(place: AzureProject) -> None:
    """Beside one with keys; what the other takes, neither is called with."""
    name = f"{NAME}-keyless"
    keyless = {"MLOPS_ENDPOINT__NAME": name, "MLOPS_SERVING__AUTH": "entra"}
    since = len(place.azure.calls)
    deploy = ("deploy", "--environment", "dev", "--model-version", "1")
    place.mlops(*deploy, settings=keyless)
    assert place.azure.endpoint(name)["properties"]["authMode"] == "AADToken"
    settings = place.azure.deployment(name, "blue")["properties"]
    assert settings["environmentVariables"]["WORKER_COUNT"] == "2"
    assert settings["requestSettings"]["maxConcurrentRequestsPerInstance"] == 2
    assert not [call for call in place.azure.calls[since:] if "listkeys" in call.path.lower()]
    keyed = keyless | {"MLOPS_SERVING__AUTH": "key"}
    said = place.mlops("smoke-test", "--environment", "dev", settings=keyed, expect=2)
    assert f"the endpoint {name} takes Entra tokens, and serving.auth is key" in said
    place.azure.endpoints.running[name].servers["blue"].stop()
    assert place.azure.state.client_faults == []


def test_a_registry_of_another_team_is_not_taken_for_ones_own(place: AzureProject) -> None:
    place.azure.take_registry_name("mlr-taken")
    with place.shared_registry("mlr-taken"):
        said = place.mlops("share", "--model-version", "1", expect=2)
    assert "AzureML Registry User on the registry" in said
    assert "unique in an Entra tenant: if it is another team's, set another azure.registry" in said


@pytest.mark.slow
def test_a_release_from_the_workspace_takes_the_workspaces_own_asset(place: AzureProject) -> None:
    """The registry's files are registered there once, and a second release finds them."""
    version = place.registered(place.another("from-the-workspace"))
    digest = registered(place, version)
    asset = f"/workspaces/mlw-{NAME}-test/models/{NAME}/versions/{version}"
    from_there = {"MLOPS_AZURE__DEPLOY_FROM": "workspace"}
    release = ("release", "--environment", "test", "--model-version", str(version))
    since = len(place.azure.calls)
    for _ in range(2):
        assert "promoted" in place.mlops(*release, settings=from_there)
        (serving,) = place.traffic("test")
        reference, tag, files = deployed(place, "test", serving)
        assert reference.endswith(asset)
        assert (tag, files) == (digest, {digest})
        place.mlops("stop", "--remove", "--environment", "test")
    assert tags_of(place, version, "test") == tags_of(place, version)
    calls = place.azure.calls[since:]
    made = [call for call in calls if (call.method, call.path.endswith(asset)) == ("PUT", True)]
    assert len(made) == 1
    assert place.azure.state.client_faults == []


@pytest.mark.slow
def test_training_on_registered_data_names_their_version(
    place: AzureProject, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    place.mlops("data", "make", "--size", "500", "--output", str(data))
    register = ("data", "register", "--data-dir", str(data), "--name", "transactions")
    assert place.mlops(*register).strip().endswith("transactions:1")
    assert place.mlops(*register).strip().endswith("transactions:1")
    settings = {"MLOPS_AZURE__DATA_ASSET": "transactions:1"}
    said = place.mlops("train", "--environment", "dev", settings=settings)
    job = place.azure.called("PUT", r"/jobs/train-dev-")[-1].body["properties"]
    assert job["tags"]["data"] == "azureml:transactions:1"
    given = job["jobs"]["validate"]["inputs"]
    assert given["data"]["uri"].endswith("/data/transactions/versions/1")
    run_id = said.strip().splitlines()[-1]
    run = place.project.path / ".mlops" / "runs" / run_id
    assert json.loads((run / "validated" / "validation-results.json").read_text())["passed"]
    source = json.loads((run / "prepared" / "prepared.json").read_text())["source"]
    digest = hashlib.sha256((data / "sample.parquet").read_bytes()).hexdigest()
    assert source == {
        "kind": "asset",
        "name": "transactions:1",
        "made_up": True,
        "files": {"sample.parquet": digest},
        "fraction": 1.0,
    }
    settings = json.loads((run / "model" / "training.json").read_text())["settings"]
    assert (settings["data.source"], settings["azure.data_asset"]) == ("asset", "transactions:1")


@pytest.mark.slow
def test_the_data_of_a_version_decide_where_it_may_go(place: AzureProject) -> None:
    tenth = place.of_other_data("tenth", fraction=0.1)
    assert tags_of(place, tenth)["data.fraction"] == "0.1"
    release = ("release", "--environment", "dev", "--model-version")
    said = place.mlops("share", "--model-version", str(tenth), expect=1)
    assert f"version {tenth} is made of 10 % of the data and is not shared" in said
    said = place.mlops(*release, str(tenth), expect=1)
    assert "of the data and is not released on azure" in said

    demo = place.of_other_data("demo")
    own = place.of_other_data("own", kind="folder", name="orders", made_up=False)
    assert tags_of(place, demo)["data.made_up"] == "true"
    assert tags_of(place, own)["data.name"] == "orders"
    compared = {"MLOPS_AB_TEST__ENABLED": "true"}  # nobody calls: an A/B test would hold
    for version in (demo, own):
        assert "promoted" in place.mlops(*release, str(version), settings=compared)
    said = place.mlops(*release, str(demo), settings=compared, expect=1)
    assert f"must not replace version {own}" in said
    assert place.traffic("dev") == {"green": 100}
    place.mlops("rollback", "--environment", "dev")  # to what served just before, of whatever data
    assert place.traffic("dev") == {"blue": 100}
    versions = json.loads(place.mlops("status", "--json"))["versions"]
    marks = {each["version"]: each["mark"] for each in versions}
    assert (marks[tenth], marks[demo], marks[own]) == ("made up, 10 %", "made up", "")
    assert place.azure.state.client_faults == []


def archive(place: AzureProject, asset: str) -> None:
    """Archive a version of the workspace dev, such as `models/name/versions/1`."""
    end = f"/workspaces/mlw-{NAME}-dev/{asset}"
    version = next(key for key in place.azure.state.resources if key.endswith(end))
    place.azure.state.get(version)["properties"]["isArchived"] = True


def test_a_folder_of_a_datastore_is_registered_where_it_lies(place: AzureProject) -> None:
    path = "azureml://datastores/workspaceblobstore/paths/incoming/2026-11"
    register = ("data", "register", "--path", path, "--name", "incoming")
    place.azure.lose("CONNECT", "blob.core.windows.net$", times=ALWAYS)  # nothing is uploaded
    for _ in range(2):
        assert place.mlops(*register).strip().endswith("incoming:1")
    place.azure.heal()
    (made,) = place.azure.called("PUT", r"/data/incoming/versions/1$")
    assert made.body["properties"]["dataUri"].endswith("/paths/incoming/2026-11")
    archive(place, "data/incoming/versions/1")
    assert place.mlops(*register).strip().endswith("incoming:2")


def test_an_archived_version_keeps_its_number(place: AzureProject) -> None:
    register = ("register", "--environment", "dev", "--run-id", place.another("new-run"))
    number = int(place.mlops(*register).strip().splitlines()[-1])
    archive(place, f"models/{NAME}/versions/{number}")
    again = int(place.mlops(*register).strip().splitlines()[-1])
    assert again == number + 1
    assert registered(place, again) == registered(place, number)


@pytest.mark.slow
def test_data_that_break_the_contract_are_refused(place: AzureProject, tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_text("customer_id,order_date,amount\n,2020-01-01,-4711.5\n")
    said = place.mlops("train", "--data-dir", str(tmp_path), expect=1)
    assert "the data is refused:" in said, "told by the log: the results did not survive the step"
    assert "(-4711.5)" in said
    kept = next((place.project.path / ".mlops" / "refused").iterdir()) / "validation-results.json"
    assert not json.loads(kept.read_text())["passed"]
    hidden = {"MLOPS_DATA__SHOW_VALUES": "false"}
    said = place.mlops("train", "--data-dir", str(tmp_path), settings=hidden, expect=1)
    assert "column amount: " in said
    assert "4711" not in said
    job = place.azure.called("PUT", r"/jobs/train-dev-")[-1].body["properties"]
    assert job["jobs"]["validate"]["environment_variables"].items() >= hidden.items()
