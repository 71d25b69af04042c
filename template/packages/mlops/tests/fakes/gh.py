"""A small script in the place of gh: what a test says it answers, it answers."""

import json
import re
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from mlops.ci.setup_github.repository import Repository
from mlops.ci.setup_github.set_up import Request, apply

PATH = "repos/acme/model/environments"
SCRIPT = """
import json, sys
from pathlib import Path

here = Path(__file__).parent
answers = json.loads((here / "answers.json").read_text())
arguments = sys.argv[1:]
with (here / "calls.jsonl").open("a") as stream:
    print(json.dumps(arguments), file=stream)
if "--method" in arguments or arguments[0] == "variable":
    if answers.get("refuse", "nothing") in arguments:
        sys.exit("HTTP 403: not allowed")
elif arguments[1] in answers:
    print(json.dumps(answers[arguments[1]]))
else:
    sys.exit("HTTP 404: " + arguments[1])
"""


def body_of(arguments: Sequence[str], root: Path) -> Any:
    """Return the JSON that gh makes of its fields, or reads from a file."""
    if "--input" in arguments:
        return json.loads((root / arguments[-1]).read_text())
    body: dict[str, Any] = {}
    for text in (text for option, text in pairwise(arguments) if option == "-F"):
        name, _, value = text.partition("=")
        first, *inner = re.findall(r"[^\[\]]+|\[\]", name)
        parsed = json.loads(value) if re.fullmatch(r"\d+|true|false|null", value) else value
        if not inner:
            body[first] = parsed
        elif inner[0] == "[]":
            items = body.setdefault(first, [])
            if not items or inner[1] in items[-1]:
                items.append({})
            items[-1][inner[1]] = parsed
        else:
            body.setdefault(first, {})[inner[0]] = parsed
    return body


SUBJECT = "repos/acme/model/actions/oidc/customization/sub"


class FakeGh:
    """What gh answers and what it was asked to change."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.command = [sys.executable, "-I", "-S", str(folder / "gh.py")]
        (folder / "gh.py").write_text(SCRIPT)
        self.calls = folder / "calls.jsonl"
        self.answers: dict[str, Any] = {
            "repos/{owner}/{repo}": {
                "full_name": "acme/model",
                "private": False,
                "html_url": "https://github.com/acme/model",
                "owner": {"login": "acme", "type": "Organization"},
            },
            SUBJECT: {"use_default": True, "use_immutable_subject": True},
            "users/ann": {"id": 7},
            "orgs/acme/teams/owners": {"id": 8},
            "repos/acme/model/environments?per_page=100": {"environments": []},
            "repos/acme/model/rulesets": [],
        }
        self.answer()

    def answer(self) -> None:
        (self.folder / "answers.json").write_text(json.dumps(self.answers))

    def apply(self, root: Path, *reviewers: str, **options: Any) -> Repository:
        self.answer()
        return apply(root, Request(3, reviewers, **options), self.command)[0]

    def there_is(self, name: str, *reviewers: int, **settings: Any) -> None:
        """Let an environment exist, with the people of these ids as its reviewers."""
        people = [{"type": "User", "reviewer": {"id": number}} for number in reviewers]
        required = {"type": "required_reviewers", "prevent_self_review": False, "reviewers": people}
        rules = [{"type": "branch_policy"}, *([required] if people else [])]
        environments = self.answers["repos/acme/model/environments?per_page=100"]["environments"]
        environments.append({"name": name, "protection_rules": rules} | settings)
        policies = {"branch_policies": [{"name": "main"}, {"name": "develop"}]}
        self.answers[f"{PATH}/{name}/deployment-branch-policies"] = policies

    def changes(self) -> dict[str, Any]:
        """Return the body of each change by its method and path."""
        root = self.folder.parent / "project"
        calls = [json.loads(line) for line in self.calls.read_text().splitlines()]
        return {
            " ".join(call[3:5]): body_of(call, root)
            for call in calls
            if "--method" in call or call[0] == "variable"
        }

    def variables(self) -> list[str]:
        """Return how each variable was set."""
        calls = [json.loads(line) for line in self.calls.read_text().splitlines()]
        return [" ".join(call[2:]) for call in calls if call[0] == "variable"]
