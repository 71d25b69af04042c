"""What an environment asks for: read from GitHub, changed, and given back."""

import pytest

from mlops.ci.setup_github.environments import GitHubEnvironment
from mlops.ci.setup_github.protection import (
    Known,
    Protection,
    Reviewer,
    protection_from,
    protection_of,
)

ANN, OWNERS = Reviewer("User", 7), Reviewer("Team", 8)
REVIEWED = GitHubEnvironment("prod", ("main",), reviewed=True, purpose="the release")
OPEN = GitHubEnvironment("test", ("main",), reviewed=False, purpose="the release before")
STRICT = Protection(
    reviewers=(ANN, OWNERS), prevent_self_review=True, admins_bypass=False, wait_minutes=30
)
LOOSE = Protection(reviewers=(OWNERS,), wait_minutes=30)


def test_every_part_is_read_from_what_github_answers() -> None:
    answer = {
        "name": "prod",
        "can_admins_bypass": False,
        "protection_rules": [
            {"type": "branch_policy"},
            {"type": "wait_timer", "wait_timer": 30},
            {
                "type": "required_reviewers",
                "prevent_self_review": True,
                "reviewers": [
                    {"type": "User", "reviewer": {"id": 7}},
                    {"type": "Team", "reviewer": {"id": 8}},
                ],
            },
        ],
    }
    assert protection_from(answer) == STRICT
    assert protection_from({"name": "dev"}) == Protection()


def test_every_part_is_given_back_in_githubs_words() -> None:
    assert STRICT.body() == {
        "wait_timer": 30,
        "reviewers": [{"type": "User", "id": 7}, {"type": "Team", "id": 8}],
        "prevent_self_review": True,
        "can_admins_bypass": False,
    }
    assert LOOSE.body() == {
        "wait_timer": 30,
        "reviewers": [{"type": "Team", "id": 8}],
        "prevent_self_review": False,
    }
    assert Protection().body() == {}
    assert Protection(wait_minutes=0).body() == {"wait_timer": 0}
    assert Protection(reviewers=None).body() == {"reviewers": None}


@pytest.mark.parametrize(
    ("environment", "before", "reviewers", "no_reviewers", "expected"),
    [
        (REVIEWED, Protection(), [ANN], False, Protection((ANN,), True, False)),
        (REVIEWED, LOOSE, [ANN], False, Protection((ANN,), True, False, 30)),
        (REVIEWED, LOOSE, [], False, Protection((OWNERS,), True, False, 30)),
        (REVIEWED, Protection(wait_minutes=5), [], False, Protection(wait_minutes=5)),
        (REVIEWED, STRICT, [], True, Protection(reviewers=None, wait_minutes=30)),
        (REVIEWED, Protection(wait_minutes=5), [], True, Protection(wait_minutes=5)),
        (OPEN, LOOSE, [ANN], False, LOOSE),
        (OPEN, LOOSE, [], True, LOOSE),
    ],
    ids=[
        "new reviewers",
        "other reviewers, the same wait",
        "those that are there, made strict",
        "nobody yet, nobody asked for",
        "taken away",
        "nobody to take away",
        "never reviewed",
        "never reviewed, none taken away",
    ],
)
def test_what_was_asked_for_wins_over_what_is_there(
    environment: GitHubEnvironment,
    before: Protection,
    reviewers: list[Reviewer],
    no_reviewers: bool,
    expected: Protection,
) -> None:
    known = Known(protection=before)
    assert protection_of(environment, known, reviewers, no_reviewers=no_reviewers) == expected
