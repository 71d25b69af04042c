"""Settings follow the task of the use case, and what is of another one is refused by name."""

from pathlib import Path

import pytest

from mlops.errors import ConfigError
from mlops.settings.loading import LoadedSettings, load_settings
from mlops.settings.project import Project
from mlops.settings.task_settings import check_task, defaults_of
from mlops.tasks import Task
from mlops.usecase.use_case import UseCase


def load(
    project: Project, monkeypatch: pytest.MonkeyPatch, task: Task, base: str = ""
) -> LoadedSettings:
    monkeypatch.setattr(UseCase, "task", property(lambda _: task))
    (project.root / "conf" / "base.yaml").write_text(base)
    (project.root / "conf" / "dev.yaml").write_text("")
    return load_settings(project, variables={})


@pytest.mark.parametrize(
    ("task", "metric", "limits", "tolerance"),
    [
        (Task.BINARY, "f1", {"f1": 0.75, "roc_auc": 0.75}, 1e-4),
        (Task.MULTICLASS, "f1_macro", {}, 1e-4),
        (Task.REGRESSION, "mae", {}, 1e-5),
    ],
)
def test_each_task_has_its_defaults(
    project: Project,
    monkeypatch: pytest.MonkeyPatch,
    task: Task,
    metric: str,
    limits: dict[str, float],
    tolerance: float,
) -> None:
    found = load(project, monkeypatch, task)
    gate = found.values.gate
    assert gate.metric == metric
    assert gate.limits(made_up=False) == limits
    assert gate.parity_tolerance == tolerance
    assert found.source_of("gate.metric") == "default"


@pytest.mark.parametrize(
    ("task", "base", "said"),
    [
        (Task.REGRESSION, "gate: {metric: f1}", "conf/base.yaml: gate.metric: f1 is no metric of"),
        (
            Task.REGRESSION,
            "gate: {thresholds: {roc_auc: 0.7}}",
            "gate.thresholds.roc_auc: roc_auc is no metric of a regression model",
        ),
        (
            Task.MULTICLASS,
            "gate: {sample_thresholds: {mae: 9}}",
            "gate.sample_thresholds.mae: mae is no metric of a multiclass model",
        ),
        (Task.BINARY, "gate: {metric: f1_macro}", "f1_macro is no metric of a binary model"),
        (
            Task.REGRESSION,
            "training: {decision_threshold: 0.4}",
            "training.decision_threshold is of a binary model alone",
        ),
    ],
)
def test_what_is_of_another_task_is_refused(
    project: Project, monkeypatch: pytest.MonkeyPatch, task: Task, base: str, said: str
) -> None:
    with pytest.raises(ConfigError) as refusal:
        load(project, monkeypatch, task, base)
    assert said in refusal.value.message


def test_the_metrics_that_there_are_are_named() -> None:
    with pytest.raises(ConfigError) as refusal:
        check_task(Task.REGRESSION, {"gate.metric": "f1"}, {"gate.metric": "conf/dev.yaml"})
    assert refusal.value.remedy == "there are mae, rmse, median_absolute_error, r2, mape"


def test_a_limit_of_null_asks_nothing_whatever_the_task() -> None:
    check_task(Task.REGRESSION, {"gate.thresholds.f1": None}, {"gate.thresholds.f1": "conf"})
    assert defaults_of(Task.BINARY) == {}


def write_model(folder: Path, text: str) -> UseCase:
    package = folder / "shop_model"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "model.py").write_text(text)
    return UseCase("shop_model")


@pytest.mark.parametrize(
    ("text", "task"),
    [
        ("", Task.BINARY),
        ('TASK = "regression"\n', Task.REGRESSION),
        ('import no_such_library\nTASK: str = "multiclass"\n', Task.MULTICLASS),
        ('def f():\n    TASK = "regression"\n', Task.BINARY),
    ],
)
def test_the_task_is_read_without_running_the_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, task: Task
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    assert write_model(tmp_path, text).task is task


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('TASK = "classification"\n', "TASK in model.py is 'classification'"),
        ("TASK = NAMES[0]\n", r"is 'NAMES\[0\]', and must be one of \"binary\""),
        ("TASK = 3\n", "is 3, and must be"),
        ("TASK = (\n", "model.py is not valid Python"),
    ],
)
def test_a_task_that_is_none_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, said: str
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ConfigError, match=said):
        _ = write_model(tmp_path, text).task
