"""Concurrency groups: who is at work in one, and who waits behind.

By default at most one is at work and one waits, and a newer one takes the place of that which
waits; with `queue: max` there are up to 100; with `cancel-in-progress` the newer one ends the one
at work. Names do not tell upper from lower case. Source: docs.github.com, "Control the concurrency
of workflows and jobs"; github.blog changelog of 2026-05-07.
"""

from dataclasses import dataclass, field

Member = tuple[int, tuple[str, ...]]
"""A run by its number, and one of its jobs; no job: the run itself."""

LONGEST = 100


@dataclass
class Queues:
    """All groups of a repository; who is in none is always first."""

    _groups: dict[str, list[Member]] = field(default_factory=dict)

    def enter(self, member: Member, group: str, *, cancels: bool, keeps: bool) -> list[Member]:
        """Let a member come in, and return those that must go for it.

        Args:
            member: who comes.
            group: the name of the group; empty: none.
            cancels: whether it ends what is at work.
            keeps: whether those that wait stay.
        """
        if not group:
            return []
        line = self._groups.setdefault(group.lower(), [])
        if cancels:
            ousted = [*line]
        elif keeps:
            ousted = line[LONGEST:]
        else:
            ousted = line[1:]
        for each in ousted:
            line.remove(each)
        line.append(member)
        return ousted

    def leave(self, member: Member) -> None:
        """Let a member go."""
        for line in self._groups.values():
            if member in line:
                line.remove(member)

    def is_first(self, member: Member) -> bool:
        """Tell whether nobody is before a member."""
        return all(line[0] == member for line in self._groups.values() if member in line)
