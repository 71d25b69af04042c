"""GitHub's own parser of workflows and expressions (npm: @actions/workflow-parser), as a process.

It says what is no workflow, and writes out the condition of each job with the success() that GitHub
adds where no status function is named.
"""

import contextlib
import json
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests import npm
from tools.worktree import ROOT

VERSION = "0.3.61"
HOME = ROOT / ".build" / f"workflow-parser-{VERSION}"
SCRIPT = Path(__file__).with_name("github_language.mjs")


@dataclass(frozen=True)
class Parsed:
    """What the parser finds wrong with a workflow, and the whole condition of each job."""

    errors: tuple[str, ...]
    conditions: Mapping[str, str]


@dataclass(frozen=True)
class Status:
    """What the status functions of an expression answer."""

    success: bool = True
    failure: bool = False
    cancelled: bool = False


class Language:
    """The running parser."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self._answered: dict[str, Any] = {}

    def parse(self, name: str, content: str) -> Parsed:
        """Parse a workflow; `$/`, which the parser does not know yet, is read as `./`."""
        content = content.replace("uses: $/", "uses: ./")
        found = self._ask({"parse": {"name": name, "content": content}})
        return Parsed(tuple(found["errors"]), found["conditions"])

    def evaluate(self, text: Any, context: Mapping[str, Any], status: Status = Status()) -> Any:
        """Return a value of a workflow with its expressions evaluated; what is no text stays."""
        if not isinstance(text, str) or "${{" not in text:
            return text
        functions = {**vars(status), "always": True}
        asked = {"text": text, "context": context, "status": functions}
        return self._ask({"evaluate": asked})["value"]

    def _ask(self, question: Mapping[str, Any]) -> Any:
        asked = json.dumps(question)
        if asked in self._answered:
            return self._answered[asked]
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(asked + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        assert "failed" not in answer, f"{question}: {answer['failed']}"
        self._answered[asked] = answer
        return answer


@contextlib.contextmanager
def language() -> Iterator[Language]:
    """Run the parser while the block runs."""
    npm.install(f"@actions/workflow-parser@{VERSION}", HOME)
    process = subprocess.Popen(
        [str(npm.NODE), str(SCRIPT), str(HOME)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
    try:
        yield Language(process)
    finally:
        assert process.stdin
        process.stdin.close()
        process.wait()
