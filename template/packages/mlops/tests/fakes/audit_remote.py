"""A repository that others push to, clones of it, and logs as the jobs of a run leave them."""

import atexit
import os
import shutil
import subprocess
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from fakes.audit_lines import WHEN, note
from mlops.artifacts.documents import AUDIT_ANCHOR
from mlops.governance.audit.entry import Act, Actor, Entry
from mlops.governance.audit.log import append, read_entries
from mlops.ops.audit_branch.branch import AuditBranch
from mlops.ops.audit_branch.collected import Collected, collected_in
from mlops.ops.audit_branch.git import Git
from mlops.ops.audit_branch.snapshot import Snapshot
from mlops.platforms.local.audit import LocalAudit
from mlops.settings.loading import LoadedSettings

RUN = "https://github.com/acme/model/actions/runs/{0}/attempts/1"
REFUSING = "#!/bin/sh\necho 'this branch is closed' >&2\nexit 1\n"
ME = {
    **{f"GIT_{role}_NAME": "tester" for role in ("AUTHOR", "COMMITTER")},
    **{f"GIT_{role}_EMAIL": "tester@example.com" for role in ("AUTHOR", "COMMITTER")},
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
}


def git(folder: Path, *arguments: str) -> str:
    """Run git in a folder; return what it says."""
    done = subprocess.run(
        ["git", *arguments],
        cwd=folder,
        env={**os.environ, **ME},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


@cache
def _empty(root: Path) -> Path:
    """Return a repository without a commit, made once: a copy of it is quicker than a new one."""
    git(root, "init", "--quiet", "--initial-branch", "main", "empty")
    shutil.rmtree(root / "empty" / ".git" / "hooks")
    return root / "empty"


@cache
def _bare(root: Path) -> Path:
    """Return a bare repository with a commit on main, made once."""
    git(root, "init", "--quiet", "--bare", "--initial-branch", "main", "bare.git")
    first = root / "first"
    shutil.copytree(_empty(root), first)
    (first / "model.py").write_text("MODEL = 1\n")
    git(first, "add", "model.py")
    git(first, "commit", "--quiet", "--message", "a project")
    git(first, "push", "--quiet", str(root / "bare.git"), "main")
    return root / "bare.git"


@cache
def _root() -> Path:
    folder = TemporaryDirectory(prefix="audit-remote-")
    atexit.register(folder.cleanup)
    return Path(folder.name)


@dataclass(frozen=True)
class Remote:
    """A bare repository with a commit on main."""

    path: Path

    @classmethod
    def make(cls, path: Path) -> "Remote":
        shutil.copytree(_bare(_root()), path)
        return cls(path)

    def copy(self, path: Path) -> "Remote":
        shutil.copytree(self.path, path)
        return Remote(path)

    def connect(self, folder: Path) -> Path:
        """Make a folder a repository whose remote this is, and which has nothing of it yet."""
        shutil.copytree(_empty(_root()) / ".git", folder / ".git")
        with (folder / ".git" / "config").open("a") as stream:
            stream.write(f'[remote "origin"]\n\turl = file://{self.path}\n')
        return folder

    def clone(self, name: str) -> Path:
        """Return a clone as a job has it: of the newest commit of main alone."""
        folder = self.path.parent / name
        address = f"file://{self.path}"
        git(self.path.parent, "clone", "--quiet", "--depth", "1", address, str(folder))
        return folder

    def branch(self, name: str) -> AuditBranch:
        """Return the branch as a new clone sees it."""
        return AuditBranch(Git(self.connect(self.path.parent / name), ME))

    def refs(self) -> dict[str, str]:
        """Return the commit of each reference."""
        lines = git(self.path, "for-each-ref", "--format=%(refname) %(objectname)").splitlines()
        return dict(line.split() for line in lines)

    def point(self, ref: str, commit: str) -> None:
        """Move a reference, as a push by force does."""
        git(self.path, "update-ref", ref, commit)

    def delete(self, *refs: str) -> None:
        for ref in refs:
            git(self.path, "update-ref", "-d", ref)

    def tags(self) -> list[str]:
        return [ref for ref in self.refs() if ref.startswith("refs/tags/")]

    def refuse(self) -> None:
        """Let every push be refused."""
        hook = self.path / "hooks" / "pre-receive"
        hook.write_text(REFUSING)
        hook.chmod(0o755)


def left(
    folder: Path, job: str, versions: range, *, run: int = 7, begin: datetime = WHEN
) -> LocalAudit:
    """Let a job of a run have left a log: a line an hour, each about another version."""
    root = folder / f"audit-{job}-1"
    store = LocalAudit(root / "audit", root / "registry" / "tiny")
    actor = Actor("anna", "pipeline", RUN.format(run))
    for hour, version in enumerate(versions):
        said = note(Act.GATE, version, actor=actor, details={"job": job, "rows": 3})
        append(store, said, begin + timedelta(hours=hour))
    return store


def anchor_of(folder: Path, job: str) -> Path:
    """Return the file of the anchor that a job left."""
    return folder / f"audit-{job}-1" / "registry" / "tiny" / AUDIT_ANCHOR.name


def logs_in(folder: Path, settings: LoadedSettings) -> tuple[Collected, ...]:
    """Return the logs that were left, each of which is whole."""
    logs = collected_in(folder, settings)
    assert all(each.found.whole for each in logs)
    return logs


def entries_of(log: Snapshot) -> list[Entry]:
    return list(read_entries(log))


def versions_of(log: Snapshot) -> list[int | None]:
    return [each.version for each in read_entries(log)]
