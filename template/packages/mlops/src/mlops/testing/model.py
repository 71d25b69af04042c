"""The team's own model on the holdout: good enough, and the same as what will be served."""

from pathlib import Path
from typing import Any

import pytest

from {{ package_name }}.data.source import locate
from {{ package_name }}.files import read_json
from {{ package_name }}.governance.gate import judge
from {{ package_name }}.onnx_model import convert, parity_gap
from {{ package_name }}.project import find_project
from {{ package_name }}.settings import LoadedSettings, load_settings
from {{ package_name }}.steps import evaluate, fit, prepare, validate


class Fitted:
    """What the steps made of the data that conf names."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings: LoadedSettings = load_settings(find_project(Path(__file__).parent))

    def evaluation(self) -> dict[str, Any]:
        return read_json(self.folder / "evaluation" / evaluate.RESULTS_FILE, schema=1)

    def run(self) -> None:
        source, folder = locate(self.settings, None), self.folder
        report = validate.run(source, folder / "validated", self.settings)
        assert report.passed, [finding.sentence() for finding in report.failures]
        prepare.run(folder / "validated", folder / "prepared", self.settings)
        fit.run(folder / "prepared", folder / "model", self.settings, {})
        steps = (folder / name for name in ("prepared", "model", "evaluation"))
        evaluate.run(*steps, self.settings)


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> Fitted:
    result = Fitted(tmp_path_factory.mktemp("model"))
    result.run()
    return result


def test_the_gate_would_pass_it(fitted: Fitted) -> None:
    checks = judge(fitted.evaluation(), fitted.settings.values.gate, None)
    assert [check for check in checks if not check.passed] == []


def test_onnx_gives_the_same_probabilities_on_the_holdout(fitted: Fitted) -> None:
    prepared = prepare.load_prepared(fitted.folder / "prepared")
    inputs = fit.matrix(prepared.holdout(), prepared.feature_names)
    model = fit.load_model(fitted.folder / "model" / fit.MODEL_FILE)
    gap = parity_gap(model, convert(model, len(prepared.features)), inputs)
    assert gap <= fitted.settings.values.gate.parity_tolerance


def test_fitting_again_gives_the_same_model(fitted: Fitted, tmp_path: Path) -> None:
    fit.run(fitted.folder / "prepared", tmp_path / "again", fitted.settings, {})
    prepared = prepare.load_prepared(fitted.folder / "prepared")
    inputs = fit.matrix(prepared.holdout(), prepared.feature_names)
    first = fit.load_model(fitted.folder / "model" / fit.MODEL_FILE)
    second = fit.load_model(tmp_path / "again" / fit.MODEL_FILE)
    assert (first.predict_proba(inputs) == second.predict_proba(inputs)).all()
