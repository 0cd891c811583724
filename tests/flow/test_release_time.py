"""An answer leaves at arrival + D whatever it says, so that nobody learns from a clock whom an agency knows."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from consent_ledger.consent import ConsentEntry, ConsentKind
from gateway.wire.envelope import MemberEnvelope
from gateway.wire.limits import SEALED_ANSWER_BYTES
from tests.federation import TestFederation, federation, someone
from tests.lying_hub import LyingHub

ASKER, AGENCY = "childrens-services", "housing"
D = 0.150
ROUNDS = 12
PEOPLE = {
    "disclosed": ("Katherine Bramley", "1991-05-17"),
    "refused": ("Priya Nandakumar", "1988-02-03"),
    "unknown": ("Nobody Knownhere", "1970-01-01"),
}


@pytest.fixture
async def north(tmp_path: Path) -> AsyncIterator[TestFederation]:
    """One person who is disclosed, one who objects."""
    async with federation(tmp_path, [ASKER, AGENCY], delay_ms=150, lying=True) as running:
        await running.add(AGENCY, *someone("Katherine", "Bramley", "1991-05-17"))
        await running.add(AGENCY, *someone("Priya", "Nandakumar", "1988-02-03", key="p2"))
        await running.record(AGENCY, "p2", ConsentEntry(kind=ConsentKind.OBJECTION, recorded_by="reception"))
        assert running.liar is not None
        running.liar.keeps_questions = True
        yield running


async def question(north: TestFederation, person: str) -> tuple[LyingHub, MemberEnvelope]:
    """A question about somebody, in the hub's hands: it holds the stop-watch."""
    assert north.liar is not None
    name, born = PEOPLE[person]
    await north.ask(ASKER, name, born=born)
    return north.liar, north.liar.stolen(AGENCY)


async def test_disclosed_refused_and_unknown_leave_at_the_same_time(north: TestFederation) -> None:
    took: dict[str, list[float]] = {person: [] for person in PEOPLE}
    for _ in range(ROUNDS):
        for person in PEOPLE:
            liar, envelope = await question(north, person)
            began = time.monotonic()
            reply = await liar.deliver(AGENCY, envelope)
            took[person].append(time.monotonic() - began)
            assert (reply.status, len(reply.body)) == (200, SEALED_ANSWER_BYTES)
    assert [entry["outcome"] for entry in await north.ledger(AGENCY)][:3] == [
        "teams",
        "nothing-to-disclose",
        "nothing-to-disclose",
    ]
    # The fastest of each: a busy machine adds to any of them by chance, and takes from none.
    fastest = {person: min(times) for person, times in took.items()}
    assert min(fastest.values()) >= D, took
    assert max(fastest.values()) - min(fastest.values()) < 0.005, took
    assert max(fastest.values()) < D + 0.050, took


async def test_a_replay_and_a_failure_leave_no_earlier_than_an_answer(north: TestFederation) -> None:
    liar, envelope = await question(north, "disclosed")
    assert (await liar.deliver(AGENCY, envelope)).status == 200
    began = time.monotonic()
    assert (await liar.deliver(AGENCY, envelope)).status == 409
    assert time.monotonic() - began >= D
    liar, envelope = await question(north, "disclosed")
    await north.nodes[AGENCY].parts.ledger.close()
    began = time.monotonic()
    assert (await liar.deliver(AGENCY, envelope)).status == 503
    assert time.monotonic() - began >= D


async def test_the_time_runs_from_the_last_byte_of_the_question(north: TestFederation) -> None:
    """Else a hub could send the last byte just before the release, and see whether the work was done by then."""
    liar, envelope = await question(north, "disclosed")
    body = envelope.to_json()
    head = (
        "POST /v1/answers HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
        f"Authorization: {liar.authorise(AGENCY, body)}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    reader, writer = await asyncio.open_connection("127.0.0.1", north.ports[AGENCY])
    writer.write(head.encode() + body[:-1])
    await writer.drain()
    await asyncio.sleep(D * 0.9)
    began = time.monotonic()
    writer.write(body[-1:])
    status = await reader.readline()
    assert b"200" in status
    assert time.monotonic() - began >= D
    await reader.read()
    writer.close()
    await writer.wait_closed()
