"""What is mounted for the scoring server: the model's folder, and is it what was deployed?"""

import hashlib
import json
from pathlib import Path

SERVED_VARIABLE = "SERVED_FILES_SHA256"


class RefusedToStart(RuntimeError):
    """What is mounted is not what was deployed, or is not answered as it was judged."""


def find_model(directory: Path) -> Path:
    """Return the folder of model.onnx: `directory` or, as on Azure, a folder somewhere below it.

    Raises:
        FileNotFoundError: there is none, or more than one.
    """
    found = sorted(path.parent for path in directory.rglob("model.onnx"))
    if len(found) != 1:
        raise FileNotFoundError(
            f"expected one model.onnx in {directory} or a folder below, found {len(found)}"
        )
    return found[0]


def check_files(folder: Path, told: str) -> None:
    """Compare the mounted files with what the deployment was told.

    Args:
        folder: the model version's folder.
        told: the SHA-256 of each file by its name, as JSON.

    Raises:
        RefusedToStart: nothing was told, a file is missing or is another one.
    """
    expected = json.loads(told) if told else {}
    if "model.onnx" not in expected:
        raise RefusedToStart(
            f"{SERVED_VARIABLE} does not say which model.onnx is to be served: deploy it with "
            "`mlops deploy`, which sets it"
        )
    for name, sha256 in expected.items():
        path = folder / name
        found = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "missing"
        if found != sha256:
            raise RefusedToStart(
                f"{name} is not the file that was deployed: its SHA-256 is {found}, and the "
                f"deployment was told {sha256}"
            )
