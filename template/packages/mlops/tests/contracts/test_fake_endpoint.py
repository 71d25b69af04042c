"""The endpoint that other tests pretend with does what every endpoint does."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from contracts.endpoint import PURPOSE, EndpointContract
from fakes.endpoint import FakeEndpoint
from fakes.front import fronted
from fakes.platform import FakePlatform
from mlops.platforms.base import Endpoint, ModelVersion, Platform
from mlops.platforms.lease_terms import RELEASE
from mlops.progress import silent


class FakePlace:
    """Two pretended endpoints, as the contract asks for them; a command's own object is all one."""

    def __init__(
        self, platform: Platform, used: FakeEndpoint, unused: FakeEndpoint, folder: Path
    ) -> None:
        self._folder = folder
        self._platform = platform
        self._used = used
        self._unused = unused

    @property
    def endpoint(self) -> Endpoint:
        return self._used

    @property
    def unused(self) -> Endpoint:
        return self._unused

    def version(self, number: int) -> ModelVersion:
        return self._platform.version(number)

    def scored(self, run: str) -> Path:
        return self._folder / f"score-{run}"

    def another_command(self, traffic: dict[str, int]) -> AbstractContextManager[None]:
        return self._used.another_command(PURPOSE, traffic, RELEASE)

    @contextmanager
    def changed_script(self, addition: str) -> Iterator[None]:
        before = self._used.code
        self._used.code += addition
        try:
            yield
        finally:
            self._used.code = before

    @contextmanager
    def unkept_checks(self) -> Iterator[None]:
        self._used.unkept = "the disk is full"
        yield
        self._used.unkept = ""


class TestFakeEndpoint(EndpointContract):
    @pytest.fixture
    def place(self, tmp_path: Path) -> Iterator[FakePlace]:
        platform = FakePlatform(tmp_path)
        used, unused = FakeEndpoint("used", batch=0), FakeEndpoint("unused", batch=0)
        for number, name in ((1, "blue"), (2, "green")):
            used.deploy(name, platform.version(number), silent)
        with fronted(used):
            yield FakePlace(platform, used, unused, tmp_path)
