"""Stands in for az on the path of a workflow: records each call with what it was told.

Nothing but the sign-in goes before it, and no extension of az is there. STUB_FAIL is a part of the
command line that fails, saying STUB_SAYS; STUB_ENDPOINT the endpoint that exists.
"""

import json
import os
import sys
from pathlib import Path

calls = Path(os.environ["STUB_CALLS"])
command = "az " + " ".join(sys.argv[1:])
earlier = [json.loads(line) for line in calls.read_text(encoding="utf-8").splitlines()]
job = os.environ.get("GITHUB_JOB")
settings = {name: os.environ[name] for name in ("ENDPOINT", "ENVIRONMENT") if name in os.environ}
with calls.open("a", encoding="utf-8") as stream:
    stream.write(json.dumps({"job": job, "command": command, "settings": settings}) + "\n")
if os.environ.get("STUB_FAIL") and os.environ["STUB_FAIL"] in command:
    sys.exit(os.environ.get("STUB_SAYS") or 1)
if command.startswith("az login"):
    sys.exit(0)
if not any(each["command"].startswith("az login") and each["job"] == job for each in earlier):
    sys.exit("Please run 'az login' to setup account.")
if command.startswith("az resource list"):
    print(os.environ.get("STUB_ENDPOINT", ""))
elif command.startswith("az deployment group"):
    print("what az printed")
else:
    sys.exit(f"'{command}' is misspelled or not recognized by the system.")
