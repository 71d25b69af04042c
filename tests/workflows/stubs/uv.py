"""Stands in for uv on the path of a workflow: records each call, then does what the test asked for.

STUB_CALLS is the file of recorded calls; STUB_FAIL a part of the command line that fails, in the
environment STUB_FAIL_IN if that is set; STUB_CUT_OFF an environment whose release ends right after
its switch; STUB_PLATFORM_OF_PROD the platform of prod alone; STUB_STUBS how many parts of the use
case are still to be written; STUB_LEVEL the maturity level; STUB_MACHINERY, STUB_INFRASTRUCTURE and
STUB_DOCUMENTATION whether the push changed these, the last one alone; STUB_AUDIT whether what acts
leaves a line in the audit log.

What asks GitHub is the project's own code, sent to the test's server at STUB_API; `mlops rollback`
is it too, on the endpoint that `endpoint.py` pretends. Everything else is played: a command reads
and writes the files that the real one would, so that a job which did not get what it needs fails,
and `mlops release` says how it ended without deciding anything. STUB_ENDPOINTS holds the history of
what each endpoint serves, by its environment.
"""

import itertools
import json
import os
import subprocess
import sys
from functools import partial
from pathlib import Path
from types import SimpleNamespace

ROW_VALUE = "a-value-of-a-row"

ARGUMENTS = sys.argv[1:]
COMMAND = " ".join(ARGUMENTS)
REGISTRY = Path(".mlops/registry/model")
PUBLIC_KEYS = REGISTRY.parent / "_keys"
MACHINERY = ["packages/mlops/src", "src"]


def option(name: str) -> str:
    """Return the value of an option of the command."""
    return ARGUMENTS[ARGUMENTS.index(name) + 1]


def record() -> None:
    """Note the call with the settings it was given."""
    settings = {
        name: value
        for name, value in os.environ.items()
        if name.startswith(("MLOPS_", "AZURE_", "UV_"))
    }
    marker = Path("serving/marker")
    call = {
        "job": os.environ.get("GITHUB_JOB"),
        "command": COMMAND,
        "settings": settings,
        "serving": marker.read_text(encoding="utf-8") if marker.is_file() else "",
    }
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
        need(PUBLIC_KEYS / f"{version}.pem")


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
    here = (os.environ["STUB_PLATFORM_OF_PROD"] if there == "prod" else "") or platform()
    asked = 2 if there == "prod" and here != "local" else 0
    output(
        level=os.environ["STUB_LEVEL"],
        platform=here,
        approvals=asked,
        resource_group=f"rg-model-{there}",
        endpoint=f"model-{there}",
        labels=os.environ["STUB_LABELS"].lower(),
    )


def validate(path: str | Path = "validation-results.json") -> None:
    """Write what was found, with values of the data unless they are to stay where they are."""
    hidden = os.environ.get("MLOPS_DATA__SHOW_VALUES") == "false"
    write(path, "counts" if hidden else ROW_VALUE)
    if not hidden:
        print(ROW_VALUE)


def watch() -> None:
    """Look at what serves: end with the code in STUB_CODES, and hand on STUB_CANDIDATE."""
    name = ARGUMENTS[2]
    candidate = os.environ.get("STUB_CANDIDATE")
    if candidate and name == os.environ["STUB_CANDIDATE_OF"]:
        output(candidate=candidate)
    if name == "report":
        write(option("--output"))
    sys.exit(json.loads(os.environ["STUB_CODES"]).get(name, 0))


def train() -> None:
    """Leave the outputs of a run, the data among them."""
    if "--candidate" in ARGUMENTS:
        need(option("--candidate"))
    run = Path(".mlops/runs/run-1")
    for name in ("model/model.skops", "prepared/prepared.json"):
        write(run / name)
    data = ("validated/data.parquet", "prepared/train.parquet", "prepared/holdout.parquet")
    for name in (*data, ".validated.0a1b2c3d/data.parquet"):
        write(run / name, ROW_VALUE)
    validate(run / "validated" / "validation-results.json")
    write(".mlops/mlflow.db")
    output(run_id="run-1")


