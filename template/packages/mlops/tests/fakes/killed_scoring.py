"""Score in a process of its own that kills itself at a given moment: no clock, no chance.

python -m fakes.killed_scoring PROJECT DATA MODEL OUTPUT MOMENT COUNT
"""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fakes.project import TODAY
from mlops.data.source import Located
from mlops.progress import silent
from mlops.scoring import durable, feature_table, job, parts
from mlops.scoring.raw_data import AsOf
from mlops.settings.loading import load_settings
from mlops.settings.project import find_project
from scoring.conftest import NOW, PART_ROWS

MOMENTS = ("features", "written", "events in place", "both in place", "half a line", "line")


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def dying(moment: str, count: int) -> None:
    """Let this process kill itself at a moment of the part with a number, from 1."""
    seen = 0

    def at(place: Any, name: str, often: int, *, after: bool) -> None:
        usual: Callable[..., Any] = getattr(place, name)

        def replaced(*arguments: Any) -> Any:
            nonlocal seen
            seen += 1
            if seen == often and not after:
                die()
            result = usual(*arguments)
            if seen == often:
                die()
            return result

        setattr(place, name, replaced)

    if moment == "features":
        at(feature_table, "_require_no_nulls", 1, after=False)
    elif moment == "written":
        at(parts, "put_in_place", 2 * count - 1, after=False)
    elif moment == "events in place":
        at(parts, "put_in_place", 2 * count - 1, after=True)
    elif moment == "both in place":
        at(parts, "put_in_place", 2 * count, after=True)
    elif moment == "line":
        at(parts, "append_line", count, after=True)
    else:

        def half(path: Path, line: str) -> None:
            nonlocal seen
            seen += 1
            if seen < count:
                durable.append_line(path, line)
                return
            with path.open("a") as stream:
                stream.write(line[: len(line) // 2])
            die()

        parts.append_line = half


def main() -> None:
    root, data, model, output, moment, count = sys.argv[1:]
    dying(moment, int(count))
    overrides = {"score.part_rows": PART_ROWS}
    settings = load_settings(find_project(Path(root)), overrides=overrides, variables={})
    request = job.Request(
        data=Located(Path(data), "folder", "data"),
        model=Path(model),
        output=Path(output),
        as_of=AsOf(TODAY, TODAY, fresh=False),
        deployment="blue",
    )
    job.score(request, settings, silent, lambda: NOW)


if __name__ == "__main__":
    main()
