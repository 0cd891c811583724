"""One member does its worst over the link that it has dialled, in a live federation: it alone is without an answer.

As in test_hostile_members.py, but the member's key opens a WebSocket at the hub, and what it says there is bytes of the
test's own. Who breaks a bound loses the link; nothing that it was asked goes anywhere else.
"""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator

import orjson
import pytest
import pytest_asyncio

from gateway.links import websocket
from gateway.links.delivery import REFUSED
from gateway.node.results import MemberOutcome
from gateway.wire.limits import MAX_ANSWER_FRAME_BYTES, MAX_LINKS_PER_MEMBER, SEALED_ANSWER_BYTES
from tests.federation import result_of
from tests.hostile.heard import AGENCY, ASKER, DEADLINE_MS, OTHER, TOOK_AT_MOST_S, Heard, ask_of_both, heard_federation
from tests.hostile.raw_link import (
    BINARY,
    COMPRESSED,
    CONTINUATION,
    FIN,
    PING,
    PONG,
    TEXT,
    Behaving,
    RawLink,
    answer_frame,
    dial_raw,
    hostile_link,
)
from tests.hostile.talks import SWALLOWED_AT_MOST
from tests.hostile.until import until

pytestmark = pytest.mark.asyncio(loop_scope="module")

TEAMS, TIMEOUT, OVERLOADED = MemberOutcome.TEAMS, MemberOutcome.TIMEOUT, MemberOutcome.OVERLOADED
UNREACHABLE, INVALID = MemberOutcome.UNREACHABLE, MemberOutcome.INVALID_ANSWER


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def heard(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Heard]:
    """AGENCY and OTHER dial; AGENCY's node has gone, and the tests have its key."""
    async with heard_federation(tmp_path_factory.mktemp("north"), dialling=[AGENCY, OTHER]) as running:
        yield running


async def never_answers(_: RawLink, __: str) -> None:
    pass


async def answers_a_byte_at_a_time(link: RawLink, question: str) -> None:
    frame = answer_frame(question, os.urandom(SEALED_ANSWER_BYTES))
    for byte in link.head(len(frame)) + frame:
        link.writer.write(bytes([byte]))
        await asyncio.sleep(0.05)


async def answers_a_byte_in_each_fragment(link: RawLink, question: str) -> None:
    frame = answer_frame(question, os.urandom(SEALED_ANSWER_BYTES))
    for number, byte in enumerate(frame):
        await link.send(bytes([byte]), kind=CONTINUATION if number else TEXT, flags=0)
        await asyncio.sleep(0.05)


async def pings_for_ever(link: RawLink, _: str) -> None:
    await _for_ever(link, link.head(0, kind=PING) * 10_000)


async def pongs_for_ever(link: RawLink, _: str) -> None:
    await _for_ever(link, link.head(0, kind=PONG) * 10_000)


async def pings_now_and_then(link: RawLink, _: str) -> None:
    while not link.closed.is_set():
        await link.send(os.urandom(125), kind=PING)
        await asyncio.sleep(0.01)


async def hangs_up(link: RawLink, _: str) -> None:
    link.writer.transport.abort()


async def _for_ever(link: RawLink, chunk: bytes) -> None:
    """Send for as long as anybody takes it, or more than anybody may take."""
    for _ in range(0, SWALLOWED_AT_MOST, len(chunk)):
        link.writer.write(chunk)
        await link.writer.drain()
    raise AssertionError("all of it was taken")


async def sends_a_gigabyte(link: RawLink, _: str) -> None:
    link.writer.write(link.head(2**30))
    await _for_ever(link, b"x" * 2**16)


async def sends_fragments_without_end(link: RawLink, _: str) -> None:
    link.writer.write(link.head(0, flags=0))
    part = link.head(2**12, kind=CONTINUATION, flags=0) + b"x" * 2**12
    await _for_ever(link, part * 16)


async def sends_empty_fragments_without_end(link: RawLink, _: str) -> None:
    link.writer.write(link.head(0, flags=0))
    await _for_ever(link, link.head(0, kind=CONTINUATION, flags=0) * 10_000)


async def sends_what_is_no_frame(link: RawLink, _: str) -> None:
    await _for_ever(link, b"\xff" * 2**16)


async def sends_a_frame_too_long(link: RawLink, question: str) -> None:
    await link.send(answer_frame(question, bytes(MAX_ANSWER_FRAME_BYTES)))


async def sends_compressed_bytes_that_unpack_to_much(link: RawLink, _: str) -> None:
    await link.send(b"\x63\x60\x18\x05\xa3\x00\x00", flags=FIN | COMPRESSED)


async def sends_binary(link: RawLink, question: str) -> None:
    await link.send(answer_frame(question, bytes(SEALED_ANSWER_BYTES)), kind=BINARY)


async def sends_no_utf_8(link: RawLink, _: str) -> None:
    await link.send(b"\xc3\x28" * 100)


async def answers_a_question_that_nobody_asked(link: RawLink, _: str) -> None:
    while not link.closed.is_set():
        await link.answer("11111111-2222-4333-8444-555555555555", os.urandom(SEALED_ANSWER_BYTES))


async def asks_the_hub(link: RawLink, question: str) -> None:
    await link.send(orjson.dumps({"question": question, "authorisation": "Patchwork a.b.c", "envelope": "AAAA"}))


