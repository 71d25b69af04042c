"""`mlops observability write` writes what is made of queries, or says that it is not current."""

from pathlib import Path

import pytest

from fakes.cli import Command
from fakes.queries import PLAIN, content
from mlops.monitoring.rules.reading import QUERIES
from mlops.settings.project import Project


@pytest.fixture
def kql(project: Project) -> Path:
    (project.root / QUERIES).parent.mkdir()
    (project.root / QUERIES).write_text(content(PLAIN), encoding="utf-8")
    return project.root / "observability" / "queries" / "latency.kql"


def test_files_are_written_once(
    mlops: Command, kql: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert mlops("observability", "write") == 0
    assert "wrote observability/queries/latency.kql" in capsys.readouterr().err
    assert "percentile(latency_ms, 95)" in kql.read_text(encoding="utf-8")
    assert mlops("observability", "write", "--check") == 0
    assert "wrote" not in capsys.readouterr().err


def test_what_is_not_current_is_refused_and_left_alone(
    mlops: Command, project: Project, kql: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert mlops("observability", "write", "--check") == 1
    assert not kql.exists()
    assert mlops("observability", "write") == 0
    changed = content({**PLAIN, "least": 9})
    (project.root / QUERIES).write_text(changed, encoding="utf-8")
    assert mlops("observability", "write", "--check") == 1
    assert "latency.kql" in capsys.readouterr().err
    assert "n >= 9" not in kql.read_text(encoding="utf-8")
    (project.root / QUERIES).write_text(content(), encoding="utf-8")
    assert mlops("observability", "write") == 0
    assert not kql.exists()
    assert "removed observability/queries/latency.kql" in capsys.readouterr().err


def test_a_query_that_is_wrong_writes_nothing(
    mlops: Command, project: Project, kql: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project.root / QUERIES).write_text(content({**PLAIN, "by": ["who"]}), encoding="utf-8")
    assert mlops("observability", "write") == 2
    assert "latency, by.0: prediction has no 'who'" in capsys.readouterr().err
    assert not kql.exists()
