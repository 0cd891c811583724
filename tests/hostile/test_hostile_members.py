"""One member does its worst in a live federation: it alone is without an answer, named, and costs nobody else any time.

Real nodes and a real hub; only the hostile member's port is answered by what each test makes of it. What it sends below
is all that a member can do to its hub: it has no way to the asker but the hub's stream.
"""

import asyncio
import os
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from consent_ledger.exchange import SECONDS_PER_HOUR
from gateway.links import counts_client
from gateway.links.delivery import REFUSED
from gateway.node.compare_counts import Compared
from gateway.node.reconcile import Silent
from gateway.node.results import MemberOutcome
from gateway.wire.limits import SEALED_ANSWER_BYTES
from tests.federation import NOW, result_of
from tests.hostile.heard import AGENCY, ASKER, DEADLINE_MS, OTHER, TOOK_AT_MOST_S, Heard, ask_of_both, heard_federation
from tests.hostile.reconciled import reconciled
from tests.hostile.talks import (
    Talk,
    answers_a_byte_at_a_time,
    asks_to_continue_for_ever,
    closes_at_once,
    does_not_speak_http,
    goes_silent_one_byte_before_the_end,
    hangs_up_after_the_question,
    never_answers,
    never_reads,
    ok,
    sends_a_gigabyte,
    sends_a_head_without_end,
    sends_a_line_without_end,
    sends_a_refusal_without_end,
    sends_chunks_without_end,
    sends_garbage_of_the_right_size,
    switches_protocols,
    whole,
)
from tests.hub.kit import raw_node

pytestmark = pytest.mark.asyncio(loop_scope="module")

TIMEOUT, UNREACHABLE, INVALID = MemberOutcome.TIMEOUT, MemberOutcome.UNREACHABLE, MemberOutcome.INVALID_ANSWER


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def heard(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Heard]:
    """AGENCY's port is the tests'."""
    async with heard_federation(tmp_path_factory.mktemp("north")) as running:
        yield running


@pytest.mark.parametrize(
    ("talk", "expected"),
    [
        (never_answers, {TIMEOUT}),
        (never_reads, {TIMEOUT}),
        (closes_at_once, {UNREACHABLE}),
        (hangs_up_after_the_question, {UNREACHABLE}),
        (answers_a_byte_at_a_time, {TIMEOUT}),
        (goes_silent_one_byte_before_the_end, {TIMEOUT}),
        (sends_a_gigabyte, {UNREACHABLE}),
        (sends_chunks_without_end, {UNREACHABLE}),
        (sends_a_refusal_without_end, {UNREACHABLE}),
        (sends_a_head_without_end, {UNREACHABLE}),
        (sends_a_line_without_end, {UNREACHABLE}),
        (asks_to_continue_for_ever, {UNREACHABLE}),
        (does_not_speak_http, {UNREACHABLE}),
        (switches_protocols, {UNREACHABLE}),
        (sends_garbage_of_the_right_size, {INVALID}),
    ],
)
async def test_a_hostile_member_is_named_and_alone_without_an_answer(
    heard: Heard, talk: Talk, expected: set[MemberOutcome]
) -> None:
    taken_all: list[BaseException] = []

    async def noted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await talk(reader, writer)
        except AssertionError as error:
            taken_all.append(error)

    async with raw_node(noted, port=heard.north.ports[AGENCY]):
        result, took = await ask_of_both(heard.north)
    assert not taken_all, "the hub reads on for ever"
    assert result.outcome in expected
    assert (result.rows, result.bundle, result.answer) == ((), None, None)
    assert result.member.duty_contact
    assert took < DEADLINE_MS / 1000 + TOOK_AT_MOST_S


@pytest.mark.parametrize("whose", [AGENCY, OTHER])
async def test_an_answer_to_another_question_or_of_another_member_is_invalid(heard: Heard, whose: str) -> None:
    async def answers_as_then(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await whole(reader)
        writer.write(ok(SEALED_ANSWER_BYTES) + heard.earlier[whose])
        await reader.read()

    async with raw_node(answers_as_then, port=heard.north.ports[AGENCY]):
        result, _ = await ask_of_both(heard.north)
    assert (result.outcome, result.rows, result.bundle) == (INVALID, (), None)


async def test_what_a_member_sends_before_it_is_asked_is_nobodys_answer(heard: Heard) -> None:
    """Two answers to one question: the second must not wait on the connection for whoever asks next."""
    asked: list[bytes] = []

    async def answers_twice(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await whole(reader)
            asked.append(b"")
            writer.write((ok(SEALED_ANSWER_BYTES) + os.urandom(SEALED_ANSWER_BYTES)) * 2)

    async with raw_node(answers_twice, port=heard.north.ports[AGENCY]):
        for _ in range(3):
            result, _ = await ask_of_both(heard.north)
            assert result.outcome is INVALID
    assert len(asked) == 3, "each question has reached the member, and each once"


@pytest.mark.parametrize("talk", [never_answers, answers_a_byte_at_a_time, sends_a_gigabyte, does_not_speak_http])
async def test_a_member_that_gives_no_counts_is_said_to_whatever_it_sends(
    heard: Heard, talk: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counts_client, "WAIT_S", 0.3)
    north, hour = heard.north, int(NOW) // SECONDS_PER_HOUR
    north.clock.time = NOW + 2 * SECONDS_PER_HOUR
    await north.refresh()
    async with raw_node(talk, port=north.ports[AGENCY]):
        found = {each.member: each for each in await reconciled(north, ASKER, since=hour)}
    assert isinstance(found[AGENCY], Silent)
    assert isinstance(found[OTHER], Compared)


async def test_the_member_is_back_as_soon_as_it_behaves(heard: Heard) -> None:
    north = heard.north
    await north.start(AGENCY)
    await north.refresh()
    north.hub.hub.circuits.record(AGENCY, REFUSED)
    completed = await north.ask(ASKER, "Katherine Bramley", born="1991-05-17")
    assert result_of(completed, AGENCY).outcome is MemberOutcome.TEAMS
    # Not one of the questions that a hostile port took has been answered by its node: nothing was sent again.
    assert len(await north.ledger(AGENCY)) == 2
