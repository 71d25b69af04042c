"""Stands in for uv on the path of a workflow: records each call, then does what the test asked for.

STUB_CALLS is the file of recorded calls; STUB_FAIL a part of the command line that fails, in the
environment STUB_FAIL_IN if that is set; STUB_STUBS how many parts of the use case are still to be
written; STUB_LEVEL the maturity level. What asks GitHub is the project's real code, sent to the
test's own server at STUB_API.

A command reads and writes the files that the real one would, so that a job which did not get what
it needs fails. STUB_ENDPOINTS holds what each endpoint serves, by its environment.
"""

import json
import os
import sys
from pathlib import Path

ARGUMENTS = sys.argv[1:]
COMMAND = " ".join(ARGUMENTS)
REGISTRY = Path(".mlops/registry/model")


def option(name: str) -> str:
    """Return the value of an option of the command."""
    return ARGUMENTS[ARGUMENTS.index(name) + 1]


def record() -> None:
    """Note the call with the settings it was given."""
    settings = {
        name: value for name, value in os.environ.items() if name.startswith(("MLOPS_", "AZURE_"))
    }
    call = {"job": os.environ.get("GITHUB_JOB"), "command": COMMAND, "settings": settings}
    with Path(os.environ["STUB_CALLS"]).open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(call) + "\n")


def write(path: str | Path, text: str = "x") -> None:
    """Make a file as the real command would."""
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")


def output(**values: object) -> None:
    """Hand values to later steps."""
    with Path(os.environ["GITHUB_OUTPUT"]).open("a", encoding="utf-8") as stream:
        stream.writelines(f"{name}={value}\n" for name, value in values.items())


def need(path: str | Path) -> None:
    """Stop unless the file is here."""
    if not Path(path).is_file():
        sys.exit(f"{path} is not here")


def need_version(version: str) -> None:
    """Stop unless a version is here; on a cloud it is in the cloud's registry."""
    if platform() == "local":
        need(REGISTRY / version / "model.onnx")


def platform() -> str:
    """Return the platform that the settings name."""
    return os.environ.get("MLOPS_PLATFORM") or "local"


def serving(environment: str, now: dict[str, str] | None = None) -> dict[str, str]:
    """Return what the endpoint serves, by deployment; change it to `now`, keeping what was."""
    path = Path(os.environ["STUB_ENDPOINTS"], f"{environment}.json")
    history = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else [{}]
    if now is not None:
        history.append(now)
        write(path, json.dumps(history))
    return dict(history[-1])


def facts() -> None:
    """Tell level, platform, approvals and names."""
    there = option("--environment")
    asked = 2 if there == "prod" and platform() != "local" else 0
    output(
        level=os.environ["STUB_LEVEL"],
        platform=platform(),
        approvals=asked,
        resource_group=f"rg-model-{there}",
        endpoint=f"model-{there}",
    )


def train() -> None:
    """Leave the outputs of a run, the data among them."""
    run = Path(".mlops/runs/run-1")
    for name in ("model/model.skops", "validated/data.parquet", "prepared/prepared.json",
                 "prepared/train.parquet", "prepared/holdout.parquet"):  # fmt: skip
        write(run / name)
    write(".mlops/mlflow.db")
    output(run_id="run-1")


def evaluate() -> None:
    """Judge the run."""
    need(".mlops/runs/run-1/prepared/holdout.parquet")
    write(".mlops/runs/run-1/verdict.json")


def package() -> None:
    """Make what a version needs of the data."""
    need(".mlops/runs/run-1/verdict.json")
    need(".mlops/runs/run-1/prepared/train.parquet")
    write(".mlops/runs/run-1/package/model.onnx")
    write(".mlops/runs/run-1/package/baseline.parquet")


def register() -> None:
    """Make the next version."""
    if platform() == "local":
        for name in ("mlflow.db", "runs/run-1/verdict.json", "runs/run-1/package/baseline.parquet"):
            need(Path(".mlops") / name)
    numbers = [int(path.name) for path in REGISTRY.glob("*")]
    write(REGISTRY / str(max(numbers, default=0) + 1) / "model.onnx")
    output(
        model_version=max(numbers, default=0) + 1,
        previous_version=max(numbers, default=""),
    )
    if option("--run-id") != "run-1":
        sys.exit("there is no such run")


def share() -> None:
    """Copy the version to where test and prod look for it."""
    need_version(option("--model-version"))


def release() -> None:
    """Turn over to the other colour; a rehearsal first lets the version before it serve."""
    version, there = option("--model-version"), option("--environment")
    need_version(version)
    if "--rehearsal" in ARGUMENTS:
        below = [int(path.name) for path in REGISTRY.glob("*") if int(path.name) < int(version)]
        serving(there, {"blue": str(max(below, default=version))})
    if failing():
        sys.exit(1)  # it restores by itself
    write(".mlops/releases/evidence.json")
    serving(there, {"green" if "blue" in serving(there) else "blue": version})


def rollback() -> None:
    """Serve again what was served before, if there was a change."""
    path = Path(os.environ["STUB_ENDPOINTS"], f"{option('--environment')}.json")
    history = json.loads(path.read_text(encoding="utf-8"))
    if len(history) < 2:
        sys.exit("nothing that served before is recorded")
    if "--model-version" in ARGUMENTS and option("--model-version") not in history[-1].values():
        return
    write(path, json.dumps([*history, history[-2]]))


def ask_github() -> None:
    """Run the project's real code on the test's server."""
    package = next(path.parent.name for path in Path("src").glob("*/cli.py"))
    code = f"from {package}.cli import main; main()"
    os.environ |= {"PYTHONPATH": "src", "GITHUB_API_URL": os.environ["STUB_API"]}
    os.execv(sys.executable, [sys.executable, "-c", code, *ARGUMENTS[2:]])


ACTIONS = {
    "mlops ci facts": facts,
    "mlops ci previous-run": ask_github,
    "mlops approvals": ask_github,
    "mlops ci comment": lambda: write(option("--output"), "the metrics"),
    "mlops stubs": lambda: output(stubs=os.environ["STUB_STUBS"]),
    "mlops data validate": lambda: write("validation-results.json"),
    "bandit": lambda: write("bandit-report.json"),
    "pytest": lambda: [write(name) for name in ("coverage.xml", "test-results.xml")],
    "mlops train": train,
    "mlops evaluate": evaluate,
    "mlops package": package,
    "mlops register": register,
    "mlops share": share,
    "mlops release": release,
    "mlops rollback": rollback,
}


def failing() -> bool:
    """Tell whether this call is the one that fails."""
    fail, there = os.environ.get("STUB_FAIL"), os.environ.get("STUB_FAIL_IN")
    return bool(fail and fail in COMMAND and (not there or f"--environment {there}" in COMMAND))


record()
for beginning, action in ACTIONS.items():
    if COMMAND.startswith(f"run {beginning}"):
        action()
sys.exit(1 if failing() else 0)
