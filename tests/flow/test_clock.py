"""A node whose clock cannot be trusted answers nothing, and says so where its operator looks."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from consent_ledger import heads
from gateway.errors import ClockWrong
from gateway.node.results import MemberOutcome
from tests.federation import TestFederation, federation, someone
from tests.hostile.off_clock import OffClock
from tests.lying_hub import LyingHub, Reply

ASKER, AGENCY, OTHER = "childrens-services", "housing", "police"
TEAMS, UNREACHABLE = MemberOutcome.TEAMS, MemberOutcome.UNREACHABLE


@pytest.fixture
async def north(tmp_path: Path) -> AsyncIterator[TestFederation]:
    """Three members; two know somebody."""
    async with federation(tmp_path, [ASKER, AGENCY, OTHER], lying=True) as running:
        for member in (AGENCY, OTHER):
            await running.add(member, *someone("Katherine", "Bramley", "1991-05-17"))
        yield running


async def restart_with_own_clock(north: TestFederation, off: float) -> OffClock:
    """AGENCY starts again on a machine whose clock is off."""
    clock = OffClock(north.clock, off)
    await north.stop(AGENCY)
    await north.start(AGENCY, clock=clock)
    return clock


async def ask(north: TestFederation) -> dict[str, MemberOutcome]:
    """Outcome by member."""
    completed = await north.ask(ASKER, "Katherine Bramley", born="1991-05-17")
    return {each.member.id: each.outcome for each in completed.results}


async def delivered(liar: LyingHub, north: TestFederation) -> Reply:
    """What AGENCY says to the hub itself, to a question made by the right time."""
    liar.keeps_questions = True
    await ask(north)
    liar.keeps_questions = False
    return await liar.deliver(AGENCY, liar.stolen(AGENCY))


@pytest.mark.parametrize("off", [-61.0, 62.0, -3600.0, 3000.0])
async def test_a_clock_off_the_hubs_signed_time_answers_nothing_until_it_is_right(
    north: TestFederation, off: float
) -> None:
    assert north.liar is not None
    clock = await restart_with_own_clock(north, off)
    with pytest.raises(ClockWrong, match="clock"):
        await north.refresh(AGENCY)
    refused = await delivered(north.liar, north)
    assert (refused.status, refused.code) == (503, "clock-wrong")
    assert await ask(north) == {AGENCY: UNREACHABLE, OTHER: TEAMS}
    assert await north.ledger(AGENCY) == []
    with pytest.raises(ClockWrong):
        await north.ask(AGENCY, "Katherine Bramley", born="1991-05-17")
    clock.off = 0.0
    if off < 0:  # else it has seen a time that is still to come
        await north.refresh(AGENCY)
        assert await ask(north) == {AGENCY: TEAMS, OTHER: TEAMS}


@pytest.mark.parametrize("off", [-25.0, 25.0])
async def test_a_clock_within_the_allowed_skew_answers(north: TestFederation, off: float) -> None:
    await restart_with_own_clock(north, off)
    await north.refresh()
    assert await ask(north) == {AGENCY: TEAMS, OTHER: TEAMS}


async def test_a_clock_set_back_behind_the_ledger_answers_nothing_even_after_a_restart(north: TestFederation) -> None:
    """Though it agrees with the hub's clock: only the node's own record shows it."""
    assert north.liar is not None
    ahead = await restart_with_own_clock(north, 35)
    await north.refresh()
    assert (await delivered(north.liar, north)).status == 200
    ahead.off = 0
    for _ in range(2):
        refused = await delivered(north.liar, north)
        assert (refused.status, refused.code) == (503, "clock-wrong")
        await restart_with_own_clock(north, 0)
    assert len(await north.ledger(AGENCY)) == 1
    north.clock.turn(6)  # 29 s behind: as far as two honest clocks may differ
    await north.refresh()
    assert await ask(north) == {AGENCY: TEAMS, OTHER: TEAMS}


async def test_nothing_is_filled_or_signed_while_hub_and_node_disagree_about_the_time(north: TestFederation) -> None:
    clock = await restart_with_own_clock(north, 0.0)
    node = north.nodes[AGENCY]
    await north.refresh(AGENCY)
    await node.checkpoints.begin()
    clock.off = 3000.0  # it jumps while the node serves
    with pytest.raises(ClockWrong):
        await north.refresh(AGENCY)
    with pytest.raises(ClockWrong):
        await node.checkpoints.visit()
    await node.checkpoints.end()
    assert await north.ledger(AGENCY) == []
    assert await node.ledger_database.read(heads.newest()) is None
