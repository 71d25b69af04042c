"""Stands in for uv on the path of a workflow: records each call, then does what the test asked for.

STUB_CALLS is the file of recorded calls, STUB_FAIL a part of the command line that fails,
STUB_STUBS how many parts of the use case are still to be written.
"""

import json
import os
import sys
from pathlib import Path

command = " ".join(sys.argv[1:])
settings = {name: value for name, value in os.environ.items() if name.startswith("MLOPS_")}
call = {"job": os.environ.get("GITHUB_JOB"), "command": command, "settings": settings}
with Path(os.environ["STUB_CALLS"]).open("a", encoding="utf-8") as stream:
    stream.write(json.dumps(call) + "\n")


def write(path: str, text: str = "x") -> None:
    """Make a file as the real command would."""
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")


def output(line: str) -> None:
    """Hand a value to later steps."""
    with Path(os.environ["GITHUB_OUTPUT"]).open("a", encoding="utf-8") as stream:
        stream.write(f"{line}\n")


if "mlops stubs" in command:
    output(f"stubs={os.environ['STUB_STUBS']}")
elif "mlops data validate" in command:
    write("validation-results.json")
elif "bandit" in command:
    write("bandit-report.json")
elif "pytest" in command:
    write("coverage.xml")
    write("test-results.xml")
elif "mlops train" in command:
    write(".mlops/runs/run-1/model/model.skops")
    write(".mlops/runs/run-1/prepared/train.parquet")
    output("run_id=run-1")

failing = os.environ.get("STUB_FAIL")
sys.exit(1 if failing and failing in command else 0)
