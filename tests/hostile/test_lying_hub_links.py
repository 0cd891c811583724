"""A hub that lies to nodes that have dialled it: what it does to questions, answers and news is seen, and said of whom.

As tests/flow/test_lying_hub.py does over HTTPS; here everything goes over links that pass through the liar.
"""

import asyncio
import base64
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio

from consent_ledger.exchange import SECONDS_PER_HOUR
from gateway.links import dial
from gateway.node.compare_counts import Compared
from gateway.node.reconcile import Silent
from gateway.node.results import MemberOutcome
from gateway.wire import base64url
from gateway.wire.coverage import DeliveryOutcome
from gateway.wire.freshness import sign_freshness
from gateway.wire.keys import SigningKey
from gateway.wire.link_frames import NewsFrame
from tests.federation import NOW, TestFederation, federation, someone
from tests.hostile.reconciled import reconciled
from tests.hostile.until import until
from tests.lying_hub import Line, Lines, LyingHub

pytestmark = pytest.mark.asyncio(loop_scope="module")

ASKER, AGENCY, OTHER = "childrens-services", "housing", "police"
TEAMS, TIMEOUT, UNREACHABLE = MemberOutcome.TEAMS, MemberOutcome.TIMEOUT, MemberOutcome.UNREACHABLE
INVALID = MemberOutcome.INVALID_ANSWER
BOTH = {AGENCY: TEAMS, OTHER: TEAMS}
FLOOD = 300


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def north(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TestFederation]:
    """Three members, of which two dial; all know one person."""
    folder = tmp_path_factory.mktemp("north")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dial, "NEWS_S", 0.05)
        patch.setattr(dial, "NEWS_SPREAD_S", 0.01)
        patch.setattr(dial, "FIRST_WAIT_S", 0.05)
        async with federation(folder, [ASKER, AGENCY, OTHER], dialling=[AGENCY, OTHER], lying=True) as running:
            for member in (ASKER, AGENCY, OTHER):
                await running.add(member, *someone("Katherine", "Bramley", "1991-05-17"))
            yield running


@pytest_asyncio.fixture(loop_scope="module")
async def liar(north: TestFederation) -> AsyncIterator[LyingHub]:
    """Its hub; after each test it is honest again."""
    assert north.liar is not None
    yield north.liar
    north.liar.lines = lambda lines: lines
    north.liar.answers = lambda _, frame: [frame]
    north.liar.keeps_questions = False
    north.liar.replies.clear()


async def ask(
    north: TestFederation, *, asker: str = ASKER, deadline_ms: int = 4000
) -> tuple[dict[str, MemberOutcome], bool]:
    """Outcome by member, and whether the hub's account agrees; who has not answered is named with whom to telephone."""
    completed = await north.ask(asker, "Katherine Bramley", born="1991-05-17", deadline_ms=deadline_ms)
    assert all(each.member.duty_contact for each in completed.results)
    assert all(bool(each.rows) is (each.outcome is TEAMS) for each in completed.results)
    return {each.member.id: each.outcome for each in completed.results}, completed.coverage_agrees


async def kept(north: TestFederation, liar: LyingHub) -> int:
    """A question that the hub has and nobody else; returns how many AGENCY has on record."""
    liar.keeps_questions = True
    await ask(north)
    return len(await north.ledger(AGENCY))


async def test_an_honest_hub_is_believed(north: TestFederation, liar: LyingHub) -> None:
    assert await ask(north) == (BOTH, True)
    assert liar.links.keys() == {AGENCY, OTHER}


async def test_answers_that_are_replayed_swapped_or_altered_on_a_link_are_invalid_and_name_their_member(
    north: TestFederation, liar: LyingHub
) -> None:
    earlier: dict[str, str] = {}

    def overheard(member: str, frame: Line) -> list[Line]:
        earlier[member] = frame["sealed"]
        return [frame]

    def altered(sealed: str) -> str:
        answer = bytearray(base64url.decode(sealed.encode()))
        answer[1200] ^= 1
        return base64.urlsafe_b64encode(answer).decode().rstrip("=")

    liar.answers = overheard
    await ask(north)
    old = dict(earlier)
    for change in (lambda _: old[AGENCY], lambda _: old[OTHER], altered):
        liar.answers = lambda member, frame, change=change: [  # type: ignore[misc]  # bound as it is now
            {**frame, "sealed": change(frame["sealed"])} if member == AGENCY else frame
        ]
        assert await ask(north) == ({AGENCY: INVALID, OTHER: TEAMS}, True)


