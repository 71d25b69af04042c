"""The machinery of an MLOps project: README.md beside src/ names its packages in reading order."""

import os

# Libraries that would tell their makers about this machine and its models, unless they are told not
# to. Child processes inherit it; serving/score.py, which stands alone, says it again.
for _name, _value in (("MLFLOW_DISABLE_TELEMETRY", "true"), ("ORT_DISABLE_TELEMETRY", "1")):
    os.environ.setdefault(_name, _value)
