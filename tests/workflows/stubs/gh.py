"""Stands in for gh on the path of a workflow: records each call with the file it sends.

STUB_COMMENTS holds the comments that there are, as GitHub answers; they go through the call's own
query, with jq. So do the files of STUB_MERGED, which main holds beyond the commit of the run. With
STUB_UNATTESTED nothing was attested.
"""

import json
import os
import sys
from pathlib import Path

import gh_api
import jq

arguments = sys.argv[1:]
call = {"job": os.environ.get("GITHUB_JOB"), "command": "gh " + " ".join(arguments), "settings": {}}
comments = any("/comments" in each for each in arguments)
newer = any("/compare/" in each and each.endswith("...main") for each in arguments)
sent = [each.partition("=@")[2] for each in arguments if "=@" in each]
if comments and sent:
    call["body"] = Path(sent[0]).read_text(encoding="utf-8")
elif arguments[:1] == ["api"]:
    call["fields"] = gh_api.fields(arguments)
with Path(os.environ["STUB_CALLS"]).open("a", encoding="utf-8") as stream:
    stream.write(json.dumps(call) + "\n")
if (comments or newer) and "--jq" in arguments:
    query = jq.compile(arguments[arguments.index("--jq") + 1])
    for found in query.input_text(os.environ["STUB_COMMENTS" if comments else "STUB_MERGED"]):
        print(found)
elif arguments[:1] == ["api"] and not comments and os.environ.get("GH_TOKEN"):
    print(gh_api.answer(arguments))
if arguments[:2] == ["attestation", "verify"] and os.environ.get("STUB_UNATTESTED") == "True":
    sys.exit(1)
sys.exit(0 if os.environ.get("GH_TOKEN") else 1)
