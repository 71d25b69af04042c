"""What `gh api` answers to the job that proposes newer dependencies.

STUB_BRANCH is the commit that its branch has, if any; STUB_OTHERS commits there of somebody else;
STUB_PULL the number of the branch's pull request; STUB_ISSUE that of the issue on an update of the
template; STUB_PULLS_FORBIDDEN what GitHub says where workflows may not open a pull request. What
`--jq` picks is not computed: each question gets what it picks.
"""

import itertools
import os
import sys
from pathlib import Path

PULL = "https://github.com/acme/model/pull/5"
ISSUE = "https://github.com/acme/model/issues/7"


def fields(arguments: list[str]) -> list[str]:
    """Return the fields that a call sends, those from a file with its text."""
    found = []
    for flag, value in itertools.pairwise(arguments):
        name, _, text = value.partition("=")
        if flag == "-f":
            found.append(value)
        elif flag == "-F":
            text = Path(text[1:]).read_text(encoding="utf-8") if text.startswith("@") else text
            found.append(f"{name}={text}")
    return found


def answer(arguments: list[str]) -> str:
    """Return what GitHub answers; this ends the process where it refuses."""
    path = next(each for each in arguments if each.startswith("repos/")).split("/", 3)[3]
    sends = bool(fields(arguments))
    if path.startswith("pulls") and sends and "PATCH" not in arguments:
        forbidden = os.environ.get("STUB_PULLS_FORBIDDEN")
        if forbidden:
            sys.exit(f"gh: {forbidden} (HTTP 403)")
    answers = {
        "git/matching-refs": os.environ.get("STUB_BRANCH", ""),
        "compare": os.environ.get("STUB_OTHERS", ""),
        "git/blobs": "a-blob",
        "git/trees": "a-tree",
        "git/commits": "a-commit" if sends else "tree-of-main",
        "git/refs": "refs/heads/a-branch",
        "actions/workflows/ml-cicd.yml/dispatches": "",
        "issues": ISSUE if sends else os.environ.get("STUB_ISSUE", ""),
        "pulls": PULL if sends else os.environ.get("STUB_PULL", ""),
    }
    return next(text for name, text in answers.items() if path.startswith(name))
