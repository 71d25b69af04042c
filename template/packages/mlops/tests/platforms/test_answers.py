"""What answers mean, on both platforms; and the page that tells callers."""

import pytest

from fakes.places import PROJECT
from mlops.platforms.answers import KINDS, Fault, Kind, described, is_answer, own_status


def seen_behind_azures_front(kind: Kind) -> int:
    """Return what is made of an answer of this kind that Azure's front gives."""
    return own_status(kind.azure, kind.local if kind.of_model else 0)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: str(kind.meaning))
def test_each_kind_of_answer_is_known_again_behind_azures_front(kind: Kind) -> None:
    assert kind.meaning in described(seen_behind_azures_front(kind))
    if kind.local is not None:
        assert f"{kind.local} ({kind.meaning}" in described(kind.local)
    assert is_answer(seen_behind_azures_front(kind)) is (kind.fault is Fault.NOBODY)


def test_only_a_missing_deployment_and_one_without_traffic_look_alike() -> None:
    """As Microsoft's documents have it: 404 for either."""
    known = [status for kind in KINDS for status in kind.statuses if status is not None]
    assert {status for status in known if known.count(status) > 1} == {404}
    said = described(404)
    assert said == "404 (there is no such deployment or no deployment takes traffic)"


@pytest.mark.parametrize(
    ("status", "model", "own"),
    [(424, 400, 400), (424, 0, 424), (424, None, 424), (408, 0, 408), (429, None, 429)],
)
def test_what_azures_front_made_itself_is_no_mistake_of_a_caller(
    status: int, model: int | None, own: int
) -> None:
    assert own_status(status, model) == own
    if own != 400:
        (kind,) = (kind for kind in KINDS if own in kind.statuses)
        assert kind.fault is Fault.DEPLOYMENT


@pytest.mark.parametrize(("status", "said"), [(0, "no answer"), (418, "418")])
def test_a_status_without_a_kind_speaks_for_itself(status: int, said: str) -> None:
    assert described(status) == said


def test_the_page_for_callers_has_the_same_table() -> None:
    (page,) = (PROJECT / "docs").glob("serving.md*")
    lines = page.read_text(encoding="utf-8").split("\n## Errors\n")[1].splitlines()
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines if "|" in line]
    header, _, *rows = cells
    assert header[:3] == ["Status", "On Azure", "Whose failure"]
    wanted = [[f"{kind.local or ''}", kind.on_azure, f"{kind.fault.value}'s"] for kind in KINDS]
    found = [[cell.removeprefix("the ") for cell in row[:3]] for row in rows[: len(KINDS)]]
    assert found == wanted
