"""A candidate is trained by the code and on the data that its manifest names."""

from datetime import date

import pytest

from fakes.candidates import candidate, committed
from mlops.artifacts.candidate import FreshData
from mlops.artifacts.version_folder import VersionFolder, origin_tags
from mlops.errors import Refused
from mlops.governance.gate import judge_run
from mlops.platforms.local.platform import LocalPlatform
from mlops.settings.loading import LoadedSettings
from mlops.steps.candidate import keep_with, require_its_code, settings_of_candidate
from mlops.steps.register import register_run

DAY = date(2026, 6, 30)


@pytest.mark.parametrize(
    ("data", "asked"),
    [
        (FreshData(kind="sample", reference_date=DAY), {"data.source": "sample"}),
        (
            FreshData(kind="folder", name="orders", reference_date=DAY),
            {"data.source": "folder", "data.folder": "orders"},
        ),
        (
            FreshData(kind="asset", name="orders:3", reference_date=DAY),
            {"azure.data_asset": "orders:3"},
        ),
    ],
)
def test_it_asks_for_all_the_data_of_that_day(data: FreshData, asked: dict[str, str]) -> None:
    assert settings_of_candidate(candidate(data=data)) == {
        "data.fraction": 1.0,
        "data.reference_date": DAY,
        **asked,
    }


def test_it_is_trained_at_its_commit_alone(settings: LoadedSettings) -> None:
    root = settings.project.root
    commit = committed(root)
    require_its_code(candidate(commit=commit), settings)
    with pytest.raises(Refused, match="is of commit c0ffee"):
        require_its_code(candidate(), settings)
    (root / "new.txt").write_text("x")
    with pytest.raises(Refused, match="uncommitted changes"):
        require_its_code(candidate(commit=commit), settings)


def test_a_candidate_of_another_model_is_not_trained(settings: LoadedSettings) -> None:
    with pytest.raises(Refused, match="of the model other, and this is tiny"):
        require_its_code(candidate(model_name="other"), settings)


def test_its_version_says_why_it_was_trained(trained: tuple[LocalPlatform, str]) -> None:
    platform, run_id = trained
    run = platform.run(run_id)
    keep_with(run, candidate(reason="drift in 2 | of 5"))
    judge_run(platform, run, platform.settings)
    version = register_run(platform, run, platform.settings)
    folder = VersionFolder(version.folder)
    told = folder.lineage()["candidate"]
    assert (told["id"], told["cause"]) == ("7-20260630T120000Z", "drift")
    assert origin_tags(folder.path)["candidate.id"] == told["id"]
    card = folder.model_card.read_text(encoding="utf-8")
    assert (
        "- Retrained in the place of version 7 (prod), cause: drift (drift in 2 \\| of 5)" in card
    )
    assert folder.card()["candidate"] == told


def test_a_version_of_no_candidate_says_nothing_of_one(
    trained: tuple[LocalPlatform, str],
) -> None:
    platform, run_id = trained
    run = platform.run(run_id)
    judge_run(platform, run, platform.settings)
    folder = VersionFolder(register_run(platform, run, platform.settings).folder)
    assert "candidate" not in folder.lineage()
    assert "Retrained" not in folder.model_card.read_text(encoding="utf-8")
    assert "candidate.id" not in origin_tags(folder.path)
