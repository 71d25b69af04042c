"""Write tests/infra/deployments/ with Microsoft's Bicep compiler."""
import os
import shutil
import sys
import tempfile
from pathlib import Path

from copier import run_copy

from tools.azure_deployments import DEPLOYMENTS, FOLDER, deployed, lines_of
from tools.bicep import Bicep
from tools.worktree import copy_worktree

SLUG = "purchase-prediction"


def main() -> None:
    """Compile the default project and write what each deployment asks for."""
    program = shutil.which(os.environ.get("BICEP") or "bicep")
    if program is None:
        sys.exit("Microsoft's Bicep CLI is needed: on PATH, or its path in the variable BICEP.")
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, Bicep(program) as bicep:
        source = copy_worktree(Path(folder, "template"))
        project = Path(folder, "project")
        run_copy(str(source), project, defaults=True, quiet=True)
        for name in DEPLOYMENTS:
            text = lines_of(deployed(bicep, project / "infra", SLUG, name))
            (FOLDER / f"{name}.jsonl").write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
