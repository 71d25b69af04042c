"""The year as data: what happens when, and what is planned to come of it."""

from itertools import pairwise

import pytest

from mlops.monitoring.decisions import Kind
from mlops.settings.retraining_section import RetrainingSettings
from mlops.simulation.scenario import (
    Act,
    Break,
    Callers,
    Data,
    Drift,
    Fault,
    Feedback,
    Moment,
    Monitor,
    Page,
    Plan,
    Release,
    Train,
    scenario,
)

PLANS = [Plan(), Plan(label_days=60), Plan(label_days=60, delay_days=60), Plan(delay_days=3.5)]


def acts(moments: list[Moment]) -> list[Act]:
    return [act for moment in moments for act in moment.acts]


def year(plan: Plan, broken: Break | None = None) -> list[Moment]:
    return list(scenario(plan, broken))


@pytest.mark.parametrize("broken", [None, *Break])
@pytest.mark.parametrize("plan", PLANS, ids=str)
def test_time_never_goes_back_and_each_year_ends_with_the_page(
    plan: Plan, broken: Break | None
) -> None:
    moments = year(plan, broken)
    assert moments[0].day == 0
    assert all(before.day <= after.day for before, after in pairwise(moments))
    assert isinstance(acts(moments)[-1], Page)


def test_a_whole_year_has_all_links_of_the_loop() -> None:
    done = acts(year(Plan()))
    deeds = [deed for act in done if isinstance(act, Monitor) for deed in act.deeds]
    assert deeds == [
        (Kind.RETRAINING, "wait"),
        (Kind.RETRAINING, "refused"),
        (Kind.RETRAINING, "released"),
        (Kind.ROLLBACK, "rolled back"),
        (Kind.INCIDENT, "opened"),
    ]
    assert {act.version for act in done if isinstance(act, Callers)} == {1, 2, 3}
    assert {type(act) for act in done} >= {Data, Train, Release, Feedback, Drift}
    assert Fault.SERVING in done
    assert {act.exit_code for act in done if isinstance(act, Feedback)} == {0, 4}
    assert {act.exit_code for act in done if isinstance(act, Monitor)} == {0, 1, 4}


@pytest.mark.parametrize("plan", PLANS, ids=str)
def test_labels_arrive_when_they_are_due_and_within_what_feedback_looks_at(plan: Plan) -> None:
    moments = year(plan)
    asked = [m.day for m in moments for act in m.acts if isinstance(act, Callers)]
    judged = [m.day for m in moments if any(_with_labels(act) for act in m.acts)]
    assert len(judged) == 3
    for day in judged:
        due = day - plan.delay_days
        seen = [each for each in asked if due - plan.back_days <= each < due]
        assert [each for each in seen if each + plan.wait_days <= day], day


def _with_labels(act: Act) -> bool:
    return isinstance(act, Feedback) and act.arrived


def test_the_way_back_is_still_kept_when_callers_meet_the_fault() -> None:
    moments = year(Plan())
    release = next(m.day for m in moments if Release(rehearsal=True) in m.acts)
    alarm = next(m.day for m in moments if any(_rolls_back(act) for act in m.acts))
    assert 0 < alarm - release < 1


def _rolls_back(act: Act) -> bool:
    return isinstance(act, Monitor) and any(kind is Kind.ROLLBACK for kind, _ in act.deeds)


@pytest.mark.parametrize("cooldown", [0.0, 7.0, 20.0])
def test_the_second_candidate_waits_for_the_cooldown(cooldown: float) -> None:
    decided = {
        outcome: moment.day
        for moment in year(Plan(cooldown_days=cooldown))
        for act in moment.acts
        if isinstance(act, Monitor)
        for kind, outcome in act.deeds
        if kind is Kind.RETRAINING
    }
    assert decided["released"] - decided["refused"] > cooldown
    assert decided["refused"] - decided["wait"] > RetrainingSettings().apart_days


@pytest.mark.parametrize("broken", Break)
def test_where_a_link_breaks_the_first_version_serves_on(broken: Break) -> None:
    done = acts(year(Plan(), broken))
    assert {act.version for act in done if isinstance(act, Callers)} == {1}
    assert isinstance(done[-2], Callers)
    deeds = [deed for act in done if isinstance(act, Monitor) for deed in act.deeds]
    assert not {outcome for _, outcome in deeds} & {"released", "rolled back"}
