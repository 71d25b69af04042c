"""Files of labels: what is read of them, and what is refused."""

from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from fakes.labelled_events import TARGETS
from mlops.errors import ConfigError, Refused
from mlops.monitoring.label_file import KeyColumn, read_labels
from mlops.monitoring.labels import By, Labels
from mlops.tasks import Task

KEY = KeyColumn("machine", pl.String())


def read(path: Path, task: Task = Task.BINARY, key: KeyColumn = KEY, quote: bool = True) -> Labels:
    return read_labels(path, key, TARGETS[task], quote=quote)


def written(folder: Path, text: str) -> Path:
    path = folder / "labels.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_labels_by_inference_id(tmp_path: Path) -> None:
    found = read(written(tmp_path, "inference_id,label,note\n00ff,1,x\n11ee,0,y\n"))
    assert (found.by, found.count, found.left_out) == (By.ID, 2, {})
    assert found.rows.to_dict(as_series=False) == {
        "inference_id": ["00ff", "11ee"], "label": [1.0, 0.0], "order": [0, 1],
    }  # fmt: skip


def test_labels_by_key_and_date(tmp_path: Path) -> None:
    text = "machine,date,label\n0071,2024-06-01,1\nm2,2024-06-02T23:30:00Z,0\n"
    found = read(written(tmp_path, text))
    assert found.by is By.KEY
    assert found.rows["key"].to_list() == ["0071", "m2"]
    assert found.rows["day"].to_list() == [date(2024, 6, 1), date(2024, 6, 2)]


def test_a_key_is_compared_as_the_text_that_events_hold(tmp_path: Path) -> None:
    found = read(
        written(tmp_path, "machine,date,label\n0071,2024-06-01,1\n"),
        key=KeyColumn("machine", pl.Int64()),
    )
    assert found.rows["key"].to_list() == [str(71)]


def test_the_newest_is_the_one_that_was_labelled_last(tmp_path: Path) -> None:
    moments = [datetime(2024, 6, day, tzinfo=UTC) if day else None for day in (3, 1, 0)]
    path = tmp_path / "labels.parquet"
    table = {"inference_id": ["a", "a", "a"], "label": [1, 0, 0], "labelled_at": moments}
    pl.DataFrame(table).write_parquet(path)
    assert read(path).rows.sort("order")["label"].to_list() == [0.0, 0.0, 1.0]


@pytest.mark.parametrize(
    ("task", "labels", "left_out"),
    [
        (Task.BINARY, "1,0,2,,maybe", {"null": 1, "neither 0 nor 1": 2}),
        (Task.REGRESSION, "1.5,0,,much,2", {"null": 1, "no number": 1}),
        (
            Task.MULTICLASS,
            "red,green,pink,,pink",
            {"null": 1, "a class that the version lacks: pink": 2},
        ),
    ],
)
def test_labels_of_the_wrong_kind_are_left_out_and_counted(
    tmp_path: Path, task: Task, labels: str, left_out: dict[str, int]
) -> None:
    lines = [f"id{n},{label}" for n, label in enumerate(labels.split(","))]
    found = read(written(tmp_path, "\n".join(["inference_id,label", *lines, ""])), task)
    assert found.left_out == left_out
    assert found.rows.height == found.count - sum(left_out.values())


def test_a_label_that_names_no_prediction_is_left_out(tmp_path: Path) -> None:
    text = "machine,date,label\nm1,2024-06-01,1\n,2024-06-01,1\nm1,yesterday,1\n"
    found = read(written(tmp_path, text))
    assert (found.rows.height, found.left_out) == (1, {"without machine and date": 2})


def test_texts_in_parquet_are_no_numbers(tmp_path: Path) -> None:
    path = tmp_path / "labels.parquet"
    pl.DataFrame({"inference_id": ["a"], "label": ["7"]}).write_parquet(path)
    with pytest.raises(Refused, match="column label: 1 value is no Float64"):
        read(path, Task.REGRESSION)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("labels.txt", "inference_id,label\na,1\n", "is none of .parquet, .csv, .csv.gz"),
        ("labels.csv", "inference_id,y\na,1\n", "has no column label"),
        ("labels.csv", "machine,label\na,1\n", "neither inference_id nor date"),
        ("labels.csv", "id,label\na,1\n", "neither inference_id nor machine and date"),
    ],
)
def test_what_is_no_file_of_labels_is_wrong_usage(
    tmp_path: Path, name: str, text: str, said: str
) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(ConfigError, match=said):
        read(path)


@pytest.mark.parametrize("name", ["labels.parquet", "labels.csv"])
def test_a_damaged_file_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"")
    with pytest.raises(Refused, match="the file is empty"):
        read(path)


def test_a_refusal_quotes_nothing_where_values_are_hidden(tmp_path: Path) -> None:
    path = tmp_path / "labels.parquet"
    pl.DataFrame({"inference_id": ["a"], "label": ["secret"]}).write_parquet(path)
    with pytest.raises(Refused) as refusal:
        read(path, Task.REGRESSION, quote=False)
    assert "secret" not in str(refusal.value)
