"""How a process stands to an Azure endpoint: every step that there is, and no other."""

from collections.abc import Sequence
from itertools import product

import pytest

from mlops.platforms.azure.endpoint_hold import TRANSITIONS, EndpointHold, Event, State

HELD = {State.HELD, State.COMPLETING, State.DONE}


def after(*events: Event) -> EndpointHold:
    hold = EndpointHold()
    for event in events:
        hold.happened(event)
    return hold


@pytest.mark.parametrize(
    ("events", "state"),
    [
        ((), State.FREE),
        ((Event.TAKEN,), State.HELD),
        ((Event.TAKEN, Event.LET_GO), State.FREE),
        ((Event.TAKEN, Event.LAST_WRITE_SENT), State.COMPLETING),
        ((Event.TAKEN, Event.LAST_WRITE_SENT, Event.LAST_WRITE_TAKEN), State.DONE),
        ((Event.WAITED_IN_VAIN,), State.IMPATIENT),
        ((Event.WAITED_IN_VAIN, Event.TAKEN), State.HELD),
        ((Event.WAITED_IN_VAIN, Event.TAKEN, Event.LET_GO), State.FREE),
    ],
)
def test_a_change_goes_from_state_to_state(events: Sequence[Event], state: State) -> None:
    assert after(*events).state is state


def test_what_was_done_stays_done_until_it_is_let_go() -> None:
    done = (Event.TAKEN, Event.LAST_WRITE_SENT, Event.LAST_WRITE_TAKEN)
    assert after(*done, Event.LAST_WRITE_SENT).state is State.DONE
    again = after(*done, Event.LET_GO, Event.TAKEN)
    assert (again.state, again.is_held) == (State.HELD, True)


def test_a_lease_is_taken_and_let_go_once() -> None:
    for state, event in product(State, Event):
        if event is Event.TAKEN or event is Event.WAITED_IN_VAIN:
            assert ((state, event) in TRANSITIONS) == (state not in HELD)
        elif event is Event.LET_GO:
            assert ((state, event) in TRANSITIONS) == (state in HELD)


def test_a_step_that_there_is_not_is_a_fault() -> None:
    with pytest.raises(KeyError):
        after(Event.LET_GO)
    with pytest.raises(KeyError):
        after(Event.TAKEN, Event.TAKEN)


def test_each_hold_has_a_holder_of_its_own() -> None:
    assert EndpointHold().holder != EndpointHold().holder
