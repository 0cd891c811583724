"""Whose question runs next when the hub is full."""

import asyncio

import pytest

from gateway.errors import Overloaded
from gateway.hub.turns import Turns

LONG_S = 5.0


class Asking:
    """Questions that run until they are told to end; `order` is who began, in order."""

    def __init__(self, turns: Turns) -> None:
        self.turns = turns
        self.order: list[str] = []
        self.tasks: list[asyncio.Task[None]] = []
        self._ends: list[asyncio.Event] = []

    async def ask(
        self, member: str, times: int = 1, *, relayed_bytes: int = 1, held_bytes: int = 1, within_s: float = LONG_S
    ) -> list[asyncio.Task[None]]:
        async def question() -> None:
            async with self.turns.turn(member, relayed_bytes=relayed_bytes, held_bytes=held_bytes, within_s=within_s):
                self.order.append(member)
                end = asyncio.Event()
                self._ends.append(end)
                await end.wait()

        asked = [asyncio.create_task(question()) for _ in range(times)]
        self.tasks += asked
        await _settle()
        return asked

    async def end_one(self) -> None:
        self._ends.pop(0).set()
        await _settle()

    async def end_all(self) -> None:
        while self._ends:
            await self.end_one()


async def _settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def _refused(task: asyncio.Task[None]) -> bool:
    return task.done() and isinstance(task.exception(), Overloaded)


async def test_a_flooding_member_delays_itself_alone() -> None:
    asking = Asking(Turns(max_running=1))
    await asking.ask("flooding", 50)
    await asking.ask("housing", 2)
    await asking.ask("police")
    for _ in range(6):
        await asking.end_one()
    assert asking.order == ["flooding", "flooding", "housing", "police", "flooding", "housing", "flooding"]
    await asking.end_all()
    assert asking.order.count("flooding") == 50


async def test_room_in_bytes_counts_and_a_question_larger_than_all_room_runs_alone() -> None:
    asking = Asking(Turns(max_relayed_bytes=100))
    await asking.ask("housing", relayed_bytes=60)
    await asking.ask("police", relayed_bytes=1_000)
    await asking.ask("school", relayed_bytes=40)
    assert asking.order == ["housing"], "a small question must not overtake a large one again and again"
    await asking.end_one()
    assert asking.order == ["housing", "police"]
    await asking.end_one()
    assert asking.order == ["housing", "police", "school"]
    assert asking.turns.running == 1


async def test_one_member_has_half_of_the_room_and_holds_up_nobody_by_waiting_for_more() -> None:
    asking = Asking(Turns(max_relayed_bytes=100))
    await asking.ask("slow", 3, relayed_bytes=25)
    await asking.ask("housing", relayed_bytes=40)
    assert asking.order == ["slow", "slow", "housing"]
    await asking.ask("police", relayed_bytes=20)
    await asking.ask("school", relayed_bytes=10)
    assert asking.order == ["slow", "slow", "housing"], "what waits for room in the hub itself keeps its turn"
    await asking.end_one()
    assert asking.order == ["slow", "slow", "housing", "slow"]
    await asking.end_one()
    assert asking.order == ["slow", "slow", "housing", "slow", "police", "school"]
    await asking.end_all()
    assert (asking.turns.running, asking.turns.waiting, asking.turns.relayed_bytes) == (0, 0, 0)


async def test_a_members_only_question_may_be_larger_than_its_half() -> None:
    asking = Asking(Turns(max_relayed_bytes=100))
    await asking.ask("housing", relayed_bytes=1)
    await asking.ask("police", relayed_bytes=80)
    assert asking.order == ["housing", "police"]


async def test_too_much_waiting_costs_whoever_has_the_most() -> None:
    asking = Asking(Turns(max_running=1, max_waiting_bytes=100))
    await asking.ask("school")
    flooding = await asking.ask("flooding", 10, held_bytes=10)
    (quiet,) = await asking.ask("housing", held_bytes=10)
    assert [_refused(task) for task in flooding] == [False] * 9 + [True]
    assert not quiet.done()
    assert asking.turns.waiting == 10


async def test_waiting_ends_with_a_time_to_come_back() -> None:
    asking = Asking(Turns(max_running=1))
    await asking.ask("school")
    (late,) = await asking.ask("housing", within_s=0.01)
    with pytest.raises(Overloaded) as refused:
        await late
    assert refused.value.retry_after_s
    assert asking.turns.waiting == 0


async def test_waiting_is_told_to_who_ran_at_last() -> None:
    turns = Turns(max_running=1)
    waited = []

    async def question(hold_s: float) -> None:
        async with turns.turn("housing", relayed_bytes=1, held_bytes=1, within_s=LONG_S) as waited_s:
            waited.append(waited_s)
            await asyncio.sleep(hold_s)

    await asyncio.gather(question(0.05), question(0))
    assert waited[0] == 0
    assert 0.03 < waited[1] < 1


async def test_who_hangs_up_costs_nobody_a_turn() -> None:
    asking = Asking(Turns(max_running=1))
    await asking.ask("school")
    first, second = await asking.ask("housing", 2)
    first.cancel()
    await _settle()
    await asking.end_one()
    assert asking.order == ["school", "housing"]
    second.cancel()  # it runs by now
    await _settle()
    await asking.ask("police")
    assert asking.order == ["school", "housing", "police"]
    assert (asking.turns.running, asking.turns.waiting) == (1, 0)


async def test_one_that_hangs_up_just_as_its_turn_comes_gives_it_on() -> None:
    asking = Asking(Turns(max_running=1))
    (running,) = await asking.ask("school")
    (leaving,) = await asking.ask("housing")
    await asking.ask("police")
    running.cancel()
    await asyncio.sleep(0)  # it has ended and called the next, which has not run yet
    leaving.cancel()
    await _settle()
    assert asking.order[-1] == "police"
    assert asking.turns.running == 1


async def test_stopping_refuses_what_is_new_and_what_waits_and_lets_the_rest_end() -> None:
    asking = Asking(Turns(max_running=1))
    (running,) = await asking.ask("school")
    (waiting,) = await asking.ask("housing")
    asking.turns.stop()
    (new,) = await asking.ask("police")
    assert _refused(waiting)
    assert _refused(new)
    assert not running.done()
    assert not await asking.turns.ended(0.01)
    await asking.end_one()
    assert await asking.turns.ended(0)
