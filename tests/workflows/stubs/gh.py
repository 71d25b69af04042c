"""Stands in for gh on the path of a workflow: records each call with the file it sends."""

import json
import os
import sys
from pathlib import Path

arguments = sys.argv[1:]
call = {"job": os.environ.get("GITHUB_JOB"), "command": "gh " + " ".join(arguments), "settings": {}}
if "--body-file" in arguments:
    file = Path(arguments[arguments.index("--body-file") + 1])
    call["body"] = file.read_text(encoding="utf-8")
with Path(os.environ["STUB_CALLS"]).open("a", encoding="utf-8") as stream:
    stream.write(json.dumps(call) + "\n")
sys.exit(0 if os.environ.get("GH_TOKEN") else 1)
