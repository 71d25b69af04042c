"""The pipeline's commands, run as a job does: in a copy of the code, on what the image installs.

No image is built here, as not every machine can (tests/images/ builds it): its Dockerfile's one
installation runs in a folder, and the launcher stands on PATH as in the image.
"""

import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from azure.ai.ml._utils._asset_utils import get_ignore_file, get_upload_files_from_folder
from mlops.platforms.azure.job_code import copy_code

from tests.support import Template, run, uv

pytestmark = pytest.mark.project

COMMIT = "0123456789" * 4
GIVEN = {"inputs.environment": "dev", "inputs.git_commit": COMMIT, "inputs.git_dirty": "False"}


@pytest.fixture(scope="module")
def project(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Path:
    project = template.render(tmp_path_factory.mktemp("job") / "project")
    run(uv(), "lock", "--quiet", folder=project)
    return project


@pytest.fixture(scope="module")
def image(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the image has: bin/mlops, and an environment of the lock alone."""
    image = tmp_path_factory.mktemp("image")
    source = project / "aml" / "environments" / "training"
    for name in ("Dockerfile", "mlops"):
        shutil.copy(source / name, image)
    dockerfile = (image / "Dockerfile").read_text(encoding="utf-8")
    (install,) = re.findall(r"^RUN uv (sync .*) --no-cache$", dockerfile, re.MULTILINE)
    for line in re.findall(r"^COPY (?!--from)(.*)$", dockerfile, re.MULTILINE)[:2]:
        *names, target = line.split()
        (image / target).mkdir(parents=True, exist_ok=True)
        for name in names:
            shutil.copy(project / name, image / target)
    environment = {"UV_PROJECT_ENVIRONMENT": str(image / "venv")}
    run(uv(), *install.split(), "--quiet", folder=image, env=environment)
    (image / "bin").mkdir()
    shutil.move(image / "mlops", image / "bin" / "mlops")
    (image / "bin" / "mlops").chmod(0o755)
    return image


@pytest.fixture(scope="module")
def snapshot(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The code of a job."""
    snapshot = tmp_path_factory.mktemp("snapshot") / "code"
    copy_code(project, snapshot)
    return snapshot


def test_the_code_is_what_the_sdk_itself_would_upload(project: Path, snapshot: Path) -> None:
    uploaded: Any = get_upload_files_from_folder(project, ignore_file=get_ignore_file(project))
    files = [path for path in snapshot.rglob("*") if path.is_file()]
    found = {path.relative_to(snapshot).as_posix() for path in files}
    assert found == {name for _, name in uploaded}


def test_the_steps_run_on_the_code_and_the_image_alone(
    project: Path, image: Path, snapshot: Path, tmp_path: Path
) -> None:
    path = os.pathsep.join([str(image / "bin"), str(image / "venv" / "bin"), "/usr/bin", "/bin"])
    pipeline = project / "aml" / "pipelines" / "train.yml"
    for step in yaml.safe_load(pipeline.read_text(encoding="utf-8"))["jobs"].values():
        component = yaml.safe_load((pipeline.parent / step["component"]).read_text("utf-8"))
        command = re.sub(r"\$\[\[.*?\]\]", "", component["command"])
        for output in component["outputs"]:
            # Azure ML makes the folder before the command runs.
            (tmp_path / output).mkdir()
        command = re.sub(
            r"\$\{\{(\w+\.(\w+))\}\}",
            lambda name: GIVEN.get(name[1]) or str(tmp_path / name[2]),
            command,
        )
        run("sh", "-c", command, folder=snapshot, env={"PATH": path, "HOME": str(tmp_path)})
    evaluation = json.loads((tmp_path / "evaluation" / "evaluation.json").read_text("utf-8"))
    assert evaluation["model"]["roc_auc"] > 0.5
    training = json.loads((tmp_path / "model" / "training.json").read_text("utf-8"))
    assert training["git"] == {"commit": COMMIT, "branch": "", "dirty": False}
    assert training["environment"]["lock_sha256"]
    folders = {path.name for path in tmp_path.iterdir() if path.is_dir()}
    assert folders >= {"validated", "prepared", "model", "evaluation"}


def test_the_image_lacks_what_only_developers_need(image: Path) -> None:
    installed = {path.name for path in (image / "venv").rglob("site-packages/*")}
    assert {"polars", "sklearn", "skops"} <= installed
    assert not {"pytest", "mypy", "ruff"} & installed
