"""Microsoft's own parser of KQL (npm: @kusto/language-service-next), as a process.

It knows the tables of a Log Analytics workspace that queries read, with the types of their columns
(learn.microsoft.com, Azure Monitor's reference of tables), and says what it finds wrong, and which
columns of which type come out.
"""

import contextlib
import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests import npm
from tools.worktree import ROOT

VERSION = "12.4.1"
HOME = ROOT / ".build" / f"kusto-language-{VERSION}"
SCRIPT = Path(__file__).with_name("kusto_language.mjs")

EVENTS = {
    "Name": "string",
    "Properties": "dynamic",
    "Measurements": "dynamic",
    "ItemCount": "int",
    "AppRoleName": "string",
    "OperationId": "string",
    "TimeGenerated": "datetime",
    "_ResourceId": "string",
}
TRAFFIC = {
    **dict.fromkeys(
        (
            *("ModelStatusCode", "RequestDurationMs", "RequestPayloadSize", "ResponseCode"),
            *("RequestThrottlingDelayMs", "ResponseDurationMs", "TotalDurationMs"),
        ),
        "int",
    ),
    **dict.fromkeys(
        (
            *("AuthType", "AzureMLWorkspaceId", "AzureMLWorkspaceName", "DeploymentName"),
            *("EndpointName", "IdentityData", "Location", "Method", "ModelStatusReason"),
            *("OperationName", "Path", "Protocol", "ResponseCodeReason", "_ResourceId"),
        ),
        "string",
    ),
    "TimeGenerated": "datetime",
}
OPERATIONS = {
    **dict.fromkeys(
        ("Category", "Operation", "Level", "Detail", "Computer", "CorrelationId", "_ResourceId"),
        "string",
    ),
    "TimeGenerated": "datetime",
}
"""What the function _LogOperation returns, by Microsoft's page "Monitor health of Log Analytics
workspace"."""
TABLES = {
    "AppEvents": EVENTS,
    "AmlOnlineEndpointTrafficLog": TRAFFIC,
    "_LogOperation": OPERATIONS,
}


@dataclass(frozen=True)
class Analysis:
    """What the parser finds wrong with a query, and the name and type of each column it answers."""

    findings: tuple[str, ...]
    columns: tuple[tuple[str, str], ...]


class Language:
    """The running parser."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def analyse(self, text: str) -> Analysis:
        """Return what the parser says of a query."""
        answer = self._ask(text)
        columns = ((name, kind) for name, kind in answer["columns"])
        return Analysis(tuple(answer["findings"]), tuple(columns))

    def words(self) -> list[str]:
        """Return the words of the language."""
        return list(self._ask(None)["words"])

    def _ask(self, question: str | None) -> Any:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        assert "failed" not in answer, f"{question}: {answer['failed']}"
        return answer


@contextlib.contextmanager
def language() -> Iterator[Language]:
    """Run the parser while the block runs."""
    npm.install(f"@kusto/language-service-next@{VERSION}", HOME)
    schema = {
        table: "(" + ", ".join(f"{name}: {kind}" for name, kind in columns.items()) + ")"
        for table, columns in TABLES.items()
    }
    process = subprocess.Popen(
        [str(npm.NODE), str(SCRIPT), str(HOME), json.dumps(schema)],
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
