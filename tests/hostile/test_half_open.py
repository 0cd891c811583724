"""A line is cut and neither end is told: one question is lost, named as unanswered, and the next one goes through."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.errors import HubError
from gateway.links import hub_client, hubs
from gateway.node.results import MemberOutcome
from tests.federation import TestFederation, federation, someone
from tests.hostile.cable import Cable, free_port
from tests.hostile.settings import change

ASKER, AGENCY, OTHER = "childrens-services", "housing", "police"
TEAMS, TIMEOUT = MemberOutcome.TEAMS, MemberOutcome.TIMEOUT


@pytest.fixture
async def north(tmp_path: Path) -> AsyncIterator[TestFederation]:
    """Three members; two know somebody."""
    async with federation(tmp_path, [ASKER, AGENCY, OTHER]) as running:
        for member in (AGENCY, OTHER):
            await running.add(member, *someone("Katherine", "Bramley", "1991-05-17"))
        yield running


async def ask(north: TestFederation) -> dict[str, MemberOutcome]:
    """Outcome by member, of one short question."""
    completed = await north.ask(ASKER, "Katherine Bramley", born="1991-05-17", deadline_ms=500)
    assert completed.coverage_agrees
    return {each.member.id: each.outcome for each in completed.results}


async def test_a_dead_connection_to_a_member_costs_one_question_and_is_not_used_again(north: TestFederation) -> None:
    port, listens = north.ports[AGENCY], free_port()
    await north.stop(AGENCY)
    change(north.folder / AGENCY / "node.toml", f'listen = "127.0.0.1:{port}"', f'listen = "127.0.0.1:{listens}"')
    async with Cable(port=port, to=listens).laid() as cable:
        await north.start(AGENCY)
        assert await ask(north) == {AGENCY: TEAMS, OTHER: TEAMS}
        assert cable.connections == 1
        cable.cut()
        assert await ask(north) == {AGENCY: TIMEOUT, OTHER: TEAMS}
        assert await ask(north) == {AGENCY: TEAMS, OTHER: TEAMS}
        assert cable.connections == 2
    assert len(await north.ledger(AGENCY)) == 2, "the lost question was not sent again"
    assert len(await north.ledger(OTHER)) == 3


async def test_a_dead_connection_to_the_hub_costs_one_question_and_is_not_used_again(
    north: TestFederation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_client, "GRACE_S", 0.2)
    monkeypatch.setattr(hubs, "CONNECT_S", 0.2)
    hub, port = north.ports["hub"], free_port()
    await north.stop(ASKER)
    change(north.folder / ASKER / "node.toml", f'["http://127.0.0.1:{hub}"]', f'["http://127.0.0.1:{port}"]')
    async with Cable(port=port, to=hub).laid() as cable:
        await north.start(ASKER)
        await north.refresh(ASKER)
        assert await ask(north) == {AGENCY: TEAMS, OTHER: TEAMS}
        cable.cut()
        with pytest.raises(HubError, match="TimeoutError"):
            await ask(north)
        assert await ask(north) == {AGENCY: TEAMS, OTHER: TEAMS}
        await north.refresh(ASKER)
        await north.stop(ASKER)
    assert len(await north.ledger(AGENCY)) == 2, "the lost question was not sent again"
