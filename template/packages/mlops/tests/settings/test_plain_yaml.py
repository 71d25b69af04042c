"""A setting is what it says to everybody, or it is refused with its file and key."""

from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from fakes.project import TODAY
from mlops.errors import ConfigError
from mlops.settings.loading import load_settings
from mlops.settings.plain_yaml import Ambiguous, load_yaml, problem_of
from mlops.settings.project import Project
from mlops.usecase.use_case import UseCase


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("7", 7),
        ("-3", -3),
        ("0", 0),
        ("0.5", 0.5),
        ("1e-5", 1e-5),
        ("2E3", 2000.0),
        ("2026-06-30", "2026-06-30"),
        ("2026-02-30", "2026-02-30"),
        ("'yes'", "yes"),
        ('"1:30"', "1:30"),
        ("0x1F", "0x1F"),
        ("yesterday", "yesterday"),
        ("nothing", "nothing"),
        ("0.1.0", "0.1.0"),
        ("v1_0", "v1_0"),
        ("[1, two, null]", [1, "two", None]),
    ],
)
def test_plain_values_are_what_they_look_like(text: str, value: Any) -> None:
    found = load_yaml(f"a: {text}\n")["a"]
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    "text", ["yes", "No", "ON", "off", "010", "1_000", "12:30", "1:30:00", "+07"]
)
def test_what_readers_of_yaml_do_not_agree_on_is_marked(text: str) -> None:
    found = load_yaml(f"a: {text}\n")["a"]
    assert isinstance(found, Ambiguous)
    assert f"{text} is not the same to all" in problem_of(found, str)


@pytest.mark.parametrize("text", ["a: 1\na: 2\n", "a: [\n", "a: &x {b: *x}\n", "\x00"])
def test_what_cannot_be_read_is_an_error_of_yaml(text: str) -> None:
    with pytest.raises(yaml.YAMLError):
        problem_of(load_yaml(text), dict[str, Any])


@pytest.mark.parametrize(
    ("conf", "key", "said"),
    [
        ("data: {show_values: yes}", "data.show_values = yes", "write true or false"),
        ("azure: {region: no}", "azure.region = no", "a text in quotes"),
        ("data: {unique_key: [day, on]}", "data.unique_key", "a text in quotes"),
        ("gate: {tolerance: .inf}", "gate.tolerance = inf", "neither infinite nor NaN"),
        ("gate: {thresholds: {f1: .nan}}", "gate.thresholds.f1 = nan", "neither infinite nor"),
        ("training: {seed: true}", "training.seed = True", "a number is asked"),
        ("gate: {tolerance: false}", "gate.tolerance = False", "a number is asked"),
        ("data: {max_age_days: true}", "data.max_age_days = True", "a number is asked"),
        ("data: {show_values: 1}", "data.show_values = 1", "true or false is asked"),
        ("gate: {beat_baseline: 'yes'}", "gate.beat_baseline = yes", "true or false is asked"),
        ("data: {sample: {size: 1_000}}", "data.sample.size = 1_000", "a plain number"),
        ("data: {reference_date: 2026-02-30}", "data.reference_date", "date"),
        ("params: {anything: off}", "params.anything = off", "true or false"),
    ],
)
def test_such_a_setting_is_refused_with_its_file_and_key(
    project: Project, conf: str, key: str, said: str
) -> None:
    (project.root / "conf" / "dev.yaml").write_text(conf)
    with pytest.raises(ConfigError) as refusal:
        load_settings(project, variables={})
    assert refusal.value.exit_code == 2
    assert refusal.value.message.startswith(f"conf/dev.yaml: {key}")
    assert said in refusal.value.message


@pytest.mark.parametrize(("given", "said"), [("yes", "true or false"), (".inf", "infinite")])
def test_a_variable_and_an_option_are_held_to_the_same(
    project: Project, given: str, said: str
) -> None:
    with pytest.raises(ConfigError, match=rf"^MLOPS_GATE__TOLERANCE: gate\.tolerance = .*{said}"):
        load_settings(project, variables={"MLOPS_GATE__TOLERANCE": given})
    with pytest.raises(ConfigError, match=r"^command line: gate\.tolerance = inf"):
        load_settings(project, overrides={"gate.tolerance": float("inf")}, variables={})


class Window(BaseModel):
    days: int = 5
    closed: bool = False


class Params(BaseModel):
    trees: int | None = 100
    rates: list[float] = []
    window: Window = Window()


@pytest.mark.parametrize(
    ("conf", "key"),
    [
        ("params: {trees: true}", "params.trees = True"),
        ("params: {rates: [0.1, false]}", "params.rates = [0.1, False]"),
        ("params: {window: {days: true}}", "params.window.days = True"),
        ("params: {window: {closed: 0}}", "params.window.closed = 0"),
    ],
)
def test_the_use_cases_own_settings_are_held_to_the_same(
    project: Project, monkeypatch: pytest.MonkeyPatch, conf: str, key: str
) -> None:
    monkeypatch.setattr(UseCase, "params_type", lambda _self: Params)
    (project.root / "conf" / "dev.yaml").write_text(conf)
    with pytest.raises(ConfigError, match="is asked") as refusal:
        load_settings(project, variables={})
    assert refusal.value.message.startswith(f"conf/dev.yaml: {key}: ")
    (project.root / "conf" / "dev.yaml").write_text("params: {trees: 7, window: {closed: true}}")
    found = load_settings(project, variables={}).values.params
    assert found == Params(trees=7, window=Window(closed=True))


def test_a_day_is_read_by_the_setting_that_asks_for_one(project: Project) -> None:
    assert load_settings(project, variables={}).values.data.reference_date == TODAY
