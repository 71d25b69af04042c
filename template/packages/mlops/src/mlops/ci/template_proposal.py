"""What a person is shown of an update: the text of a pull request, or of an issue."""

from dataclasses import dataclass

from mlops.ci.template_changelog import TO_DO, shortened

WORKFLOWS = ".github/workflows/"
PULL, ISSUE = "pull", "issue"
MARK = "<!-- template-update -->"
"""By which the next run finds its issue again."""
_MOST_NAMED = 50
_STEPS = """\
```
git fetch
git switch template-update
```
"""
_BY_HAND = """\
```
git switch main
git pull
git switch --create update-template
uvx copier update
git status
```
"""
_THEN = """\
```
uv lock
uv sync
uv run pytest
git add --all
git commit
git push
```
"""


@dataclass(frozen=True)
class Update:
    """An update of the project that nobody has looked at yet.

    Attributes:
        current: the version of the template that the project has.
        latest: the version that it gets.
        conflicts: files that both sides changed, relative to the root.
        changed: all files that the update changes.
        locked: whether uv.lock agrees with the settings, or there is none.
        changelog: what the template's changelog says of the versions between; may be empty.
    """

    current: str
    latest: str
    conflicts: tuple[str, ...]
    changed: tuple[str, ...]
    locked: bool
    changelog: str

    @property
    def title(self) -> str:
        """The first line of the commit, the pull request's title and the issue's."""
        return f"Update from the template: {self.current} to {self.latest}"

    @property
    def workflows(self) -> tuple[str, ...]:
        """Changed workflows, which GitHub's own token may not push."""
        return tuple(name for name in self.changed if name.startswith(WORKFLOWS))

    @property
    def kind(self) -> str:
        """Whether it is proposed as a pull request or, with its commands, as an issue."""
        return ISSUE if self.workflows else PULL


def body(update: Update) -> str:
    """Return the Markdown of the pull request or the issue, conflicts on top."""
    parts = [*_conflicts(update)]
    parts += _as_issue(update) if update.kind == ISSUE else _as_pull(update)
    parts += _changelog(update)
    parts += [MARK] if update.kind == ISSUE else []
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _conflicts(update: Update) -> list[str]:
    if not update.conflicts:
        return []
    said = "**Conflicts: you and the template changed the same lines of these files.**"
    where = (
        "Conflict markers are in them. Settle `pyproject.toml` first: as long as markers are in "
        "it, no `uv` command works."
    )
    return [said, _listed(update.conflicts), where]


def _as_pull(update: Update) -> list[str]:
    parts = []
    if update.conflicts or not update.locked:
        why = "Settle them" if update.conflicts else "`uv.lock` could not be made anew. Do so"
        parts += [f"{why} on this branch:", _STEPS, "Then:", _THEN]
    parts.append(
        "GitHub holds back the checks of a pull request that a workflow opened: somebody who may "
        "write here starts them with *Approve workflows to run*. Where that button is missing, "
        "close this pull request and open it again. The next such run replaces this branch, unless "
        "somebody has added a commit to it."
    )
    return parts


def _as_issue(update: Update) -> list[str]:
    why = (
        "This update changes workflows, and the token of a workflow may not push these. Without "
        "them the project would say that it has a version which it does not have. So there is no "
        "branch: somebody who may push makes it."
    )
    return [
        why,
        _listed(update.workflows),
        _BY_HAND,
        "Settle what is unmerged, then:",
        _THEN,
        "Close this issue with its pull request.",
    ]


def _changelog(update: Update) -> list[str]:
    title = f"## What {update.latest} brings"
    if not update.changelog:
        return [title, "The template's CHANGELOG.md says nothing of these versions."]
    parts = [title, f"What stands below *{TO_DO}* is for you."] if TO_DO in update.changelog else []
    return [*(parts or [title]), shortened(update.changelog)]


def _listed(names: tuple[str, ...]) -> str:
    lines = [f"- `{name}`" for name in names[:_MOST_NAMED]]
    more = len(names) - _MOST_NAMED
    return "\n".join([*lines, *([f"- and {more} more"] if more > 0 else [])])
