"""Copies in flight, and what stands for those there is no room for."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from mlops.clock import system_clock
from mlops.platforms.local.mirror import MAX_COPIES_IN_FLIGHT, Copies
from mlops.platforms.local.observations import ObservationLog

SECONDS = 60.0


class Mirror:
    """Copies whose answers come when the test says so."""

    def __init__(self) -> None:
        self.log = ObservationLog(system_clock())
        self.copies = Copies(self.log)
        self.open: list[asyncio.Future[int | None]] = []

    async def send(self, count: int, seconds: float = SECONDS, to: str = "green") -> None:
        for _ in range(count):
            self.copies.send(to, seconds, self._wait)
        await settle()

    async def answer(self, status: int | None, *numbers: int) -> None:
        for number in numbers:
            self.open[number].set_result(status)
        await settle()

    def told(self, to: str = "green") -> list[int]:
        """The statuses of all copies that began, 0 for an open one."""
        return [each.status for each in self.log.after(0, 0) if each.deployment == to]

    async def _wait(self) -> int | None:
        self.open.append(asyncio.get_running_loop().create_future())
        return await self.open[-1]


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


Play = Callable[[Mirror], Awaitable[None]]


def play(scene: Play) -> None:
    async def played() -> None:
        mirror = Mirror()
        await scene(mirror)
        mirror.copies.cancel()

    asyncio.run(played())


def test_an_answer_is_observed() -> None:
    async def scene(mirror: Mirror) -> None:
        await mirror.send(3)
        await mirror.answer(500, 1)
        await mirror.answer(None, 2)
        assert mirror.told() == [0, 500, 504]

    play(scene)


def test_of_a_mirror_that_answers_nothing_every_copy_is_observed() -> None:
    async def scene(mirror: Mirror) -> None:
        await mirror.send(MAX_COPIES_IN_FLIGHT + 30)
        assert len(mirror.open) == MAX_COPIES_IN_FLIGHT
        assert mirror.told() == [0] * (MAX_COPIES_IN_FLIGHT + 30)

    play(scene)


def test_a_burst_that_is_answered_after_all_leaves_only_what_was_sent() -> None:
    async def scene(mirror: Mirror) -> None:
        await mirror.send(MAX_COPIES_IN_FLIGHT + 30)
        await mirror.answer(200, *range(MAX_COPIES_IN_FLIGHT))
        assert mirror.told() == [200] * MAX_COPIES_IN_FLIGHT

    play(scene)


def test_single_ones_that_hang_do_not_condemn_those_without_room() -> None:
    """What is sent remains a fair sample, so the rate of those that hang is seen as it is."""

    async def scene(mirror: Mirror) -> None:
        for _ in range(MAX_COPIES_IN_FLIGHT):
            await mirror.send(2)
            await mirror.answer(200, len(mirror.open) - 1)
        before = mirror.told()
        assert before.count(0) < MAX_COPIES_IN_FLIGHT
        await mirror.send(50)
        assert len(mirror.open) == len(mirror.told()) == len(before) + 1

    play(scene)


@pytest.mark.parametrize("ends", [True, False])
def test_without_an_answer_a_copy_without_room_ends_with_the_time_for_it(ends: bool) -> None:
    async def scene(mirror: Mirror) -> None:
        await mirror.send(MAX_COPIES_IN_FLIGHT)
        await mirror.send(1, seconds=0.01)
        while mirror.told()[-1] == 0:
            await asyncio.sleep(0)
        if ends:  # too late: it has been told
            await mirror.answer(200, 0)
        assert mirror.told()[-1] == 504

    play(scene)


def test_another_deployments_answers_say_nothing() -> None:
    async def scene(mirror: Mirror) -> None:
        await mirror.send(1, to="blue")
        await mirror.send(MAX_COPIES_IN_FLIGHT - 1)
        await mirror.send(5)
        await mirror.answer(200, 0)
        assert mirror.told("blue") == [200]
        assert mirror.told() == [0] * (MAX_COPIES_IN_FLIGHT - 1 + 5)

    play(scene)
