"""The clock of a node that has dialled jumps by ten minutes, and back: it answers nothing, says so, and dials again."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.errors import ClockWrong
from gateway.links import dial
from gateway.node.results import MemberOutcome
from tests.federation import TestFederation, federation, someone
from tests.hostile.off_clock import OffClock
from tests.hostile.until import until

ASKER, DIALS, OTHER = "childrens-services", "housing", "police"
TEAMS, UNREACHABLE = MemberOutcome.TEAMS, MemberOutcome.UNREACHABLE
TEN_MINUTES = 600.0


@pytest.fixture
async def north(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[TestFederation]:
    """Three members, of which DIALS dials; two know somebody."""
    monkeypatch.setattr(dial, "FIRST_WAIT_S", 0.05)
    async with federation(tmp_path, [ASKER, DIALS, OTHER], dialling=[DIALS]) as running:
        for member in (DIALS, OTHER):
            await running.add(member, *someone("Katherine", "Bramley", "1991-05-17"))
        yield running


async def ask(north: TestFederation) -> dict[str, MemberOutcome]:
    completed = await north.ask(ASKER, "Katherine Bramley", born="1991-05-17")
    assert completed.coverage_agrees
    assert all(each.member.duty_contact for each in completed.results)
    return {each.member.id: each.outcome for each in completed.results}


@pytest.mark.parametrize("off", [-TEN_MINUTES, TEN_MINUTES])
async def test_a_clock_off_by_ten_minutes_answers_nothing_and_opens_no_link_until_it_is_right(
    north: TestFederation, off: float, caplog: pytest.LogCaptureFixture
) -> None:
    clock = OffClock(north.clock)
    await north.stop(DIALS)
    await north.start(DIALS, clock=clock)
    assert await ask(north) == {DIALS: TEAMS, OTHER: TEAMS}

    clock.off = off
    assert await ask(north) == {DIALS: UNREACHABLE, OTHER: TEAMS}
    with pytest.raises(ClockWrong, match="clock"):
        await north.refresh(DIALS)
    assert await ask(north) == {DIALS: UNREACHABLE, OTHER: TEAMS}

    # Its token is of another time: the hub takes no link by it, and the node says why it has none.
    await north.restart_hub()
    await until(lambda: "http-401" in {vars(each).get("event_fields", {}).get("code") for each in caplog.records})
    assert not north.hub.links.holds(DIALS)
    assert await ask(north) == {DIALS: UNREACHABLE, OTHER: TEAMS}
    assert len(await north.ledger(DIALS)) == 1

    clock.off = 0.0
    await north.linked(DIALS)
    if off > 0:  # it has seen a time that was still to come, and waits for it
        with pytest.raises(ClockWrong):
            await north.refresh(DIALS)
        north.clock.turn(off)
    await north.refresh()
    assert await ask(north) == {DIALS: TEAMS, OTHER: TEAMS}
