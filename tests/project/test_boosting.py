"""LightGBM and XGBoost by the extra: trained, registered, served and released."""

import json
import re
import shlex
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import Project, Template, run, uv

pytestmark = [pytest.mark.project, pytest.mark.slow]

LIGHTGBM = """\
from lightgbm import LGBMClassifier
from pydantic import BaseModel
from sklearn.tree import DecisionTreeClassifier


def make_model(params: BaseModel, seed: int) -> LGBMClassifier:
    return LGBMClassifier(
        n_estimators=60, random_state=seed, deterministic=True, force_row_wise=True, n_jobs=1
    )
"""
XGBOOST = """\
from pydantic import BaseModel
from sklearn.tree import DecisionTreeClassifier
from xgboost import XGBClassifier


def make_model(params: BaseModel, seed: int) -> XGBClassifier:
    return XGBClassifier(n_estimators=60, random_state=seed, n_jobs=1)
"""
BASELINE = """

def make_baseline(seed: int) -> DecisionTreeClassifier:
    return DecisionTreeClassifier(max_depth=1, random_state=seed)
"""
MODELS = {"LGBMClassifier": LIGHTGBM, "XGBClassifier": XGBOOST}


def read(path: Path) -> dict[str, Any]:
    """Return what a file of JSON holds."""
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


@pytest.fixture(scope="module")
def project(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """Breast cancer in the blank example, with the extra added by the command of the page."""
    project = template.install(tmp_path_factory.mktemp("boosting") / "project", example="blank")
    package = project.path / "src/purchase_prediction"
    shutil.rmtree(package)
    shutil.copytree(Path(__file__).with_name("use_cases") / "breast_cancer", package)
    (project.path / "conf/dev.yaml").write_text("data: {fraction: 1.0}\n", encoding="utf-8")
    page = (project.path / "docs/models.md").read_text(encoding="utf-8")
    (command,) = re.findall(r"^uv (add --group .*)$", page, re.MULTILINE)
    run(uv(), *shlex.split(command), folder=project.path)
    yield project
    project.mlops("stop", "--all")


def test_an_ordinary_sync_keeps_what_was_added(project: Project) -> None:
    """So do the pipeline, and the image of training with the command of its Dockerfile."""
    dockerfile = (project.path / "aml/environments/training/Dockerfile").read_text("utf-8")
    (sync,) = re.findall(r"^RUN uv (sync .*)$", dockerfile, re.MULTILINE)
    for command in (["sync", "--locked"], [*sync.split(), "--dry-run"]):
        said = run(uv(), *command, folder=project.path)
        assert not re.search(r"- (lightgbm|xgboost|onnxmltools)", said)
    project.run("python", "-c", "import lightgbm, onnxmltools, xgboost")
    assert "nvidia" not in run(uv(), "pip", "list", folder=project.path)


@pytest.mark.parametrize("kind", MODELS)
def test_the_loop_is_green(project: Project, kind: str) -> None:
    package = project.path / "src/purchase_prediction"
    (package / "model.py").write_text(MODELS[kind] + BASELINE, encoding="utf-8")
    said = project.mlops("run")
    assert "promoted" in said
    state = project.path / ".mlops"
    versions = [read(path) for path in state.rglob("lineage.json")]
    newest = max(versions, key=lambda lineage: int(lineage["model"]["version"]))
    assert newest["model"]["version"] == 1 + list(MODELS).index(kind)
    assert newest["training"]["model_type"] == kind
    found = [read(path)["parity"] for path in state.rglob("evaluation.json")]
    sys.stdout.write(f"{kind}: gaps {[parity['gap'] for parity in found]}\n")
    assert max(parity["gap"] for parity in found) < 1e-6
    assert sum(parity["flips"] for parity in found) == 0


def test_its_tests_pass_with_no_stub_left(project: Project) -> None:
    project.run("pytest", "--no-stubs")
