"""CPU time of answering one row: five numbers and five categories beside ten numbers.

The scoring script is asked in this process, without a network: what categories add is a look-up
each, which a server's own work would hide. Both models are trees of the same size; requests of the
two take turns, so that a disturbance meets both. Run in the machinery's environment.
"""

import importlib.util
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from mlops.artifacts.prepared import Prepared
from mlops.features import Feature, Features, Kind
from mlops.steps.fit import fit_model
from mlops.steps.onnx_model import convert
from mlops.steps.register import build_signature
from sklearn.ensemble import HistGradientBoostingClassifier

SCRIPT = Path(__file__).parents[1] / "template" / "serving" / "score.py"
LIMIT = 1.15
TURNS, REQUESTS = 60, 100
CODES = 40
NUMBERS = tuple(Feature(f"number_{i}", False, 1.5) for i in range(10))
CATEGORIES = tuple(
    Feature(
        f"category_{i}",
        True,
        "value 1",
        kind=Kind.CATEGORY,
        categories=tuple(f"value {code}" for code in range(CODES)),
    )
    for i in range(5)
)


def load_script() -> ModuleType:
    """Return serving/score.py as a module, as the server loads it."""
    spec = importlib.util.spec_from_file_location("entry_module", SCRIPT)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["entry_module"] = module
    spec.loader.exec_module(module)
    return module


def made_model(script: ModuleType, folder: Path, features: Features) -> Any:
    """Return a model of these features as the script loads it."""
    random = np.random.default_rng(0)
    inputs = random.integers(0, CODES, (4_000, len(features))).astype(np.float32)
    labels = (inputs[:, 0] + inputs[:, -1] > CODES).astype(int)
    model = fit_model(HistGradientBoostingClassifier(random_state=0), inputs, labels)
    folder.mkdir()
    (folder / "model.onnx").write_bytes(convert(model, len(features)))
    prepared = Prepared(folder, "k", features, "c", "r", "h", 9, {}, {}, "s")
    signature = build_signature("m", 1, 0.5, prepared, [])
    (folder / "signature.json").write_text(json.dumps(signature), encoding="utf-8")
    return script.load_model(folder)


def milliseconds(script: ModuleType, model: Any, body: str) -> float:
    """Return the CPU time of a request, the mean of many."""
    started = time.process_time()
    for _ in range(REQUESTS):
        json.dumps(script.score(model, script.parse(body, model.features).matrix))
    return 1000 * (time.process_time() - started) / REQUESTS


def main() -> int:
    """Measure, print a table, and compare with the limit."""
    script = load_script()
    numbers, mixed = Features(NUMBERS), Features((*NUMBERS[:5], *CATEGORIES))
    with tempfile.TemporaryDirectory() as name:
        cases = {}
        for title, features in (("ten numbers", numbers), ("five of each", mixed)):
            row = {feature.name: feature.example for feature in features}
            model = made_model(script, Path(name) / title, features)
            cases[title] = (model, json.dumps({"data": [row]}))
        times: dict[str, list[float]] = {title: [] for title in ("floor", *cases)}
        model = cases["ten numbers"][0]
        ones = np.ones((2, 10), np.float32)
        for _ in range(TURNS):
            for title, (each, body) in cases.items():
                times[title].append(milliseconds(script, each, body))
            started = time.process_time()
            for _ in range(REQUESTS):
                model.session.run(["probabilities"], {"features": ones})
            times["floor"].append(1000 * (time.process_time() - started) / REQUESTS)
    found = {title: statistics.median(values) for title, values in times.items()}
    for title, value in found.items():
        print(f"{title:26} {value:7.4f} ms  {value / found['floor']:5.1f} x floor")
    ratio = found["five of each"] / found["ten numbers"]
    met = ratio <= LIMIT
    print(f"ratio {ratio:.3f}, limit {LIMIT}: {'met' if met else 'passed'}")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
