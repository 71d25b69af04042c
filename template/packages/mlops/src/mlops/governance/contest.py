"""A run's model and the champion: are they compared, and what is said if they are not."""

from dataclasses import dataclass, replace

from mlops.artifacts.data_source import DataSource
from mlops.artifacts.run_folder import RunFolder
from mlops.artifacts.signature import differences
from mlops.artifacts.version_folder import VersionFolder, source_of_version
from mlops.checks import Check, shortened
from mlops.governance.champion import Comparison, compare
from mlops.governance.standing import Standing, standing
from mlops.platforms.base import ModelVersion, Platform, Run
from mlops.settings.sections import GateSettings


@dataclass(frozen=True)
class Contest:
    """What became of the comparison with the champion.

    Attributes:
        champion: the version that the model has to match; None where there is none.
        comparison: both side by side on the run's holdout.
        refusals: failed checks, where the model must not take the champion's place at all.
        warnings: what callers of the champion would have to change.
        note: why a version that is there was not compared, or what is odd about the comparison.
    """

    champion: int | None = None
    comparison: Comparison | None = None
    refusals: tuple[Check, ...] = ()
    warnings: tuple[str, ...] = ()
    note: str = ""


def hold_contest(platform: Platform, run: Run, source: DataSource, gate: GateSettings) -> Contest:
    """Ask the platform for the champion, and compare the run's model with it if that is fair.

    Args:
        platform: has the versions.
        run: whose model is judged.
        source: the data that it is made of.
        gate: whether the champion is compared.
    """
    if not gate.compare_to_champion and source.made_up is False:
        return Contest(note="no champion was compared: gate.compare_to_champion is false")
    said: list[str] = []
    version = platform.champion(said.append)
    found = Contest() if version is None else _held(version, run, source, gate)
    return replace(found, note=", and ".join([*said, *([found.note] if found.note else [])]))


def _held(version: ModelVersion, run: Run, source: DataSource, gate: GateSettings) -> Contest:
    number, theirs = version.version, source_of_version(version.folder, version.tags)
    found = standing(source, theirs)
    if found is Standing.REFUSED:
        return Contest(champion=number, refusals=(_refused(number, source, theirs),))
    if found is Standing.REPLACES:
        said = f"it is made of {theirs.words}, so it is no champion for a model of real data"
        return Contest(note=f"version {number} was not compared: {said}")
    if not gate.compare_to_champion:
        return Contest(note=f"version {number} was not compared: gate.compare_to_champion is false")
    note = ""
    if source.made_up is True and theirs.made_up is None:
        note = f"version {number} was compared although nobody knows whether its data are made up"
    comparison = compare(version, run, gate)
    note = ", and ".join(said for said in (note, comparison.note) if said)
    return Contest(number, comparison, warnings=_warnings(version, run), note=note)


def _refused(number: int, source: DataSource, theirs: DataSource) -> Check:
    asked = f"real data, since version {number} is made of {theirs.words} (--data-dir names them)"
    return Check(f"data against champion {number}", source.words, asked, passed=False)


def _warnings(champion: ModelVersion, run: Run) -> tuple[str, ...]:
    """Say what callers of the champion would have to send otherwise, null left aside."""
    prepared = RunFolder(run.folder).prepared()
    asked = {
        **prepared.target.to_dict(),
        "features": [
            {"name": f.name, "kind": f.kind.value, "nullable": True, "optional": f.optional}
            for f in prepared.features
        ],
    }
    changes = differences(VersionFolder(champion.folder).signature(), asked)
    if not changes:
        return ()
    return (
        f"callers of version {champion.version} would have to send something else "
        f"({shortened(changes)}): a release refuses that, see docs/release.md",
    )
