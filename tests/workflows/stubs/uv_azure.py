"""Stands in for uv where the project's commands run for real, on an emulated Azure.

`uv run mlops …` runs the project's own code, as it lies in the job's folder, with the interpreter
STUB_PROJECT_PYTHON; the server of the test answers for GitHub's API. Installing, tests, linters and
the compiler of infra/ are left out: they are tested elsewhere. STUB_CALLS is the file of recorded
calls.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

ARGUMENTS = sys.argv[1:]
call = {"job": os.environ.get("GITHUB_JOB"), "command": " ".join(ARGUMENTS), "settings": {}}
with Path(os.environ["STUB_CALLS"]).open("a", encoding="utf-8") as stream:
    stream.write(json.dumps(call) + "\n")
if ARGUMENTS[:2] != ["run", "mlops"] or ARGUMENTS[2:4] == ["ci", "bicep"]:
    sys.exit(0)
environment = os.environ | {
    "PYTHONPATH": os.pathsep.join(["packages/mlops/src", "src"]),
    "GITHUB_API_URL": os.environ["STUB_API"],
}
command = [os.environ["STUB_PROJECT_PYTHON"], "-m", "mlops", *ARGUMENTS[2:]]
sys.exit(subprocess.call(command, env=environment))