async def says_that_it_is_busy(link: RawLink, question: str) -> None:
    await link.send(orjson.dumps({"refused": question, "code": "overloaded"}))


async def refuses_with_a_code_of_its_own(link: RawLink, question: str) -> None:
    await link.send(orjson.dumps({"refused": question, "code": "nothing-to-disclose"}))


async def sends_garbage_of_the_right_size(link: RawLink, question: str) -> None:
    await link.answer(question, os.urandom(SEALED_ANSWER_BYTES))


@pytest.mark.parametrize(
    ("behaving", "expected", "keeps_its_link"),
    [
        (never_answers, TIMEOUT, True),
        (answers_a_byte_at_a_time, TIMEOUT, True),
        (answers_a_byte_in_each_fragment, TIMEOUT, True),
        (pings_for_ever, UNREACHABLE, False),
        (pongs_for_ever, UNREACHABLE, False),
        (pings_now_and_then, UNREACHABLE, False),
        (hangs_up, UNREACHABLE, False),
        (sends_a_gigabyte, UNREACHABLE, False),
        (sends_fragments_without_end, UNREACHABLE, False),
        (sends_empty_fragments_without_end, UNREACHABLE, False),
        (sends_what_is_no_frame, UNREACHABLE, False),
        (sends_a_frame_too_long, UNREACHABLE, False),
        (sends_compressed_bytes_that_unpack_to_much, UNREACHABLE, False),
        (sends_binary, UNREACHABLE, False),
        (sends_no_utf_8, UNREACHABLE, False),
        (answers_a_question_that_nobody_asked, UNREACHABLE, False),
        (asks_the_hub, UNREACHABLE, False),
        (says_that_it_is_busy, OVERLOADED, True),
        (refuses_with_a_code_of_its_own, UNREACHABLE, True),
        (sends_garbage_of_the_right_size, INVALID, True),
    ],
)
async def test_a_hostile_member_is_named_and_alone_without_an_answer(
    heard: Heard,
    behaving: Behaving,
    expected: MemberOutcome,
    keeps_its_link: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(websocket, "CLOSE_S", 0.2)
    async with hostile_link(heard.north, AGENCY, heard.key, behaving) as link:
        result, took = await ask_of_both(heard.north)
        assert link.asked, "the question has reached it"
        assert heard.north.hub.links.holds(AGENCY) is keeps_its_link
        if not keeps_its_link:
            async with asyncio.timeout(5):
                await link.closed.wait()
    assert result.outcome is expected
    assert (result.rows, result.bundle, result.answer) == ((), None, None)
    assert result.member.duty_contact
    assert took < DEADLINE_MS / 1000 + TOOK_AT_MOST_S


@pytest.mark.parametrize("whose", [AGENCY, OTHER])
async def test_an_answer_to_another_question_or_of_another_member_is_invalid(heard: Heard, whose: str) -> None:
    async def answers_as_then(link: RawLink, question: str) -> None:
        await link.answer(question, heard.earlier[whose])

    async with hostile_link(heard.north, AGENCY, heard.key, answers_as_then):
        result, _ = await ask_of_both(heard.north)
    assert (result.outcome, result.rows, result.bundle) == (INVALID, (), None)


async def test_a_second_answer_to_one_question_is_nobodys_and_ends_the_link(heard: Heard) -> None:
    async def answers_twice(link: RawLink, question: str) -> None:
        for _ in range(2):
            await link.answer(question, os.urandom(SEALED_ANSWER_BYTES))

    for _ in range(2):  # what was said over one link is not waiting for who is asked over the next
        async with hostile_link(heard.north, AGENCY, heard.key, answers_twice) as link:
            result, _ = await ask_of_both(heard.north)
            assert result.outcome is INVALID
            async with asyncio.timeout(5):
                await link.closed.wait()
            assert link.code == 1008
            assert len(link.asked) == 1


async def test_who_speaks_before_the_hub_has_answered_is_cut_off(heard: Heard) -> None:
    north = heard.north
    ping = bytes([FIN | PING, 0x80]) + bytes(4)
    with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):  # it may not even hear of the link
        early = await dial_raw(north, AGENCY, heard.key, early=ping * 10_000)
        assert [kind async for kind, _ in early.frames() if kind == PONG] == []
        early.writer.transport.abort()
    await until(lambda: not north.hub.links.holds(AGENCY))
    result, _ = await ask_of_both(north)
    assert result.outcome is UNREACHABLE


async def test_a_member_has_so_many_links_and_the_others_are_answered(heard: Heard) -> None:
    north = heard.north
    links = [await dial_raw(north, AGENCY, heard.key) for _ in range(MAX_LINKS_PER_MEMBER + 4)]
    try:
        await until(lambda: len(north.hub.links._links[AGENCY]) == MAX_LINKS_PER_MEMBER)
        result, _ = await ask_of_both(north)
        assert result.outcome is TIMEOUT
    finally:
        for link in links:
            link.writer.transport.abort()


async def test_the_member_is_back_as_soon_as_it_behaves(heard: Heard) -> None:
    north = heard.north
    await north.start(AGENCY)
    await north.refresh()
    north.hub.hub.circuits.record(AGENCY, REFUSED)
    completed = await north.ask(ASKER, "Katherine Bramley", born="1991-05-17")
    assert result_of(completed, AGENCY).outcome is TEAMS
    # Not one of the questions that a hostile link took has been answered by its node: nothing was sent again.
    assert len(await north.ledger(AGENCY)) == 2
