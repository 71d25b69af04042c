"""The manifest of a candidate is written once, read as it was written, and never changed."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from fakes.candidates import DECIDED, candidate
from mlops.artifacts.candidate import (
    candidate_id,
    candidate_tags,
    parse_candidate,
    read_candidate,
    write_candidate,
)
from mlops.artifacts.run_folder import RunFolder
from mlops.errors import ConfigError, Refused


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = write_candidate(tmp_path, candidate())
    assert path == tmp_path / "candidates" / "7-20260630T120000Z" / "candidate.json"
    assert read_candidate(path) == candidate()
    assert json.loads(path.read_text())["schema"] == 1
    assert [each.name for each in path.parent.iterdir()] == ["candidate.json"]


def test_as_one_line_it_is_the_same() -> None:
    line = candidate(reason="two\nlines").line()
    assert "\n" not in line
    assert parse_candidate(line) == candidate(reason="two\nlines")


def test_it_is_frozen(tmp_path: Path) -> None:
    write_candidate(tmp_path, candidate())
    path = write_candidate(tmp_path, candidate())
    with pytest.raises(Refused, match="another manifest of candidate 7-20260630T120000Z"):
        write_candidate(tmp_path, candidate(cause="age"))
    assert read_candidate(path) == candidate()
    with pytest.raises(ValidationError):
        candidate().cause = "age"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"commit": "main"}, "commit"),
        ({"commit": "--upload-pack=x"}, "commit"),
        ({"id": "../../7-20260630T120000Z"}, "id"),
        ({"reference": 0}, "reference"),
        ({"extra": 1}, "extra"),
        ({"data": {"kind": "sample", "reference_date": "2026-06-30", "fraction": 0.1}}, "fraction"),
        ({"data": {"kind": "web", "reference_date": "2026-06-30"}}, "kind"),
    ],
)
def test_what_is_no_manifest_is_refused_by_its_field(changed: dict[str, Any], said: str) -> None:
    text = json.dumps({**candidate().to_dict(), **changed})
    with pytest.raises(ConfigError, match=said) as told:
        parse_candidate(text)
    assert "mlops retrain" in told.value.remedy


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": 2}', "nonsense"])
def test_what_is_no_document_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="the candidate is no"):
        parse_candidate(text)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="does not exist"):
        read_candidate(tmp_path / "candidate.json")


def test_a_run_knows_of_which_candidate_it_is(tmp_path: Path) -> None:
    assert RunFolder(tmp_path).candidate() is None
    folder = write_candidate(tmp_path, candidate()).parent
    assert RunFolder(folder).candidate() == candidate()


def test_a_versions_tags_say_candidate_and_cause() -> None:
    assert candidate_tags(None) == {}
    assert candidate_tags(candidate().told()) == {
        "candidate.id": "7-20260630T120000Z",
        "candidate.cause": "drift",
    }


def test_later_candidates_of_a_version_sort_last() -> None:
    assert candidate_id(7, DECIDED) < candidate_id(7, DECIDED.replace(second=1))
