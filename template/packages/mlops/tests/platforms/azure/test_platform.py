"""Runs and versions of the platform azure on a client in memory."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from fakes.azure import SdkError, Workspace, clients_of, have_entities
from fakes.tiny_version import MADE_UP, REAL, write_version
from mlops.artifacts.documents import VALIDATION_RESULTS
from mlops.artifacts.run_folder import STEP_OUTPUTS
from mlops.artifacts.version_folder import HASH_TAG
from mlops.data.findings import DATA_REFUSED, Finding, ValidationReport
from mlops.data.source import locate
from mlops.errors import ConfigError, PlatformError, Refused
from mlops.files import file_sha256, read_json, write_json
from mlops.platforms.azure import jobs as azure_jobs
from mlops.platforms.azure import models as azure_models
from mlops.platforms.azure import platform as azure
from mlops.platforms.azure.data import folder_hash, register
from mlops.platforms.azure.platform import AzurePlatform
from mlops.platforms.base import Run
from mlops.progress import silent
from mlops.release.data_rules import share_version
from mlops.settings.loading import LoadedSettings

LAKE = "azureml://datastores/lake/paths"


class Place:
    def __init__(self, settings: LoadedSettings, folder: Path) -> None:
        self.platform = AzurePlatform(settings)
        self.clients, self.workspace, self.registry = clients_of(settings)
        self.platform._clients = self.clients
        self.platform._models._clients = self.clients
        self.workspace.models.uploads = folder
        self.folder = folder

    def keep(self, client: Workspace, number: int, *, marked: bool = True, **tags: str) -> Path:
        folder = self.folder / f"kept-{number}"
        if not folder.exists():
            write_version(folder, number)
        if marked:
            tags = {HASH_TAG: file_sha256(folder / "model.onnx"), **tags}
        client.models.kept[number] = (folder, tags)
        return folder

    def run(self, run_id: str, monkeypatch: pytest.MonkeyPatch) -> Run:
        """Return a run whose version is the tiny one."""
        folder = self.folder / run_id
        write_json(folder / "model" / "training.json", {"schema": 1, "model_sha256": "t"})

        def tags(folder: Path, run: Run) -> dict[str, str]:
            marks = {HASH_TAG: file_sha256(folder / "model.onnx"), "trained.sha256": "t"}
            return {"run_id": run.run_id, **marks}

        monkeypatch.setattr(azure_models, "version_tags", tags)
        have_entities(monkeypatch)
        return Run(run_id, folder)

    def build(self, folder: Path, number: int) -> None:
        made = write_version(self.folder / f"made-{number}", number)
        shutil.copytree(made, folder, dirs_exist_ok=True)


@pytest.fixture
def place(
    load: Callable[..., LoadedSettings], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Place:
    monkeypatch.setattr(azure, "require_extra", lambda: None)
    settings = load(platform="azure", azure__subscription_id="s", azure__poll_seconds=0.01)
    return Place(settings, tmp_path)


def test_versions_are_those_of_registry_and_workspace(place: Place) -> None:
    assert place.platform.versions() == []
    assert place.platform.champion(silent) is None
    place.keep(place.workspace, 10, f1="0.8")
    place.keep(place.workspace, 9)
    place.keep(place.registry, 9)
    assert [each.version for each in place.platform.versions()] == [9, 10]
    assert place.platform.versions()[1].tags["f1"] == "0.8"
    champion = place.platform.champion(silent)
    assert champion
    assert champion.version == 9  # the newest that all environments can deploy


def test_the_champion_is_of_real_data_by_the_tags_where_there_is_one(place: Place) -> None:
    place.keep(place.registry, 1, marked=True, **REAL.tags())
    place.keep(place.registry, 2, marked=True, **MADE_UP.tags())
    champion = place.platform.champion(silent)
    assert champion
    assert champion.version == 1


@pytest.mark.parametrize(
    ("serving", "champion", "said"),
    [
        (7, 9, ["version 7 serves in prod and is not registered any more, so version 9 is the"]),
        (10, 10, []),
        (9, 9, []),
    ],
)
def test_what_serves_in_prod_is_the_champion_unless_it_is_gone(
    place: Place,
    monkeypatch: pytest.MonkeyPatch,
    serving: int,
    champion: int,
    said: list[str],
) -> None:
    place.keep(place.registry, 9)
    place.keep(place.workspace, 10)
    monkeypatch.setattr(place.platform, "_serving_in_prod", lambda: serving)
    told: list[str] = []
    found = place.platform.champion(told.append)
    assert found
    assert found.version == champion
    assert told == [f"{line} champion" for line in said]


def test_a_version_is_downloaded_once_and_checked_each_time(place: Place) -> None:
    place.keep(place.registry, 1)
    folder = place.platform.version(1).folder
    assert (folder / "lineage.json").is_file()
    place.registry.models.download = None  # type: ignore[assignment, method-assign]
    assert place.platform.version(1).folder == folder
    model = folder / "model.onnx"
    model.write_bytes(model.read_bytes() + b"\0")
    with pytest.raises(Refused, match="is not the file that was registered"):
        place.platform.version(1)


def test_a_version_of_another_hash_than_registered_is_refused(place: Place) -> None:
    folder = place.keep(place.registry, 1)
    place.registry.models.kept[1] = (folder, {HASH_TAG: "0" * 64})
    with pytest.raises(Refused, match="as it was registered"):
        place.platform.version(1)


def test_a_copy_whose_registered_hash_nobody_knows_is_refused(place: Place) -> None:
    place.keep(place.registry, 1, marked=False)
    with pytest.raises(Refused, match=r"no tag model.sha256, .*mlops share --model-version 1`"):
        place.platform.version(1)
    with pytest.raises(Refused, match=r"no tag model.sha256, .*mlops share --model-version 1`"):
        place.platform.share(1, silent)
    place.keep(place.workspace, 1)  # where it was registered, the remedy helps
    place.platform.share(1, silent)
    place.workspace.models.kept.clear()
    assert place.platform.version(1).version == 1


def test_a_version_that_lost_its_hash_where_it_was_registered_is_not_shared(place: Place) -> None:
    place.keep(place.workspace, 1, marked=False)
    for ask in (lambda: place.platform.share(1, silent), lambda: place.platform.version(1)):
        with pytest.raises(Refused, match="archive it, and register its run again"):
            ask()
    assert place.workspace.models.shared == []


def test_an_unknown_version_says_what_there_is(place: Place) -> None:
    place.keep(place.registry, 4)
    with pytest.raises(ConfigError, match=r"no version 3 in the registry mlr-tiny .*there is: 4"):
        place.platform.version(3)


def test_sharing_copies_once_and_compares(place: Place) -> None:
    place.keep(place.workspace, 1)
    wanted = "azureml://registries/mlr-tiny/models/tiny/versions/1"
    assert place.platform._models.reference(1) == "azureml:tiny:1"
    assert place.platform.share(1, silent) == wanted
    assert place.platform.share(1, silent) == wanted
    assert place.workspace.models.shared == [1]
    assert place.platform._models.reference(1) == wanted


@pytest.mark.parametrize(
    ("said", "where"),
    [
        ("User x is not allowed to access registry mlr-tiny.", "the registry"),
        (
            "x may not perform action 'Microsoft.MachineLearningServices/registries/models/read' "
            "over scope '/registries/mlr-tiny'",
            "/registries/mlr-tiny",
        ),
    ],
)
def test_only_who_shares_is_told_to_take_a_role_that_writes(
    place: Place, monkeypatch: pytest.MonkeyPatch, said: str, where: str
) -> None:
    place.keep(place.workspace, 1)

    def refused(**_options: Any) -> None:
        raise SdkError(403, said)

    monkeypatch.setattr(place.registry.models, "list", refused)
    for reads in (place.platform.versions, lambda: place.platform.version(1)):
        with pytest.raises(
            ConfigError, match=rf"role is missing.*registry reader. of infra/.* on {where};"
        ):
            reads()
    with pytest.raises(ConfigError, match=f"the role AzureML Registry User on {where};"):
        share_version(place.platform, 1, silent)


def test_a_shared_copy_has_the_tags_of_the_original(place: Place) -> None:
    place.keep(place.workspace, 1, run_id="train-1")
    place.platform.share(1, silent)
    copied, original = place.registry.models.kept[1][1], place.workspace.models.kept[1][1]
    assert copied == original
    place.registry.models.kept[1] = (place.registry.models.kept[1][0], {HASH_TAG: "0", "own": "x"})
    place.platform.share(1, silent)
    assert place.registry.models.kept[1][1] == {**original, "own": "x"}
    place.registry.models.kept[1] = (place.registry.models.kept[1][0], {})
    place.registry.models.keeps_tags = False
    with pytest.raises(PlatformError, match="does not keep the tag"):
        place.platform.share(1, silent)


@pytest.mark.parametrize("where", ["workspace", "registry"])
def test_an_archived_version_keeps_its_number(
    place: Place, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = place.run("train-1", monkeypatch)
    place.keep(place.workspace, 1)
    client: Workspace = getattr(place, where)
    place.keep(client, 2)
    client.models.archived.add(2)
    assert place.platform.register(run, place.build).version == 3
    assert place.platform.register(run, place.build).version == 3  # the same run keeps its version
    place.workspace.models.archived.add(3)
    assert place.platform.register(run, place.build).version == 4


def test_an_archived_version_is_in_no_list_and_can_still_be_brought_back(place: Place) -> None:
    for client in (place.workspace, place.registry):
        place.keep(client, 1)
        place.keep(client, 2)
        client.models.archived = {1}
    assert [each.version for each in place.platform.versions()] == [2]
    assert place.platform.version(1).archived
    assert not place.platform.version(2).archived
    assert place.platform._models.reference(1).endswith("models/tiny/versions/1")
    with pytest.raises(ConfigError, match=r"no version 1 .*there is: 2"):
        place.platform.share(1, silent)


def test_a_version_of_the_registry_is_deployed_from_the_workspace_if_conf_says_so(
    load: Callable[..., LoadedSettings], place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The files that were checked are registered there, once, with their tags."""
    have_entities(monkeypatch)
    from_there = load(platform="azure", azure__subscription_id="s", azure__deploy_from="workspace")
    here = Place(from_there, place.folder)
    registered = here.keep(here.registry, 3, run_id="r")
    for _ in range(2):
        assert here.platform._models.reference(3) == "azureml:tiny:3"
    folder, tags = here.workspace.models.kept[3]
    assert file_sha256(folder / "model.onnx") == file_sha256(registered / "model.onnx")
    assert tags == here.registry.models.kept[3][1]
    here.workspace.models.kept[3] = (folder, {**tags, HASH_TAG: "another"})
    with pytest.raises(Refused, match="is not the one of the registry"):
        here.platform._models.reference(3)


