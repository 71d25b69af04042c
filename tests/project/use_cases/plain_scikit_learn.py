"""What scikit-learn alone says of a run: `python plain.py <folder of the run>` prints metrics.

The answers are those of the model that serves, in ONNX, since these are what is judged; each is
compared with what the same estimator answers that is fitted here.
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import polars as pl
from sklearn import metrics

run = Path(sys.argv[1])
prepared = json.loads((run / "prepared" / "prepared.json").read_text(encoding="utf-8"))
train, holdout = (pl.read_parquet(run / "prepared" / f"{n}.parquet") for n in ("train", "holdout"))
columns = []
for part in (train, holdout):
    made = []
    for feature in prepared["features"]:
        values = part[feature["name"]].to_list()
        if feature["kind"] == "category":
            known = feature["categories"]
            values = [
                len(known) + 1 if v is None else known.index(v) if v in known else len(known)
                for v in values
            ]
        made.append(np.array(values, dtype=np.float32))
    columns.append(np.column_stack(made))
inputs, rows = columns
labels, actual = train["label"].to_numpy(), holdout["label"].to_numpy()
task = prepared["target"]["task"]

from purchase_prediction import model as team  # noqa: E402 - after the arrays it is fitted on

if "features" in team.make_model.__code__.co_varnames:
    from mlops.features import Features

    fitted = team.make_model(None, 42, Features.read(prepared["features"]))
else:
    fitted = team.make_model(None, 42)
fitted.fit(inputs, labels)
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1  # as the server has it: more threads add up in another order
session = onnxruntime.InferenceSession(run / "model" / "model.onnx", options)
name = "variable" if task == "regression" else "probabilities"
(served,) = session.run([name], {"features": rows})
if task == "regression":
    answers = served[:, 0]
    np.testing.assert_allclose(answers, fitted.predict(rows), rtol=1e-5)
    found = {
        "mae": metrics.mean_absolute_error(actual, answers),
        "rmse": metrics.root_mean_squared_error(actual, answers),
        "median_absolute_error": metrics.median_absolute_error(actual, answers),
        "r2": metrics.r2_score(actual, answers),
        "mape": metrics.mean_absolute_percentage_error(actual, answers),
    }
else:
    np.testing.assert_allclose(served, fitted.predict_proba(rows), atol=1e-5)
    predicted = fitted.predict(rows)
    found = {"accuracy": metrics.accuracy_score(actual, predicted)}
    if task == "binary":
        found |= {
            "f1": metrics.f1_score(actual, predicted),
            "precision": metrics.precision_score(actual, predicted),
            "recall": metrics.recall_score(actual, predicted),
            "roc_auc": metrics.roc_auc_score(actual, served[:, 1]),
            "average_precision": metrics.average_precision_score(actual, served[:, 1]),
            "brier": metrics.brier_score_loss(actual, served[:, 1]),
            "log_loss": metrics.log_loss(actual, served[:, 1]),
        }
    else:
        found |= {
            "balanced_accuracy": metrics.balanced_accuracy_score(actual, predicted),
            "f1_macro": metrics.f1_score(actual, predicted, average="macro"),
            "f1_weighted": metrics.f1_score(actual, predicted, average="weighted"),
            "log_loss": metrics.log_loss(actual, served),
            "roc_auc_ovr": metrics.roc_auc_score(actual, served, multi_class="ovr"),
        }
print(json.dumps(found))
