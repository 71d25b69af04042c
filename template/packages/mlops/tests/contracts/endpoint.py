"""What every endpoint does, whatever the platform: the tests that each platform's endpoint passes.

A class of tests derives from `EndpointContract` and defines the fixture `place`.
"""

import contextlib
import json
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

import polars as pl
import pytest
import requests

from fakes.tiny_version import FAILS, FEATURES, ROW
from mlops.clock import system_clock
from mlops.errors import ConfigError, PlatformError, Refused
from mlops.features import Features
from mlops.monitoring.events import Source, events_of, write_events
from mlops.platforms.base import DeploymentShare, Endpoint, ModelVersion, NotObserved, Observation
from mlops.platforms.lease_rules import EndpointBusy
from mlops.platforms.lease_terms import RELEASE, TIDYING, USUAL, WITHDRAWAL, WayBack
from mlops.progress import silent
from mlops.window import Window

TINY_FEATURES = Features.read(FEATURES)
PURPOSE = "the release of version 2"
CRASH = "\ndef init():\n    raise ValueError('the model is broken')\n"
WAIT_SECONDS = 60
UNTIL = datetime(2027, 3, 1, 12, tzinfo=UTC)


class Place(Protocol):
    """An endpoint that serves blue, which has all traffic, and green; and a new one."""

    @property
    def endpoint(self) -> Endpoint:
        """A new object each time, as every command has its own."""

    @property
    def unused(self) -> Endpoint:
        """An endpoint to which nothing was ever deployed."""

    def version(self, number: int) -> ModelVersion:
        """A registered version of the tiny model."""

    def scored(self, run: str) -> Path:
        """The folder in which `mlops score` would write the events of a run."""

    def another_command(self, traffic: dict[str, int]) -> AbstractContextManager[object]:
        """A release that holds the lease for PURPOSE, has ended the mirror and set the traffic.

        At the end it is killed.
        """

    def changed_script(self, addition: str) -> AbstractContextManager[None]:
        """The scoring code with something added."""

    def unkept_checks(self) -> AbstractContextManager[None]:
        """Nothing that checks find can be kept, or read."""


def served(place: Place, deployment: str = "blue") -> int:
    """The version that a deployment serves."""
    return {each.name: each.model_version for each in place.endpoint.deployments()}[deployment]


def other_version(place: Place, deployment: str = "blue") -> ModelVersion:
    """A version that a deployment does not serve."""
    return place.version(3 - served(place, deployment))


def state(place: Place) -> object:
    """All that an endpoint says of itself."""
    endpoint = place.endpoint
    return endpoint.deployments(), endpoint.traffic(), endpoint.mirror(), endpoint.previous()


def latest(endpoint: Endpoint) -> int:
    """The number of the newest observation."""
    return max((each.sequence for each in endpoint.observations()), default=0)


