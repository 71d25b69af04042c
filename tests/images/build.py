"""Both images, built from a project's Dockerfiles as they are, on stand-in bases."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mlops.platforms.azure.images import assemble
from mlops.platforms.azure.job_code import copy_code

from tests.azure.emulator.machine import clean_environment
from tests.support import Template, run, uv
from tools.worktree import ROOT

from . import bases, network
from .buildah import VARIABLES, Container, Store
from .checks import CANARY, Built, Source

# A file for each kind of what must never leave a team's machine.
PRIVATE = (
    *(".env", ".git/config", ".venv/lib/secret.py", ".mlops/runs/1/run.json", "conf/prod.yaml"),
    *("data/customers.csv", "src/team/model.py", "serving/.env", "aml/environments/notes.md"),
)
_BASES = {"serving": bases.SERVING, "training": bases.TRAINING}
_LOCKED = ("--frozen", "--no-dev", "--no-emit-workspace", "--no-hashes", "--no-annotate")


@dataclass(frozen=True)
class InImage:
    """A machine of the emulator whose processes run in a container."""

    container: Container

    def process(
        self,
        command: list[str],
        variables: Mapping[str, str],
        *,
        cwd: Path,
        sees: list[Path],
        programs: Path | None = None,
    ) -> tuple[list[str], dict[str, str]]:
        """Return a call of buildah; the image has its programs."""
        del programs
        called = self.container.command(*command, env=variables, volumes=sees, folder=cwd)
        return called, {**clean_environment(), **VARIABLES}


def serving_project(folder: Path) -> Path:
    """Write what the serving image is built from into a new folder, with private files around."""
    source = ROOT / "template"
    for name in ("serving", "aml/environments/serving"):
        shutil.copytree(source / name, folder / name)
    return _with_private_files(folder)


def training_project(template: Template, folder: Path, python: str) -> Path:
    """Render a project and lock it, not all in the newest version, with private files around."""
    project = template.render(folder, python_version=python)
    run(uv(), "lock", "--quiet", folder=project)
    run(uv(), "lock", "--quiet", "--upgrade-package", "click<8.2", folder=project)
    return _with_private_files(project)


def _with_private_files(project: Path) -> Path:
    for name in PRIVATE:
        path = project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write(f"# {CANARY}\n")
    return project


@contextmanager
def built(project: Path, kind: str, folder: Path) -> Iterator[Built]:
    """Build an image of a project as Azure ML would; remove it in the end.

    Args:
        project: the project.
        kind: serving or training.
        folder: a new folder for what is made.
    """
    standins = bases.ensure()
    source = Source(
        kind,
        Store(folder / "store", standins.folder),
        Store(standins.folder).image(_BASES[kind]),
        folder / "context",
        network.mounts(folder / "network"),
        _locked(project, kind),
        _code(project, kind, folder / "code"),
    )
    assemble(project, kind, source.context)
    with (folder / "network" / "pip.conf").open("a", encoding="utf-8") as file:
        file.write(f"\n# {CANARY}\n")
    try:
        with _image(source, source.context, kind) as image:
            yield image
    finally:
        source.store.remove()


@contextmanager
def rebuilt(good: Built, folder: Path, edit: Callable[[Path], None]) -> Iterator[Built]:
    """Build an image again after a change; steps before the change are taken from the first one.

    Args:
        good: the image.
        folder: a folder for what is made.
        edit: changes the folder that the image is built from.
    """
    context = folder / "context"
    shutil.copytree(good.source.context, context)
    edit(context)
    with _image(good.source, context, folder.name.lower()) as image:
        yield image


@contextmanager
def _image(source: Source, context: Path, name: str) -> Iterator[Built]:
    instead = bases.instead_of((context / "Dockerfile").read_text(encoding="utf-8"))
    image = source.store.build(context, name, instead=instead, options=source.options)
    layers = context.with_name(f"{context.name}-layers")
    try:
        own = [
            path
            for path in image.write_layers(layers)
            if f"sha256:{path.name}" not in source.base.layers
        ]
        with source.store.container(name) as container:
            yield Built(source, image, container, own)
    finally:
        shutil.rmtree(layers, ignore_errors=True)


def _code(project: Path, kind: str, target: Path) -> Path:
    """Copy what a process of an image gets of the project to a new folder."""
    if kind == "serving":
        shutil.copytree(project / "serving", target)
    else:
        copy_code(project, target)
    return target


def _locked(project: Path, kind: str) -> str:
    if kind == "serving":
        return (project / "serving" / "requirements.txt").read_text(encoding="utf-8")
    return run(uv(), "export", "--quiet", *_LOCKED, "--no-header", folder=project)
