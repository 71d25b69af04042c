"""Debian's buildah, which builds and runs images without a daemon; only root can use it here."""

import functools
import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support import run, variables

# A run step is a change of root: it needs no namespaces, and shares this machine's network.
VARIABLES = {"BUILDAH_ISOLATION": "chroot"}
_FAST, _ANYWHERE = "overlay", "vfs"
_PATIENCE = 3600.0  # seconds; a busy machine takes its time


@functools.cache
def storage_driver() -> str:
    """Return the driver for layers: overlay where this machine can, else vfs, which copies each."""
    with tempfile.TemporaryDirectory() as folder:
        asked = _buildah(_FAST, Path(folder), "info")
        done = subprocess.run(asked, env=variables(VARIABLES), capture_output=True, check=False)
    return _ANYWHERE if done.returncode else _FAST


def _buildah(driver: str, folder: Path, *arguments: str) -> list[str]:
    places = ("--root", str(folder / "images"), "--runroot", str(folder / "run"))
    return ["buildah", "--storage-driver", driver, *places, *arguments]


@dataclass(frozen=True)
class Store:
    """A folder with images and containers.

    Attributes:
        folder: where they are.
        bases: another store whose images can be built on; it is only read.
    """

    folder: Path
    bases: Path | None = None

    def command(self, *arguments: str | Path) -> list[str]:
        """Return a call of buildah."""
        driver = storage_driver()
        more = [] if self.bases is None else [f"{driver}.imagestore={self.bases / 'images'}"]
        options = [part for each in more for part in ("--storage-opt", each)]
        return _buildah(driver, self.folder, *options, *(str(each) for each in arguments))

    def call(self, *arguments: str | Path, expect: int | None = 0) -> str:
        """Call buildah; return what it said."""
        called = self.command(*arguments)
        return run(*called, folder=Path("/"), env=VARIABLES, expect=expect, timeout=_PATIENCE)

    def build(
        self,
        context: Path,
        name: str,
        *,
        instead: Mapping[str, str] | None = None,
        options: Sequence[str] = (),
    ) -> "Image":
        """Build the Dockerfile of a folder as it is, a layer for each of its steps.

        Args:
            context: the folder.
            name: the name that the image gets.
            instead: for an image that the Dockerfile names, the name of the one to take.
            options: more options of `buildah build`.
        """
        contexts = [
            f"--build-context={named}=container-image://localhost/{taken}"
            for named, taken in (instead or {}).items()
        ]
        self.call("build", "--quiet", "--layers", *contexts, *options, "--tag", name, context)
        return self.image(name)

    def image(self, name: str) -> "Image":
        """Return an image that is there."""
        return Image(self, name)

    @contextmanager
    def container(self, image: str) -> Iterator["Container"]:
        """Start a container of an image; remove it in the end."""
        name = self.call("from", f"localhost/{image}").strip().splitlines()[-1]
        try:
            yield Container(self, name)
        finally:
            self.call("rm", name)

    def remove(self) -> None:
        """Remove everything."""
        self.call("rm", "--all")
        shutil.rmtree(self.folder)


@dataclass(frozen=True)
class Image:
    """An image of a store."""

    store: Store
    name: str

    @functools.cached_property
    def config(self) -> dict[str, Any]:
        """What the image says of itself: User, Env, WorkingDir and the like."""
        return dict(self._inspected["OCIv1"]["config"])

    @functools.cached_property
    def layers(self) -> list[str]:
        """The digests of its layers, the lowest first."""
        return list(self._inspected["OCIv1"]["rootfs"]["diff_ids"])

    @functools.cached_property
    def _inspected(self) -> dict[str, Any]:
        said = self.store.call("inspect", "--type", "image", f"localhost/{self.name}")
        return dict(json.loads(said))

    def write_layers(self, folder: Path) -> list[Path]:
        """Write the layers into a folder, as tar files; return them, the lowest first."""
        target = f"dir:{folder}"
        self.store.call(
            "push", "--quiet", "--disable-compression", f"localhost/{self.name}", target
        )
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        return [folder / each["digest"].partition(":")[2] for each in manifest["layers"]]


@dataclass(frozen=True)
class Container:
    """A container of an image: its commands run as the image's user."""

    store: Store
    name: str

    def command(
        self,
        *command: str,
        env: Mapping[str, str] | None = None,
        volumes: Sequence[Path] = (),
        folder: Path | None = None,
    ) -> list[str]:
        """Return a call of buildah that runs a command.

        Args:
            command: the program and its arguments.
            env: more environment variables.
            volumes: folders and files of this machine that it sees, at the same places.
            folder: where it runs.
        """
        options = [f"--env={name}={value}" for name, value in (env or {}).items()]
        options += [f"--volume={path}:{path}" for path in volumes]
        options += [f"--workingdir={folder}"] if folder else []
        return self.store.command("run", *options, self.name, "--", *command)

    def run(self, *command: str, expect: int | None = 0, **options: Any) -> str:
        """Run a command; return what it said."""
        called = self.command(*command, **options)
        return run(*called, folder=Path("/"), env=VARIABLES, expect=expect, timeout=_PATIENCE)

    def attempt(self, *command: str, **options: Any) -> tuple[int, str]:
        """Run a command; return its exit code and what it said."""
        done = subprocess.run(
            self.command(*command, **options),
            env=variables(VARIABLES),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout
