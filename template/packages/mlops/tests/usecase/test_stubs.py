from pathlib import Path
from textwrap import dedent

import pytest

from mlops.errors import ConfigError
from mlops.usecase.stubs import Stub, find_stubs


def write(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(dedent(text), encoding="utf-8")


def test_finds_each_function_that_raises(tmp_path: Path) -> None:
    write(
        tmp_path,
        "model.py",
        """\
        import not_installed

        def make_model(params, seed):
            "Says what to do."
            raise StubNotFilled("a classifier")

        class Maker:
            async def make(self):
                if True:
                    raise errors.StubNotFilled(f"step {1}") from None

        def make_baseline(seed):
            raise StubNotFilled
        """,
    )
    write(tmp_path, "more/labels.py", "def build(t):\n    raise StubNotFilled('labels')\n")
    for name in ("features", "sample", "contract"):
        write(tmp_path, f"{name}.py", "def f():\n    raise StubNotFilled\n")

    assert find_stubs(tmp_path) == [
        *(Stub(f"{name}.py", 1, "f", "") for name in ("contract", "sample", "features")),
        Stub("model.py", 3, "make_model", "a classifier"),
        Stub("model.py", 8, "make", "f'step {1}'"),
        Stub("model.py", 12, "make_baseline", ""),
        Stub("more/labels.py", 1, "build", "labels"),
    ]


def test_filled_functions_are_no_stubs(tmp_path: Path) -> None:
    write(
        tmp_path,
        "features.py",
        """\
        from mlops.errors import StubNotFilled

        def build_features(table, reference_date):
            '''Once raised StubNotFilled("features").'''
            if table is None:
                raise ValueError("no table")
            # raise StubNotFilled("features")
            return StubNotFilled("features")

        def again():
            try:
                build_features(None, None)
            except ValueError:
                raise
        """,
    )

    assert find_stubs(tmp_path) == []


def test_a_nested_function_is_the_stub(tmp_path: Path) -> None:
    write(
        tmp_path,
        "sample.py",
        """\
        def outer():
            def inner():
                raise StubNotFilled("rows")
            return inner
        """,
    )

    assert find_stubs(tmp_path) == [Stub("sample.py", 2, "inner", "rows")]


def test_names_the_module_that_is_not_python(tmp_path: Path) -> None:
    write(tmp_path, "slices.py", "SLICES = {\n")

    with pytest.raises(ConfigError, match=r"slices\.py is not valid Python"):
        find_stubs(tmp_path)