def test_another_version_by_the_same_number_is_refused(place: Place) -> None:
    place.keep(place.workspace, 1)
    other = write_version(place.folder / "other", 7)
    place.registry.models.kept[1] = (other, {})
    with pytest.raises(Refused, match="their files differ"):
        place.platform.share(1, silent)


def outputs(place: Place) -> None:
    for name in STEP_OUTPUTS:
        folder = place.folder / "outputs" / name
        folder.mkdir(parents=True)
        (folder / "file").write_text(name)
        place.workspace.jobs.outputs[name] = folder


def test_the_outputs_of_a_job_are_fetched_once(place: Place) -> None:
    outputs(place)
    place.workspace.jobs.statuses["train-1"] = ["Completed"]
    run = place.platform.run("train-1")
    assert sorted(path.name for path in run.folder.iterdir()) == sorted(STEP_OUTPUTS)
    place.workspace.jobs.outputs.clear()
    assert place.platform.run("train-1") == run
    assert place.platform.runs() == [run]


def test_a_job_without_an_output_leaves_no_run(place: Place) -> None:
    outputs(place)
    del place.workspace.jobs.outputs["model"]
    place.workspace.jobs.statuses["train-1"] = ["Completed"]
    with pytest.raises(PlatformError, match="train-1 has no output model"):
        place.platform.run("train-1")
    assert place.platform.runs() == []


