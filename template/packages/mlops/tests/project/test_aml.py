"""The files in aml/: they are right, and they run what `mlops train` runs on this machine."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from fakes.places import PROJECT
from mlops.aml.lint import lint
from mlops.cli.main import mlops
from mlops.data.source import Located
from mlops.platforms.azure.steps import STEPS
from mlops.platforms.base import Run
from mlops.platforms.local.platform import LocalPlatform
from mlops.progress import silent
from mlops.settings.loading import LoadedSettings
from mlops.steps import evaluate, fit, prepare, validate

PIPELINE = PROJECT / "aml" / "pipelines" / "train.yml"

Step = tuple[str, tuple[str, ...], str]
"""Its name, the folders that it reads and the one that it writes."""


def test_every_definition_is_right() -> None:
    assert [str(problem) for problem in lint(PROJECT, mlops)] == []


def test_azure_runs_the_same_steps_in_the_same_order(
    settings: LoadedSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = local_steps(settings, tmp_path, monkeypatch)
    assert [name for name, _, _ in steps] == ["validate", "prepare", "fit", "evaluate"]
    assert azure_steps() == steps
    assert tuple(name for name, _, _ in steps) == STEPS


def test_a_run_on_azure_has_the_folders_of_a_run_here() -> None:
    outputs = yaml.safe_load(PIPELINE.read_text(encoding="utf-8"))["outputs"]
    assert list(outputs) == ["validated", "prepared", "model", "evaluation"]


def test_what_the_validation_found_is_there_when_it_refuses_the_data() -> None:
    """An upload comes at the end of a step, and may not come if that fails."""
    component = PIPELINE.parents[1] / "components" / "validate.yml"
    for path in (PIPELINE, component):
        outputs = yaml.safe_load(path.read_text(encoding="utf-8"))["outputs"]
        assert outputs["validated"]["mode"] == "rw_mount"


def local_steps(
    settings: LoadedSettings, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> list[Step]:
    """Let the local platform run steps that only note what they are given."""
    called: list[Step] = []

    def noting(name: str) -> Callable[..., Any]:
        def run(*arguments: object, **_named: object) -> Any:
            places = (each.folder if isinstance(each, Located) else each for each in arguments)
            folders = [path.name for path in places if isinstance(path, Path)]
            called.append((name, tuple(folders[:-1]), folders[-1]))
            return SimpleNamespace(passed=True, rows=1, forgotten=0)

        return run

    for module in (validate, prepare, fit, evaluate):
        name = module.__name__.rpartition(".")[2]
        monkeypatch.setattr(module, "run", noting(name))
    run = Run("run", folder / "run")
    LocalPlatform(settings)._steps(run, Located(folder / "data", "folder", ""), {}, silent)
    return called


def azure_steps() -> list[Step]:
    """Read the steps from the pipeline, with the names of the folders as the components say."""
    steps = []
    for step in yaml.safe_load(PIPELINE.read_text(encoding="utf-8"))["jobs"].values():
        path = PIPELINE.parent / step["component"]
        component = yaml.safe_load(path.read_text(encoding="utf-8"))
        inputs = component["inputs"]
        folders = [name for name, port in inputs.items() if port["type"] == "uri_folder"]
        (written,) = component["outputs"]
        program, group, name = component["command"].split()[:3]
        assert (program, group) == ("mlops", "step")
        for folder in folders:
            bound = step["inputs"].get(folder, "")
            producer = ".outputs." + folder + "}" * 2
            assert bound.endswith(producer) or inputs[folder].get("optional")
        steps.append((name, tuple(folders), written))
    return steps
