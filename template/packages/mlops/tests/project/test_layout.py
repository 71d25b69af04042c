"""What must not lie in the project, since Python would find it in the place of something else."""

import pytest

from fakes.places import PROJECT

IN_THE_WAY = {
    "mlops": "a folder of this name in the root hides packages/mlops where nothing is installed",
    "mlops.py": "a module of this name hides packages/mlops",
    "tests/__init__.py": "two packages called tests cannot be collected together",
    "packages/__init__.py": "packages/ is a folder, not a package",
    "packages/mlops/__init__.py": "src/ below it holds the package",
    "packages/mlops/tests/__init__.py": "two packages called tests cannot be collected together",
}


@pytest.mark.parametrize("name", IN_THE_WAY)
def test_nothing_is_in_the_way(name: str) -> None:
    assert not (PROJECT / name).exists(), f"remove {name}: {IN_THE_WAY[name]}"