@pytest.mark.parametrize("run_id", ["../x", "", "a b"])
def test_what_is_no_run_id_is_refused(place: Place, run_id: str) -> None:
    with pytest.raises(ConfigError, match="not the id of a run"):
        place.platform.run(run_id)


def test_an_unknown_or_unfinished_job_is_told(place: Place) -> None:
    with pytest.raises(ConfigError, match="no run 'gone'"):
        place.platform.run("gone")
    place.workspace.jobs.statuses["train-1"] = ["Running"]
    place.workspace.jobs.went(prepare="Running", validate="Completed")
    with pytest.raises(PlatformError, match=r"is running .*, not completed") as raised:
        place.platform.run("train-1")
    assert "(validate completed, prepare running)" in str(raised.value)
    assert "https://studio/train-1" in str(raised.value)
    place.workspace.jobs.statuses["train-1"] = ["Failed"]
    place.workspace.jobs.went(validate="Completed", prepare="Failed")
    with pytest.raises(PlatformError, match=r"as failed \(validate completed, prepare failed"):
        place.platform.run("train-1")


def test_a_lost_connection_is_waited_out(place: Place) -> None:
    statuses: list[str | Exception] = ["Running", SdkError(503), "Running", "Completed"]
    place.workspace.jobs.statuses["train-1"] = statuses
    lines: list[str] = []
    assert azure_jobs._wait(place.clients, "train-1", lines.append) == "completed"
    assert any("trying again" in line for line in lines)