def leave_a_line(act: str) -> None:
    """Add to the audit log with the project's own code, where the test has one."""
    if os.environ.get("STUB_AUDIT") != "True":
        return
    sys.path[:0] = MACHINERY
    from mlops.clock import system_clock
    from mlops.governance.audit import actor
    from mlops.governance.audit.entry import Act, Phase
    from mlops.governance.audit.log import Note, append
    from mlops.platforms.local.audit import LocalAudit

    note = Note(
        act=Act(act),
        phase=Phase.OUTCOME,
        actor=actor.actor_of(),
        environment=option("--environment"),
        outcome="done",
        details=actor.job_of(),
    )
    append(LocalAudit(Path(".mlops/audit"), REGISTRY), note, system_clock())


def evaluate() -> None:
    """Judge the run."""
    leave_a_line("gate")
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
    for name in ("verdict.json", "package/baseline.parquet"):
        need(Path(".mlops/runs/run-1") / name)
    if platform() == "local":
        need(".mlops/mlflow.db")
    leave_a_line("register")
    numbers = [int(path.name) for path in REGISTRY.glob("[0-9]*")]
    number = max(numbers, default=0) + 1
    write(REGISTRY / str(number) / "model.onnx")
    write(PUBLIC_KEYS / f"{number}.pem")  # each runner signs with a key of its own
    output(
        model_version=number,
        previous_version=max(numbers, default=""),
    )
    if option("--run-id") != "run-1":
        sys.exit("there is no such run")


def share() -> None:
    """Copy the version to where test and prod look for it."""
    need_version(option("--model-version"))


def release() -> None:
    """Turn over to the other colour; a rehearsal first lets the version before it serve.

    Like the real one it says how it ended, unless it is cut off.
    """
    version, there = option("--model-version"), option("--environment")
    need_version(version)
    leave_a_line("release")
    if "--rehearsal" in ARGUMENTS:
        numbers = [int(path.name) for path in REGISTRY.glob("[0-9]*")]
        below = [number for number in numbers if number < int(version)]
        serving(there, {"blue": str(max(below, default=version))})
    elif version in serving(there).values():
        output(outcome="unchanged")
        return
    write(".mlops/releases/evidence.json")
    if failing():
        output(outcome="rejected")  # it has restored by itself
        sys.exit(1)
    serving(there, {"green" if "blue" in serving(there) else "blue": version})
    if there == os.environ["STUB_CUT_OFF"]:
        sys.exit(143)
    output(outcome="promoted")


def keep() -> None:
    """Stop unless there is something to keep."""
    need_version(option("--model-version"))
    if not any(Path(".mlops/releases").glob("*")):
        sys.exit(4)


def rollback() -> None:
    """Run the project's own code on an endpoint that only pretends."""
    if failing():
        sys.exit(1)
    sys.path[:0] = MACHINERY
    from endpoint import Endpoint, Platform
    from mlops import platforms
    from mlops.release import traffic

    endpoint = Endpoint(Path(os.environ["STUB_ENDPOINTS"], f"{option('--environment')}.json"))
    platforms.open_platform = lambda *_: Platform(endpoint)
    traffic.try_deployment = lambda *_: SimpleNamespace(passed=True, checks=())
    run_project()


def ask_github() -> None:
    """Run the project's own code on the test's server."""
    os.environ["GITHUB_API_URL"] = os.environ["STUB_API"]
    run_project()


def deploy_infra() -> None:
    """Run the project's own code with the az of the test, on a clock that is a quarter an hour."""
    sys.path[:0] = MACHINERY
    from mlops.ci.deployment import Deployment
    from mlops.cli import ci

    quarters = itertools.count(0, 900)
    ci.Deployment = partial(Deployment, sleep=lambda _: None, now=lambda: next(quarters))
    run_project()


def lock() -> None:
    """Lock as uv does: STUB_NEWER is what there is newer, a version a line; STUB_EXTRA a file."""
    newer = os.environ.get("STUB_NEWER", "")
    print(f"Resolved 6 packages in 3ms\n{newer}", file=sys.stderr)
    if newer:
        write("uv.lock", "a newer lock")
    if os.environ.get("STUB_EXTRA"):
        write(f"proposal/{os.environ['STUB_EXTRA']}")


def install() -> None:
    """Install what is new: it may replace a file of what was kept by STUB_REPLACED."""
    kept = Path(os.environ["STUB_ARTIFACTS"], os.environ["STUB_RUN"], "dependencies")
    if os.environ.get("STUB_REPLACED") and kept.is_dir():
        write(kept / os.environ["STUB_REPLACED"], "another one")


