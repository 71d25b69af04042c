"""The part of the template's CHANGELOG.md that an update brings."""

import re

from mlops.ops.template_versions import numbers_before, release_numbers

MOST_CHARACTERS = 40_000
"""GitHub takes 65,536 characters in all."""
TO_DO = "To do when updating"
"""The heading of what a person does besides, in the section of a version."""
_SECTION = re.compile(r"^## +\[?(?P<name>[^\]\s]+)\]?.*$", re.MULTILINE)
_BEHIND = re.compile(r"[^.\d v]")


def changelog_part(text: str, current: str, latest: str) -> str:
    """Return the sections of the versions after one, up to another, as they are.

    What is not released yet belongs to it where the newer one is a commit and no release.

    Args:
        text: the changelog: a heading `## <version>` for each, in any order of them.
        current: the version before the update, as Copier or git says it.
        latest: the version after it.

    Returns:
        Markdown; empty if the changelog says nothing of these versions.
    """
    after, up_to = numbers_before(current), numbers_before(latest)
    is_release = not _BEHIND.search(latest)
    wanted = []
    headings = [*_SECTION.finditer(text)]
    starts = [each.start() for each in headings] + [len(text)]
    for heading, end in zip(headings, starts[1:], strict=True):
        numbers = release_numbers(heading["name"])
        if numbers is None:
            brought = not is_release and heading["name"].lower() == "unreleased"
        else:
            brought = after < numbers <= up_to
        if brought:
            wanted.append(text[heading.start() : end].strip())
    return "\n\n".join(wanted)


def shortened(part: str) -> str:
    """Return the part cut to what GitHub takes, with a word on it where it is cut."""
    if len(part) <= MOST_CHARACTERS:
        return part
    lines = part[:MOST_CHARACTERS].rsplit("\n", 1)[0]
    return f"{lines}\n\n*It goes on: the template's CHANGELOG.md has the rest.*"
