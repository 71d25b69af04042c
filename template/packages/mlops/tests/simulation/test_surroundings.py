"""Commands of a simulation see nothing by which they reach what is the team's."""

import os
from pathlib import Path

import pytest

from mlops.monitoring.alerting.receivers import VARIABLES
from mlops.settings.project import STATE_VARIABLE
from mlops.simulation.surroundings import cleaned, inside

TEAMS = (
    "MLOPS_PLATFORM",
    "MLOPS_AZURE__WORKSPACE",
    "MLFLOW_TRACKING_URI",
    "AZURE_CLIENT_ID",
    "GITHUB_OUTPUT",
    "GITHUB_ACTIONS",
    "GITHUB_TOKEN",
    "GH_TOKEN",
    "GIT_DIR",
    "GIT_INDEX_FILE",
    STATE_VARIABLE,
    *VARIABLES.values(),
)


@pytest.mark.parametrize("name", TEAMS)
def test_what_is_the_team_s_is_taken_away(name: str) -> None:
    assert cleaned({name: "azure", "PATH": "/bin"}, {}).get(name) in (None, "local")


def test_the_rest_stays_and_the_platform_is_this_machine() -> None:
    found = cleaned({"PATH": "/bin", "MLOPS_PLATFORM": "azure"}, {"MORE": "1"})
    assert (found["PATH"], found["MLOPS_PLATFORM"], found["MORE"]) == ("/bin", "local", "1")


def test_afterwards_all_is_as_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GH_TOKEN", "secret")
    place, before = Path.cwd(), dict(os.environ)

    def work() -> None:
        with inside(tmp_path, cleaned(os.environ, {})):
            assert Path.cwd() == tmp_path
            assert "GH_TOKEN" not in os.environ
            os.environ["MORE"] = "1"
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work()
    assert (Path.cwd(), dict(os.environ)) == (place, before)
