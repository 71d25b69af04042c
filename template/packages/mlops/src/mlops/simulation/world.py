"""The folder of a simulation: a copy of the project with a repository and a state of its own.

It is thrown away and made anew by the next simulation. Nothing of it is the team's: neither
registry, endpoints, events and audit log nor git.
"""

import contextlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from mlops.errors import ConfigError, PlatformError
from mlops.files import new_folder
from mlops.platforms.local import processes
from mlops.platforms.local.state import STATE_FILE, EndpointState, StateFile
from mlops.settings.project import Project
from mlops.steps.provenance import ask_git

NAME = "simulation"
_PROJECT, _SERVING_ENVIRONMENTS = "project", "serving-env"
_NOT_COPIED = frozenset({".git", ".venv", ".mlops", "__pycache__", "node_modules"})
_AUTHOR = ("-c", "user.name=mlops simulate", "-c", "user.email=simulate@localhost")
_PLAIN = ("-c", "commit.gpgsign=false", "-c", "core.hooksPath=/dev/null")


@dataclass(frozen=True)
class World:
    """The folder of a simulation.

    Attributes:
        folder: holds all of it, below the state folder of the team's project.
        team: the team's project, which is only read.
    """

    folder: Path
    team: Project

    @property
    def root(self) -> Path:
        """The copy of the project."""
        return self.folder / _PROJECT

    @property
    def state_dir(self) -> Path:
        """The state of the copy."""
        return self.root / ".mlops"

    @property
    def log(self) -> Path:
        """What the commands say."""
        return self.folder / "simulate.log"

    def stop(self) -> None:
        """End the servers that run here."""
        if not (self.state_dir / STATE_FILE).is_file():
            return
        with contextlib.suppress(ConfigError):  # another template wrote it: nothing is known
            for found in StateFile(self.state_dir).endpoints().values():
                processes.stop(_processes(found), self.state_dir)

    def commit(self, message: str) -> None:
        """Commit all that has changed in the copy.

        Raises:
            PlatformError: git does not do it.
        """
        self._git("add", "--all")
        self._git(*_AUTHOR, *_PLAIN, "commit", "--quiet", "--no-verify", "--message", message)

    def make(self) -> None:
        """Copy the project, put the copy under git, and let it use the servers' environments.

        Raises:
            ConfigError: git is not installed.
            PlatformError: git does not do it.
        """
        self._sweep()
        with new_folder(self.root, replaces=".") as copy:
            for name in project_files(self.team.root):
                target = copy / name
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(self.team.root / name, target, follow_symlinks=False)
        self._git("init", "--quiet", "--initial-branch", "main")
        self.commit("The project as it is")
        self._share_environments()

    def _git(self, *arguments: str) -> None:
        done = ask_git(self.root, *arguments)
        if not done.well:
            raise PlatformError(f"git {arguments[0]} in {self.root} failed: {done.problem}")

    def _sweep(self) -> None:
        """Remove what a simulation that was killed was just making."""
        for unfinished in self.folder.glob(f".{_PROJECT}.*"):
            shutil.rmtree(unfinished, ignore_errors=True)

    def _share_environments(self) -> None:
        """Let servers run in environments that are there already; they are never changed.

        One that is missing is made once for all simulations.
        """
        store = self.folder / _SERVING_ENVIRONMENTS
        store.mkdir(exist_ok=True)
        self.state_dir.mkdir(exist_ok=True)
        for link in store.iterdir():
            if link.is_symlink() and not link.exists():
                link.unlink()
        with contextlib.suppress(OSError):  # links need a right on Windows: then they are made anew
            for made in (self.team.state_dir / _SERVING_ENVIRONMENTS).glob("[!.]*"):
                if made.is_dir() and not (store / made.name).exists():
                    (store / made.name).symlink_to(made.resolve(), target_is_directory=True)
            place = self.state_dir / _SERVING_ENVIRONMENTS
            place.symlink_to(store.resolve(), target_is_directory=True)


def project_files(root: Path) -> list[str]:
    """Return the files of a project that git has or would take, by their path from the root.

    Where the project is under no git, those outside of folders of environments, caches and state.
    """
    listed = ask_git(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    if listed.well:
        names = {name for name in listed.said.split("\0") if name}
        return sorted(name for name in names if _is_file(root / name))
    found = (path for path in root.rglob("*") if _is_file(path))
    names = {path.relative_to(root).as_posix() for path in found}
    return sorted(name for name in names if not _NOT_COPIED & set(Path(name).parts))


@contextmanager
def opened(project: Project) -> Iterator[World]:
    """Yield the world of a project's simulation, made anew; its servers end with the block.

    Raises:
        ConfigError: git is not installed.
        PlatformError: another simulation runs, or git fails.
    """
    world = World(project.state_dir.resolve() / NAME, project)
    world.folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(world.folder / ".lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise PlatformError("another simulation is running", "wait for it to end") from None
    try:
        world.stop()
        world.make()
        yield world
    finally:
        try:
            world.stop()
        finally:
            lock.release()


def _processes(state: EndpointState) -> list[processes.ProcessRecord]:
    deployed = [each.process for each in state.deployments.values()]
    return [each for each in (state.router, *deployed, *state.leftovers) if each is not None]


def _is_file(path: Path) -> bool:
    return path.is_symlink() or path.is_file()
