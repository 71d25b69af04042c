"""Stands in for gh on the path of a workflow: records each call with the file it sends."""

import json
import os
import sys
from pathlib import Path

import gh_api

arguments = sys.argv[1:]
call = {"job": os.environ.get("GITHUB_JOB"), "command": "gh " + " ".join(arguments), "settings": {}}
if "--body-file" in arguments:
    file = Path(arguments[arguments.index("--body-file") + 1])
    call["body"] = file.read_text(encoding="utf-8")
if arguments[:1] == ["api"]:
    call["fields"] = gh_api.fields(arguments)
with Path(os.environ["STUB_CALLS"]).open("a", encoding="utf-8") as stream:
    stream.write(json.dumps(call) + "\n")
if arguments[:1] == ["api"] and os.environ.get("GH_TOKEN"):
    print(gh_api.answer(arguments))
sys.exit(0 if os.environ.get("GH_TOKEN") else 1)
