"""LightGBM and XGBoost by the extra: trained, registered, served and released, as docs/models.md says."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import Project, Template, run, uv

pytestmark = [pytest.mark.project, pytest.mark.slow]

LIGHTGBM = """\
from lightgbm import LGBMClassifier


def make_boosted(seed: int) -> LGBMClassifier:
    return LGBMClassifier(
        n_estimators=60, random_state=seed, deterministic=True, force_row_wise=True, n_jobs=1
    )
"""
XGBOOST = """\
from xgboost import XGBClassifier


def make_boosted(seed: int) -> XGBClassifier:
    return XGBClassifier(n_estimators=60, random_state=seed, n_jobs=1)
"""
MODELS = {"LGBMClassifier": LIGHTGBM, "XGBClassifier": XGBOOST}


@pytest.fixture(scope="module")
def project(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """Breast cancer in the blank example, with the extra added by the command of the page."""
    project = template.install(tmp_path_factory.mktemp("boosting") / "project", example="blank")
    package = project.path / "src/purchase_prediction"
    shutil.rmtree(package)
    shutil.copytree(Path(__file__).with_name("breast_cancer"), package)
    (project.path / "conf/dev.yaml").write_text("data: {fraction: 1.0}\n", encoding="utf-8")
    page = (project.path / "docs/models.md").read_text(encoding="utf-8")
    (extra,) = re.findall(r"^uv (add --group machinery) '(mlops-machinery\[boosting\])'$", page, re.M)
    run(uv(), *extra[0].split(), extra[1], folder=project.path)
    yield project
    project.mlops("stop", "--all")


def test_an_ordinary_sync_keeps_what_was_added(project: Project) -> None:
    """So do the pipeline, and the image of training with the command of its Dockerfile."""
    dockerfile = project.path / "aml/environments/training/Dockerfile"
    (sync,) = re.findall(r"^RUN uv (sync .*)$", dockerfile.read_text(encoding="utf-8"), re.M)
    for command in (["sync", "--locked"], [*sync.split(), "--dry-run"]):
        said = run(uv(), *command, folder=project.path)
        assert not re.search(r"- (lightgbm|xgboost|onnxmltools)", said)
    project.run("python", "-c", "import lightgbm, onnxmltools, xgboost")
    assert "nvidia" not in run(uv(), "pip", "list", folder=project.path)


@pytest.mark.parametrize("kind", MODELS)
def test_the_loop_is_green(project: Project, kind: str) -> None:
    package = project.path / "src/purchase_prediction"
    (package / "boosted.py").write_text(MODELS[kind], encoding="utf-8")
    model = (package / "model.py").read_text(encoding="utf-8")
    changed = re.sub(
        r"def make_model\(.*?\n\n\n",
        "def make_model(params: BaseModel, seed: int) -> Any:\n    return make_boosted(seed)\n\n\n",
        model,
        flags=re.DOTALL,
    )
    if "make_boosted" not in model:
        changed = changed.replace(
            "from pydantic", "from typing import Any\n\nfrom pydantic", 1
        ).replace("\n\n\ndef ", "\n\nfrom .boosted import make_boosted\n\n\ndef ", 1)
        (package / "model.py").write_text(changed, encoding="utf-8")
    said = project.mlops("run")
    print(said[-1500:])
    (project.path / ".mlops").is_dir()
    found = [
        json.loads(path.read_text(encoding="utf-8"))
        for path in (project.path / ".mlops").rglob("lineage.json")
    ]
    newest = max(found, key=lambda lineage: lineage["model"]["version"])
    assert newest["model"]["version"] == 1 + list(MODELS).index(kind)
    assert newest["training"]["model_type"] == kind
    parity = [
        json.loads(path.read_text(encoding="utf-8"))["parity"]
        for path in (project.path / ".mlops").rglob("evaluation.json")
    ]
    print(kind, [each["gap"] for each in parity])
    assert max(each["gap"] for each in parity) < 1e-6
    assert sum(each["flips"] for each in parity) == 0


def test_its_tests_pass_with_no_stub_left(project: Project) -> None:
    project.run("pytest", "--no-stubs")
