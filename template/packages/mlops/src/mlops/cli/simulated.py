"""A command of a candidate's commit in a simulation: its code, this environment, another time.

It is called in the place of `uv run …` in the folder of that commit.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from mlops.cli.main import exit_code_of, mlops
from mlops.clock import shifted
from mlops.simulation.surroundings import AHEAD_VARIABLE


def arguments_of(called: Sequence[str]) -> list[str]:
    """Return the arguments of the command in `run --locked … mlops NAME …`."""
    return list(called[called.index("mlops") + 1 :])


def main() -> None:
    """Run the command with the code of the current folder, and end with its exit code."""
    sys.path.insert(0, str(Path.cwd() / "src"))
    clock = shifted(float(os.environ.get(AHEAD_VARIABLE, "0")))
    arguments = arguments_of(sys.argv[1:])
    sys.exit(exit_code_of(lambda: mlops.main(arguments, standalone_mode=False, obj=clock)))


if __name__ == "__main__":
    main()
