"""Stands in for az on the path of a workflow: records each call with what it was told.

Nothing but the sign-in goes before it, and no extension of az is there. STUB_FAIL is a part of the
command line that fails, saying STUB_SAYS; STUB_ENDPOINT the endpoint that exists. A deployment has
been started, or is one of STUB_ACTIVE; it runs while it is looked at STUB_RUNNING times, then it is
what STUB_ENDS says. A sign-in lives for SIGN_IN calls.
"""

import json
import os
import sys
from pathlib import Path

SIGN_IN = 8


def value(words: list[str], name: str) -> str:
    """Return the value of an option."""
    return words[words.index(name) + 1]


def deployments(verb: str, command: str, earlier: list[dict[str, str]]) -> str:
    """Return what Azure says of the deployments of a group; this ends the process if it refuses."""
    group = value(sys.argv, "--resource-group")
    here = [each["command"] for each in earlier if f"--resource-group {group} " in each["command"]]
    active = os.environ.get("STUB_ACTIVE", "").split()

    def runs(name: str) -> bool:
        looks = [call for call in here if f"--name {name} --query properties.prov" in call]
        return len(looks) < int(os.environ.get("STUB_RUNNING") or 0)

    if verb == "list":
        return json.dumps([name for name in active if runs(name)])
    name = value(sys.argv, "--name")
    created = any("group create" in call and f"--name {name} " in call for call in here)
    if verb == "create":
        if "--no-wait" not in command:
            sys.exit("it takes hours, and nobody waits so long")
        if created or [each for each in active if runs(each)]:
            sys.exit("(DeploymentActive) another deployment is at work")
        return ""
    if not created and name not in active:
        sys.exit(f"(DeploymentNotFound) Deployment '{name}' could not be found.")
    if "properties.error" in command:
        return json.dumps({"code": "DeploymentFailed", "message": "No quota"})
    return json.dumps("Running" if runs(name) else os.environ.get("STUB_ENDS") or "Succeeded")


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
since = earlier[
    max(i for i, each in enumerate(earlier) if each["command"].startswith("az login")) :
]
if len([each for each in since if each["command"].startswith("az deployment")]) > SIGN_IN:
    sys.exit("AADSTS700024: Client assertion is not within its valid time range.")
if command.startswith("az resource list"):
    print(os.environ.get("STUB_ENDPOINT", ""))
elif command.startswith("az deployment group what-if"):
    print("what az printed")
elif command.startswith("az deployment group"):
    print(deployments(sys.argv[3], command, earlier))
else:
    sys.exit(f"'{command}' is misspelled or not recognized by the system.")
