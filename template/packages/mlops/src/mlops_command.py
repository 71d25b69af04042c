"""The command `mlops`, which makes sure that it runs this project's own package.

Another package called `mlops` can be had from public indexes. Where somebody has installed it, it
hides this one: what is in site-packages comes before what is linked into an environment.
"""

import sys
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

WRONG_CONFIGURATION = 2
REMEDY = "`uv pip uninstall mlops`, then `uv sync --reinstall-package mlops-machinery`"


def problem() -> str:
    """Return why `mlops` cannot be imported from where it belongs, or nothing if it can."""
    own = Path(__file__).resolve().parent / "mlops" / "__init__.py"
    found = find_spec("mlops")
    if found is None:
        return (
            "this project's own package mlops, in packages/mlops, is not installed: run `uv sync`"
        )
    if found.origin is not None and Path(found.origin).resolve() == own:
        return ""
    place = Path(next(iter(found.submodule_search_locations or []), own.parent))
    return (
        f"{place} is another package called mlops, which hides this project's own in "
        f"packages/mlops. Remove it: {REMEDY}."
    )


def main() -> NoReturn:
    """Run the command line, unless another package hides it."""
    if said := problem():
        sys.stderr.write(f"error: {said}\n")
        sys.exit(WRONG_CONFIGURATION)
    from mlops.cli.main import main as run

    run()
