"""The hub's own clock is off by ten minutes: every node stops and says why, and goes on when it is right."""

import re
from pathlib import Path

import pytest

from gateway.app.hub import open_hub
from gateway.errors import ClockWrong
from gateway.node.results import MemberOutcome
from gateway.settings import load_hub
from tests.federation import TestFederation, TurnedClock, federation, result_of, someone

ASKER, AGENCY = "childrens-services", "housing"
TEN_MINUTES = 600.0


async def restart_hub(north: TestFederation, *, off: float) -> None:
    """The hub comes up on a machine whose clock is so many seconds off."""
    await north.hub.close()
    clock = TurnedClock(north.clock.now() + off)
    north.hub = await open_hub(load_hub(north.folder / "hub" / "hub.toml"), clock=clock)


@pytest.mark.parametrize("off", [-TEN_MINUTES, TEN_MINUTES])
async def test_a_hub_whose_clock_is_off_is_believed_by_nobody_until_it_is_right(tmp_path: Path, off: float) -> None:
    async with federation(tmp_path, [ASKER, AGENCY]) as north:
        await north.add(AGENCY, *someone("Katherine", "Bramley", "1991-05-17"))
        await restart_hub(north, off=off)
        for member in (ASKER, AGENCY):
            with pytest.raises(ClockWrong) as caught:
                await north.refresh(member)
            assert re.search(r"hub", str(caught.value)), caught.value
        with pytest.raises(ClockWrong):
            await north.ask(ASKER, "Katherine Bramley", born="1991-05-17")
        assert await north.ledger(AGENCY) == []
        await restart_hub(north, off=0.0)
        await north.refresh()
        completed = await north.ask(ASKER, "Katherine Bramley", born="1991-05-17")
        assert result_of(completed, AGENCY).outcome is MemberOutcome.TEAMS