def test_a_job_that_does_not_end_is_given_up(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter(range(0, 10**9, 10**4))
    monkeypatch.setattr(time, "monotonic", lambda: next(times))
    place.workspace.jobs.statuses["train-1"] = ["Running"]
    place.workspace.jobs.went(validate="Queued")
    with pytest.raises(PlatformError, match="mlops evaluate --run-id train-1") as raised:
        azure_jobs._wait(place.clients, "train-1", silent)
    assert "it is running (validate queued)" in str(raised.value)


def test_each_change_of_a_step_is_told_once(place: Place) -> None:
    jobs = place.workspace.jobs
    jobs.statuses["train-1"] = ["NotStarted", "Running", "Running", "Running", "Completed"]
    went: list[dict[str, str]] = [
        {},
        {"validate": "Running"},
        {"validate": "Running"},
        {"prepare": "Running", "validate": "Completed"},
        {"evaluate": "Completed", "validate": "Completed"},
    ]
    get = jobs.get

    def get_next(name: str) -> Any:
        jobs.went(**went.pop(0))
        return get(name)

    jobs.get = get_next  # type: ignore[method-assign]
    lines: list[str] = []
    azure_jobs._wait(place.clients, "train-1", lines.append)
    assert [line.removeprefix("train-1: ").rpartition(",")[0] for line in lines] == [
        "notstarted",
        "running (validate running)",
        "running (validate completed, prepare running)",
        "completed (validate completed, evaluate completed)",
    ]


def failure(place: Place, status: str = "failed") -> Exception:
    runs = place.folder / "runs"
    return azure_jobs._failure(place.clients, "train-1", status, "https://studio", runs)


def train_on(place: Place, monkeypatch: pytest.MonkeyPatch, *ends: str, error: str) -> list[str]:
    """Train with jobs that end so, failing with an error of Azure's; return what was told."""
    names = [f"job-{number}" for number, _ in enumerate(ends)]
    place.workspace.jobs.statuses = {n: [end] for n, end in zip(names, ends, strict=True)}
    place.workspace.jobs.error = error
    place.workspace.jobs.outputs = dict.fromkeys(STEP_OUTPUTS, place.folder / "out")
    (place.folder / "out").mkdir()
    (place.folder / "out" / "file").touch()
    submitted = iter(names)

    def submit(*_arguments: Any) -> Any:
        name = next(submitted)
        return SimpleNamespace(name=name, studio_url=f"https://studio/{name}")

    monkeypatch.setattr(azure_jobs, "_submit", submit)
    git: Any = None
    told: list[str] = []
    azure_jobs.train(place.clients, git, None, place.folder / "runs", told.append)
    return told


def test_a_job_whose_machine_was_withdrawn_is_submitted_once_more(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = train_on(place, monkeypatch, "Failed", "Completed", error="PreemptionError")
    assert [line for line in told if "withdrew" in line] == [
        "Azure withdrew the machine of job-0 (a spot machine): submitting once more"
    ]
    assert (place.folder / "runs" / "job-1").is_dir()


@pytest.mark.parametrize(
    ("ends", "error", "said"),
    [
        (["Failed"], "UserError", "the job job-0 ended as failed"),
        (
            ["Failed", "Failed"],
            "PreemptionError",
            r"job-1 ended as failed.*withdrew its machine.*low_priority: false",
        ),
    ],
)
def test_it_is_submitted_no_third_time_and_for_nothing_else(
    place: Place, monkeypatch: pytest.MonkeyPatch, ends: list[str], error: str, said: str
) -> None:
    with pytest.raises(PlatformError, match=said):
        train_on(place, monkeypatch, *ends, error=error)


def test_a_job_that_azure_does_not_find_for_a_while_is_waited_for(place: Place) -> None:
    place.workspace.jobs.statuses["job"] = [SdkError(404), "Completed"]
    assert azure_jobs._wait(place.clients, "job", silent) == "completed"


def test_the_step_that_failed_is_named_with_the_place_of_its_log(place: Place) -> None:
    jobs = place.workspace.jobs
    jobs.went(fit="Failed", validate="Completed", prepare="Completed")
    jobs.log = "\n".join(f"line {n}" for n in range(100))
    error = failure(place)
    assert isinstance(error, PlatformError)
    said, *log = str(error).splitlines()
    assert "failed (validate completed, prepare completed, fit failed)" in said
    assert "std_log.txt of the step fit says why: https://fit" in said
    assert log == [f"line {n}" for n in range(70, 100)]
    # what `validated` holds are the data: they are not fetched for this
    assert jobs.downloads == [("id-fit", None)]
    jobs.went(validate="Completed", prepare="Canceled")
    error = failure(place, "canceled")
    assert "canceled (validate completed, prepare canceled): https://studio" in str(error)


@pytest.mark.parametrize("name", ["validate", "another name"])
def test_refused_data_are_told_by_the_results_which_are_kept(place: Place, name: str) -> None:
    place.workspace.jobs.went(**{name: "Failed"})
    folder = place.folder / "validated"
    found = Finding("in_range(0, 9)", "must be in the range 0 to 9", "a.csv", "age", 3)
    report = ValidationReport({"a.csv": 5}, 5, "2026-01-31", None, (found,), ())
    for kept, said in ((True, found.sentence()), (False, found.sentence(values=False))):
        write_json(folder / VALIDATION_RESULTS.name, report.to_dict(values=kept))
        place.workspace.jobs.outputs["validated"] = folder
        error = failure(place)
        assert isinstance(error, Refused)
        assert said in str(error)
    results = place.folder / "refused" / "train-1" / VALIDATION_RESULTS.name
    assert f"{results} holds every failure" in str(error)
    assert read_json(results, schema=1)["failures"]
    assert place.workspace.jobs.downloads[-1] == (f"id-{name}", "validated")


def test_refused_data_are_told_by_the_log_if_there_are_no_results(place: Place) -> None:
    place.workspace.jobs.went(validate="Failed")
    place.workspace.jobs.log = f"error: {DATA_REFUSED}:\n  a.csv: no"
    error = failure(place)
    assert isinstance(error, Refused)
    said, log = str(error).split("\n", 1)
    assert said.endswith("by the step validate of train-1: https://validate")
    assert log == place.workspace.jobs.log
    place.workspace.jobs.log = "Segmentation fault"
    assert isinstance(failure(place), PlatformError)


def test_a_job_cannot_read_a_folder_of_this_machine(
    load: Callable[..., LoadedSettings], tmp_path: Path
) -> None:
    clients, _, _ = clients_of(load(data__source="folder"))
    with pytest.raises(ConfigError, match="mlops data register"):
        azure_jobs._data(clients, None)
    below = clients.settings.project.root / "my $(data)"
    below.mkdir()
    given = azure_jobs._data(clients, below)
    assert given == azure_jobs._JobData(str(below), "folder:my%20%24%28data%29")
    told = locate(clients.settings, tmp_path, given.told)
    assert (told.folder, told.kind, told.name) == (tmp_path, "folder", "my $(data)")
    clients, _, _ = clients_of(load(azure__data_asset="transactions:3"))
    asset = azure_jobs._JobData("azureml:transactions:3", "asset:transactions:3")
    assert azure_jobs._data(clients, None) == asset
    clients, _, _ = clients_of(load())
    assert azure_jobs._data(clients, None) is None


def test_a_job_gets_the_settings_that_are_given_as_variables() -> None:
    variables = {
        "MLOPS_TRAINING__SEED": "7",
        "MLOPS_PARAMS__MAX_ITER": "",
        "MLOPS_ENVIRONMENT": "dev",
        "MLOPS_PLATFORM": "azure",
        "MLOPS_AZURE__WORKSPACE": "w",
        "AZURE_CLIENT_SECRET": "never",
    }
    assert azure_jobs.passed_on(variables) == {"MLOPS_TRAINING__SEED": "7"}


def test_the_same_data_keep_their_version(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    with pytest.raises(ConfigError, match="no folder with files"):
        folder_hash(data)
    (data / "a.csv").write_text("1")
    have_entities(monkeypatch)
    for _ in range(2):
        assert register(place.clients, data, "transactions", silent) == "transactions:1"
    (data / "a.csv").write_text("2")
    assert register(place.clients, data, "transactions", silent) == "transactions:2"
    assert [each.path for each in place.workspace.data.kept] == [str(data)] * 2


def test_archived_data_keep_their_number(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    have_entities(monkeypatch)
    (tmp_path / "a.csv").write_text("1")
    register(place.clients, tmp_path, "transactions", silent)
    place.workspace.data.archived.add("1")
    assert register(place.clients, tmp_path, "transactions", silent) == "transactions:2"


def test_a_folder_of_a_datastore_is_registered_where_it_lies(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    have_entities(monkeypatch)
    stored = place.platform.register_stored_data
    assert stored(f"{LAKE}/sales/2026-11/", "transactions", silent) == "transactions:1"
    (asset,) = place.workspace.data.kept
    assert (asset.type, asset.path) == ("uri_folder", f"{LAKE}/sales/2026-11")
    asset.path = asset.path.replace("://", "://subscriptions/s/resourcegroups/g/workspaces/w/")
    assert stored(f"{LAKE}/sales/2026-11", "transactions", silent) == "transactions:1"
    assert stored(f"{LAKE}/2026-11", "transactions", silent) == "transactions:2"
    place.workspace.data.archived.add("2")
    assert stored(f"{LAKE}/2026-11", "transactions", silent) == "transactions:3"


@pytest.mark.parametrize(
    "path",
    [
        "data",
        "azureml://datastores/lake",
        f"{LAKE}/",
        f"{LAKE}/a/../b",
        f"{LAKE}/a*",
        "https://account.blob.core.windows.net/lake/a",
        "azureml:transactions:3",
    ],
)
def test_what_is_no_folder_of_a_datastore_is_refused(place: Place, path: str) -> None:
    with pytest.raises(ConfigError, match=r"--path: .* must name a folder of a datastore"):
        place.platform.register_stored_data(path, "transactions", silent)
    assert place.workspace.data.kept == []


def test_a_verdict_stays_with_the_run(place: Place) -> None:
    outputs(place)
    place.workspace.jobs.statuses["train-1"] = ["Completed"]
    run = place.platform.run("train-1")
    place.platform.store_verdict(run, {"schema": 1, "passed": True})
    assert (run.folder / "verdict.json").is_file()
