"""What an auditor is handed: the page says what is in it and what is missing; bytes repeat."""

import hashlib
import io
import zipfile
from dataclasses import replace

import pytest

from mlops.errors import ConfigError
from mlops.governance.pack import (
    INDEX,
    PAGE,
    Gap,
    Item,
    Pack,
    index_page,
    index_text,
    refused_gaps,
    shared_results,
    unrecorded,
    zipped,
)
from mlops.governance.readiness import Lack, Requirement

HAPPENED = {
    "time": "2026-11-03T10:00:00+00:00",
    "what": "release",
    "environment": "prod",
    "outcome": "promoted",
    "detail": "all <well>",
}
PACK = Pack(
    name="tiny",
    version=3,
    items=(Item("bom.json", b"{}", "bill of | materials"), Item("gate.json", b"[]", "the gate")),
    missing=(Gap("audit/acts.csv", "no <line>"),),
    left_out=(Gap("version/probes.json", "rows"),),
    later=(HAPPENED,),
)
RESULTS = b"""<?xml version="1.0"?><testsuites><testsuite name="pytest" hostname="laptop-7">
<properties><property name="user" value="zq7"/></properties>
<testcase classname="tests.a" name="test_one"><failure message="zq7 != 1">row zq7</failure>
<system-out>zq7</system-out></testcase><testcase classname="tests.a" name="test_two"/>
</testsuite></testsuites>"""


def test_the_page_lists_each_file_with_its_hash_and_what_is_missing() -> None:
    text, page = index_text(PACK), index_page(PACK)
    for each in PACK.items:
        assert each.sha256 == hashlib.sha256(each.content).hexdigest()
        assert each.path in text
        assert each.sha256 in text
        assert each.sha256 in page
    assert "| audit/acts.csv | no \\<line> |" in text
    assert "<td>no &lt;line&gt;</td>" in page
    assert "| version/probes.json | rows |" in text
    assert "promoted" in text
    assert "all &lt;well&gt;" in page
    assert text.index("What is missing") < text.index("What is in it")
    assert "src=" not in page
    assert "href=" not in page


def test_nothing_is_said_to_be_there_that_is_not() -> None:
    empty = replace(PACK, items=(), missing=(), left_out=(), later=())
    assert "Nothing was found missing." in index_text(empty)
    assert "Nothing is recorded, or it could not be read." in index_page(empty)
    assert "promoted" not in index_text(empty)


def test_the_same_content_has_the_same_bytes() -> None:
    content = zipped(PACK)
    assert zipped(replace(PACK)) == content
    assert zipped(replace(PACK, missing=())) != content
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.namelist() == [INDEX, PAGE, "bom.json", "gate.json"]
        assert {each.date_time for each in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert archive.read("bom.json") == b"{}"


def test_what_environments_refuse_is_named_once_with_all_of_them() -> None:
    review = Lack(Requirement.REVIEW, "review_date is overdue")
    approval = Lack(Requirement.APPROVAL, "no approval is recorded")
    found = refused_gaps({"dev": [review], "prod": [review, approval]})
    assert [each.what for each in found] == ["asked for by dev, prod", "asked for by prod"]
    assert found[0].why == "an overdue review: review_date is overdue"


def test_what_nobody_recorded_is_named_by_its_place() -> None:
    origin = {
        "registered_at": None,
        "run": {"id": "1", "pipeline": None},
        "data": {"hash": "ab", "rows": None, "source": {"name": None}},
        "candidate": None,
        "parent": {"version": None, "note": None},
    }
    assert [*unrecorded(origin)] == ["registered_at", "data.rows"]


def test_results_come_without_what_tests_printed_or_quoted() -> None:
    shared = shared_results(RESULTS, "a.xml")
    assert b"zq7" not in shared
    assert b"laptop-7" not in shared
    assert b"test_one" in shared
    assert b"<failure" in shared
    with pytest.raises(ConfigError, match=r"a\.xml is no XML"):
        shared_results(b"no xml", "a.xml")