async def test_an_answer_dropped_on_a_link_is_no_answer_and_never_nothing_found(
    north: TestFederation, liar: LyingHub
) -> None:
    liar.answers = lambda member, frame: [] if member == AGENCY else [frame]
    before = len(await north.ledger(AGENCY))
    assert await ask(north, deadline_ms=500) == ({AGENCY: TIMEOUT, OTHER: TEAMS}, True)
    assert len(await north.ledger(AGENCY)) == before + 1, "it has answered, and knows that it has"


async def test_an_answer_that_the_hub_turns_into_a_refusal_is_no_answer(north: TestFederation, liar: LyingHub) -> None:
    liar.answers = lambda member, frame: (
        [{"refused": frame["answer"], "code": "not-for-us"}] if member == AGENCY else [frame]
    )
    assert await ask(north) == ({AGENCY: UNREACHABLE, OTHER: TEAMS}, True)


async def test_a_question_is_answered_once_however_often_it_comes_over_a_link(
    north: TestFederation, liar: LyingHub
) -> None:
    before = await kept(north, liar)
    question = liar.stolen(AGENCY)
    said = await asyncio.gather(*(liar.push(AGENCY, question) for _ in range(20)))
    assert sum("answer" in each for each in said) == 1
    assert {each["code"] for each in said if "code" in each} <= {"replayed", "overloaded"}
    assert (await liar.push(AGENCY, question))["code"] == "replayed"
    assert len(await north.ledger(AGENCY)) == before + 1


async def test_a_question_for_another_member_or_in_anothers_name_is_refused_and_not_on_record(
    north: TestFederation, liar: LyingHub
) -> None:
    before = await kept(north, liar)
    mine, theirs = liar.stolen(AGENCY), liar.stolen(OTHER)
    assert (await liar.push(AGENCY, theirs))["code"] == "not-for-us"
    assert (await liar.push(AGENCY, replace(mine, copy=theirs.copy)))["code"] == "not-for-us"
    assert (await liar.push(AGENCY, replace(mine, sender=OTHER)))["code"] == "not-authentic"
    assert len(await north.ledger(AGENCY)) == before
    assert "answer" in await liar.push(AGENCY, mine), "what is its own is answered"


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"key": SigningKey.generate()}, "not-authentic"),
        ({"iss": ASKER}, "not-authentic"),
        ({"aud": OTHER}, "not-for-us"),
        ({"path": "/v1/counts"}, "not-for-us"),
        ({"method": "GET"}, "not-for-us"),
        ({"now": NOW - 120}, "out-of-time"),
        ({"now": NOW + 120}, "out-of-time"),
        ({"signed_body": b"{}"}, "not-for-us"),
    ],
)
async def test_only_a_token_for_this_very_delivery_is_answered_over_a_link(
    north: TestFederation, liar: LyingHub, wrong: dict[str, Any], code: str
) -> None:
    before = await kept(north, liar)
    assert (await liar.push(AGENCY, liar.stolen(AGENCY), **wrong))["code"] == code
    assert len(await north.ledger(AGENCY)) == before


async def test_a_flood_of_questions_over_a_link_is_refused_and_the_asker_is_answered(
    north: TestFederation, liar: LyingHub
) -> None:
    before = await kept(north, liar)
    question = liar.stolen(AGENCY)
    liar.keeps_questions = False
    flood = asyncio.gather(*(liar.push(AGENCY, question) for _ in range(FLOOD)))
    outcomes, _ = await ask(north)
    said = await flood
    assert outcomes[OTHER] is TEAMS
    assert outcomes[AGENCY] in {TEAMS, MemberOutcome.OVERLOADED}
    assert sum("answer" in each for each in said) == 1
    assert len(await north.ledger(AGENCY)) == before + 1 + (outcomes[AGENCY] is TEAMS)
    assert await ask(north) == (BOTH, True)


@pytest.mark.parametrize("frame", ["hello", '{"news":0}', '{"answer":"x"}'])
async def test_a_hub_that_cannot_be_understood_is_left_and_dialled_again(
    north: TestFederation, liar: LyingHub, frame: str
) -> None:
    left = liar.links[AGENCY]
    await left.near.send_str(frame)
    await until(lambda: liar.links.get(AGENCY) not in {None, left})
    await north.linked(AGENCY)
    assert await ask(north) == (BOTH, True)


