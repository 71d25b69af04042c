"""The machinery of a rendered project, to be changed and tested."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support import MACHINERY, Template, machinery_python, run


@dataclass(frozen=True)
class MachineryCopy:
    """packages/mlops with the project that it belongs to.

    It runs on the environment that the template's machinery has, and shares what takes long to make
    (the environments of scoring servers) with it.
    """

    root: Path

    @classmethod
    def make(cls, template: Template, root: Path) -> "MachineryCopy":
        template.render(root)
        kept = MACHINERY / ".mlops"
        kept.mkdir(exist_ok=True)
        (root / ".mlops").symlink_to(kept)
        return cls(root)

    @property
    def package(self) -> Path:
        return self.root / "packages" / "mlops"

    def write(self, name: str, text: str) -> None:
        """Change a file, named from the root; what was compiled from it is forgotten."""
        path = self.root / name
        path.write_text(text, encoding="utf-8")
        shutil.rmtree(path.parent / "__pycache__", ignore_errors=True)

    def pytest(self, *arguments: str | Path, **options: Any) -> str:
        """Run the machinery's tests; names are relative to packages/mlops."""
        source = os.pathsep.join([str(self.package / "src"), str(self.package / "tests")])
        env = {"PYTHONPATH": source}
        command = [machinery_python(), "-m", "pytest", "-p", "no:cacheprovider", *arguments]
        return run(*command, folder=self.package, env=env, **options)