def observed(
    endpoint: Endpoint, after: int, enough: Callable[[list[Observation]], bool]
) -> list[Observation]:
    """Wait until enough was observed; return it."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not enough(found := endpoint.observations(after)):
        assert time.monotonic() < deadline, found
        time.sleep(0.05)
    return found


def kept(
    endpoint: Endpoint, start: datetime, enough: Callable[[pl.DataFrame], bool]
) -> pl.DataFrame:
    """Wait until enough events since a moment are there; return them.

    Where features come another way than events, there may be none of them yet.
    """
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        window, found = Window(start, start + timedelta(days=1)), None
        with contextlib.suppress(NotObserved):
            found = endpoint.predictions(window, TINY_FEATURES).rows.collect()
        if found is not None and enough(found):
            return found
        assert time.monotonic() < deadline, found
        time.sleep(0.05)


class EndpointContract:
    """The tests; they leave traffic and mirror as they like, the fixture puts them back."""

    def test_it_says_what_it_serves(self, place: Place) -> None:
        endpoint = place.endpoint
        assert endpoint.exists()
        assert [(each.name, each.healthy, each.detail) for each in endpoint.deployments()] == [
            ("blue", True, ""),
            ("green", True, ""),
        ]
        assert {each.commit for each in endpoint.deployments()} == {"0123456789abcdef"}
        assert {len(each.model_sha256) for each in endpoint.deployments()} == {64}
        assert endpoint.traffic() == {"blue": 100, "green": 0}
        assert endpoint.mirror() == {}

    def test_it_knows_what_is_current(self, place: Place) -> None:
        endpoint = place.endpoint
        serving = place.version(served(place))
        assert endpoint.is_current("blue", serving)
        assert not endpoint.is_current("blue", other_version(place))
        assert not endpoint.is_current("red", serving)
        with place.changed_script("\n# changed\n"):
            assert not place.endpoint.is_current("blue", serving)

    def test_it_knows_that_requests_are_observed_and_observes_not_its_own(
        self, place: Place
    ) -> None:
        endpoint = place.endpoint
        before = latest(endpoint)
        endpoint.await_observation("green", silent)
        assert latest(endpoint) == before

    def test_requests_go_where_traffic_or_a_header_sends_them(self, place: Place) -> None:
        endpoint = place.endpoint
        blue, green = served(place), served(place, "green")
        assert blue != green

        def answering(deployment: str | None = None) -> int:
            answer = endpoint.invoke({"data": [ROW]}, deployment)
            version: int = answer.body["model_version"]
            return version

        assert (answering(), answering("green")) == (blue, green)
        endpoint.set_traffic({"green": 100})
        assert place.endpoint.traffic() == {"blue": 0, "green": 100}
        assert (answering(), answering("blue")) == (green, blue)
        assert endpoint.invoke({"data": [ROW]}, "red").status == 404

    def test_a_clients_mistake_is_told_to_the_client(self, place: Place) -> None:
        answer = place.endpoint.invoke({"data": []})
        assert answer.status == 400
        assert "empty" in answer.body["error"]

    def test_only_the_key_opens_it(self, place: Place) -> None:
        endpoint, body = place.endpoint, json.dumps({"data": [ROW]})
        for key, status in ((endpoint.key(), 200), ("wrong", 401)):
            headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
            answer = requests.post(endpoint.url(), body, headers=headers, timeout=30)
            assert answer.status_code == status

    @pytest.mark.parametrize(
        ("traffic", "said"),
        [
            ({"blue": 50}, "sum to 0 or 100"),
            ({"blue": 150, "green": -50}, "negative"),
            ({"red": 100}, "no deployment 'red'"),
        ],
    )
    def test_impossible_traffic_is_refused(
        self, place: Place, traffic: dict[str, int], said: str
    ) -> None:
        with pytest.raises(ConfigError, match=said):
            place.endpoint.set_traffic(traffic)
        assert place.endpoint.traffic() == {"blue": 100, "green": 0}

    @pytest.mark.parametrize(
        ("deployment", "percent", "said"),
        [
            ("green", 51, "between 0 and 50 %"),
            ("green", -1, "between 0 and 50 %"),
            ("red", 10, "no deployment 'red'"),
            ("blue", 10, "while it has traffic"),
        ],
    )
    def test_an_impossible_mirror_is_refused(
        self, place: Place, deployment: str, percent: int, said: str
    ) -> None:
        with pytest.raises(ConfigError, match=said):
            place.endpoint.set_mirror(deployment, percent)
        assert place.endpoint.mirror() == {}

    def test_what_callers_or_a_mirror_need_stays(self, place: Place) -> None:
        endpoint = place.endpoint
        endpoint.set_mirror("green", 10)
        before = state(place)
        refused: list[tuple[Callable[[], None], str]] = [
            (lambda: endpoint.delete("blue"), "blue cannot be deleted: it has 100 %"),
            (lambda: endpoint.delete("green"), "10 % of the requests are mirrored"),
            (lambda: endpoint.delete("red"), "no deployment 'red'"),
            (lambda: endpoint.set_traffic({"green": 100}), "while it is mirrored to"),
        ]
        for action, said in refused:
            with pytest.raises(ConfigError, match=said):
                action()
        assert state(place) == before

    def test_mirrored_requests_reach_green_and_are_observed(self, place: Place) -> None:
        endpoint, blue = place.endpoint, served(place)
        latest(endpoint)
        endpoint.set_mirror("green", 50)
        assert place.endpoint.mirror() == {"green": 50}
        after = latest(endpoint)
        answers = [endpoint.invoke({"data": [ROW]}) for _ in range(30)]
        endpoint.invoke({"data": [ROW]}, "blue")  # what names its deployment is not observed
        assert {answer.body["model_version"] for answer in answers} == {blue}

        def copies(found: list[Observation]) -> list[Observation]:
            return [each for each in found if each.mirrored]

        found = observed(
            endpoint,
            after,
            lambda each: len(copies(each)) >= 3 and len(each) - len(copies(each)) >= 30,
        )
        assert {(each.deployment, each.status) for each in copies(found)} == {("green", 200)}
        assert [each.deployment for each in found if not each.mirrored] == ["blue"] * 30
        numbers = [each.sequence for each in found]
        assert numbers == sorted(set(numbers))
        assert min(numbers) > after
        assert all(0 < each.seconds < 30 for each in found)
        endpoint.set_mirror(None)
        assert place.endpoint.mirror() == {}

    def test_what_a_deployment_printed_can_be_read(self, place: Place) -> None:
        endpoint = place.endpoint
        assert endpoint.invoke({"data": [ROW]}, "blue").status == 200
        assert "POST /score 200" in endpoint.logs("blue")
        assert len(endpoint.logs("blue", lines=2).splitlines()) == 2
        with pytest.raises(ConfigError, match="no deployment 'red'"):
            endpoint.logs("red")

    def test_each_row_that_is_answered_leaves_an_event(self, place: Place) -> None:
        endpoint, start = place.endpoint, system_clock()
        rows = [{**ROW, "a": 1.0 + number} for number in range(3)]
        keys = ["7", "b", 9]
        answer = endpoint.invoke({"data": rows, "keys": keys})
        endpoint.set_traffic({"green": 100})
        direct = endpoint.invoke({"data": [ROW]}, "green")
        other = endpoint.invoke({"data": [ROW]})
        assert (answer.status, answer.body["keys"], "keys" in other.body) == (200, keys, False)
        ids = [*answer.body["inference_id"], *other.body["inference_id"]]
        events = kept(
            endpoint,
            start,
            lambda each: set(ids) <= set(each.drop_nulls("feature.a")["inference_id"]),
        )
        found = {row["inference_id"]: row for row in events.iter_rows(named=True)}
        assert direct.body["inference_id"][0] not in found
        told = [found[each] for each in ids]
        assert [row["key"] for row in told] == ["7", "b", "9", None]
        assert [row["feature.a"] for row in told] == [1.0, 2.0, 3.0, 1.0]
        assert [row["value"] for row in told[:3]] == answer.body["probabilities"]
        assert [row["prediction"] for row in told[:3]] == [
            str(each) for each in answer.body["predictions"]
        ]
        assert [(row["deployment"], row["model_version"]) for row in told] == [
            *[("blue", served(place))] * 3,
            ("green", served(place, "green")),
        ]
        assert {(row["source"], row["endpoint"], row["model_name"]) for row in told} == {
            ("request", endpoint.name, "tiny")
        }
        assert {(row["status"], row["error_type"]) for row in told} == {(200, None)}
        assert all(row["latency_ms"] > 0 for row in told)

    def test_a_request_that_fails_leaves_an_event_too(self, place: Place) -> None:
        endpoint, start = place.endpoint, system_clock()
        endpoint.set_traffic({"green": 100})
        assert endpoint.invoke({"data": []}).status == 400
        failing = {"data": [{**ROW, "a": FAILS}], "keys": ["k"]}
        answer = endpoint.invoke(failing)
        assert answer.status == 500, answer
        events = kept(endpoint, start, lambda each: {400, 500} <= set(each["status"]))
        found = {row["status"]: row for row in events.iter_rows(named=True)}
        failed, refused = found[500], found[400]
        assert (refused["error_type"], refused["key"]) == ("BadRequest", None)
        assert (failed["error_type"], failed["key"]) == ("ZeroDivisionError", "k")
        for row in (failed, refused):
            assert (row["deployment"], row["model_version"]) == ("green", served(place, "green"))
            assert (row["prediction"], row["value"]) == (None, None)
            assert len(row["inference_id"]) == 32

    def test_what_was_scored_without_a_request_is_read_as_well(self, place: Place) -> None:
        now = system_clock()
        folder = place.scored("run")
        folder.mkdir(parents=True, exist_ok=True)
        source = Source("run", "dev", None, "tiny", 1, keys=True, features=("a",))
        scores = pl.DataFrame({"prediction": [1, 0], "probability": [0.75, 0.25]})
        events = events_of(scores, ["x", "y"], source, now, pl.DataFrame({"a": [1.0, 2.0]}))
        write_events(events, folder / "part-00000.parquet")
        place.endpoint.keep_scored(folder)
        window = Window(now, now + timedelta(seconds=1))
        rows = place.endpoint.predictions(window).rows.filter(source="score").sort("key").collect()
        assert rows["key"].to_list() == ["x", "y"]
        assert rows["value"].to_list() == [0.75, 0.25]
        assert set(rows["endpoint"]) == {place.endpoint.name}

    def test_what_checks_find_can_be_read_again(self, place: Place) -> None:
        now = system_clock()
        row = {"check": "drift", "time": now.isoformat(), "psi": 0.25, "column": None}
        place.endpoint.keep_checks([row, {**row, "check": "performance"}])
        window = Window(now, now + timedelta(seconds=1))
        assert place.endpoint.checks("drift", window) == [row]
        assert place.endpoint.checks("drift", Window(now - timedelta(days=1), now)) == []

    def test_what_checks_find_and_cannot_be_kept_is_a_failure_of_the_platform(
        self, place: Place
    ) -> None:
        now = system_clock()
        row = {"check": "drift", "time": now.isoformat()}
        place.endpoint.keep_checks([row])
        with place.unkept_checks():
            with pytest.raises(PlatformError):
                place.endpoint.keep_checks([row])
            with pytest.raises(NotObserved):
                place.endpoint.checks("drift", Window(now, now + timedelta(seconds=1)))
        assert place.endpoint.checks("drift", Window(now, now + timedelta(seconds=1))) == [row]

    def test_a_note_is_read_at_once_and_outlasts_changes(self, place: Place) -> None:
        place.endpoint.note("candidate", "1-20260630")
        endpoint = place.endpoint
        with endpoint.lease("a decision"):
            endpoint.note("told", "1")
            assert place.endpoint.notes() == {"candidate": "1-20260630", "told": "1"}
        place.endpoint.note("candidate", "1-20260701")
        place.endpoint.set_traffic({"blue": 0, "green": 100})
        assert place.endpoint.notes() == {"candidate": "1-20260701", "told": "1"}

    def test_no_endpoint_has_no_notes(self, place: Place) -> None:
        assert place.unused.notes() == {}
        with pytest.raises(ConfigError):
            place.unused.note("candidate", "1-20260630")

    def test_one_change_at_a_time(self, place: Place) -> None:
        def take() -> None:
            with place.endpoint.lease("a rollback"):
                pass

        with place.another_command({"blue": 90, "green": 10}):
            changes: list[Callable[[], None]] = [
                take,
                lambda: place.endpoint.deploy("green", place.version(1), silent),
                lambda: place.endpoint.set_traffic({"blue": 100}),
                lambda: place.endpoint.set_mirror(None),
                lambda: place.endpoint.delete("green"),
                lambda: place.endpoint.note("candidate", "2-20260630"),
            ]
            for change in changes:
                with pytest.raises(EndpointBusy, match=PURPOSE):
                    change()
            place.endpoint.repair(silent)
            pending = place.endpoint.pending()
            assert pending
            assert (pending.purpose, pending.lives, pending.done) == (PURPOSE, True, False)
            assert pending.yields
            assert place.endpoint.traffic() == {"blue": 90, "green": 10}
            assert place.endpoint.invoke({"data": [ROW]}).status == 200

    def test_a_second_change_of_the_same_process_is_refused(self, place: Place) -> None:
        with (
            place.endpoint.lease(PURPOSE),
            pytest.raises(EndpointBusy, match=PURPOSE),
            place.endpoint.lease("a rollback"),
        ):
            pass
        with place.endpoint.lease("a rollback"):
            pass

    def test_a_killed_change_is_undone_by_the_next_command(self, place: Place) -> None:
        place.endpoint.set_mirror("green", 5)
        with place.another_command({"blue": 10, "green": 90}):
            assert place.endpoint.traffic() == {"blue": 10, "green": 90}
            assert place.endpoint.mirror() == {}
        pending = place.endpoint.pending()
        assert pending
        assert (pending.purpose, pending.lives) == (PURPOSE, False)
        lines: list[str] = []
        place.endpoint.repair(lines.append)
        assert place.endpoint.pending() is None
        assert lines == [f"{PURPOSE} was interrupted: the traffic is blue 100 %, green 0 %"]
        assert place.endpoint.traffic() == {"blue": 100, "green": 0}
        assert place.endpoint.mirror() == {"green": 5}

    def test_after_a_killed_change_another_can_begin(self, place: Place) -> None:
        with place.another_command({"green": 100}):
            pass
        with place.endpoint.lease("a rollback"):
            assert place.endpoint.traffic() == {"blue": 100, "green": 0}

    def test_a_failed_change_is_undone_and_a_completed_one_recorded(self, place: Place) -> None:
        endpoint = place.endpoint
        recorded = endpoint.previous()

        def fail() -> None:
            with endpoint.lease(PURPOSE):
                endpoint.set_traffic({"blue": 90, "green": 10})
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            fail()
        assert endpoint.traffic() == {"blue": 100, "green": 0}
        assert endpoint.previous() == recorded

        with endpoint.lease(PURPOSE):
            endpoint.set_traffic({"green": 100})
        assert place.endpoint.traffic() == {"blue": 0, "green": 100}
        assert place.endpoint.previous() == {
            each.name: DeploymentShare(each.model_version, share, each.origin)
            for each, share in zip(endpoint.deployments(), (100, 0), strict=True)
        }

    def test_what_breaks_off_a_change_that_was_done_undoes_nothing(self, place: Place) -> None:
        endpoint = place.endpoint
        before = endpoint.deployments()

        def fail() -> None:
            with endpoint.lease(PURPOSE):
                endpoint.set_traffic({"green": 100}, completes=True)
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            fail()
        assert endpoint.pending() is None
        assert endpoint.traffic() == {"blue": 0, "green": 100}
        assert endpoint.previous() == {
            each.name: DeploymentShare(each.model_version, share, each.origin)
            for each, share in zip(before, (100, 0), strict=True)
        }

    def test_a_change_leaves_a_way_back_and_the_next_one_another(self, place: Place) -> None:
        endpoint = place.endpoint
        way = WayBack("blue", served(place), UNTIL, withdraws=served(place, "green"))
        with endpoint.lease(PURPOSE, RELEASE):
            endpoint.set_traffic({"green": 100}, completes=True, way_back=way)
        assert place.endpoint.way_back() == way
        recorded = place.endpoint.previous()
        with endpoint.lease("a tidying", TIDYING):
            endpoint.set_traffic({"blue": 100})
        assert (place.endpoint.previous(), place.endpoint.way_back()) == (recorded, way)
        with endpoint.lease("a withdrawal", WITHDRAWAL):
            endpoint.set_traffic({"green": 100}, completes=True)
        assert (place.endpoint.previous(), place.endpoint.way_back()) == (None, None)
        with endpoint.lease("a switch"):
            endpoint.set_traffic({"blue": 100})
        assert place.endpoint.previous()
        assert place.endpoint.way_back() is None

    def test_a_release_gives_way_to_a_withdrawal_alone(self, place: Place) -> None:
        with place.another_command({"blue": 90, "green": 10}):
            with pytest.raises(EndpointBusy), place.endpoint.lease("a switch", USUAL):
                pass
            with place.endpoint.lease("a withdrawal", WITHDRAWAL):
                # as before the release began
                assert place.endpoint.traffic() == {"blue": 100, "green": 0}
                pending = place.endpoint.pending()
                assert pending
                assert (pending.purpose, pending.yields) == ("a withdrawal", False)
            assert place.endpoint.pending() is None
            assert place.endpoint.traffic() == {"blue": 100, "green": 0}

    def test_a_crash_in_init_leaves_all_as_it_was_and_says_why(self, place: Place) -> None:
        url, before = place.endpoint.url(), state(place)
        wanted = other_version(place)
        with (
            place.changed_script(CRASH),
            pytest.raises(PlatformError, match="ValueError: the model is broken"),
        ):
            place.endpoint.deploy("blue", wanted, silent)
        assert state(place) == before
        assert place.endpoint.invoke({"data": [ROW]}).body["model_version"] == served(place)
        assert place.endpoint.url() == url

    @pytest.mark.parametrize("name", ["", "../blue", "blue green", "1blue", "b" * 64])
    def test_a_name_that_is_no_name_is_refused(self, place: Place, name: str) -> None:
        before = state(place)
        with pytest.raises(ConfigError, match="must start with a letter"):
            place.endpoint.deploy(name, place.version(1), silent)
        assert state(place) == before

    def test_an_altered_model_is_not_served(self, place: Place) -> None:
        version, before = place.version(1), state(place)
        model = version.folder / "model.onnx"
        registered = model.read_bytes()
        model.write_bytes(registered + b"\0")
        try:
            with pytest.raises(Refused, match=r"model\.onnx (is not the file|was changed)"):
                place.endpoint.deploy("blue", version, silent)
        finally:
            model.write_bytes(registered)
        assert state(place) == before

    def test_an_origin_brings_back_what_a_deployment_was_made_of(self, place: Place) -> None:
        before = state(place)
        (green,) = [each for each in place.endpoint.deployments() if each.name == "green"]
        version = place.version(green.model_version)
        with place.changed_script(CRASH):
            place.endpoint.deploy("green", version, silent, origin=green.origin)
        assert place.endpoint.invoke({"data": [ROW]}, "green").status == 200
        assert state(place) == before

    def test_a_deleted_deployment_is_gone(self, place: Place) -> None:
        endpoint, url = place.endpoint, place.endpoint.url()
        endpoint.delete("green")
        assert endpoint.traffic() == {"blue": 100}
        assert [each.name for each in endpoint.deployments()] == ["blue"]
        assert endpoint.invoke({"data": [ROW]}, "green").status == 404
        assert endpoint.invoke({"data": [ROW]}).status == 200
        assert endpoint.url() == url

    def test_an_unused_endpoint_says_so(self, place: Place) -> None:
        endpoint = place.unused
        assert not endpoint.exists()
        assert endpoint.deployments() == []
        assert endpoint.traffic() == {}
        assert endpoint.mirror() == {}
        assert endpoint.previous() is None
        endpoint.repair(silent)
        for ask in (endpoint.url, lambda: endpoint.invoke({"data": [ROW]})):
            with pytest.raises(ConfigError, match=f"the endpoint {endpoint.name} does not exist"):
                ask()

    def test_a_first_deployment_takes_all_or_no_traffic_and_taken_back_leaves_nothing(
        self, place: Place
    ) -> None:
        endpoint = place.unused

        def fail() -> None:
            with endpoint.lease("the release of version 1"):
                endpoint.deploy("blue", place.version(1), silent)
                assert endpoint.exists()
                assert endpoint.traffic() == {"blue": 100}
                endpoint.set_traffic({})
                endpoint.delete("blue")
                endpoint.deploy("blue", place.version(1), silent, first_share=0)
                assert endpoint.traffic() == {"blue": 0}
                endpoint.delete("blue")
                assert not endpoint.exists()
                raise ConfigError("the smoke test failed")

        with pytest.raises(ConfigError, match="the smoke test failed"):
            fail()
        assert not endpoint.exists()
        assert endpoint.previous() is None
