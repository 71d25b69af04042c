"""Azure ML's client as far as an endpoint, models and jobs need it: in memory, without the SDK."""

import copy
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mlops.platforms.azure.client import AzureClients
from mlops.settings.loading import LoadedSettings


class SdkError(Exception):
    """An error of the SDK's own kind."""

    __module__ = "azure.core.exceptions"

    def __init__(self, status: int, message: str = "it said no") -> None:
        super().__init__(message)
        self.status_code = status
        self.message = message


class Poller:
    """An operation that has ended."""

    def done(self) -> bool:
        return True

    def result(self) -> None:
        return None


class Endpoints:
    """The endpoints and deployments of a workspace; `before_write` is called before each write."""

    def __init__(self) -> None:
        self.kept: dict[str, Any] = {}
        self.placed: dict[str, Any] = {}
        self.writes: list[Any] = []
        self.before_write: Callable[[], None] = lambda: None
        self.log = "line 1\nline 2\n"
        self.init_log = ""
        self.auth_mode = "key"
        self.keys_listed = 0

    def serve(self, endpoint: str, **deployments: int) -> None:
        """Let an endpoint serve versions, the first with all traffic."""
        self.placed = {name: deployment(name, n) for name, n in deployments.items()}
        first = next(iter(deployments), None)
        self.kept[endpoint] = SimpleNamespace(
            name=endpoint,
            tags={},
            traffic={first: 100} if first else {},
            mirror_traffic={},
            auth_mode=self.auth_mode,
            scoring_uri=f"https://{endpoint}.example/score",
            identity=None,
        )

    def get(self, name: str) -> Any:
        if name not in self.kept:
            raise SdkError(404)
        return copy.deepcopy(self.kept[name])

    def begin_create_or_update(self, entity: Any) -> Poller:
        self.before_write()
        self.kept[entity.name] = copy.deepcopy(entity)
        self.writes.append(copy.deepcopy(entity))
        return Poller()

    def begin_delete(self, name: str, endpoint: str | None = None) -> Poller:
        del (self.placed if endpoint else self.kept)[name]
        return Poller()

    def list(self, _endpoint: str) -> list[Any]:
        return copy.deepcopy(list(self.placed.values()))

    def get_keys(self, _name: str) -> Any:
        self.keys_listed += 1
        return SimpleNamespace(primary_key="key")

    def get_logs(
        self, _deployment: str, _endpoint: str, _lines: int, container_type: str | None = None
    ) -> str:
        return self.init_log if container_type else self.log


def deployment(name: str, version: int, state: str = "Succeeded") -> Any:
    return SimpleNamespace(
        name=name,
        model=f"azureml://registries/r/models/tiny/versions/{version}",
        provisioning_state=state,
        instance_type="Standard_D2as_v4",
        instance_count=1,
        tags={"model_version": str(version), "model_sha256": "s", "commit": "c"},
    )


class Models:
    """The model versions of a workspace or a registry, as folders.

    A registry's list never shows archived versions, whatever it is asked for.
    """

    def __init__(self) -> None:
        self.kept: dict[int, tuple[Path, dict[str, str]]] = {}
        self.archived: set[int] = set()
        self.shows_archived = True
        self.keeps_tags = True
        self.uploads = Path()
        self.other: Models | None = None
        self.shared: list[int] = []
        self.before_write: Callable[[], None] = lambda: None
        self._evidence: Models | None = None

    @property
    def evidence(self) -> "Models":
        """The model asset that is kept beside the model's own."""
        if self._evidence is None:
            self._evidence = Models()
            self._evidence.uploads = self.uploads / "evidence"
            self._evidence.shows_archived = self.shows_archived
        return self._evidence

    def _asset(self, name: str) -> "Models":
        return self.evidence if name.endswith("-evidence") else self

    def _list(self, name: str, list_view_type: str) -> list[Any]:
        if not self.kept:
            raise SdkError(404)
        every = self.shows_archived and list_view_type != "ActiveOnly"
        hidden = set() if every else self.archived
        return [self._get(name, str(number)) for number in self.kept if number not in hidden]

    def list(self, name: str, list_view_type: str = "ActiveOnly") -> list[Any]:
        return self._asset(name)._list(name, list_view_type)

    def get(self, name: str, version: str) -> Any:
        return self._asset(name)._get(name, version)

    def _get(self, name: str, version: str) -> Any:
        if int(version) not in self.kept:
            raise SdkError(404)
        return SimpleNamespace(name=name, version=version, tags=dict(self.kept[int(version)][1]))

    def create_or_update(self, model: Any) -> None:
        self._asset(model.name)._create_or_update(model)

    def _create_or_update(self, model: Any) -> None:
        self.before_write()
        number = int(model.version)
        if number not in self.kept:
            folder = self.uploads / f"upload-{number}"
            shutil.copytree(model.path, folder)
            self.kept[number] = (folder, dict(model.tags))
        elif self.keeps_tags:
            self.kept[number] = (self.kept[number][0], dict(model.tags))

    def download(self, name: str, version: str, download_path: str) -> None:
        folder, _ = self._asset(name).kept[int(version)]
        shutil.copytree(folder, Path(download_path) / name / "inner")

    def share(self, _name: str, version: str, **_options: Any) -> None:
        assert self.other
        self.shared.append(int(version))
        folder, _ = self.kept[int(version)]
        self.other.kept[int(version)] = (folder, {})