def move_day() -> None:
    """Run the project's own code, as of a day that the test knows."""
    arguments = ["--until", "2031-02-03", *ARGUMENTS[4:]]
    ARGUMENTS[4:] = arguments
    run_project()


def run_project() -> None:
    """Run the project's command line; this ends the process."""
    sys.path[:0] = MACHINERY
    from mlops.cli.main import main

    sys.argv = ["mlops", *ARGUMENTS[2:]]
    main()


def copier() -> None:
    """Play Copier: STUB_TEMPLATE is the newest version, none where it cannot be read.

    An update changes AGENTS.md and STUB_TEMPLATE_CHANGES, and leaves STUB_TEMPLATE_CONFLICTS
    unmerged.
    """
    latest = os.environ["STUB_TEMPLATE"]
    if not latest:
        sys.exit("fatal: could not read from the template")
    if "check-update" in ARGUMENTS:
        versions = {"current_version": "1.0.0", "latest_version": latest}
        print(json.dumps({"update_available": latest != "1.0.0", **versions}))
        return
    for name in filter(None, ("AGENTS.md", os.environ["STUB_TEMPLATE_CHANGES"])):
        with Path(name).open("a", encoding="utf-8") as stream:
            stream.write(f"# {latest}\n")
    if name := os.environ["STUB_TEMPLATE_CONFLICTS"]:
        write(name, "<<<<<<< before updating\n")
        blob = subprocess.check_output(["git", "hash-object", "-w", name], text=True).strip()
        stages = f"0 {'0' * 40}\t{name}\n"
        stages += "".join(f"100644 {blob} {stage}\t{name}\n" for stage in (1, 2, 3))
        subprocess.run(["git", "update-index", "--index-info"], input=stages, text=True, check=True)


def changed() -> None:
    """Say that the machinery or infra/ was changed, or that it was not."""
    output(
        machinery=os.environ["STUB_MACHINERY"].lower(),
        infrastructure=os.environ["STUB_INFRASTRUCTURE"].lower(),
        model=str(os.environ["STUB_DOCUMENTATION"] != "True").lower(),
    )


ACTIONS = {
    "mlops ci facts": facts,
    "mlops ci previous-run": ask_github,
    "mlops ci changed": changed,
    "mlops ci attempt": ask_github,
    "mlops approvals": ask_github,
    "mlops ci infra": deploy_infra,
    "mlops ci dependencies": move_day,
    "mlops ci comment": lambda: write(option("--output"), "the metrics"),
    "mlops ci candidate": run_project,
    "mlops ci wanted": lambda: None,
    "mlops ci template-update": run_project,
    "mlops ci worst": run_project,
    "mlops drift": watch,
    "mlops feedback": watch,
    "mlops monitor": watch,
    "mlops retrain": watch,
    "mlops report": watch,
    "mlops stubs": lambda: output(stubs=os.environ["STUB_STUBS"]),
    "mlops data validate": validate,
    "bandit": lambda: write("bandit-report.json"),
    "pytest --cov": lambda: [write(name) for name in ("coverage.xml", "test-results.xml")],
    "--all-groups pytest": lambda: write("machinery-results.xml"),
    "mlops maturity": lambda: None,
    "mlops train": train,
    "mlops evaluate": evaluate,
    "mlops package": package,
    "mlops register": register,
    "mlops share": share,
    "mlops release": release,
    "mlops rollback": rollback,
    "mlops evidence keep": keep,
    "mlops audit publish": run_project,
    "mlops compliance checksums": lambda: write(option("--output"), option("--model-version")),
    "--group compliance mlops compliance bom": lambda: write(option("--output"), "the bill"),
}


def failing() -> bool:
    """Tell whether this call is the one that fails."""
    fail, there = os.environ.get("STUB_FAIL"), os.environ.get("STUB_FAIL_IN")
    return bool(fail and fail in COMMAND and (not there or f"--environment {there}" in COMMAND))


record()
for beginning, action in ACTIONS.items():
    if COMMAND.startswith(f"run {beginning}"):
        action()
if COMMAND.startswith("lock"):
    lock()
if COMMAND.startswith("tool run") and " copier " in COMMAND:
    copier()
if COMMAND == "sync --locked":
    install()
sys.exit(1 if failing() else 0)
