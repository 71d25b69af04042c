"""The record of a release in which no two fields hold the same value."""

from mlops.checks import Check
from mlops.release.ab_test.decision import AbResult, Limits
from mlops.release.ab_test.looks import Arm, Look
from mlops.release.ab_test.sequential import Evidence
from mlops.release.evidence import Record
from mlops.release.smoke import SmokeResult
from mlops.settings.sections import AbTestSettings, Margins

SETTINGS = AbTestSettings(
    enabled=True,
    mirror_percent=21,
    mirror_requests=101,
    mirror_seconds=901.0,
    share_percent=11,
    duration_seconds=3601.0,
    alpha=0.04,
    min_requests=201,
    objective_ms=199.0,
    patience_ms=1999.0,
    batch_seconds=1.5,
    margins=Margins(errors=0.013, slow=0.057),
)
COPIES = Arm(requests=50, errors=3, slow=4)
MIRROR_LOOK = Look(
    seconds=1.23456,
    phase="mirror",
    baseline=Arm(requests=90, errors=1, slow=2),
    candidate=Arm(),
    copies=COPIES,
    evidence={"errors": Evidence(5, 1.5, 2.5), "slow": Evidence(6, 3.5, 4.5)},
)
SHARE_LOOK = Look(
    seconds=2.5,
    phase="share",
    baseline=Arm(requests=1000, errors=10, slow=60),
    candidate=Arm(requests=200, errors=5, slow=7),
    copies=COPIES,
    evidence={"errors": Evidence(40, float("inf"), 0.25), "slow": Evidence(41, 31.0, 0.125)},
)
RESULT = AbResult(
    baseline="blue",
    candidate="green",
    decision="promote",
    reason="green is not worse",
    limits=Limits(promote=25.0, reject=51.0),
    settings=SETTINGS,
    looks=(MIRROR_LOOK, SHARE_LOOK),
)
SMOKE = SmokeResult(
    "tiny-prod (smoke)",
    (
        Check("a | b", found="1 ms", asked="2 ms", passed=True),
        Check("health", found="not running", asked="healthy", passed=False),
    ),
)
RECORD = Record(
    endpoint="tiny-prod",
    candidate="green",
    versions={"blue": 9, "green": 10},
    outcome="promoted",
    reason="it is as good",
    traffic_before={"blue": 97, "red": 3},
    traffic_after={"green": 98, "red": 2},
    rehearsal="generated requests",
    changes=("d must be sent",),
    breaking="they are told",
    replaced="blue serves version 9 of made-up data",
    data={
        "blue": {"kind": "sample", "name": "size 9", "made_up": True, "fraction": 1.0},
        "green": {"kind": "asset", "name": "orders:3", "made_up": False, "fraction": 1.0},
    },
    kind="Release",
    smoke=SMOKE,
    ab_test=RESULT,
    candidate_log="the last words",
    left=("blue", "yellow"),
)
