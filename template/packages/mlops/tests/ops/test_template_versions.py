"""Which tag is newer than what the project has."""

import pytest

from mlops.ops.template_versions import (
    Refs,
    newer_than,
    newest_release,
    numbers_before,
    release_numbers,
)

HEAD = "5c2a1f0" + "0" * 33


def test_a_listing_is_read() -> None:
    listing = f"{HEAD}\tHEAD\nabc\trefs/tags/v1.0\nabd\trefs/tags/v1.0^{{}}\nno line of it\n"
    assert Refs.parse(listing) == Refs(HEAD, ("v1.0",))


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("1.2.0", (1, 2)),
        ("v1.10", (1, 10)),
        ("0.0", ()),
        ("1.2.0rc1", None),
        ("1.2.0-3-g5c2a1f0", None),
        ("release-1", None),
        ("", None),
    ],
)
def test_releases_alone_have_numbers(text: str, numbers: tuple[int, ...] | None) -> None:
    assert release_numbers(text) == numbers


@pytest.mark.parametrize(
    ("version", "numbers"),
    [
        ("1.2.0", (1, 2)),
        ("v1.2.3-3-g5c2a1f0", (1, 2, 3)),
        ("5c2a1f0", ()),
        ("1234567", ()),
        ("odd", ()),
    ],
)
def test_a_version_follows_a_release(version: str, numbers: tuple[int, ...]) -> None:
    assert numbers_before(version) == numbers


def test_the_newest_is_by_number_and_no_candidate() -> None:
    assert newest_release(["1.9.0", "1.10.0", "v1.2", "2.0.0rc1", "latest"]) == "1.10.0"
    assert newest_release(["latest"]) == ""


@pytest.mark.parametrize(
    ("version", "tags", "newer"),
    [
        ("1.0.0", ["1.0.0", "1.1.0"], "1.1.0"),
        ("1.1.0", ["1.0.0", "1.1.0"], ""),
        ("v1.1", ["1.1.0"], ""),
        ("1.1.0-4-g5c2a1f0", ["1.1.0"], ""),
        ("1.1.0-4-g5c2a1f0", ["1.1.0", "1.1.1"], "1.1.1"),
        ("5c2a1f0", ["0.1.0"], "0.1.0"),
        ("5c2a1f0", [], ""),
        ("6d3b2e1", [], HEAD[:10]),
        ("0.1.0-3-g5c2a1f0", [], ""),
        ("odd", [], HEAD[:10]),
    ],
)
def test_what_a_project_can_be_updated_to(version: str, tags: list[str], newer: str) -> None:
    assert newer_than(version, Refs(HEAD, tuple(tags))) == newer
