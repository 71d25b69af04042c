"""`mlops stubs`: the list of what is to be written, and the prompt for the next of it."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from fakes.cli import Command, Outputs
from mlops.settings.project import Project

Unfinished = Callable[..., Path]

CONTRACT = """\
import pandera.polars as pa

KEY = "machine_id"
DATE_COLUMN: str | None = None


class Rows(pa.DataFrameModel):
    machine_id: str
    email: str = pa.Field(metadata={"personal": True})
    plan: str
    score: float


def contract() -> type[pa.DataFrameModel]:
    return Rows
"""
SAMPLE = """\
import polars as pl


def make_sample(size, seed, drift, reference_date):
    names = [f"m{n}" for n in range(size)]
    mails = [f"zq7-{n}@example.test" for n in range(size)]
    return pl.DataFrame(
        {"machine_id": names, "email": mails, "plan": "made-up plan", "score": 4.5}
    )
"""
STUB = '''\
from mlops.errors import StubNotFilled

KEY = "to_fill"


def {name}():
    """Return what is asked.

    Example:
        return 1
    """
    raise StubNotFilled("what is {name}")
'''


@pytest.fixture
def unfinished(project: Project, monkeypatch: pytest.MonkeyPatch) -> Unfinished:
    """Make the team's package: modules of these texts, and stubs of the others named."""

    def make(**modules: str) -> Path:
        for known in [name for name in sys.modules if name.split(".")[0] == "unfinished"]:
            monkeypatch.delitem(sys.modules, known)
        package = project.root / "unfinished"
        package.mkdir()
        (package / "__init__.py").touch()
        for name, text in modules.items():
            (package / f"{name}.py").write_text(text or STUB.format(name=name))
        monkeypatch.syspath_prepend(project.root)
        path = project.root / "pyproject.toml"
        path.write_text(path.read_text().replace("fakes.tiny_use_case", "unfinished"))
        return package

    return make


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "real"
    folder.mkdir()
    lines = [f"zq8-{n},zq9-{n}@example.test,{'full' if n % 2 else 'basic'},{n}" for n in range(40)]
    lines += ["zq8-x,zq9-x@example.test,zq6-rare,7"]
    (folder / "a.csv").write_text("\n".join(["machine_id,email,plan,score", *lines]))
    return folder


def test_stubs_are_listed_and_refused_where_none_may_be_left(
    mlops: Command,
    unfinished: Unfinished,
    outputs: Outputs,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert mlops("stubs", "--strict", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"stubs": []}
    unfinished(model="def make_model(params, seed):\n    raise StubNotFilled('a classifier')\n")
    assert mlops("stubs", "--json") == 0
    (found,) = json.loads(capsys.readouterr().out)["stubs"]
    assert found == {"place": "model.py:1", "name": "make_model", "what": "a classifier"}
    assert outputs()["stubs"] == "1"
    assert mlops("stubs", "--strict") == 1
    assert "1 stubs are not filled" in capsys.readouterr().err


def test_the_prompt_is_of_the_next_stub(
    mlops: Command, unfinished: Unfinished, capsys: pytest.CaptureFixture[str]
) -> None:
    unfinished(labels="", contract="")
    assert mlops("stubs", "--prompt") == 0
    said = capsys.readouterr().out
    assert said.startswith("# Write `contract` in `unfinished/contract.py`\n")
    assert "the next of 2 stubs" in said
    assert 'KEY = "to_fill"' in said
    assert "Return what is asked." in said
    assert '-k "test_contract"' in said
    assert "you changed nothing but `unfinished/contract.py`" in said
    assert "Nobody named any." in said
    assert "## Never" in said


def test_without_a_contract_a_prompt_has_no_value_of_the_data(
    mlops: Command, unfinished: Unfinished, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    unfinished(contract="")
    assert mlops("stubs", "--prompt", "--data-dir", data) == 0
    said = capsys.readouterr().out
    assert "| plan | text | none |" in said
    assert not any(mark in said for mark in ("zq", "basic", "full"))


def test_a_prompt_has_made_up_rows_and_what_may_be_told_of_real_ones(
    mlops: Command, unfinished: Unfinished, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    unfinished(contract=CONTRACT, sample=SAMPLE, model="", features="")
    assert mlops("stubs", "--prompt", "--data-dir", data, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    said = found["prompt"]
    assert [stub["name"] for stub in found["stubs"]] == ["features", "model"]
    assert "# Write `features`" in said
    assert "class Rows(pa.DataFrameModel)" in said
    assert "| m0 | personal | made-up plan | 4.5 |" in said
    assert "0.0 to 39.0" in said or "0 to 39" in said
    assert "basic, full, rarer ones" in said
    assert not any(mark in said for mark in ("zq6", "zq7", "zq8", "zq9"))


def test_without_a_sample_a_prompt_says_so(
    mlops: Command, unfinished: Unfinished, capsys: pytest.CaptureFixture[str]
) -> None:
    unfinished(contract=CONTRACT, features="")
    assert mlops("stubs", "--prompt") == 0
    assert "| m0 |" not in capsys.readouterr().out


def test_params_belong_to_the_model(
    mlops: Command, unfinished: Unfinished, capsys: pytest.CaptureFixture[str]
) -> None:
    unfinished(model="")
    assert mlops("stubs", "--prompt") == 0
    said = capsys.readouterr().out
    assert "nothing but `unfinished/model.py` and `unfinished/params.py`" in said


def test_where_nothing_is_to_fill_there_is_no_prompt(
    mlops: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    assert mlops("stubs", "--prompt") == 0
    said = capsys.readouterr()
    assert said.out == ""
    assert "no stubs" in said.err
    assert mlops("stubs", "--prompt", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"stubs": [], "prompt": None}


def test_data_are_for_the_prompt(mlops: Command, data: Path) -> None:
    assert mlops("stubs", "--data-dir", data) == 2
