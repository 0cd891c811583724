"""What stands where the hub stood does its worst to a node: the node waits so long and no longer, and reads so much."""

import asyncio
import time
import zlib
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from gateway.errors import PatchworkError
from gateway.links import hub_client, witness_client
from gateway.node.results import MemberOutcome
from tests.federation import TestFederation, federation, result_of, someone
from tests.hostile.talks import (
    Talk,
    answers_a_byte_at_a_time,
    asks_to_continue_for_ever,
    closes_at_once,
    does_not_speak_http,
    hangs_up_after_the_question,
    never_answers,
    never_reads,
    sends_a_gigabyte,
    sends_a_head_without_end,
    sends_a_line_without_end,
    sends_a_refusal_without_end,
    sends_chunks_without_end,
    switches_protocols,
    whole,
)
from tests.hub.kit import raw_node

pytestmark = pytest.mark.asyncio(loop_scope="module")

ASKER, AGENCY = "childrens-services", "housing"
PATIENCE_S = 0.3
PACKED = zlib.compress(bytes(2**26), 1)  # more than any reply may have, in 0.3 MB
TOOK_AT_MOST_S = 5.0  # on a busy machine


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def north(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TestFederation]:
    """Two members whose hub has left its port to the tests."""
    async with federation(tmp_path_factory.mktemp("north"), [ASKER, AGENCY]) as running:
        await running.add(AGENCY, *someone("Katherine", "Bramley", "1991-05-17"))
        await running.hub.close()
        yield running


async def unpacks_a_thousandfold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await whole(reader)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\nContent-Length: %d\r\n\r\n" % len(PACKED))
    writer.write(PACKED)
    await reader.read()


@pytest.mark.parametrize(
    "talk",
    [
        never_answers,
        never_reads,
        closes_at_once,
        hangs_up_after_the_question,
        answers_a_byte_at_a_time,
        sends_a_gigabyte,
        sends_chunks_without_end,
        sends_a_refusal_without_end,
        sends_a_head_without_end,
        sends_a_line_without_end,
        asks_to_continue_for_ever,
        does_not_speak_http,
        switches_protocols,
        unpacks_a_thousandfold,
    ],
)
async def test_a_node_waits_for_a_hostile_hub_no_longer_than_it_says_and_keeps_what_it_holds(
    north: TestFederation, talk: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    for patience in ("CONNECT_S", "GRACE_S", "DIRECTORY_S"):
        monkeypatch.setattr(hub_client, patience, PATIENCE_S)
    monkeypatch.setattr(witness_client, "VISIT_S", PATIENCE_S)
    taken_all: list[BaseException] = []

    async def noted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await talk(reader, writer)
        except AssertionError as error:
            taken_all.append(error)

    async with raw_node(noted, port=north.ports["hub"]):
        began = time.monotonic()
        with pytest.raises(PatchworkError):
            await north.ask(ASKER, "Katherine Bramley", born="1991-05-17", deadline_ms=200)
        with pytest.raises(PatchworkError):
            await north.refresh(ASKER)
        (hub,) = await north.nodes[ASKER].checkpoints.witnesses.ask()
        assert hub.silent, "a witness that says no such thing has said nothing"
        assert hub.seen is None
        assert time.monotonic() - began < TOOK_AT_MOST_S
    assert not taken_all, "the node reads on for ever"
    north.nodes[ASKER].parts.membership.current()


async def test_with_its_hub_back_the_node_goes_on(north: TestFederation) -> None:
    await north.restart_hub()
    await north.refresh()
    completed = await north.ask(ASKER, "Katherine Bramley", born="1991-05-17")
    assert result_of(completed, AGENCY).outcome is MemberOutcome.TEAMS
    assert len(await north.ledger(AGENCY)) == 1, "of all that was asked before nothing arrived"
