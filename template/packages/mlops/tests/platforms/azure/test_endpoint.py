"""An Azure endpoint on a client in memory; what Azure itself does is tested elsewhere."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fakes.azure import SdkError, deployment
from fakes.azure_place import NAME, SERVED
from fakes.azure_place import AzurePlace as Place
from fakes.waiting import wait_for
from mlops.errors import ConfigError, PlatformError
from mlops.platforms.azure import changes as azure_changes
from mlops.platforms.azure import endpoint as azure_endpoint
from mlops.platforms.azure import lease as leases
from mlops.platforms.azure.endpoint import AzureEndpoint
from mlops.platforms.azure.errors import azure_errors
from mlops.platforms.lease_rules import EndpointBusy
from mlops.progress import silent
from mlops.release.traffic import has_traffic
from mlops.settings.loading import LoadedSettings


@pytest.fixture
def place(load: Callable[..., LoadedSettings], monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setattr(azure_changes, "SETTLE_SECONDS", 0.0)
    monkeypatch.setattr(azure_changes, "_PAUSE_SECONDS", 0.0)
    return Place(load(azure__subscription_id="s", azure__log_analytics_workspace_id="w"))


def test_it_reads_what_azure_says(place: Place) -> None:
    endpoint = place.endpoint
    assert endpoint.exists()
    assert [(each.name, each.model_version) for each in endpoint.deployments()] == [
        ("blue", 1),
        ("green", 2),
    ]
    assert endpoint.traffic() == {"blue": 100, "green": 0}
    assert (endpoint.mirror(), endpoint.previous()) == ({}, None)
    assert endpoint.url() == "https://tiny-dev.example/score"
    assert endpoint.key() == "key"
    assert endpoint.logs("blue", 1) == "line 2"
    with pytest.raises(ConfigError, match="no deployment 'red'"):
        endpoint.logs("red")


def test_a_deployment_that_azure_has_not_finished_is_not_healthy(place: Place) -> None:
    place.azure.placed["green"] = deployment("green", 2, "Failed")
    (_, green) = place.endpoint.deployments()
    assert (green.healthy, green.detail) == (False, "Azure says that it is failed")
    with pytest.raises(PlatformError, match="green cannot take traffic"):
        place.endpoint.set_traffic({"green": 100})
    assert place.azure.writes == []


def test_a_change_is_one_write_and_an_equal_one_none(place: Place) -> None:
    place.endpoint.set_traffic({"blue": 90, "green": 10})
    assert place.endpoint.traffic() == {"blue": 90, "green": 10}
    place.endpoint.set_traffic({"blue": 90, "green": 10})
    place.endpoint.set_traffic({"blue": 100})
    place.endpoint.set_mirror("green", 20)
    place.endpoint.set_mirror("green", 20)
    assert place.endpoint.mirror() == {"green": 20}
    place.endpoint.set_mirror(None)
    assert len(place.azure.writes) == 4


def test_what_is_deleted_is_gone(place: Place) -> None:
    place.endpoint.delete("green")
    assert place.endpoint.traffic() == {"blue": 100}
    with pytest.raises(ConfigError, match="100 % of the traffic"):
        place.endpoint.delete("blue")


def test_a_completed_change_is_recorded_and_lets_go(place: Place) -> None:
    with place.endpoint.lease("the release of version 2"):
        assert "mlops-lease-holder" in place.tags
        place.endpoint.set_traffic({"green": 100})
    assert place.endpoint.previous() == SERVED
    assert not [tag for tag in place.tags if tag.startswith(leases.LEASE)]
    with place.endpoint.lease("nothing"):
        pass
    assert place.endpoint.previous() == SERVED


def test_a_failed_change_is_undone(place: Place) -> None:
    place.endpoint.set_mirror("green", 5)

    def fail() -> None:
        with place.endpoint.lease("the release of version 2"):
            place.endpoint.set_mirror(None)
            place.endpoint.set_traffic({"green": 100})
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert place.endpoint.traffic() == {"blue": 100, "green": 0}
    assert place.endpoint.mirror() == {"green": 5}
    assert place.endpoint.previous() is None


def test_another_commands_lease_holds(place: Place) -> None:
    place.hold("somebody", 300)

    def take() -> None:
        with place.endpoint.lease("a rollback"):
            pass

    for change in (
        take,
        lambda: place.endpoint.set_traffic({"green": 100}),
        lambda: place.endpoint.delete("green"),
    ):
        with pytest.raises(PlatformError, match=r"the release of version 2 \(somebody"):
            change()
    place.endpoint.repair(silent)
    assert place.azure.writes == []


def test_a_lease_that_ran_out_is_undone_unless_azure_is_at_work(place: Place) -> None:
    place.hold("somebody", -1)
    place.azure.kept[NAME].traffic = {"green": 100}
    place.azure.placed["green"].provisioning_state = "Updating"
    place.endpoint.repair(silent)
    assert place.azure.writes == []
    place.azure.placed["green"].provisioning_state = "Succeeded"
    lines: list[str] = []
    place.endpoint.repair(lines.append)
    said = "the release of version 2 was interrupted: the traffic is blue 100 %, green 0 %"
    assert lines == [said]
    assert place.endpoint.mirror() == {"green": 5}


def test_of_two_that_take_the_lease_the_one_that_is_overwritten_gives_in(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "sleep", lambda _seconds: place.hold("faster", 300))
    entered = False
    with (
        pytest.raises(PlatformError, match=r"another command is changing .*faster"),
        place.endpoint.lease("a rollback"),
    ):
        entered = True
    assert not entered
    assert place.tags["mlops-lease-holder"] == "faster"


def test_who_lost_the_lease_changes_nothing_more(place: Place) -> None:
    def lose() -> None:
        with place.endpoint.lease("a rollback"):
            place.hold("somebody", 300)
            place.endpoint.set_traffic({"green": 100})

    with pytest.raises(PlatformError, match="lost its hold on the endpoint tiny-dev"):
        lose()
    assert place.endpoint.traffic() == {"blue": 100, "green": 0}
    assert place.tags["mlops-lease-holder"] == "somebody"


def test_azure_at_work_is_waited_for_only_by_who_holds_the_lease(place: Place) -> None:
    busy = [SdkError(409), SdkError(409)]

    def refuse() -> None:
        if busy:
            raise busy.pop()

    place.azure.before_write = refuse
    with pytest.raises(PlatformError, match="in progress"):
        place.endpoint.set_traffic({"green": 100})
    busy.clear()
    with place.endpoint.lease("a switch"):
        busy.extend([SdkError(409), SdkError(409)])
        place.endpoint.set_traffic({"green": 100})
    assert place.endpoint.traffic() == {"blue": 0, "green": 100}


def test_what_cannot_be_restored_now_is_said(place: Place) -> None:
    def fail() -> None:
        with place.endpoint.lease("a switch"):
            place.azure.before_write = lambda: (_ for _ in ()).throw(SdkError(500))
            raise ConfigError("the smoke test failed")

    with pytest.raises(
        ConfigError, match="the smoke test failed, and traffic and mirror could not"
    ):
        fail()


def test_the_time_of_a_lease_is_moved_on(place: Place) -> None:
    place.endpoint._changes._seconds = 0.3
    with place.endpoint.lease("a release"):
        first = place.tags["mlops-lease-expires"]
        wait_for(lambda: place.tags["mlops-lease-expires"] != first)


def test_a_deployment_may_take_longer_than_a_lease(place: Place) -> None:
    """Azure refuses to move the time on meanwhile: no beat tries to, the lease holds by itself."""
    changes = place.endpoint._changes
    changes._seconds = 0.3
    seen: list[Any] = []

    def operation() -> None:
        writes = len(place.azure.writes)
        time.sleep(0.5)
        seen.append(leases.read_lease(place.tags))
        assert len(place.azure.writes) == writes

    with place.endpoint.lease("a release"):
        began = datetime.now(UTC)
        changes.operate(operation, 900)
        after = leases.read_lease(place.tags)
    (during,) = seen
    assert during.expires > began + timedelta(seconds=899)
    assert after
    assert after.expires < began + timedelta(seconds=450)


def test_a_deployment_waits_until_azure_is_no_more_at_work(place: Place) -> None:
    busy = [SdkError(409), SdkError(409)]
    done: list[str] = []

    def operation() -> None:
        with azure_errors("deploying green"):
            if busy:
                raise busy.pop()
        done.append("deployed")

    with place.endpoint.lease("a release"):
        place.endpoint._changes.operate(operation, 900)
    assert done == ["deployed"]


def test_a_lease_that_azure_does_not_take_now_can_be_waited_for(place: Place) -> None:
    def refuse() -> None:
        raise SdkError(409)

    place.azure.before_write = refuse
    with pytest.raises(EndpointBusy, match="in progress"), place.endpoint.lease("a release"):
        pytest.fail("it is not held")


def test_a_removal_waits_too_and_looks_again(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: str) -> None:
        place.azure.kept[NAME].traffic = {"green": 100}
        raise SdkError(409)

    monkeypatch.setattr(place.azure, "begin_delete", refuse)
    with pytest.raises(ConfigError, match="green cannot be deleted: it has 100 %"):
        place.endpoint.delete("green")


def test_an_earlier_step_of_the_same_run_is_known_to_be_dead(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its candidate had copies only: they end, and what got copies before gets them again."""
    monkeypatch.setattr(leases, "this_run", lambda: "me/it 7 1")
    place.hold("somebody", 3900)
    tags = {**place.tags, "mlops-lease-process": "another-machine 1 1.0"}
    place.azure.kept[NAME].tags = tags
    busy = [SdkError(409)]

    def refuse() -> None:
        if busy:
            raise busy.pop()

    place.azure.before_write = refuse
    place.endpoint.repair(silent)
    assert place.endpoint.mirror() == {"green": 5}
    assert not has_traffic(place.endpoint, 2)
    assert not [tag for tag in place.tags if tag.startswith(leases.LEASE)]


