"""Whether a release has an A/B test, and how often it looks."""

from dataclasses import replace

import pytest

from fakes.endpoint import FakeEndpoint
from fakes.release import AtLevel
from mlops.release.ab_test.settings import ab_settings_of, has_ab_test


@pytest.mark.parametrize(
    ("level", "environment", "enabled", "expected"),
    [
        (3, "prod", None, True),
        (3, "prod", False, False),
        (3, "test", None, False),
        (3, "test", True, True),
        (2, "prod", None, False),
        (2, "prod", True, False),
    ],
)
def test_an_ab_test_needs_callers(
    at_level: AtLevel, level: int, environment: str, enabled: bool | None, expected: bool
) -> None:
    settings = at_level(level, ab_test__enabled=enabled)
    values = settings.values.model_copy(update={"environment": environment})
    assert has_ab_test(replace(settings, values=values)) is expected


@pytest.mark.parametrize(
    ("batch", "poll", "seconds"),
    [(1.0, 0.0, 1.0), (1.0, 10.0, 10.0), (10.0, 10.0, 10.0), (11.0, 10.0, 11.0)],
)
def test_an_endpoint_is_asked_no_more_often_than_it_may_be(
    both: FakeEndpoint, at_level: AtLevel, batch: float, poll: float, seconds: float
) -> None:
    settings = at_level(3, ab_test__batch_seconds=batch)
    both.poll_seconds = poll
    chosen = ab_settings_of(settings, both)
    assert chosen == settings.values.ab_test.model_copy(update={"batch_seconds": seconds})
