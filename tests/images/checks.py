"""What is checked of a built image: each check returns what it found, nothing if all is well."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from . import layers
from .buildah import Container, Image, Store

# In the project that is built from, and in what leads to the package index: nothing of it may stay.
CANARY = "canary-8d1f6b3e-of-the-team"
# What the Dockerfiles say, beside the files of packages.
FILES = {
    "serving": {"tmp/requirements.txt"},
    "training": {
        "opt/project/packages/mlops/pyproject.toml",
        "opt/project/pyproject.toml",
        "opt/project/uv.lock",
        "usr/local/bin/mlops",
        "usr/local/bin/uv",
    },
}
# What uv adds to an environment, a lock of its own, and a Python that it had to fetch.
OF_UV = re.compile(
    r"opt/venv/(\.gitignore|\.lock|CACHEDIR\.TAG|pyvenv\.cfg|lib64"
    r"|bin/(python[\d.]*|activate\w*(\.\w+)?|deactivate\.bat|pydoc\.bat)"
    r"|lib/python[\d.]+/site-packages/_virtualenv\.(py|pth))|opt/python/.*|tmp/uv-\w+\.lock"
)
VARIABLES = {
    "serving": set[str](),
    "training": {
        *("UV_PYTHON", "UV_PYTHON_INSTALL_DIR", "UV_PROJECT_ENVIRONMENT", "UV_LINK_MODE"),
        *("VIRTUAL_ENV", "PATH"),
    },
}
# Azure ML starts a job as root and a server as the user of its base image.
USERS = {"serving": {"dockeruser"}, "training": {"", "root"}}
_INSTALLED = """
import importlib.metadata, json
print(json.dumps({each.name: each.version for each in importlib.metadata.distributions()}))
"""


@dataclass(frozen=True)
class Source:
    """What an image is built from.

    Attributes:
        kind: serving or training.
        store: where it is built.
        base: the image that it starts from.
        context: the folder with its Dockerfile.
        options: more options of the build.
        locked: what it is to install, lines of a requirements file.
        code: the folder in which its processes start: a copy of the code.
    """

    kind: str
    store: Store
    base: Image
    context: Path
    options: list[str]
    locked: str
    code: Path


@dataclass(frozen=True)
class Built:
    """A built image, a container of it, and its own layers, without those of its base."""

    source: Source
    image: Image
    container: Container
    layers: list[Path]

    @property
    def kind(self) -> str:
        """Serving or training."""
        return self.source.kind


def user(built: Built) -> list[str]:
    """Processes run as whom they should."""
    found = str(built.image.config.get("User", ""))
    return [] if found in USERS[built.kind] else [f"it runs as {found or 'root'}"]


def variables(built: Built) -> list[str]:
    """No variable is set but those that the Dockerfile is known for."""
    added = {*built.image.config.get("Env", ())} - {*built.source.base.config.get("Env", ())}
    names = {each.partition("=")[0] for each in added}
    return [f"it sets {name}" for name in sorted(names ^ VARIABLES[built.kind])]


def files(built: Built) -> list[str]:
    """Its layers hold the files of packages, and the few that the Dockerfile is known for."""
    found = layers.files(built.layers) - layers.of_packages(built.layers)
    own = {name for name in found if not OF_UV.fullmatch(name)}
    missing = [f"it lacks /{name}" for name in sorted(FILES[built.kind] - own)]
    return missing + [f"it holds /{name}" for name in sorted(own - FILES[built.kind])]


def secrets(built: Built) -> list[str]:
    """Nothing of the team's other files, or of what leads to the package index, is in a layer."""
    if any(layers.holds(layer, CANARY) for layer in built.layers):
        return ["a layer holds what belongs to the team"]
    said = json.dumps(built.image.config)
    return ["its settings say what belongs to the team"] if CANARY in said else []


def packages(built: Built) -> list[str]:
    """What is installed has the versions of the lock; training has nothing else."""
    wanted = pins(built.source.locked, python_of(built.container))
    said = json.loads(built.container.run("python", "-c", _INSTALLED).strip().splitlines()[-1])
    found = {str(canonicalize_name(name)): version for name, version in said.items()}
    extra = sorted(found.keys() - wanted.keys()) if built.kind == "training" else []
    return [
        f"{name} is {found.get(name, 'missing')}, not {version}"
        for name, version in sorted(wanted.items())
        if found.get(name) != version
    ] + [f"{name} is installed" for name in extra]


def fitting(built: Built) -> list[str]:
    """All installed packages fit together."""
    of_uv = ("uv", "pip", "check", "--python", "/opt/venv/bin/python")
    code, said = built.container.attempt(
        *(of_uv if built.kind == "training" else ("python", "-m", "pip", "check"))
    )
    return said.strip().splitlines() if code else []


def command(built: Built) -> list[str]:
    """What Azure ML starts is found, and can be run by the image's user."""
    mlops, server = "mlops --version", "command -v azmlinfsrv"
    called = mlops if built.kind == "training" else server
    # as Azure ML does: in a copy of the code, by a shell
    ran = {"folder": built.source.code, "volumes": [built.source.code]}
    code, said = built.container.attempt("bash", "-c", called, **ran)
    return [f"`{called}` ends with {code}: {said.strip()}"] if code else []


CHECKS: dict[str, Callable[[Built], list[str]]] = {
    check.__name__: check for check in (user, variables, files, secrets, packages, fitting, command)
}


def python_of(container: Container) -> str:
    """Return the full version of the Python of a container, such as 3.11.2."""
    asked = "import platform; print(platform.python_version())"
    return container.run("python", "-c", asked).strip().splitlines()[-1]


def pins(requirements: str, python: str) -> dict[str, str]:
    """Return the versions that lines of a requirements file name, for a version of Python."""
    environment = {
        "python_full_version": python,
        "python_version": ".".join(python.split(".")[:2]),
    }
    found = {}
    for line in requirements.splitlines():
        if line and not line.startswith("#"):
            each = Requirement(line)
            if each.marker is None or each.marker.evaluate(environment):
                (pin,) = each.specifier
                found[str(canonicalize_name(each.name))] = pin.version
    return found
