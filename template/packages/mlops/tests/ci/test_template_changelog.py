"""Which part of the template's changelog an update brings."""

import pytest

from mlops.ci.template_changelog import MOST_CHARACTERS, changelog_part, shortened

TEXT = """\
# Changelog

What changes.

## Unreleased

- next

## [1.10.0] - 2026-12-01

- ten

### To do when updating

Nothing.

## 1.2.0

- two

## v1.0.0

- first
"""
TEN = "## [1.10.0] - 2026-12-01\n\n- ten\n\n### To do when updating\n\nNothing."


@pytest.mark.parametrize(
    ("current", "latest", "brought"),
    [
        ("1.2.0", "1.10.0", [TEN]),
        ("1.2.0-4-g5c2a1f0", "1.10.0", [TEN]),
        ("1.0.0", "1.2.0", ["## 1.2.0\n\n- two"]),
        ("0.0.0.post3.dev0+5c2a1f0", "1.0.0", ["## v1.0.0\n\n- first"]),
        ("1.10.0", "1.10.0.post2.dev0+5c2a1f0", ["## Unreleased\n\n- next"]),
        ("1.2.0", "1.10.0.post2.dev0+abc", ["## Unreleased\n\n- next", TEN]),
        ("1.10.0", "1.11.0", []),
    ],
)
def test_it_is_the_versions_after_one_up_to_another(
    current: str, latest: str, brought: list[str]
) -> None:
    assert changelog_part(TEXT, current, latest) == "\n\n".join(brought)


def test_a_text_without_versions_says_nothing() -> None:
    assert changelog_part("# Changelog\n", "1.0.0", "2.0.0") == ""


def test_what_is_too_long_for_github_is_cut_at_a_line_and_says_so() -> None:
    part = "- a line\n" * MOST_CHARACTERS
    cut = shortened(part)
    assert len(cut) < MOST_CHARACTERS + 200
    assert cut.endswith("- a line\n\n*It goes on: the template's CHANGELOG.md has the rest.*")
    assert shortened("short") == "short"
