"""Score in a process of its own that kills itself at a given moment: no clock, no chance.

python -m fakes.killed_scoring PROJECT DATA MODEL OUTPUT MOMENT COUNT
"""

import os
import signal
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fakes.project import TODAY
from mlops.data.source import Located
from mlops.progress import silent
from mlops.scoring import durable, feature_table, job, parts
from mlops.scoring.raw_data import AsOf
from mlops.settings.loading import load_settings
from mlops.settings.project import find_project

End = Callable[[], None]
PART_ROWS = 10
NOW = datetime(2024, 6, 30, 22, 15, tzinfo=UTC)

MOMENTS = ("features", "written", "events in place", "both in place", "half a line", "line")


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def dying(moment: str, count: int, put: Callable[[Any, str, Any], None], end: End) -> None:
    """Let scoring end at a moment of the part with a number, from 1.

    Args:
        moment: one of `MOMENTS`.
        count: the part's number.
        put: replaces a module's function.
        end: what ends it.
    """
    files = {"written": 2 * count - 1, "events in place": 2 * count - 1, "both in place": 2 * count}
    append_line = durable.append_line
    if moment == "features":
        put(feature_table, "_require_no_nulls", lambda *_arguments: end())
    elif moment in files:
        often, after = files[moment], moment != "written"
        put(parts, "put_in_place", _counted(durable.put_in_place, often, end, after=after))
    elif moment == "line":
        put(parts, "append_line", _counted(append_line, count, end, after=True))
    else:
        half = _counted(append_line, count, end, after=False, halves=True)
        put(parts, "append_line", half)


def _counted(
    usual: Callable[..., None], often: int, end: End, *, after: bool, halves: bool = False
) -> Callable[..., None]:
    seen = 0

    def replaced(path: Path, *line: str) -> None:
        nonlocal seen
        seen += 1
        if seen == often and halves:
            with path.open("a") as stream:
                stream.write(line[0][: len(line[0]) // 2])
        if seen == often and not after:
            end()
        usual(path, *line)
        if seen == often:
            end()

    return replaced


def main() -> None:
    root, data, model, output, moment, count = sys.argv[1:]
    dying(moment, int(count), setattr, die)
    overrides = {"score.part_rows": PART_ROWS}
    settings = load_settings(
        find_project(Path(root)), overrides=overrides, variables={}, clock=lambda: NOW
    )
    request = job.Request(
        data=Located(Path(data), "folder", "data"),
        model=Path(model),
        output=Path(output),
        as_of=AsOf(TODAY, TODAY, fresh=False),
        deployment="blue",
    )
    job.score(request, settings, silent)


if __name__ == "__main__":
    main()
