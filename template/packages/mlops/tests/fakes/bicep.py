"""A small script in the place of Bicep: it says of each parameter file what a test told it to."""

import json
import sys
from pathlib import Path
from typing import Any

SCRIPT = """#!{python}
import json, os, sys
from pathlib import Path

played = json.loads(Path({played!r}).read_text())
if sys.argv[1:] == ["--version"]:
    sys.exit(print("Bicep CLI version 0.49.2 (played)"))
name = Path(sys.argv[2]).name
options = sys.argv[3:]
told = played.get(name, {{}})
Path({played!r}).with_name(name + ".env").write_text(json.dumps(dict(os.environ)))
said = {{"runs": [{{"results": told.get("results", [])}}]}}
print(told.get("text") or json.dumps(said), file=sys.stderr)
if told.get("writes", True):
    Path(options[options.index("--outfile") + 1]).write_text("{{}}")
sys.exit(told.get("code", 0))
"""


def result(file: Path, code: str, line: int = 3, **more: Any) -> dict[str, Any]:
    """Return a diagnostic of a file, in the format SARIF."""
    place = {"artifactLocation": {"uri": file.as_uri()}, "region": {"startLine": line}}
    said = {"ruleId": code, "message": {"text": "it is wrong"}}
    return {**said, "locations": [{"physicalLocation": place}], **more}


class FakeBicep:
    """The compiler of a test, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self.folder = folder
        self.path = folder / "bicep"
        self._played = folder / "played.json"
        self.path.write_text(SCRIPT.format(python=sys.executable, played=str(self._played)))
        self.path.chmod(0o755)
        self.says()

    def says(self, **files: dict[str, Any]) -> None:
        """Say this of the parameter files of these names, without their ending.

        `results` are diagnostics, `text` is said in their place, `writes` whether there is an
        output, `code` how it ends.
        """
        told = {f"{name}.bicepparam": what for name, what in files.items()}
        self._played.write_text(json.dumps(told))

    def environment(self, name: str) -> dict[str, str]:
        """Return the variables with which a parameter file was compiled."""
        path = self.folder / f"{name}.bicepparam.env"
        return dict(json.loads(path.read_text()))
