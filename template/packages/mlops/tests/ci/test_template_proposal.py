"""What a person is shown of an update of the template."""

from dataclasses import replace

import pytest

from mlops.ci.template_proposal import ISSUE, MARK, PULL, Update, body

UPDATE = Update("1.0.0", "1.1.0", (), ("README.md",), True, "## 1.1.0\n\n- news")
WORKFLOW = ".github/workflows/weekly.yml"


def test_without_conflicts_the_changelog_is_what_there_is_to_say() -> None:
    text = body(UPDATE)
    assert UPDATE.kind == PULL
    assert UPDATE.title == "Update from the template: 1.0.0 to 1.1.0"
    assert text.endswith("## What 1.1.0 brings\n\n## 1.1.0\n\n- news\n")
    assert "*Approve workflows to run*" in text
    assert "Conflict" not in text
    assert "uv lock" not in text


@pytest.mark.parametrize("changed", [("a.py",), ("a.py", WORKFLOW)])
def test_conflicts_are_on_top(changed: tuple[str, ...]) -> None:
    text = body(replace(UPDATE, conflicts=("a.py", "pyproject.toml"), changed=changed))
    first, files = text.split("\n\n")[:2]
    assert first == ("**Conflicts: you and the template changed the same lines of these files.**")
    assert files == "- `a.py`\n- `pyproject.toml`"
    for command in ("uv lock", "uv sync", "uv run pytest"):
        assert f"\n{command}\n" in text


def test_a_lock_that_could_not_be_made_is_said() -> None:
    text = body(replace(UPDATE, locked=False))
    assert text.startswith("`uv.lock` could not be made anew. Do so on this branch:")
    assert "git switch template-update" in text


def test_changed_workflows_make_an_issue_with_the_commands() -> None:
    update = replace(UPDATE, changed=("README.md", WORKFLOW))
    text = body(update)
    assert update.kind == ISSUE
    assert f"- `{WORKFLOW}`" in text
    assert "README.md" not in text
    assert "\nuvx copier update\n" in text
    assert "## 1.1.0\n\n- news" in text
    assert text.endswith(f"{MARK}\n")
    assert "git switch template-update" not in text


def test_what_is_to_be_done_by_hand_is_pointed_at() -> None:
    with_note = replace(UPDATE, changelog="## 1.1.0\n\n### To do when updating\n\nRun it.")
    assert "*To do when updating* is for you" in body(with_note)
    assert body(with_note).count("## What 1.1.0 brings") == 1
    assert "is for you" not in body(UPDATE)


def test_a_changelog_that_says_nothing_is_said_to() -> None:
    assert "CHANGELOG.md says nothing of these versions" in body(replace(UPDATE, changelog=""))


def test_many_files_are_counted() -> None:
    text = body(replace(UPDATE, conflicts=tuple(f"{n}.py" for n in range(60))))
    assert "- `49.py`\n- and 10 more" in text
    assert "`50.py`" not in text
