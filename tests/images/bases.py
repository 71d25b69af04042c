"""Stand-ins for the images that the Dockerfiles start from, made once on this machine.

Microsoft's registry may be out of reach, and its images are large. So a build gets this machine's
own distribution instead, with what Microsoft publishes of its image for serving (the folder
assets/inference/environments of Azure/azureml-assets): an environment at /azureml-envs/minimal,
first on PATH, that has the inference server and numpy, and the user dockeruser.

What stand-ins cannot show: what Microsoft's images really contain. And their Python is the
distribution's, not 3.12.
"""

import hashlib
import os
import platform
import re
import shutil
import tempfile
import time
from pathlib import Path

from filelock import FileLock

from tests.support import run, uv
from tools.worktree import ROOT

from . import network
from .buildah import Store, storage_driver

# Outside this folder: `make clean` removes what is made in it.
STORE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "azure-mlops-template"
TRAINING_DOCKERFILE = ROOT / "template" / "aml" / "environments" / "training" / "Dockerfile.jinja"
SOURCES = ("sources.list.d/debian.sources", "sources.list.d/ubuntu.sources", "sources.list")
PACKAGES = ("ca-certificates", "passwd", "python3", "python3-venv")
SYSTEM, SERVING, TRAINING, UV = "system", "serving-base", "training-base", "uv"
COMPLETE = "complete"
_KEPT_SECONDS = 14 * 86_400
# Older than what serving/requirements.txt asks for: what a Dockerfile forgets to install is seen.
_SERVED = "azureml-inference-server-http==1.5.0 numpy==2.2.6"
_SERVING = f"""\
FROM localhost/{SYSTEM}
RUN useradd --create-home --uid 1001 dockeruser
ENV AZUREML_CONDA_ENVIRONMENT_PATH=/azureml-envs/minimal
ENV PATH=/azureml-envs/minimal/bin:$PATH
RUN python3 -m venv /azureml-envs/minimal && pip install --no-cache-dir {_SERVED}
USER dockeruser
"""
_UV = "FROM scratch\nCOPY bin/uv /uv\n"


def ensure() -> Store:
    """Return the store of stand-ins, made if this machine has none of today's definition yet."""
    wanted = "\n".join([*PACKAGES, _SERVING, _UV, uv_version(), release(), storage_driver()])
    folder = STORE / f"images-{hashlib.sha256(wanted.encode()).hexdigest()[:12]}"
    STORE.mkdir(parents=True, exist_ok=True)
    with FileLock(STORE / "images.lock"):
        if not (folder / COMPLETE).exists():
            shutil.rmtree(folder, ignore_errors=True)
            _make(Store(folder))
        (folder / COMPLETE).touch()  # it is in use
        for marker in STORE.glob(f"images-*/{COMPLETE}"):
            if time.time() - marker.stat().st_mtime > _KEPT_SECONDS:
                shutil.rmtree(marker.parent)
    return Store(folder)


def python_version(store: Store) -> str:
    """Return the stand-ins' version of Python, such as 3.11."""
    return (store.folder / COMPLETE).read_text(encoding="utf-8")


def uv_version() -> str:
    """Return the version of uv that the training image takes."""
    text = TRAINING_DOCKERFILE.read_text(encoding="utf-8")
    (version,) = re.findall(r"--from=ghcr\.io/astral-sh/uv:(\S+)", text)
    return str(version)


def release() -> str:
    """Return the code name of this machine's distribution, such as bookworm."""
    return platform.freedesktop_os_release()["VERSION_CODENAME"]


def _make(store: Store) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        mounts = network.mounts(folder / "network")
        system = folder / "system.tar"
        etc = Path("/etc/apt")
        source = next(etc / each for each in SOURCES if (etc / each).is_file())
        small = (f"--include={','.join(PACKAGES)}", "--dpkgopt=path-exclude=/usr/share/doc/*")
        command = ("mmdebstrap", "--quiet", "--variant=minbase", "--dpkgopt=force-unsafe-io")
        run(*command, *small, release(), system, source, folder=folder, timeout=1200)
        made = store.call("from", "scratch").strip()
        store.call("add", "--quiet", made, system, "/")
        places = " ".join(str(place) for place in network.PLACES.values())
        store.call("run", made, "--", "sh", "-c", f"mkdir -p /etc/uv && touch {places}")
        store.call("commit", "--quiet", made, SYSTEM)
        store.call("rm", made)
        store.call("tag", f"localhost/{SYSTEM}", TRAINING)
        (folder / "serving").mkdir()
        (folder / "serving" / "Dockerfile").write_text(_SERVING, encoding="utf-8")
        store.build(folder / "serving", SERVING, options=mounts)
        install = ("pip", "install", "--quiet", "--target", folder / "uv", f"uv=={uv_version()}")
        run(uv(), *install, folder=ROOT)
        (folder / "uv" / "Dockerfile").write_text(_UV, encoding="utf-8")
        store.build(folder / "uv", UV)
    with store.container(TRAINING) as container:
        asked = 'import sys; print("%d.%d" % sys.version_info[:2])'
        version = container.run("python3", "-c", asked).strip()
    (store.folder / COMPLETE).write_text(version, encoding="utf-8")


def instead_of(dockerfile: str) -> dict[str, str]:
    """Return for each image that a Dockerfile names the stand-in to take.

    Raises:
        KeyError: there is none for it.
    """
    taken = {
        "mcr.microsoft.com/azureml/minimal-py312-inference": SERVING,
        "mcr.microsoft.com/azureml/openmpi5.0-ubuntu24.04": TRAINING,
        "ghcr.io/astral-sh/uv": UV,
    }
    named = re.findall(r"^FROM (\S+)|^COPY --from=(\S+)", dockerfile, re.MULTILINE)
    images = [first or other for first, other in named]
    return {image: taken[re.split(r"@|:(?=[^/]*$)", image)[0]] for image in images}


if __name__ == "__main__":
    made = ensure()
    print(f"The stand-in bases are in {made.folder}, with Python {python_version(made)}")
