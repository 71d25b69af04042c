"""The Dockerfiles of aml/environments, which name what they are built from."""

import re

import pytest
from packaging.requirements import Requirement

from fakes.places import PROJECT
from mlops.platforms.azure.images import ADDED


@pytest.mark.parametrize("name", sorted(ADDED))
def test_the_dockerfile_copies_files_that_are_there(name: str) -> None:
    folder = PROJECT / "aml" / "environments" / name
    there = {path.name for path in folder.iterdir()} | {*ADDED[name]}
    lines = (folder / "Dockerfile").read_text(encoding="utf-8").splitlines()
    copies = [line.split()[1:-1] for line in lines if line.startswith("COPY ")]
    own = [source for copy in copies if not copy[0].startswith("--from") for source in copy]
    assert own
    assert set(own) <= there


def test_the_serving_image_installs_the_serving_requirements_alone() -> None:
    folder = PROJECT / "aml" / "environments" / "serving"
    assert {path.name for path in folder.iterdir()} == {"Dockerfile", "environment.yml"}
    dockerfile = (folder / "Dockerfile").read_text(encoding="utf-8")
    installs = [line for line in dockerfile.splitlines() if "install" in line and line[0] != "#"]
    assert len(installs) == 1
    assert installs[0].endswith("pip install --no-cache-dir --requirement /tmp/requirements.txt")
    assert "COPY serving/requirements.txt /tmp/requirements.txt" in dockerfile


@pytest.mark.parametrize("name", sorted(ADDED))
def test_the_image_is_built_from_fixed_images(name: str) -> None:
    text = (PROJECT / "aml" / "environments" / name / "Dockerfile").read_text(encoding="utf-8")
    images = re.findall(r"^FROM (\S+)|^COPY --from=(\S+)", text, re.MULTILINE)
    fixed = re.compile(r":(\d{8}\.v\d+|\d+\.\d+\.\d+)$|@sha256:[0-9a-f]{64}$")
    assert images
    for first, other in images:
        assert fixed.search(first or other), f"{first or other} may be another one tomorrow"


def test_the_serving_image_installs_fixed_versions_of_what_is_asked_for() -> None:
    asked, fixed = (
        [
            Requirement(line)
            for line in (PROJECT / "serving" / name).read_text(encoding="utf-8").splitlines()
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
