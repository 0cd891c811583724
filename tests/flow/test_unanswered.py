"""A node that is down, hangs or is too busy costs nobody else anything: it is named, with its duty contact."""

import asyncio
import time
from pathlib import Path

from gateway.node.results import MemberOutcome, MemberResult
from tests.federation import TestFederation, federation, result_of, someone

ASKER, AGENCY, OTHER = "childrens-services", "housing", "police"
DEADLINE_MS = 600


async def asked_of_both(north: TestFederation, expected: MemberOutcome) -> None:
    """Ask; AGENCY must end as expected, named and with its duty contact, while OTHER answers."""
    completed = await north.ask(ASKER, "Katherine Bramley", born="1991-05-17", deadline_ms=DEADLINE_MS)
    silent = result_of(completed, AGENCY)
    assert silent.outcome is expected
    assert not silent.outcome.answered
    assert (silent.rows, silent.bundle) == ((), None)
    assert (silent.member.name, silent.member.duty_contact) == ("Housing", (("phone", "01632 960000"),))
    (row,) = result_of(completed, OTHER).rows
    assert row.professional == "Robin Worker"
    assert completed.coverage_agrees


async def test_a_node_that_is_down_is_named_and_the_others_answer(tmp_path: Path) -> None:
    async with federation(tmp_path, [ASKER, AGENCY, OTHER]) as north:
        for member in (AGENCY, OTHER):
            await north.add(member, *someone("Katherine", "Bramley", "1991-05-17"))
        await north.stop(AGENCY)
        await asked_of_both(north, MemberOutcome.UNREACHABLE)
        # After a while it is not even tried, and once it is up again it is.
        for _ in range(4):
            await asked_of_both(north, MemberOutcome.UNREACHABLE)
        await asked_of_both(north, MemberOutcome.NOT_TRIED)
        await north.start(AGENCY)
        north.clock.turn(61)
        await north.refresh()
        completed = await north.ask(ASKER, "Katherine Bramley", born="1991-05-17")
        assert result_of(completed, AGENCY).outcome is MemberOutcome.TEAMS


async def test_a_node_that_hangs_times_out_and_the_others_are_shown_at_once(tmp_path: Path) -> None:
    async with federation(tmp_path, [ASKER, AGENCY, OTHER]) as north:
        await north.add(OTHER, *someone("Katherine", "Bramley", "1991-05-17"))
        await north.stop(AGENCY)

        async def accept_and_hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()
            writer.close()

        async with await asyncio.start_server(accept_and_hang, "127.0.0.1", north.ports[AGENCY]):
            began = time.monotonic()
            shown: dict[str, float] = {}
            async for event in north.stream(ASKER, "Katherine Bramley", born="1991-05-17", deadline_ms=DEADLINE_MS):
                if isinstance(event, MemberResult):
                    shown[event.member.id] = time.monotonic() - began
            assert shown[OTHER] < DEADLINE_MS / 2000 < DEADLINE_MS / 1000 <= shown[AGENCY] < 2 * DEADLINE_MS / 1000
            await asked_of_both(north, MemberOutcome.TIMEOUT)


async def test_a_node_that_is_too_busy_says_so_and_has_opened_nothing(tmp_path: Path) -> None:
    """Every answer takes the delay, so one question fills the one place."""
    async with federation(tmp_path, [ASKER, AGENCY, OTHER], delay_ms=400, options="max_in_flight = 1") as north:
        for member in (AGENCY, OTHER):
            await north.add(member, *someone("Katherine", "Bramley", "1991-05-17"))
        first = asyncio.create_task(north.ask(OTHER, "Katherine Bramley", born="1991-05-17"))
        await asyncio.sleep(0.15)
        completed = await north.ask(ASKER, "Katherine Bramley", born="1991-05-17")
        assert result_of(completed, AGENCY).outcome is MemberOutcome.OVERLOADED
        assert result_of(completed, AGENCY).member.duty_contact
        assert result_of(completed, OTHER).outcome is MemberOutcome.TEAMS
        assert completed.coverage_agrees
        assert result_of(await first, AGENCY).outcome is MemberOutcome.TEAMS
        assert [entry["asker"]["member"] for entry in await north.ledger(AGENCY)] == [OTHER]
        # The place is free again.
        again = await north.ask(ASKER, "Katherine Bramley", born="1991-05-17")
        assert result_of(again, AGENCY).outcome is MemberOutcome.TEAMS
