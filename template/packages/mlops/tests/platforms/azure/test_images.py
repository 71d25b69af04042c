"""What Azure ML builds images from."""

import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from {{ package_name }}.errors import ConfigError
from {{ package_name }}.platforms.aml_images import ADDED, assemble

ROOT = Path(__file__).parents[3]


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
    (root / "pyproject.toml").write_text("[project]")
    (root / "uv.lock").write_text("version = 1")
    return root


def test_an_image_gets_the_projects_own_files(root: Path, tmp_path: Path) -> None:
    assemble(root, "training", tmp_path / "training")
    assemble(root, "serving", tmp_path / "serving")
    files = {path.relative_to(tmp_path).as_posix() for path in tmp_path.glob("[ts]*/*")}
    assert files == {
        "training/Dockerfile",
        "training/pyproject.toml",
        "training/uv.lock",
        "serving/Dockerfile",
        "serving/requirements.txt",
    }
    assert (tmp_path / "serving" / "requirements.txt").read_text() == "numpy"


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


@pytest.mark.parametrize("name", ["pyproject.toml", "uv.lock", "serving/requirements.txt"])
def test_a_file_that_is_missing_is_named(root: Path, tmp_path: Path, name: str) -> None:
    (root / name).unlink()
    environment = "serving" if "serving" in name else "training"
    with pytest.raises(ConfigError, match=f"^{name} does not exist"):
        assemble(root, environment, tmp_path / "context")


def test_an_environment_without_files_is_refused(root: Path, tmp_path: Path) -> None:
    (root / "aml" / "environments" / "training" / "Dockerfile").unlink()
    with pytest.raises(ConfigError, match="aml/environments/training holds nothing"):
        assemble(root, "training", tmp_path / "context")


@pytest.mark.parametrize("name", sorted(ADDED))
def test_the_dockerfile_copies_files_that_are_there(name: str) -> None:
    folder = ROOT / "aml" / "environments" / name
    there = {path.name for path in folder.iterdir()} | {Path(added).name for added in ADDED[name]}
    lines = (folder / "Dockerfile").read_text(encoding="utf-8").splitlines()
    copies = [line.split()[1:-1] for line in lines if line.startswith("COPY ")]
    own = [source for copy in copies if not copy[0].startswith("--from") for source in copy]
    assert own
    assert set(own) <= there


def test_the_serving_image_installs_the_serving_requirements_alone() -> None:
    folder = ROOT / "aml" / "environments" / "serving"
    assert {path.name for path in folder.iterdir()} == {"Dockerfile", "environment.yml"}
    dockerfile = (folder / "Dockerfile").read_text(encoding="utf-8")
    installs = [line for line in dockerfile.splitlines() if "install" in line and line[0] != "#"]
    assert len(installs) == 1
    assert installs[0].endswith("pip install --no-cache-dir --requirement /tmp/requirements.txt")
    assert "COPY requirements.txt /tmp/requirements.txt" in dockerfile


@pytest.mark.parametrize("name", sorted(ADDED))
def test_the_image_is_built_from_fixed_images(name: str) -> None:
    text = (ROOT / "aml" / "environments" / name / "Dockerfile").read_text(encoding="utf-8")
    images = re.findall(r"^FROM (\S+)|^COPY --from=(\S+)", text, re.MULTILINE)
    fixed = re.compile(r":(\d{8}\.v\d+|\d+\.\d+\.\d+)$|@sha256:[0-9a-f]{64}$")
    assert images
    for first, other in images:
        assert fixed.search(first or other), f"{first or other} may be another one tomorrow"


def test_the_serving_image_installs_fixed_versions_of_what_is_asked_for() -> None:
    asked, fixed = (
        [
            Requirement(line)
            for line in (ROOT / "serving" / name).read_text(encoding="utf-8").splitlines()
            if not line.startswith("#")
        ]
        for name in ("requirements.in", "requirements.txt")
    )
    for each in fixed:
        (pin,) = each.specifier
        assert pin.operator == "=="
        assert "*" not in pin.version
    for each in asked:
        versions = [pin.version for f in fixed if f.name == each.name for pin in f.specifier]
        assert versions
        assert all(version in each.specifier for version in versions)
