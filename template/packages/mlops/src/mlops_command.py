"""The command `mlops`, which makes sure that it runs this project's own package.

Another package called `mlops` can be had from public indexes. Where somebody has installed it, it
hides this one: what is in site-packages comes before what is linked into an environment.
"""

import sys
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

WRONG_CONFIGURATION = 2


def hiding_package() -> Path | None:
    """Return where a package lies that is imported as `mlops` instead of this project's, if any."""
    own = Path(__file__).resolve().parent / "mlops" / "__init__.py"
    found = find_spec("mlops")
    places = (found.submodule_search_locations or []) if found else []
    origin = found.origin if found else None
    if origin is not None and Path(origin).resolve() == own:
        return None
    return Path(next(iter(places), own.parent))


def main() -> NoReturn:
    """Run the command line, unless another package hides it."""
    if stranger := hiding_package():
        sys.stderr.write(
            f"error: {stranger} is another package called mlops, which hides this project's own "
            "in packages/mlops. Remove it: `uv pip uninstall mlops`, then "
            "`uv sync --reinstall-package mlops-machinery`.\n"
        )
        sys.exit(WRONG_CONFIGURATION)
    from mlops.cli.main import main as run

    run()
