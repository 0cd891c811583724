"""A question is answered once: not again by a hub that delivers twice, a restarted node, or another process of it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.app.node import listen_node
from gateway.errors import OutOfTime, Replayed
from gateway.wire.envelope import MemberEnvelope
from gateway.wire.limits import QUERY_LIFETIME_S, SKEW_S
from tests.federation import TestFederation, federation, someone
from tests.lying_hub import LyingHub, Reply

ASKER, AGENCY = "childrens-services", "housing"
ANSWERED, REPLAYED = (200, None), (409, Replayed.code)


@pytest.fixture
async def north(tmp_path: Path) -> AsyncIterator[TestFederation]:
    """Two members, one person, and a hub that keeps the questions to itself."""
    async with federation(tmp_path, [ASKER, AGENCY], lying=True) as running:
        await running.add(AGENCY, *someone("Katherine", "Bramley", "1991-05-17"))
        assert running.liar is not None
        running.liar.keeps_questions = True
        yield running


async def question(north: TestFederation) -> tuple[LyingHub, MemberEnvelope]:
    """A question to the agency, in the hands of the hub."""
    assert north.liar is not None
    await north.ask(ASKER, "Katherine Bramley", born="1991-05-17")
    return north.liar, north.liar.stolen(AGENCY)


def said(reply: Reply) -> tuple[int, str | None]:
    """Status, and the code of a refusal."""
    return reply.status, None if reply.status == 200 else reply.code


async def test_a_question_delivered_twice_is_answered_once(north: TestFederation) -> None:
    liar, envelope = await question(north)
    assert said(await liar.deliver(AGENCY, envelope)) == ANSWERED
    assert said(await liar.deliver(AGENCY, envelope)) == REPLAYED
    assert said(await liar.deliver(AGENCY, replace(envelope, deadline_ms=1))) == REPLAYED
    assert len(await north.ledger(AGENCY)) == 1
    # Another question of the same words is another question.
    liar, another = await question(north)
    assert said(await liar.deliver(AGENCY, another)) == ANSWERED


async def test_a_question_delivered_many_times_at_once_is_answered_once(north: TestFederation) -> None:
    liar, envelope = await question(north)
    replies = await asyncio.gather(*(liar.deliver(AGENCY, envelope) for _ in range(12)))
    assert sorted(map(said, replies), key=str) == [ANSWERED] + [REPLAYED] * 11
    assert len(await north.ledger(AGENCY)) == 1


async def test_a_restart_does_not_reopen_a_question(north: TestFederation) -> None:
    liar, envelope = await question(north)
    assert said(await liar.deliver(AGENCY, envelope)) == ANSWERED
    await north.stop(AGENCY)
    await north.start(AGENCY)
    await north.refresh(AGENCY)
    assert said(await liar.deliver(AGENCY, envelope)) == REPLAYED


async def test_another_process_on_the_same_data_does_not_answer_again(north: TestFederation) -> None:
    """Both have their own connections and caches; what they share is the folder."""
    liar, envelope = await question(north)
    other = await north.open(AGENCY)
    table = other.settings.node.model_copy(update={"listen": ("127.0.0.1", 0)})
    other = replace(other, settings=other.settings.model_copy(update={"node": table}))
    door = await listen_node(other)
    beside = LyingHub(key=liar.key, clock=liar.clock, real=liar.real, ports={AGENCY: door.port})
    try:
        replies = await asyncio.gather(
            *(liar.deliver(AGENCY, envelope) for _ in range(4)),
            *(beside.deliver(AGENCY, envelope) for _ in range(4)),
        )
        assert sorted(map(said, replies), key=str) == [ANSWERED] + [REPLAYED] * 7
        liar, another = await question(north)
        assert said(await beside.deliver(AGENCY, another)) == ANSWERED
        assert said(await liar.deliver(AGENCY, another)) == REPLAYED
    finally:
        await door.close()
        await other.close()
    assert len(await north.ledger(AGENCY)) == 2
    await north.nodes[AGENCY].parts.ledger.verify()


async def test_a_question_kept_for_later_is_out_of_time_before_its_id_is_forgotten(north: TestFederation) -> None:
    liar, envelope = await question(north)
    assert said(await liar.deliver(AGENCY, envelope)) == ANSWERED
    liar, late = await question(north)
    north.clock.turn(QUERY_LIFETIME_S + SKEW_S)
    assert said(await liar.deliver(AGENCY, late)) == (401, OutOfTime.code)
    north.clock.turn(3000)
    await north.refresh()
    for _ in range(3):  # other questions purge what has expired
        liar, fresh = await question(north)
        assert said(await liar.deliver(AGENCY, fresh)) == ANSWERED
    assert said(await liar.deliver(AGENCY, envelope)) == (401, OutOfTime.code)