async def test_a_node_that_dials_sees_what_the_hub_does_to_its_own_questions(
    north: TestFederation, liar: LyingHub
) -> None:
    both = {ASKER: TEAMS, OTHER: TEAMS}

    def swapped(stream: Lines) -> Lines:
        first, second, coverage = stream
        return [{**first, "answer": second["answer"]}, {**second, "answer": first["answer"]}, coverage]

    def without_other(stream: Lines) -> Lines:
        return [each for each in stream[:-1] if each["member"] != OTHER] + [
            liar.coverage(AGENCY, {ASKER: DeliveryOutcome.ANSWERED})
        ]

    assert await ask(north, asker=AGENCY) == (both, True)
    liar.lines = swapped
    assert await ask(north, asker=AGENCY) == ({ASKER: INVALID, OTHER: INVALID}, True)
    liar.lines = without_other
    assert await ask(north, asker=AGENCY) == ({ASKER: TEAMS, OTHER: UNREACHABLE}, False)
    liar.lines = lambda stream: [*stream[:-1], liar.coverage(AGENCY, {})]
    assert await ask(north, asker=AGENCY) == (both, False)


async def news(north: TestFederation, liar: LyingHub, caplog: pytest.LogCaptureFixture) -> str:
    """Tell AGENCY over its link of a document that is none; why it refused what it fetched, or ""."""
    caplog.clear()
    seq = north.nodes[AGENCY].parts.membership.current().federation.seq
    await liar.links[AGENCY].near.send_str(NewsFrame(seq + 1).to_json())

    def heard() -> list[str]:
        ended = {"federation.refused", "federation.refreshed"}
        events = [vars(record)["event_fields"] for record in caplog.records if record.getMessage() in ended]
        return [event.get("code", "") for event in events]

    await until(lambda: bool(heard()))
    return heard()[0]


async def test_news_of_an_old_document_is_refused_and_of_none_is_nothing(
    north: TestFederation, liar: LyingHub, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", logger="patchwork")  # where a refresh that brought nothing is told
    membership = north.nodes[AGENCY].parts.membership
    served: list[dict[str, Any]] = []
    liar.replies["/v1/federation"] = lambda reply: served.append(reply) or reply  # type: ignore[func-returns-value]  # append() is None
    assert await news(north, liar, caplog) == ""
    liar.replies.clear()
    await north.publish()
    await north.refresh()
    newest = membership.current().federation.seq
    liar.replies["/v1/federation"] = lambda _: served[0]
    assert await news(north, liar, caplog) == "federation-rolled-back"
    assert membership.current().federation.seq == newest
    assert await ask(north) == (BOTH, True)


async def test_a_second_document_of_one_number_stops_a_node_that_dials_until_its_officer_clears_it(
    north: TestFederation, liar: LyingHub, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="patchwork")
    twin = north.twin()
    token = twin.token.decode()
    liar.replies["/v1/federation"] = lambda _: {
        "document": token,
        "freshness": sign_freshness(twin, liar.key, north.clock.now()),
    }
    assert await news(north, liar, caplog) == "federation-rolled-back"
    liar.replies.clear()
    assert await ask(north) == ({AGENCY: UNREACHABLE, OTHER: TEAMS}, True)
    before = await kept(north, liar)
    assert (await liar.push(AGENCY, liar.stolen(AGENCY)))["code"] == "federation-rolled-back"
    assert len(await north.ledger(AGENCY)) == before
    liar.keeps_questions = False
    await north.nodes[AGENCY].parts.membership.clear_alarm()
    await north.refresh(AGENCY)
    assert await ask(north) == (BOTH, True)


async def test_a_member_that_dials_names_the_hub_that_dropped_its_answer(north: TestFederation, liar: LyingHub) -> None:
    """Nobody can call it to compare, so it is the one that calls."""
    north.clock.turn(3 * SECONDS_PER_HOUR)
    await north.refresh()
    since = int(north.clock.now()) // SECONDS_PER_HOUR
    assert await ask(north) == (BOTH, True)
    liar.answers = lambda member, frame: [] if member == AGENCY else [frame]
    await ask(north, deadline_ms=500)
    north.clock.turn(2 * SECONDS_PER_HOUR)
    await north.refresh()
    found = {each.member: each for each in await reconciled(north, AGENCY, since=since)}
    compared = found[ASKER]
    assert isinstance(compared, Compared)
    (gap,) = compared.gaps
    assert (gap.missing, gap.answerer, gap.hub) == (1, AGENCY, f"http://127.0.0.1:{north.ports['liar']}")
    silent = {each.member: each for each in await reconciled(north, ASKER, since=since)}
    assert isinstance(silent[AGENCY], Silent)
