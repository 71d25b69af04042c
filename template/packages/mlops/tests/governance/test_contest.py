"""Whether a run's model is compared with the champion, and what is said if it is not."""

from pathlib import Path

import pytest

from fakes.platform import FakePlatform
from fakes.tiny_version import MADE_UP, REAL
from mlops.artifacts.data_source import UNKNOWN, DataSource
from mlops.checks import shortened
from mlops.governance import contest
from mlops.governance.champion import Comparison
from mlops.governance.contest import Contest, hold_contest
from mlops.platforms.base import ModelVersion, Run
from mlops.settings.sections import GateSettings

USUAL = GateSettings()
ALONE = GateSettings(compare_to_champion=False)
COMPARISON = Comparison(1, {"f1": 0.8}, {"f1": 0.9})


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The versions that were compared; nothing is computed."""
    numbers: list[int] = []

    def note(version: ModelVersion, _run: Run, _gate: GateSettings) -> Comparison:
        numbers.append(version.version)
        return COMPARISON

    monkeypatch.setattr(contest, "compare", note)
    monkeypatch.setattr(contest, "_warnings", lambda *_: ("callers",))
    return numbers


def held(
    folder: Path, ours: DataSource, theirs: DataSource | None, gate: GateSettings = USUAL
) -> Contest:
    platform = FakePlatform(folder / "platform", () if theirs is None else (1,))
    platform.sources = {} if theirs is None else {1: theirs}
    return hold_contest(platform, Run("run", folder / "run"), ours, gate)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [(REAL, REAL), (MADE_UP, MADE_UP), (REAL, UNKNOWN), (UNKNOWN, UNKNOWN), (UNKNOWN, MADE_UP)],
)
def test_models_of_one_kind_of_data_are_compared(
    tmp_path: Path, compared: list[int], ours: DataSource, theirs: DataSource
) -> None:
    assert held(tmp_path, ours, theirs) == Contest(1, COMPARISON, warnings=("callers",))
    assert compared == [1]


def test_beside_a_champion_of_unknown_data_made_up_ones_are_compared_and_it_is_said(
    tmp_path: Path, compared: list[int]
) -> None:
    said = "version 1 was compared although nobody knows whether its data are made up"
    found = held(tmp_path, MADE_UP, UNKNOWN)
    assert found == Contest(1, COMPARISON, warnings=("callers",), note=said)
    assert compared == [1]
    alone = held(tmp_path / "alone", MADE_UP, UNKNOWN, ALONE)
    assert alone.note == "version 1 was not compared: gate.compare_to_champion is false"
    assert alone.refusals == ()


def test_to_a_model_of_real_data_one_of_made_up_data_is_no_champion(
    tmp_path: Path, compared: list[int]
) -> None:
    for gate in (USUAL, GateSettings(compare_to_champion=True, tolerance=0.5)):
        found = held(tmp_path, REAL, MADE_UP, gate)
        assert found == Contest(note=found.note)
        assert found.note.startswith("version 1 was not compared: it is made of made-up data (")
    assert compared == []


@pytest.mark.parametrize("gate", [USUAL, ALONE], ids=["usual", "alone"])
@pytest.mark.parametrize(("ours", "theirs"), [(MADE_UP, REAL), (UNKNOWN, REAL)])
def test_a_model_of_made_up_data_is_refused_beside_one_of_real_data(
    tmp_path: Path, compared: list[int], ours: DataSource, theirs: DataSource, gate: GateSettings
) -> None:
    found = held(tmp_path, ours, theirs, gate)
    (check,) = found.refusals
    assert (check.name, check.found) == ("data against champion 1", ours.words)
    assert check.asked.startswith(f"real data, since version 1 is made of {theirs.words}")
    assert not check.passed
    assert (found.comparison, found.warnings, compared) == (None, (), [])


@pytest.mark.parametrize("ours", [REAL, MADE_UP])
def test_without_a_comparison_the_verdict_says_why(
    tmp_path: Path, compared: list[int], ours: DataSource
) -> None:
    note = held(tmp_path, ours, ours, ALONE).note
    assert note.endswith("compared: gate.compare_to_champion is false")
    assert held(tmp_path / "first", ours, None) == Contest()
    assert compared == []


@pytest.mark.parametrize(
    ("numbers", "gate", "note"),
    [
        ((1,), USUAL, "version 7 is gone"),
        ((1,), ALONE, "version 7 is gone, and version 1 was not compared: gate."),
        ((), USUAL, "version 7 is gone"),
    ],
)
def test_the_verdict_says_that_what_serves_is_gone(
    tmp_path: Path, compared: list[int], numbers: tuple[int, ...], gate: GateSettings, note: str
) -> None:
    platform = FakePlatform(tmp_path / "platform", numbers)
    platform.sources = {1: MADE_UP}
    platform.gone = "version 7 is gone"
    found = hold_contest(platform, Run("run", tmp_path / "run"), MADE_UP, gate)
    assert found.note.startswith(note)
    assert found.refusals == ()
    assert compared == ([1] if numbers and gate is USUAL else [])


@pytest.mark.parametrize(
    ("count", "said"), [(1, "a0"), (3, "a0, a1, a2"), (4, "a0, a1, a2 and 1 more"), (40, "37 more")]
)
def test_forty_differences_fit_into_a_line(count: int, said: str) -> None:
    assert shortened([f"a{number}" for number in range(count)]).endswith(said)
