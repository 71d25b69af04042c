"""The branch of a repository that keeps an audit log, and what this clone has seen of it.

A commit of the branch adds lines and says in its message which line is the newest then: that is an
anchor, as is the tag that goes with it. Nothing of the files that are checked out is touched: the
branch is fetched to references of our own, and its commits are made of objects alone.
"""

import re
from collections.abc import Mapping
from datetime import datetime

from mlops.errors import ConfigError, PlatformError
from mlops.ops.audit_branch.git import Git, Said
from mlops.ops.audit_branch.snapshot import Snapshot
from mlops.platforms.auditing import MONTH, Anchor, Overtaken

BRANCH = "audit"
REMOTE = "origin"
_ANCHOR = re.compile(r"^[0-9]+:[0-9a-f]{64}$", re.MULTILINE)
_FILE = "100644"


class NotTaken(PlatformError):
    """The other side did not take a commit, and nobody else's is there in its place."""


class AuditBranch:
    """The branch.

    Args:
        git: runs in the repository.
        name: of the branch: letters, digits, hyphens and underscores.
    """

    def __init__(self, git: Git, name: str = BRANCH) -> None:
        self._git = git
        self._name = name
        self._branch = f"refs/heads/{name}"
        self._tags = f"refs/tags/{name}/"
        self._seen = f"refs/mlops/{name}"

    @property
    def place(self) -> str:
        """Where the log is, in words."""
        return f"the branch {self._name} of {REMOTE}"

    def fetch(self) -> Snapshot:
        """Return the log as the remote has it, with every anchor that it or this clone knows.

        Raises:
            ConfigError: this is no git repository, or it has no remote; or the branch is one of
                something else.
            PlatformError: the remote cannot be read for now.
        """
        there = self._there()
        before = self._commit_of(f"{self._seen}/branch")
        wanted = [f"+{self._tags}*:{self._seen}/tags/*"]
        if self._branch in there:
            wanted.append(f"+{self._branch}:{self._seen}/branch")
        self._git.do("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", REMOTE, *wanted)
        now = self._commit_of(f"{self._seen}/branch") if self._branch in there else ""
        if before and now != before and not self._is_ancestor(before, now):
            self._git.do("update-ref", f"{self._seen}/seen/{before}", before)
        return Snapshot.of(self.place, self._files(now), self._anchors(), now)

    def push(self, snapshot: Snapshot, message: str, moment: datetime) -> None:
        """Add what was appended to a snapshot as one commit, without force.

        Args:
            snapshot: as it was fetched, with more lines.
            message: what the commit says, besides the anchor.
            moment: when, with its offset.

        Raises:
            Overtaken: others have written to the branch meanwhile; nothing was added.
            NotTaken: the remote refused it, or did not answer; nothing was added.
            PlatformError: git failed before that.
            ValueError: nothing was ever appended.
        """
        anchor = snapshot.anchor()
        if anchor is None:
            raise ValueError("a log without a line has nothing to push")
        parent = ("-p", snapshot.commit) if snapshot.commit else ()
        when = {f"GIT_{role}_DATE": moment.isoformat() for role in ("AUTHOR", "COMMITTER")}
        text = f"{message}\n\n{anchor.text()}\n".encode()
        made = self._git.do("commit-tree", self._tree(snapshot), *parent, given=text, more=when)
        commit = made.decode().strip()
        said = self._git.ask(
            *("push", "--quiet", "--atomic", "--no-verify", "--no-follow-tags", REMOTE),
            *(f"{commit}:{self._branch}", f"{commit}:{self._tags}{anchor.count}"),
        )
        if said.well or self._has_taken(commit, snapshot.commit, said):
            self._git.do("update-ref", f"{self._seen}/branch", commit)

    def _has_taken(self, commit: str, before: str, said: Said) -> bool:
        """Tell whether a push that failed by git's word was taken all the same, its answer lost."""
        now = self._there().get(self._branch, "")
        if now == commit:
            return True
        if now != before:
            raise Overtaken(f"others have written to {self.place}", "try again")
        raise NotTaken(f"{self.place} could not be written: {said.words or said.code}")

    def _explain(self) -> None:
        """Raise why the remote cannot be asked, where it is none."""
        if not self._git.ask("rev-parse", "--git-dir").well:
            raise ConfigError(
                f"{self._git.root} is in no git repository, so it has no branch {self._name}",
                "run it in a clone of the project",
            )
        if not self._git.ask("remote", "get-url", REMOTE).well:
            raise ConfigError(
                f"the repository has no remote {REMOTE}, of which {self._name} is a branch",
                f"git remote add {REMOTE} and the address of the repository",
            )

    def _there(self) -> dict[str, str]:
        """Return the commit of the branch and of each tag, as the remote has them now."""
        said = self._git.ask("ls-remote", REMOTE, self._branch, f"{self._tags}*")
        if not said.well:
            self._explain()
            raise PlatformError(f"{self.place} cannot be read: {said.words or said.code}")
        pairs = (line.split("\t") for line in said.output.decode().splitlines())
        return {ref: commit for commit, ref in pairs}

    def _commit_of(self, ref: str) -> str:
        said = self._git.ask("rev-parse", "--verify", "--quiet", ref)
        return said.output.decode().strip() if said.well else ""

    def _is_ancestor(self, before: str, now: str) -> bool:
        return bool(now) and self._git.ask("merge-base", "--is-ancestor", before, now).well

    def _entries(self, commit: str) -> dict[str, str]:
        """Return what stands beside each name in the root of a commit, as git's trees say it."""
        if not commit:
            return {}
        listed = self._git.do("ls-tree", "-z", commit).decode("utf-8", errors="surrogateescape")
        pairs = (each.partition("\t") for each in listed.split("\0") if each)
        return {name: entry for entry, _, name in pairs}

    def _files(self, commit: str) -> dict[str, bytes]:
        entries = self._entries(commit)
        months = [name for name in entries if re.fullmatch(MONTH, name)]
        if entries and not months and not self._anchors():
            raise ConfigError(
                f"{self.place} holds no audit log", "name another branch, which need not exist"
            )
        return {name: self._git.do("cat-file", "blob", f"{commit}:{name}") for name in months}

    def _tree(self, snapshot: Snapshot) -> str:
        entries = self._entries(snapshot.commit)
        for name, content in snapshot.files.items():
            blob = self._git.text("hash-object", "-w", "--no-filters", "--stdin", given=content)
            entries[name] = f"{_FILE} blob {blob}"
        return self._made_tree(entries)

    def _made_tree(self, entries: Mapping[str, str]) -> str:
        listed = "".join(f"{entry}\t{name}\0" for name, entry in entries.items())
        return self._git.text("mktree", "-z", given=listed.encode("utf-8", "surrogateescape"))

    def _anchors(self) -> tuple[Anchor, ...]:
        """Return what commits say that the branch, its tags or what was seen before can reach."""
        globs = (f"--glob={self._seen}", f"--glob={self._tags.rstrip('/')}")
        told = self._git.text("log", "--format=%B", *globs)
        return tuple(Anchor.read(each) for each in dict.fromkeys(_ANCHOR.findall(told)))
