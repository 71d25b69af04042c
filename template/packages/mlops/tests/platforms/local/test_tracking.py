"""MLflow's store stays inside the project, whatever the project's folders are called."""

from pathlib import Path

import pytest

from mlops.errors import ConfigError
from mlops.platforms.local.tracking import check_place, sqlite_uri

NAMES = ["[v2]", "100% (copy)", "a%20b", "a?b", "a#b", "a*b", "a&b=c", "ä ö"]


@pytest.mark.parametrize("name", NAMES)
def test_a_database_is_opened_by_the_name_of_its_file(name: str) -> None:
    from sqlalchemy.engine import make_url

    database = Path("/x") / name / "mlflow.db"
    found = make_url(sqlite_uri(database))
    assert (found.database, dict(found.query)) == (database.as_posix(), {})


def test_the_store_of_a_project_in_such_folders_lies_in_the_project(
    trained_once: tuple[Path, str],
) -> None:
    root, run_id = trained_once
    state = root / ".mlops"
    assert root.parts[-3:-1] == ("a?b", "a*b")
    assert (state / "mlflow.db").is_file()
    assert any((state / "mlruns" / run_id / "artifacts").iterdir())
    above = [str(path) for folder in root.parents[:7] for path in folder.iterdir()]
    assert len(above) == 7, above


def test_an_environment_in_a_folder_that_mlflow_cannot_read_is_told() -> None:
    from alembic.config import Config

    place = Path("/x/100% (copy)/.venv/mlflow")
    with pytest.raises(ConfigError, match=r"because of the % in its name") as refusal:
        check_place(place)
    assert str(place) in refusal.value.message
    assert "UV_PROJECT_ENVIRONMENT" in refusal.value.remedy
    check_place(Path("/x/[v2]/a?b/a#b/.venv/mlflow"))
    with pytest.raises(ValueError, match="interpolation"):  # the reason, as long as it lasts
        Config().set_main_option("script_location", str(place))
