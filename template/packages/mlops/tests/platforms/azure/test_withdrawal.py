"""The lease of a release on Azure gives way to a withdrawal; both sides."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from fakes.azure import deployment
from fakes.azure_place import NAME, SERVED
from fakes.azure_place import AzurePlace as Place
from mlops.errors import PlatformError
from mlops.monitoring.alerting.episodes import Key
from mlops.monitoring.alerting.notice import BY_PLATFORM, of_withdrawal
from mlops.platforms.azure import changes as azure_changes
from mlops.platforms.azure.endpoint import AzureEndpoint
from mlops.platforms.azure.errors import Conflict
from mlops.platforms.lease_rules import EndpointBusy
from mlops.platforms.lease_terms import RELEASE, TIDYING, WITHDRAWAL, WayBack
from mlops.release.kept import kept
from mlops.settings.loading import LoadedSettings

UNTIL = datetime(2027, 3, 1, 12, tzinfo=UTC)
PURPOSE = "the release of version 3"
WAY = WayBack("blue", 1, UNTIL, withdraws=2)


@pytest.fixture
def place(load: Callable[..., LoadedSettings], monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setattr(azure_changes, "SETTLE_SECONDS", 0.0)
    monkeypatch.setattr(azure_changes, "_PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(azure_changes, "_PATIENCE_SECONDS", 0.0)
    return Place(load(azure__subscription_id="s"))


@pytest.fixture
def other(place: Place) -> AzureEndpoint:
    """The endpoint as another command has it."""
    return AzureEndpoint(place.endpoint._clients, place.endpoint._models, NAME)


def test_the_way_back_stands_in_tags_of_one_field_each(place: Place) -> None:
    with place.endpoint.lease("the release of version 2", RELEASE):
        assert place.tags["mlops-lease-yields"] == "yes"
        place.endpoint.set_traffic({"green": 100}, completes=True, way_back=WAY)
        assert place.tags["mlops-way-back-deployment"] == "blue"
    assert {n: v for n, v in place.tags.items() if n.startswith("mlops-")} == {
        "mlops-previous-blue": "version 1, 100 %",
        "mlops-previous-green": "version 2, 0 %",
        "mlops-way-back-deployment": "blue",
        "mlops-way-back-version": "1",
        "mlops-way-back-until": "2027-03-01T12:00:00Z",
        "mlops-way-back-withdraws": "2",
    }
    with place.endpoint.lease("the removal of what was kept", TIDYING):
        place.endpoint.delete("blue")
    assert (place.endpoint.previous(), place.endpoint.way_back()) == (SERVED, WAY)


def test_a_release_loses_the_endpoint_and_changes_nothing_more(
    place: Place, other: AzureEndpoint
) -> None:
    def release() -> None:
        with place.endpoint.lease(PURPOSE, RELEASE):
            place.endpoint.set_traffic({"blue": 90, "green": 10})
            with other.lease("the withdrawal of version 1", WITHDRAWAL):
                assert other.traffic() == {"blue": 100, "green": 0}
                assert "mlops-lease-yields" not in place.tags
            place.endpoint.set_traffic({"green": 100})

    with pytest.raises(EndpointBusy, match="lost its hold on the endpoint tiny-dev"):
        release()
    assert other.traffic() == {"blue": 100, "green": 0}
    assert other.pending() is None


def test_what_has_switched_or_does_not_yield_keeps_the_endpoint(
    place: Place, other: AzureEndpoint
) -> None:
    with place.endpoint.lease("a rollback"):
        with (
            pytest.raises(EndpointBusy, match="a rollback"),
            other.lease("the withdrawal of version 1", WITHDRAWAL),
        ):
            pass
        place.endpoint.set_mirror("green", 5)
    with place.endpoint.lease(PURPOSE, RELEASE):
        place.endpoint.set_mirror(None)
        place.endpoint.set_traffic({"green": 100}, completes=True)
        with (
            pytest.raises(EndpointBusy, match=PURPOSE),
            other.lease("the withdrawal of version 2", WITHDRAWAL),
        ):
            pass
    assert other.traffic() == {"blue": 0, "green": 100}


def test_while_azure_makes_a_deployment_a_release_is_not_interrupted(
    place: Place, other: AzureEndpoint
) -> None:
    def at_work() -> None:
        raise Conflict("Azure is at work", "try again")

    with place.endpoint.lease(PURPOSE, RELEASE):
        place.azure.before_write = at_work
        with (
            pytest.raises(EndpointBusy, match="Azure is at work"),
            other.lease("the withdrawal of version 1", WITHDRAWAL),
        ):
            pass
        place.azure.before_write = lambda: None
        place.endpoint.set_traffic({"blue": 90, "green": 10})
    assert other.traffic() == {"blue": 90, "green": 10}


def test_after_the_workflow_of_infra_there_is_no_way_back_and_something_to_tidy(
    place: Place,
) -> None:
    """infra/modules/rollback.json writes the traffic and these tags; `previous` it leaves."""
    place.azure.kept[NAME].tags = {
        "mlops-previous-blue": "version 1, 100 %",
        "mlops-previous-green": "version 2, 0 %",
        "mlops-way-back-deployment": "green",
        "mlops-way-back-version": "2",
        "mlops-way-back-until": "2027-03-01T12:00:00Z",
        "mlops-note-withdrawn": "2 green 2027-02-28T12:00:07.1234567Z",
    }
    withdrawal = of_withdrawal(place.endpoint)
    assert withdrawal
    assert withdrawal.key == Key(BY_PLATFORM.cause, "green", 2)
    assert withdrawal.last == datetime(2027, 2, 28, 12, 0, 7, 123456, UTC)
    assert place.endpoint.way_back() == WayBack("green", 2, UNTIL)
    assert kept(place.endpoint) == WayBack("green", 2, UNTIL)
    assert place.endpoint.previous() == SERVED


def test_a_withdrawal_that_dies_after_its_switch_leaves_nothing_to_go_back_to(
    place: Place, other: AzureEndpoint
) -> None:
    with place.endpoint.lease("the release of version 2", RELEASE):
        place.endpoint.set_traffic({"green": 100}, completes=True, way_back=WAY)

    def broken() -> None:
        with other.lease("the withdrawal of version 2", WITHDRAWAL):
            other.set_traffic({"blue": 100}, completes=True)
            place.azure.placed["green"] = deployment("green", 2, "Failed")
            raise PlatformError("the network is gone")

    with pytest.raises(PlatformError, match="the network is gone"):
        broken()
    assert place.endpoint.traffic() == {"blue": 100, "green": 0}
    assert (place.endpoint.previous(), place.endpoint.way_back()) == (None, None)
