"""Evidently's report of made-up data, as `mlops drift --report` writes it: report.py PAGE."""

import sys
import tempfile
from pathlib import Path

from fakes.drift_data import Population, baseline_of, events_of
from mlops.artifacts.predictions import Predictions
from mlops.monitoring.drift import Reference
from mlops.monitoring.evidently_report import write_report
from mlops.monitoring.profile import read_profiles

if __name__ == "__main__":
    population = Population(11)
    features = population.features
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "baseline.parquet"
        baseline_of(population.sample(3000, 1), features).write_parquet(path)
        profiles = read_profiles(path)
    reference = Reference("prod", "tiny-prod", "blue", "tiny", 1, features, profiles)
    events = Predictions(events_of(population.sample(1000, 2), features))
    write_report(reference, events, Path(sys.argv[1]))
