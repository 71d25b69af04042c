"""A wrong setting never passes silently, and every value says where it comes from."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from fakes.project import with_level
from mlops.artifacts.version_folder import SERVED_VARIABLE
from mlops.errors import ConfigError
from mlops.settings.loading import LoadedSettings, flatten, load_settings
from mlops.settings.project import Project, find_project
from mlops.settings.sections import Settings


def load(project: Project, *, base: str = "", dev: str = "", **variables: str) -> LoadedSettings:
    (project.root / "conf" / "base.yaml").write_text(base)
    (project.root / "conf" / "dev.yaml").write_text(dev)
    return load_settings(project, variables=variables)


def test_every_setting_has_a_default() -> None:
    assert Settings().gate.tolerance == 0.0


def test_layers_are_merged_key_by_key_and_later_ones_win(project: Project) -> None:
    found = load(
        project,
        base="gate:\n  tolerance: 0.1\n  thresholds: {f1: 0.5, recall: 0.4}\n",
        dev="gate:\n  thresholds: {f1: 0.6}\n",
        MLOPS_DATA__SAMPLE__SIZE="77",
    )
    assert found.values.gate.tolerance == 0.1
    assert found.values.gate.thresholds.active() == {"f1": 0.6, "recall": 0.4, "roc_auc": 0.75}
    assert found.values.data.sample.size == 77
    assert found.source_of("gate.tolerance") == "conf/base.yaml"
    assert found.source_of("gate.thresholds.f1") == "conf/dev.yaml"
    assert found.source_of("data.sample.size") == "MLOPS_DATA__SAMPLE__SIZE"
    assert found.source_of("data.sample.seed") == "default"


def test_options_win_over_everything(project: Project) -> None:
    found = load_settings(
        project,
        overrides={"gate.tolerance": 0.3},
        variables={"MLOPS_GATE__TOLERANCE": "0.2"},
    )
    assert found.values.gate.tolerance == 0.3
    assert found.source_of("gate.tolerance") == "command line"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"base": "gaet: {}\n"}, ["conf/base.yaml", "gaet"]),
        ({"base": "gate: {tolerence: 1}\n"}, ["conf/base.yaml", "gate.tolerence", "tolerance"]),
        ({"dev": "data: {sample: {sise: 1}}\n"}, ["conf/dev.yaml", "data.sample.sise"]),
        ({"base": "gate: {thresholds: {f2: 1}}\n"}, ["conf/base.yaml", "gate.thresholds.f2"]),
        ({"dev": "params: {unknown: 1}\n"}, ["conf/dev.yaml", "params.unknown"]),
        ({"MLOPS_GATE__TOLERENCE": "1"}, ["MLOPS_GATE__TOLERENCE", "gate.tolerence"]),
        ({"MLOPS_NONSENSE": "1"}, ["MLOPS_NONSENSE", "nonsense"]),
    ],
)
def test_unknown_keys_and_variables_are_errors(
    project: Project, given: dict[str, str], words: list[str]
) -> None:
    with pytest.raises(ConfigError) as error:
        load(project, **given)
    assert all(word in str(error.value) for word in words)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"base": "gate: {tolerance: low}\n"}, ["conf/base.yaml", "gate.tolerance", "'low'"]),
        ({"dev": "data: {source: lake}\n"}, ["conf/dev.yaml", "data.source", "'lake'"]),
        ({"dev": "data: 3\n"}, ["conf/dev.yaml", "data = 3"]),
        ({"MLOPS_SPLIT__HOLDOUT_FRACTION": "2"}, ["MLOPS_SPLIT__HOLDOUT_FRACTION", "less than 1"]),
        ({"MLOPS_GATE": "[1"}, ["MLOPS_GATE", "not a valid value"]),
        ({"dev": "a: [\n"}, ["conf/dev.yaml", "not valid YAML"]),
        ({"dev": "- a\n"}, ["conf/dev.yaml", "must hold keys and values"]),
        ({"dev": "data: {folder: a}\ndata: {folder: b}\n"}, ["conf/dev.yaml", "'data'", "twice"]),
        ({"base": "environment: prod\n"}, ["conf/base.yaml", "--environment"]),
    ],
)
def test_wrong_values_name_their_source(
    project: Project, given: dict[str, str], words: list[str]
) -> None:
    with pytest.raises(ConfigError) as error:
        load(project, **given)
    assert all(word in str(error.value) for word in words), str(error.value)


@pytest.mark.parametrize(
    "written",
    [
        *("13-06-26", "2026-02-30", "202-06-30", "+2026-06-30", "2026-06-30 23:59:60", "20260630"),
        *("2026-06-30 00:00:00", "1899-12-31", "2201-01-01", "1.5", "yes", "0", "2026/06/30"),
    ],
)
def test_what_is_no_day_is_refused_by_file_and_key(project: Project, written: str) -> None:
    (project.root / "conf" / "base.yaml").write_text(f"data:\n  reference_date: {written}\n")
    with pytest.raises(ConfigError, match=r"conf/base\.yaml: data\.reference_date = ") as raised:
        load_settings(project, variables={})
    assert raised.value.exit_code == 2
    (project.root / "conf" / "base.yaml").write_text("")
    with pytest.raises(ConfigError, match=r"MLOPS_DATA__REFERENCE_DATE: data\.reference_date = "):
        load_settings(project, variables={"MLOPS_DATA__REFERENCE_DATE": written})


def test_an_unknown_environment_names_those_there_are(project: Project) -> None:
    with pytest.raises(ConfigError, match=r"no environment 'tset'.*there is: dev"):
        load_settings(project, "tset", variables={})


@pytest.mark.parametrize("name", ["test", "prod"])
def test_environments_of_level_2_name_the_command_that_brings_them(
    project: Project, name: str
) -> None:
    with pytest.raises(ConfigError, match=r"come with maturity level 2.*maturity_level=2"):
        load_settings(project, name, variables={})
    raised = with_level(project, 2)
    with pytest.raises(ConfigError, match=r"does not exist \(there is: dev\)\Z"):
        load_settings(raised, name, variables={})


def test_the_environment_comes_from_option_variable_or_default(project: Project) -> None:
    (project.root / "conf" / "test.yaml").write_text("gate: {tolerance: 0.5}\n")
    assert load(project).values.environment == "dev"
    chosen = load(project, MLOPS_ENVIRONMENT="test")
    assert chosen.values.gate.tolerance == 0.5
    assert chosen.source_of("environment") == "MLOPS_ENVIRONMENT"
    assert load_settings(project, "test", variables={}).endpoint_name == "tiny-test"


def test_each_file_of_conf_but_the_base_is_an_environment(project: Project) -> None:
    (project.root / "conf" / "a.yaml").touch()
    (project.root / "conf" / "notes.md").touch()
    assert project.environments() == ["a", "dev"]


@pytest.mark.parametrize("name", ["base", "../conf/dev", "a b"])
def test_other_files_are_no_environments(project: Project, name: str) -> None:
    with pytest.raises(ConfigError, match="there is no environment"):
        load_settings(project, name, variables={})


def test_a_variable_for_a_text_is_taken_as_it_is(project: Project) -> None:
    found = load(project, MLOPS_DATA__FOLDER="/data/#1: x", MLOPS_SPLIT__SALT="1")
    assert found.values.data.folder == "/data/#1: x"
    assert found.values.split.salt == "1"


IN_TIME = "split: {by: time, date: seen, gap_days: 30}\n"


def test_a_split_in_time_names_its_date(project: Project) -> None:
    split = load(project, base=IN_TIME, MLOPS_SPLIT__KEY="household").values.split
    assert (split.by, split.date, split.gap_days) == ("time", "seen", 30)
    assert split.key == "household"
    plain = load(project, base="").values.split
    assert (plain.by, plain.date, plain.gap_days, plain.key) == ("key", None, 0, None)


def test_an_environment_may_go_back_to_a_split_by_key(project: Project) -> None:
    back = "split: {by: key, date: null, gap_days: 0}\n"
    assert load(project, base=IN_TIME, dev=back).values.split.by == "key"


def test_a_variable_may_take_a_text_away(project: Project) -> None:
    by_key = {"MLOPS_SPLIT__BY": "key", "MLOPS_SPLIT__GAP_DAYS": "0"}
    split = load(project, base=IN_TIME, MLOPS_SPLIT__DATE="null", **by_key).values.split
    assert (split.by, split.date) == ("key", None)


@pytest.mark.parametrize(
    ("conf", "said"),
    [
        ("{by: time}", r"split\.date = None: .*split\.by: time needs it: set split\.date in conf"),
        ("{by: time, date: ''}", r"conf/base\.yaml: split\.date = '': "),
        ("{date: seen}", r"conf/base\.yaml: split\.date = 'seen': .*needs split\.by: time"),
        ("{gap_days: 3}", r"conf/base\.yaml: split\.gap_days = 3: .*needs split\.by: time"),
        ("{by: key, date: seen}", r"split\.date = 'seen': .*needs split\.by: time"),
        ("{by: time, date: seen, gap_days: -1}", r"split\.gap_days = -1: "),
        ("{by: time, date: seen, gap_days: 36501}", r"split\.gap_days = 36501: "),
        ("{by: time, date: seen, gap_days: 1.5}", r"split\.gap_days = 1\.5: "),
        ("{by: date, date: seen}", r"split\.by = 'date': Input should be 'key' or 'time'\Z"),
        ("{key: ''}", r"split\.key = '': "),
        ("{key: [a, b]}", r"split\.key = "),
    ],
)
def test_a_split_that_says_half_or_too_much_is_refused(
    project: Project, conf: str, said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        load(project, base=f"split: {conf}\n")


def test_a_section_with_everything_commented_out_changes_nothing(project: Project) -> None:
    assert load(project, base="gate:\n  # tolerance: 1\n").values.gate.tolerance == 0.0


def test_an_empty_variable_counts_as_unset(project: Project) -> None:
    assert load(project, MLOPS_PLATFORM="").values.platform == "local"


def test_settings_are_frozen(settings: LoadedSettings) -> None:
    with pytest.raises(ValidationError):
        settings.values.gate.tolerance = 1.0


def test_flatten_gives_every_value_by_its_dotted_key(settings: LoadedSettings) -> None:
    flat: dict[str, Any] = flatten(settings.values)
    assert flat["data.sample.size"] == 300
    assert flat["gate.thresholds.f1"] == 0.75
    assert flat["platform"] == "local"
    assert flat["endpoint.name"] is None


def test_the_project_is_found_from_a_folder_inside_it(project: Project) -> None:
    inside = project.root / "conf"
    assert find_project(inside).root == project.root


def test_outside_a_project_the_error_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="not inside a project"):
        find_project(tmp_path)
    (tmp_path / "pyproject.toml").write_text("[tool\n")
    with pytest.raises(ConfigError, match="not valid TOML"):
        find_project(tmp_path)


def test_what_a_server_is_told_is_no_setting(project: Project) -> None:
    """Whoever starts one by hand exports it, and goes on using commands in the same shell."""
    told = load(project, **{SERVED_VARIABLE: '{"model.onnx": "0"}'})
    assert flatten(told.values) == flatten(load(project).values)


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("MLOPS_ENDPOINT__REQUEST_TIMEOUT_SECONDS", "181", "less than or equal to 180"),
        ("MLOPS_SERVING__AUTH", "token", "'key' or 'entra'"),
        ("MLOPS_SERVING__WORKERS", "0", "greater than or equal to 1"),
        ("MLOPS_AZURE__REGION", "northeurope", "infra/ reads it there"),
        ("MLOPS_AZURE__REGISTRY", "mlr-other", "stands in conf/base.yaml alone"),
        ("MLOPS_AZURE__REGISTRY_RESOURCE_GROUP", "rg-other", "stands in conf/base.yaml alone"),
        ("MLOPS_AZURE", "{registry: mlr-other}", "stands in conf/base.yaml alone"),
    ],
)
def test_what_azure_or_infra_would_not_follow_is_refused(
    project: Project, variable: str, value: str, said: str
) -> None:
    with pytest.raises(ConfigError, match=said) as error:
        load_settings(project, variables={variable: value})
    assert variable in str(error.value)


@pytest.mark.parametrize(
    ("name", "most"),
    [
        ("telemetry.keep_days", 3650),
        ("drift.days", 3650),
        ("feedback.days", 3650),
        ("feedback.delay_days", 3650),
        ("data.max_age_days", 36_500),
    ],
)
def test_no_span_of_days_reaches_before_all_time(project: Project, name: str, most: int) -> None:
    load_settings(project, overrides={name: most}, variables={})
    with pytest.raises(ConfigError, match=f"less than or equal to {most}"):
        load_settings(project, overrides={name: 999_999}, variables={})


@pytest.mark.parametrize("region", ["usgovvirginia", "US Gov Virginia", "chinanorth3", "usdodeast"])
def test_a_region_of_another_cloud_is_refused(project: Project, region: str) -> None:
    with pytest.raises(ConfigError, match="Azure Government and Azure in China are not supported"):
        load(project, base=f"azure: {{region: {region}}}")


def test_an_environment_may_have_a_region_of_its_own(project: Project) -> None:
    """As infra/ reads it there, too."""
    found = load(project, dev="azure: {region: Sweden Central}")
    assert found.values.azure.region == "swedencentral"


@pytest.mark.parametrize("setting", ["registry: mlr-other", "registry_resource_group: rg-other"])
def test_environments_have_no_registry_of_their_own(project: Project, setting: str) -> None:
    """As infra/ reads it in conf/base.yaml alone."""
    load(project, base=f"azure: {{{setting}}}")
    with pytest.raises(ConfigError, match=r"conf/dev.yaml: .* stands in conf/base.yaml alone"):
        load(project, dev=f"azure: {{{setting}}}")


@pytest.mark.parametrize(
    ("written", "found"), [("best-f1", "best-f1"), ("0.3", 0.3), ("1e-3", 1e-3)]
)
def test_a_threshold_is_a_probability_or_a_rule(
    project: Project, written: str, found: float | str
) -> None:
    values = load(project, base=f"training: {{decision_threshold: {written}}}\n").values
    assert values.training.decision_threshold == found
    told = load(project, MLOPS_TRAINING__DECISION_THRESHOLD=written).values
    assert told.training.decision_threshold == found


@pytest.mark.parametrize("written", ["best-f2", "0", "1", "-0.1", "[0.5]", '""', "null"])
def test_another_threshold_is_refused_in_one_sentence(project: Project, written: str) -> None:
    with pytest.raises(ConfigError) as told:
        load(project, base=f"training: {{decision_threshold: {written}}}\n")
    assert str(told.value).startswith("conf/base.yaml: training.decision_threshold = ")
    assert str(told.value).endswith("must be a number between 0 and 1, or best-f1")


@pytest.mark.parametrize("written", ["1", "-1", "51", "2.5"])
def test_folds_that_cannot_be_are_refused(project: Project, written: str) -> None:
    with pytest.raises(ConfigError, match=r"conf/base.yaml: training.cross_validation = "):
        load(project, base=f"training: {{cross_validation: {written}}}\n")
