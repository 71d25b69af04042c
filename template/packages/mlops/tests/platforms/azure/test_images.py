"""What an image is built from, put together from the files of a project."""

from pathlib import Path

import pytest

from mlops.errors import ConfigError
from mlops.platforms.azure.images import ADDED, assemble


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with the files that images are built from."""
    root = tmp_path / "project"
    for name in ADDED:
        folder = root / "aml" / "environments" / name
        folder.mkdir(parents=True)
        (folder / "Dockerfile").write_text("FROM scratch")
        (folder / "environment.yml").write_text("name: x")
    (root / "serving").mkdir()
    (root / "serving" / "requirements.txt").write_text("numpy")
    for folder in (root, root / "packages" / "mlops"):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "pyproject.toml").write_text(f"[project] # {folder.name}")
    (root / "uv.lock").write_text("version = 1")
    return root


def test_an_image_gets_the_projects_own_files(root: Path, tmp_path: Path) -> None:
    assemble(root, "training", tmp_path / "training")
    assemble(root, "serving", tmp_path / "serving")
    files = {
        path.relative_to(tmp_path).as_posix()
        for path in (*(tmp_path / "training").rglob("*"), *(tmp_path / "serving").rglob("*"))
        if path.is_file()
    }
    assert files == {
        "training/Dockerfile",
        "training/packages/mlops/pyproject.toml",
        "training/pyproject.toml",
        "training/uv.lock",
        "serving/Dockerfile",
        "serving/serving/requirements.txt",
    }
    assert (tmp_path / "serving" / "serving" / "requirements.txt").read_text() == "numpy"
    copies = [tmp_path / "training" / name for name in ADDED["training"] if "toml" in name]
    assert len({path.read_text() for path in copies}) == 2, "one pyproject.toml, not the other"


def test_the_version_follows_what_is_built_and_nothing_else(root: Path, tmp_path: Path) -> None:
    def version(name: str) -> str:
        return assemble(root, name, tmp_path / name)

    training, serving = version("training"), version("serving")
    assert training != serving
    (root / "src.py").write_text("code")
    (root / "aml" / "environments" / "training" / "environment.yml").write_text("name: y")
    (root / "serving" / "score.py").write_text("code")
    assert (version("training"), version("serving")) == (training, serving)
    (root / "uv.lock").write_text("version = 2")
    assert version("training") != training
    assert version("serving") == serving
    (root / "serving" / "requirements.txt").write_text("numpy<3")
    assert version("serving") != serving


@pytest.mark.parametrize(
    "name",
    ["pyproject.toml", "packages/mlops/pyproject.toml", "uv.lock", "serving/requirements.txt"],
)
def test_a_file_that_is_missing_is_named(root: Path, tmp_path: Path, name: str) -> None:
    (root / name).unlink()
    environment = "serving" if "serving" in name else "training"
    with pytest.raises(ConfigError, match=f"^{name} does not exist"):
        assemble(root, environment, tmp_path / "context")


def test_an_environment_without_files_is_refused(root: Path, tmp_path: Path) -> None:
    (root / "aml" / "environments" / "training" / "Dockerfile").unlink()
    with pytest.raises(ConfigError, match="aml/environments/training holds nothing"):
        assemble(root, "training", tmp_path / "context")