def test_what_azure_still_works_off_for_a_dead_command_gives_callers_nothing(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is waited for once, then the version is known to have no traffic."""
    monkeypatch.setattr(azure_changes, "_PATIENCE_SECONDS", 0.0)
    monkeypatch.setattr(leases, "this_run", lambda: "me/it 7 1")
    place.hold("somebody", 3900)
    place.azure.kept[NAME].tags["mlops-lease-process"] = "another-machine 1 1.0"
    tried: list[str] = []

    def refuse() -> None:
        tried.append("a write")
        raise SdkError(409)

    place.azure.before_write = refuse
    assert not has_traffic(place.endpoint, 2)
    assert has_traffic(place.endpoint, 1)
    assert place.endpoint.traffic() == {"blue": 100, "green": 0}
    with pytest.raises(PlatformError, match="was interrupted, and Azure is still at work on it"):
        place.endpoint.set_traffic({"green": 100})
    place.azure.kept[NAME].tags["mlops-lease-run"] = "me/another 8 1"
    with pytest.raises(PlatformError, match="another command is changing the endpoint"):
        has_traffic(place.endpoint, 2)


def test_what_a_dead_command_had_done_stays(place: Place) -> None:
    place.hold("somebody", -1)
    place.azure.kept[NAME].tags["mlops-lease-done"] = "yes"
    place.azure.kept[NAME].traffic = {"green": 100}
    lines: list[str] = []
    place.endpoint.repair(lines.append)
    assert "was interrupted at its end: the traffic is blue 0 %, green 100 %" in lines[0]
    assert place.endpoint.previous() == SERVED
    assert place.endpoint.mirror() == {}


@pytest.mark.parametrize("completes", [True, False])
@pytest.mark.parametrize("out_of_reach", ["begin_create_or_update", "get"])
def test_a_change_that_cannot_let_go_is_undone_only_if_it_was_not_done(
    place: Place, monkeypatch: pytest.MonkeyPatch, completes: bool, out_of_reach: str
) -> None:
    lines: list[str] = []

    def change(patch: pytest.MonkeyPatch) -> None:
        with place.endpoint.lease("a switch"):
            place.endpoint.set_traffic({"green": 100}, completes=completes)
            patch.setattr(place.azure, out_of_reach, _fail)

    place.endpoint.repair(lines.append)
    with monkeypatch.context() as patch:
        if completes:
            change(patch)
            assert "a switch is done, but the endpoint tiny-dev could not be let go" in lines[0]
        else:
            with pytest.raises(PlatformError, match="so the next command would undo it"):
                change(patch)
    place.endpoint.repair(lines.append)
    served = {"blue": 0, "green": 100} if completes else {"blue": 100, "green": 0}
    assert place.endpoint.traffic() == served
    assert place.endpoint.previous() == (SERVED if completes else None)


@pytest.mark.parametrize(
    ("completes", "said"),
    [
        (False, ["traffic and mirror could not be restored", "which the next command does; try"]),
        (True, ["a switch is done, but the endpoint", "the next command does so"]),
    ],
)
def test_an_interruption_that_cannot_be_restored_is_reported(
    place: Place, monkeypatch: pytest.MonkeyPatch, completes: bool, said: list[str]
) -> None:
    def interrupt() -> None:
        with place.endpoint.lease("a switch"):
            place.endpoint.set_traffic({"green": 100}, completes=completes)
            monkeypatch.setattr(place.azure, "begin_create_or_update", _fail)
            raise KeyboardInterrupt

    lines: list[str] = []
    place.endpoint.repair(lines.append)
    with pytest.raises(KeyboardInterrupt):
        interrupt()
    for part in said:
        assert part in lines[0]


def _fail(*_: Any) -> None:
    raise SdkError(500)


def test_observations_come_from_the_log(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.endpoint.set_mirror("green", 20)
    rows: list[Any] = []
    monkeypatch.setattr(azure_endpoint, "query_traffic", lambda *_arguments: rows)
    assert place.endpoint.observations() == []
    limit = place.endpoint._settings.request_timeout_seconds
    rows += [
        {
            "TimeGenerated": (datetime.now(UTC) + timedelta(seconds=1)).isoformat(),
            "DeploymentName": "green",
            "ResponseCode": 200,
            "TotalDurationMs": 1000 * seconds,
            "XRequestId": request,
        }
        # one that began with the second may still be running: it is told of later
        for request, seconds in (("a", limit + 2), ("b", 0.005))
    ]
    assert place.endpoint.observations() == []  # asked only a moment ago
    assert place.endpoint._known.log
    place.endpoint._known.log.read_at = None
    (found,) = place.endpoint.observations()
    assert (found.deployment, found.mirrored, found.seconds) == ("green", True, limit + 2)
    assert place.endpoint.observations(found.sequence) == []
    assert len(place.credential.asked) == 1, "the log was read twice"


def test_without_a_log_there_is_no_ab_test(load: Callable[..., LoadedSettings]) -> None:
    place = Place(load(azure__subscription_id="s"))
    with pytest.raises(ConfigError, match=r"no A/B test without a log.*log_analytics_workspace_id"):
        place.endpoint.observations()


def test_a_request_of_its_own_is_looked_for_in_the_log(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(place.endpoint, "invoke", lambda _payload, name: asked.append(name))

    def found(*arguments: Any) -> list[Any]:
        asked.append(arguments[-2])
        return [{}]

    monkeypatch.setattr(azure_endpoint, "query_fresh", found)
    place.endpoint.await_observation("green", silent)
    assert asked == ["green", NAME]


def test_a_first_change_that_fails_keeps_the_empty_endpoint(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Made anew at once, it would be unknown for a while, with an identity without rights."""
    place.azure.kept.clear()
    place.azure.placed.clear()

    def create(tags: Any) -> None:
        place.azure.serve(NAME)
        place.azure.kept[NAME].tags = dict(tags)

    def fail() -> None:
        with place.endpoint.lease("the first release"):
            raise ConfigError("no quota")

    monkeypatch.setattr(place.endpoint._resource, "create", create)
    with pytest.raises(ConfigError, match="no quota"):
        fail()
    assert (place.tags, place.endpoint.exists()) == ({}, False)


def test_it_cannot_be_paused(place: Place) -> None:
    with pytest.raises(ConfigError, match=r"1 machine Standard_D2as_v4.*mlops stop --remove"):
        place.endpoint.stop()


def test_an_endpoint_that_is_not_there(place: Place) -> None:
    place.azure.kept.clear()
    endpoint = place.endpoint
    assert not endpoint.exists()
    assert (endpoint.deployments(), endpoint.traffic(), endpoint.mirror()) == ([], {}, {})
    assert endpoint.previous() is None
    endpoint.repair(silent)
    with pytest.raises(ConfigError, match="the endpoint tiny-dev does not exist"):
        endpoint.url()


def test_a_missing_workspace_is_not_taken_for_a_missing_endpoint(place: Place) -> None:
    place.azure.kept.clear()
    missing = SdkError(404, "The workspace was not found")

    def ask(_name: str) -> Any:
        raise missing

    place.endpoint._clients.workspace.workspaces.get = ask
    with pytest.raises(ConfigError, match=r"reading the workspace mlw-tiny-dev.*infrastructure"):
        place.endpoint.exists()


def test_two_objects_of_one_process_do_not_take_each_others_hold(place: Place) -> None:
    """With what is known in common one knows of the other's; without it reads it in the tags."""
    clients, models, known = place.endpoint._clients, place.endpoint._models, place.endpoint._known
    with place.endpoint.lease("the release of version 2"):
        for other in (
            AzureEndpoint(clients, models, NAME, known),
            AzureEndpoint(clients, models, NAME),
        ):
            with (
                pytest.raises(PlatformError, match="the release of version 2"),
                other.lease("a rollback"),
            ):
                pass
            other.repair(silent)
        place.endpoint.set_traffic({"green": 100})
    assert place.endpoint.previous() == SERVED