class Data:
    """The data assets of a workspace."""

    def __init__(self) -> None:
        self.kept: list[Any] = []
        self.archived: set[str] = set()

    def list(self, name: str, list_view_type: str = "ActiveOnly") -> list[Any]:
        hidden = self.archived if list_view_type == "ActiveOnly" else set()
        return [each for each in self.kept if each.name == name and each.version not in hidden]

    def get(self, name: str, version: str) -> Any:
        for each in self.kept:
            if (each.name, each.version) == (name, version):
                return each
        raise SdkError(404)

    def create_or_update(self, asset: Any) -> None:
        self.kept.append(asset)


class Jobs:
    """Jobs by name: their statuses, one an answer, and the folders of their outputs."""

    def __init__(self) -> None:
        self.statuses: dict[str, list[str | Exception]] = {}
        self.outputs: dict[str, Path] = {}
        self.steps: list[Any] = []
        self.log = "what it printed"
        self.error = ""
        self._runs_operations = SimpleNamespace(get_run_details=self._details)
        self.downloads: list[tuple[str, str | None]] = []

    def get(self, name: str) -> Any:
        if name not in self.statuses:
            raise SdkError(404)
        found = self.statuses[name]
        status = found.pop(0) if len(found) > 1 else found[0]
        if isinstance(status, Exception):
            raise status
        return SimpleNamespace(status=status, studio_url=f"https://studio/{name}")

    def _details(self, _job: str) -> Any:
        error = SimpleNamespace(as_dict=lambda: {"error": {"code": self.error}})
        return SimpleNamespace(error=error if self.error else None)

    def went(self, **statuses: str) -> None:
        """Let a job have steps."""
        self.steps = [
            SimpleNamespace(
                name=f"id-{name}", display_name=name, status=status, studio_url=f"https://{name}"
            )
            for name, status in statuses.items()
        ]

    def list(self, **_parent: str) -> list[Any]:
        return self.steps

    def download(self, name: str, download_path: str, output_name: str | None = None) -> None:
        self.downloads.append((name, output_name))
        if output_name is None:
            target = Path(download_path) / "artifacts" / "user_logs"
            target.mkdir(parents=True)
            (target / "std_log.txt").write_text(self.log)
            return
        source = self.outputs.get(output_name)
        if source:
            shutil.copytree(source, Path(download_path) / "named-outputs" / output_name)


class Workspace:
    """A workspace's client."""

    def __init__(self) -> None:
        self.online_endpoints = self.online_deployments = Endpoints()
        self.models = Models()
        self.data = Data()
        self.jobs = Jobs()
        self.workspaces = SimpleNamespace(get=lambda name: SimpleNamespace(name=name))


class Credential:
    """Gives tokens that live for an hour by its own clock, and notes for what."""

    def __init__(self) -> None:
        self.now = time.time()
        self.asked: list[str] = []

    def get_token(self, scope: str) -> SimpleNamespace:
        self.asked.append(scope)
        return SimpleNamespace(token="token", expires_on=int(self.now) + 3600)


def have_entities(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the SDK's descriptions of models and data be plain objects."""
    entities = SimpleNamespace(Model=SimpleNamespace, Data=SimpleNamespace)
    monkeypatch.setitem(sys.modules, "azure.ai.ml.entities", entities)


def clients_of(settings: LoadedSettings) -> tuple[AzureClients, Workspace, Workspace]:
    """Return clients whose workspace and registry are in memory, and these two."""
    clients, workspace, registry = AzureClients(settings), Workspace(), Workspace()
    credential = Credential()
    vars(clients).update(workspace=workspace, registry=registry, credential=credential)
    workspace.models.other, registry.models.shows_archived = registry.models, False
    return clients, workspace, registry
