"""An endpoint and a platform that only pretend, and remember what was asked of them."""

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from mlops.diagnosis import Diagnosis
from mlops.errors import ConfigError, PlatformError, Refused
from mlops.platforms.base import Deployment, DeploymentShare, ModelVersion, Observation, Run
from mlops.progress import Report
from mlops.settings.loading import LoadedSettings

BATCH = 400


class FakeEndpoint:
    """Answers a batch of requests between two looks, by its traffic and its mirror.

    `calls` lists every change; `errors` says which share of its requests a version fails.
    """

    name = "tiny-prod"
    poll_seconds = 0.0

    def __init__(self) -> None:
        self.serving: dict[str, int] = {}
        self.shares: dict[str, int] = {}
        self.copies: dict[str, int] = {}
        self.dead: set[str] = set()
        self.hanging: set[str] = set()
        self.patience: set[float] = set()
        self.calls: list[str] = []
        self.errors: dict[int, float] = {}
        self.batch = BATCH
        self.before_look: Callable[[], None] = lambda: None
        self.recorded: dict[str, DeploymentShare] | None = None
        self.completed = False
        self.origins: dict[str, str] = {}
        self.sequence = 0
        self.answered: dict[str, int] = {}

    def exists(self) -> bool:
        return bool(self.serving)

    def repair(self, _report: Report) -> None:
        pass

    def url(self) -> str:
        return "http://127.0.0.1:9/score"

    def key(self) -> str:
        return "key"

    def deploy(
        self,
        deployment: str,
        version: ModelVersion,
        report: Report,
        *,
        first_share: int = 100,
        origin: str = "",
    ) -> None:
        report(f"starting {deployment}")
        self.calls.append(f"deploy {deployment} {version.version} {origin}".strip())
        self.origins[deployment] = origin
        self.shares.setdefault(deployment, 0 if self.serving else first_share)
        self.serving[deployment] = version.version

    def is_current(self, deployment: str, version: ModelVersion) -> bool:
        return self.serving.get(deployment) == version.version and deployment not in self.dead

    def deployments(self) -> list[Deployment]:
        return [
            Deployment(
                name,
                version,
                "sha",
                "commit",
                name not in self.dead,
                "not running",
                self.origins.get(name, ""),
            )
            for name, version in sorted(self.serving.items())
        ]

    def traffic(self) -> dict[str, int]:
        return dict(sorted(self.shares.items()))

    def set_traffic(self, traffic: Mapping[str, int], *, completes: bool = False) -> None:
        self.completed = completes
        self.calls.append(f"traffic {dict(traffic)}")
        unknown = [name for name, share in traffic.items() if name not in self.serving and share]
        if unknown or self.copies.keys() & {name for name, share in traffic.items() if share}:
            raise PlatformError(f"impossible traffic: {traffic}")
        self.shares = {name: traffic.get(name, 0) for name in self.serving}

    def mirror(self) -> dict[str, int]:
        return dict(self.copies)

    def set_mirror(self, deployment: str | None, percent: int = 0) -> None:
        self.calls.append(f"mirror {deployment} {percent}")
        self.copies = {deployment: percent} if deployment else {}

    def delete(self, deployment: str) -> None:
        if self.shares[deployment] or deployment in self.copies:
            raise PlatformError(f"{deployment} has traffic")
        self.calls.append(f"delete {deployment}")
        del self.serving[deployment], self.shares[deployment]

    def logs(self, deployment: str, _lines: int = 100) -> str:
        return f"{deployment} printed this"

    def previous(self) -> dict[str, DeploymentShare] | None:
        return self.recorded

    def observations(
        self, _after: int = 0, patience_seconds: float = math.inf
    ) -> list[Observation]:
        self.patience.add(patience_seconds)
        if patience_seconds:
            self.before_look()
        return self._batch()

    @contextmanager
    def lease(self, purpose: str) -> Iterator[None]:
        self.calls.append(f"lease for {purpose}")
        before = self._described()
        shares, copies = dict(self.shares), dict(self.copies)
        try:
            yield
        except BaseException:
            self.calls.append("undone")
            self.shares = {name: shares.get(name, 0) for name in self.serving}
            self.copies = copies
            raise
        if before != self._described():
            self.recorded = before

    def _described(self) -> dict[str, DeploymentShare]:
        return {n: DeploymentShare(v, self.shares[n]) for n, v in sorted(self.serving.items())}

    def _batch(self) -> list[Observation]:
        found = []
        for name, share in self.shares.items():
            found += self._answers(name, self.batch * share // 100, mirrored=False)
        for name, percent in self.copies.items():
            found += self._answers(name, self.batch * percent // 100, mirrored=True)
        return found

    def _answers(self, name: str, count: int, *, mirrored: bool) -> list[Observation]:
        found = []
        for _ in range(count):
            self.sequence += 1
            n = self.answered[name] = self.answered.get(name, 0) + 1
            rate = self.errors.get(self.serving[name], 0.0)
            failed = name in self.dead or int(n * rate) > int((n - 1) * rate)
            status = 502 if failed else 200
            status, seconds = (0, 2.0) if name in self.hanging else (status, 0.01)
            found.append(Observation(self.sequence, name, status, seconds, mirrored))
        return found


class FakePlatform:
    """Has the versions 1, 2, 9, 10 and 11."""

    has_callers = False
    can_stop = True

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.fake = FakeEndpoint()

    @classmethod
    def examine(cls, _settings: LoadedSettings) -> list[Diagnosis]:
        return []

    def versions(self) -> list[ModelVersion]:
        return [ModelVersion("tiny", number, self.folder) for number in (1, 2, 9, 10, 11)]

    def version(self, number: int) -> ModelVersion:
        for each in self.versions():
            if each.version == number:
                return each
        raise Refused(f"there is no version {number}")

    def run(self, run_id: str) -> Run:
        raise ConfigError(f"there is no run {run_id!r}")

    def endpoint(self, _name: str) -> FakeEndpoint:
        return self.fake
