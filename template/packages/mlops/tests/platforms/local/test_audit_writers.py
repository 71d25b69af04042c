"""Two commands on one machine that write to the audit log at once."""

import subprocess
import sys
from pathlib import Path

from fakes.audit_lines import WHEN
from mlops.governance.audit.log import read_entries, read_lines
from mlops.governance.audit.verify import verify
from mlops.platforms.local.audit import LocalAudit

LINES = 15
WRITER = """
import sys
from datetime import datetime, timedelta
from pathlib import Path
from mlops.governance.audit.entry import Act, Actor, Phase
from mlops.governance.audit.log import Note, append
from mlops.platforms.local.audit import LocalAudit
root, name, lines = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
store = LocalAudit(root / "audit", root / "registry")
moment = datetime.fromisoformat(sys.argv[4])
for number in range(lines):
    note = Note(Act.GATE, Phase.OUTCOME, Actor(name, "person"), "dev", {"version": number})
    append(store, note, moment)
"""


def test_all_lines_are_there_in_one_order(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    writers = [
        subprocess.Popen([*command, name, str(LINES), WHEN.isoformat()]) for name in ("one", "two")
    ]
    assert [each.wait(60) for each in writers] == [0, 0]
    store = LocalAudit(tmp_path / "audit", tmp_path / "registry")
    entries = read_entries(store)
    assert [each.number for each in entries] == list(range(1, 2 * LINES + 1))
    for name in ("one", "two"):
        own = [each.version for each in entries if each.actor.name == name]
        assert own == list(range(LINES))
    found = verify(read_lines(store), store.anchor(), WHEN, WHEN - WHEN)
    assert (found.findings, found.remarks) == ((), ())
