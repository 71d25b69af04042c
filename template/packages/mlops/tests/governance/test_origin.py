"""Where a version comes from, also by an old record; and who saw data."""

import pytest

from fakes.tiny_version import MADE_UP
from mlops.errors import ConfigError
from mlops.governance.origin import SeenData, origin_of, seen_data, who_saw

A, B, FILE = "a" * 64, "a" * 20 + "b" * 44, "c0ffee00" * 8
SEEN = [
    SeenData(1, A, "real data", {"orders.csv": FILE}),
    SeenData(2, B, "real data", {"orders.csv": FILE.upper(), "new.csv": "d" * 64}),
    SeenData(3, A, "real data", {}),
    SeenData(4, None, "unknown data", {}),
]


def empty(content: object) -> bool:
    """Whether nothing is said anywhere."""
    if isinstance(content, dict):
        return all(empty(each) for each in content.values())
    return content is None


def test_what_an_old_record_does_not_say_is_there_and_empty() -> None:
    full = origin_of(
        {
            "model": {"name": "tiny", "version": 3},
            "created_at": "2026-06-30",
            "run_id": "r",
            "pipeline": {"url": ""},
            "git": {"commit": "c", "dirty": False, "branch": "main"},
            "data": {"hash": "h", "rows": 0, "source": MADE_UP.to_dict()},
            "verdict": {"passed": True, "checks": []},
            "parent": {"version": None, "note": "there is none"},
            "files": {"model.onnx": "m"},
        }
    )
    old = origin_of({"data": None})
    assert old.keys() == full.keys()
    assert old["data"].keys() == full["data"].keys()
    source, words = old["data"].pop("source"), old["data"].pop("words")
    assert (source["kind"], words) == ("unknown", "unknown data")
    assert empty(old)
    assert full["model"] == {"name": "tiny", "version": 3}
    assert full["run"] == {"id": "r", "pipeline": ""}
    assert full["data"]["rows"] == 0
    assert full["data"]["words"] == MADE_UP.words
    assert full["parent"] == {"version": None, "note": "there is none"}
    assert full["onnx_sha256"] == "m"


@pytest.mark.parametrize(
    ("wanted", "versions", "by"),
    [
        (A, [1, 3], "all of the data"),
        (A[:21], [1, 3], "all of the data"),
        (B[:24].upper(), [2], "all of the data"),
        (f" {FILE[:8]} ", [1, 2], "the file orders.csv"),
        ("dddddddd", [2], "the file new.csv"),
        ("e" * 64, [], ""),
    ],
)
def test_who_saw_data_is_found_by_the_hash_of_all_or_of_a_file(
    wanted: str, versions: list[int], by: str
) -> None:
    found, saw = who_saw(wanted, SEEN)
    assert [each.version for each in saw] == versions
    assert {each.by for each in saw} == ({by} if by else set())
    assert found.startswith(wanted.strip().lower())


def test_a_beginning_that_several_have_is_refused() -> None:
    with pytest.raises(ConfigError, match="several hashes") as told:
        who_saw("a" * 20, SEEN)
    assert A in told.value.message
    assert B in told.value.message


@pytest.mark.parametrize("wanted", ["", "aaaaaaa", "orders.csv", "aaaa aaaa"])
def test_what_is_no_hash_is_refused(wanted: str) -> None:
    with pytest.raises(ConfigError, match="neither a hash"):
        who_saw(wanted, SEEN)


def test_a_record_without_a_hash_saw_nothing_that_is_known() -> None:
    assert seen_data(7, {"data": {"hash": ""}}).hash is None
    assert seen_data(7, {}) == SeenData(7, None, "unknown data", {})
