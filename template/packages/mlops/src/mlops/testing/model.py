"""What holds for every model that a team's package makes of the data that conf names."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mlops.artifacts.run_folder import ModelFolder, RunFolder
from mlops.data.source import locate
from mlops.governance.gate import judge
from mlops.settings.loading import LoadedSettings, load_settings
from mlops.settings.project import find_project
from mlops.steps import evaluate, fit, prepare, validate
from mlops.steps.parity import parity_gap, raw_answers
from mlops.steps.scoring import load_model


@dataclass(frozen=True)
class Fitted:
    """What the steps made of the data that conf names."""

    folder: RunFolder
    settings: LoadedSettings

    def evaluation(self) -> dict[str, Any]:
        return self.folder.evaluation.results()

    def run(self) -> None:
        source, folder = locate(self.settings, None), self.folder
        report = validate.run(source, folder.validated.path, self.settings)
        assert report.passed, [finding.sentence() for finding in report.failures]
        prepare.run(folder.validated.path, folder.prepared_path, self.settings)
        fit.run(folder.prepared_path, folder.model.path, self.settings, {})
        evaluate.run(folder.prepared_path, folder.model.path, folder.evaluation.path, self.settings)


class ModelContract:
    """Trains the team's model as `mlops train` does, and judges it as the gate would."""

    @pytest.fixture(scope="class")
    @classmethod
    def fitted(
        cls, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
    ) -> Fitted:
        settings = load_settings(find_project(request.config.rootpath))
        result = Fitted(RunFolder(tmp_path_factory.mktemp("model")), settings)
        result.run()
        return result

    def test_the_gate_would_pass_it(self, fitted: Fitted) -> None:
        source = fitted.folder.prepared().source
        checks = judge(fitted.evaluation(), fitted.settings.values.gate, None, source)
        assert [check for check in checks if not check.passed] == []

    def test_onnx_answers_the_same_on_the_holdout(self, fitted: Fitted) -> None:
        prepared = fitted.folder.prepared()
        inputs = prepared.features.matrix(prepared.holdout())
        model = load_model(fitted.folder.model.model)
        gap = parity_gap(model, fitted.folder.model.onnx.read_bytes(), inputs, prepared.target)
        assert gap <= fitted.settings.values.gate.parity_tolerance

    def test_fitting_again_gives_the_same_model(self, fitted: Fitted, tmp_path: Path) -> None:
        again = ModelFolder(tmp_path / "again")
        fit.run(fitted.folder.prepared_path, again.path, fitted.settings, {})
        prepared = fitted.folder.prepared()
        inputs = prepared.features.matrix(prepared.holdout())
        first, second = (
            raw_answers(load_model(path), inputs, prepared.target)
            for path in (fitted.folder.model.model, again.model)
        )
        assert (first == second).all()
