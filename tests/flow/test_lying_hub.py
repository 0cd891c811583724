"""A hub that lies: what it can do to a question, and what the asker and the answering nodes make of it."""

import base64
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gateway.errors import ClockWrong, FederationRolledBack, NotAuthentic, NotForUs, WireError
from gateway.node.results import MemberOutcome
from gateway.wire import base64url, jws
from gateway.wire.coverage import DeliveryOutcome
from gateway.wire.freshness import sign_freshness
from gateway.wire.keys import SigningKey
from tests.federation import TestFederation, federation, someone
from tests.lying_hub import Line, Lines, LyingHub

ASKER, AGENCY, OTHER = "childrens-services", "housing", "police"
TEAMS, NOTHING = MemberOutcome.TEAMS, MemberOutcome.NOTHING_TO_DISCLOSE
INVALID, UNREACHABLE = MemberOutcome.INVALID_ANSWER, MemberOutcome.UNREACHABLE
ANSWERED, TIMED_OUT = DeliveryOutcome.ANSWERED, DeliveryOutcome.TIMEOUT
NAME_AND_BIRTH = ("Katherine Bramley", "1991-05-17")


@pytest.fixture
async def north(tmp_path: Path) -> AsyncIterator[TestFederation]:
    """Three members and a hub that can lie; one person whom two of them know."""
    async with federation(tmp_path, [ASKER, AGENCY, OTHER], lying=True) as running:
        for member in (AGENCY, OTHER):
            await running.add(member, *someone("Katherine", "Bramley", "1991-05-17", worker=f"Robin {member.title()}"))
        yield running


@pytest.fixture
def liar(north: TestFederation) -> LyingHub:
    """Its hub."""
    assert north.liar is not None
    return north.liar


async def ask(north: TestFederation) -> tuple[dict[str, MemberOutcome], bool]:
    """Outcome by member, and whether the hub's account agrees."""
    name, born = NAME_AND_BIRTH
    completed = await north.ask(ASKER, name, born=born)
    return {each.member.id: each.outcome for each in completed.results}, completed.coverage_agrees


def changed(member: str, change: Callable[[Line], Line | None]) -> Callable[[Lines], Lines]:
    """Change one member's line, or drop it."""

    def lines(stream: Lines) -> Lines:
        new = [change(line) if line.get("member") == member else line for line in stream]
        return [line for line in new if line is not None]

    return lines


async def test_an_honest_hub_is_believed(north: TestFederation) -> None:
    assert await ask(north) == ({AGENCY: TEAMS, OTHER: TEAMS}, True)


async def test_two_members_answers_swapped_are_both_invalid(north: TestFederation, liar: LyingHub) -> None:
    def swapped(stream: Lines) -> Lines:
        first, second, coverage = stream
        first["answer"], second["answer"] = second["answer"], first["answer"]
        return [first, second, coverage]

    liar.lines = swapped
    outcomes, _ = await ask(north)
    assert outcomes == {AGENCY: INVALID, OTHER: INVALID}


@pytest.mark.parametrize("place", [0, 1200, 9327])
async def test_one_altered_byte_makes_an_answer_invalid(north: TestFederation, liar: LyingHub, place: int) -> None:
    def altered(line: Line) -> Line:
        answer = bytearray(base64url.decode(line["answer"].encode()))
        answer[place] ^= 1
        return {**line, "answer": base64.urlsafe_b64encode(answer).decode().rstrip("=")}

    liar.lines = changed(AGENCY, altered)
    outcomes, _ = await ask(north)
    assert outcomes == {AGENCY: INVALID, OTHER: TEAMS}


async def test_an_answer_to_an_earlier_question_is_invalid(north: TestFederation, liar: LyingHub) -> None:
    await ask(north)
    earlier = next(line for line in liar.streams[0] if line.get("member") == AGENCY)
    liar.lines = changed(AGENCY, lambda line: {**line, "answer": earlier["answer"]})
    outcomes, _ = await ask(north)
    assert outcomes == {AGENCY: INVALID, OTHER: TEAMS}


@pytest.mark.parametrize("answer", ["", "AAAA", "A" * 12_436])
async def test_an_answer_of_another_size_is_invalid(north: TestFederation, liar: LyingHub, answer: str) -> None:
    liar.lines = changed(AGENCY, lambda line: {**line, "answer": answer})
    outcomes, _ = await ask(north)
    assert outcomes == {AGENCY: INVALID, OTHER: TEAMS}


async def test_answered_without_an_answer_is_invalid(north: TestFederation, liar: LyingHub) -> None:
    liar.lines = changed(AGENCY, lambda line: {"member": AGENCY, "outcome": "answered"})
    outcomes, _ = await ask(north)
    assert outcomes == {AGENCY: INVALID, OTHER: TEAMS}


async def test_an_invented_member_is_not_shown_and_the_hubs_account_doubted(
    north: TestFederation, liar: LyingHub
) -> None:
    liar.lines = lambda stream: [{"member": "invented", "outcome": "answered", "answer": stream[0]["answer"]}, *stream]
    assert await ask(north) == ({AGENCY: TEAMS, OTHER: TEAMS}, False)


async def test_a_second_line_for_a_member_cannot_replace_the_first(north: TestFederation, liar: LyingHub) -> None:
    liar.lines = lambda stream: [stream[0], {**stream[0], "outcome": "timeout", "answer": None}, *stream[1:]]
    assert await ask(north) == ({AGENCY: TEAMS, OTHER: TEAMS}, False)


async def test_a_dropped_line_shows_the_member_as_unreachable(north: TestFederation, liar: LyingHub) -> None:
    liar.lines = changed(AGENCY, lambda line: None)
    assert await ask(north) == ({AGENCY: UNREACHABLE, OTHER: TEAMS}, False)


async def test_a_member_left_out_of_stream_and_coverage_alike_is_missed(north: TestFederation, liar: LyingHub) -> None:
    def without(stream: Lines) -> Lines:
        return [each for each in stream[:-1] if each["member"] != AGENCY] + [liar.coverage(ASKER, {OTHER: ANSWERED})]

    liar.lines = without
    assert await ask(north) == ({AGENCY: UNREACHABLE, OTHER: TEAMS}, False)


async def test_an_answer_held_back_as_a_timeout_is_seen_in_the_coverage(north: TestFederation, liar: LyingHub) -> None:
    liar.lines = changed(AGENCY, lambda line: {"member": AGENCY, "outcome": "timeout"})
    assert await ask(north) == ({AGENCY: MemberOutcome.TIMEOUT, OTHER: TEAMS}, False)


@pytest.mark.parametrize(
    "claim",
    [
        {AGENCY: ANSWERED},
        {AGENCY: ANSWERED, OTHER: TIMED_OUT},
        {AGENCY: ANSWERED, OTHER: ANSWERED, "invented": TIMED_OUT},
        {},
    ],
)
async def test_coverage_that_lies_is_noticed(
    north: TestFederation, liar: LyingHub, claim: dict[str, DeliveryOutcome]
) -> None:
    liar.lines = lambda stream: [*stream[:-1], liar.coverage(ASKER, claim)]
    assert await ask(north) == ({AGENCY: TEAMS, OTHER: TEAMS}, False)


async def test_coverage_of_another_question_or_for_another_asker_is_noticed(
    north: TestFederation, liar: LyingHub
) -> None:
    honest = {AGENCY: ANSWERED, OTHER: ANSWERED}
    await ask(north)
    earlier = liar.streams[0][-1]
    liar.lines = lambda stream: [*stream[:-1], earlier]
    assert (await ask(north))[1] is False
    liar.lines = lambda stream: [*stream[:-1], liar.coverage(OTHER, honest)]
    assert (await ask(north))[1] is False
    liar.lines = lambda stream: stream[:-1]
    assert (await ask(north))[1] is False
    liar.lines = lambda stream: [*stream[:-1], liar.coverage(ASKER, honest)]
    assert (await ask(north))[1] is True


async def test_a_copy_delivered_to_the_wrong_member_is_refused(north: TestFederation, liar: LyingHub) -> None:
    liar.keeps_questions = True
    await ask(north)
    misled = await liar.deliver(OTHER, liar.stolen(AGENCY))
    assert (misled.status, misled.code) == (403, NotForUs.code)
    renamed = await liar.deliver(OTHER, replace(liar.stolen(OTHER), copy=replace(liar.stolen(AGENCY).copy)))
    assert (renamed.status, renamed.code) == (403, NotForUs.code)
    assert await north.ledger(OTHER) == []
    assert (await liar.deliver(OTHER, liar.stolen(OTHER))).status == 200


async def test_a_question_delivered_in_another_members_name_is_refused(north: TestFederation, liar: LyingHub) -> None:
    liar.keeps_questions = True
    await ask(north)
    lied = await liar.deliver(AGENCY, replace(liar.stolen(AGENCY), sender=OTHER))
    assert (lied.status, lied.code) == (401, NotAuthentic.code)
    assert await north.ledger(AGENCY) == []


async def test_an_older_document_is_refused_and_the_newer_kept(north: TestFederation, liar: LyingHub) -> None:
    served: list[dict[str, Any]] = []
    liar.replies["/v1/federation"] = lambda reply: served.append(reply) or reply  # type: ignore[func-returns-value]  # append() is None
    await north.refresh(AGENCY)
    before = north.nodes[AGENCY].parts.membership.current().federation.seq
    await north.publish()
    await north.refresh(AGENCY)
    liar.replies["/v1/federation"] = lambda _: served[0]
    with pytest.raises(FederationRolledBack, match=f"from {before + 1} to {before}"):
        await north.refresh(AGENCY)
    assert north.nodes[AGENCY].parts.membership.current().federation.seq == before + 1
    # Nor is a restart a way back.
    await north.stop(AGENCY)
    await north.start(AGENCY)
    with pytest.raises(FederationRolledBack):
        await north.refresh(AGENCY)


async def test_a_second_document_of_one_number_stops_the_node_until_its_officer_clears_it(
    north: TestFederation, liar: LyingHub
) -> None:
    twin = north.twin()

    def equivocate(_: dict[str, Any]) -> dict[str, Any]:
        return {
            "document": twin.token.decode(),
            "freshness": sign_freshness(twin, liar.key, north.clock.now()),
        }

    liar.replies["/v1/federation"] = equivocate
    with pytest.raises(FederationRolledBack, match="two contents"):
        await north.refresh(AGENCY)
    del liar.replies["/v1/federation"]
    # Stopped: it answers nothing, not even after a restart, and the asker sees that.
    assert (await ask(north))[0] == {AGENCY: UNREACHABLE, OTHER: TEAMS}
    await north.stop(AGENCY)
    await north.start(AGENCY)
    assert (await ask(north))[0] == {AGENCY: UNREACHABLE, OTHER: TEAMS}
    with pytest.raises(FederationRolledBack):
        await north.refresh(AGENCY)
    # The officer clears it from the command line, in a process of its own.
    other = await north.open(AGENCY)
    await other.parts.membership.clear_alarm()
    await other.close()
    await north.refresh(AGENCY)
    assert (await ask(north))[0] == {AGENCY: TEAMS, OTHER: TEAMS}


def _unsigned(token: str) -> str:
    head, claims, _ = token.split(".")
    return f"{head}.{claims}.{'A' * 86}"


@pytest.mark.parametrize("what", ["document", "freshness"])
async def test_an_unsigned_document_or_freshness_statement_is_refused(
    north: TestFederation, liar: LyingHub, what: str
) -> None:
    liar.replies["/v1/federation"] = lambda reply: {**reply, what: _unsigned(reply[what])}
    with pytest.raises(NotAuthentic):
        await north.refresh(AGENCY)


async def test_a_freshness_statement_of_somebody_else_is_refused(north: TestFederation, liar: LyingHub) -> None:
    document = north.operator.document
    forged = sign_freshness(document, SigningKey.generate(), north.clock.now())
    liar.replies["/v1/federation"] = lambda reply: {**reply, "freshness": forged}
    with pytest.raises(NotAuthentic):
        await north.refresh(AGENCY)


async def test_a_document_without_a_new_freshness_statement_is_refused_and_answers_nothing(
    north: TestFederation, liar: LyingHub
) -> None:
    old: list[dict[str, Any]] = []
    liar.replies["/v1/federation"] = lambda reply: (old or old.append(reply), old[0])[1]  # type: ignore[func-returns-value]  # append() is None
    await north.refresh(AGENCY)
    north.clock.turn(61)
    with pytest.raises(ClockWrong):
        await north.refresh(AGENCY)
    assert (await ask(north))[0] == {AGENCY: UNREACHABLE, OTHER: TEAMS}


async def test_sealing_keys_that_the_hub_makes_up_are_not_used(north: TestFederation, liar: LyingHub) -> None:
    await ask(north)
    copies = liar.envelopes[-1][1].copies

    def invented(reply: dict[str, Any]) -> dict[str, Any]:
        keys = dict(reply["sealing_keys"])
        claims = jws.peek(keys[AGENCY], max_bytes=4096)
        keys[AGENCY] = jws.sign(claims, typ="patchwork-sealing-key+jwt", key=liar.key)
        keys[OTHER] = reply["sealing_keys"][AGENCY]
        return {"sealing_keys": keys}

    liar.replies["/v1/sealing-keys"] = invented
    # The member's own publication passes through the liar too: the real hub takes it, nobody is told.
    await north.refresh(ASKER)
    assert (await ask(north))[0] == {AGENCY: TEAMS, OTHER: TEAMS}
    now = liar.envelopes[-1][1].copies
    assert {member: copy.kid for member, copy in now.items()} == {member: copy.kid for member, copy in copies.items()}


@pytest.mark.parametrize(
    "line",
    [
        {"member": AGENCY, "outcome": "perhaps"},
        {"member": 5, "outcome": "answered"},
        {"coverage": None},
    ],
)
async def test_a_stream_that_breaks_off_in_nonsense_keeps_what_came_before(
    north: TestFederation, liar: LyingHub, line: Line
) -> None:
    first: list[str] = []

    def lines(stream: Lines) -> Lines:
        first.append(stream[0]["member"])
        return [stream[0], line]

    liar.lines = lines
    outcomes, agrees = await ask(north)
    assert outcomes[first[0]] is TEAMS
    assert sorted(outcomes.values()) == sorted([TEAMS, UNREACHABLE])
    assert not agrees
    liar.lines = lambda _: [line]
    with pytest.raises(WireError):
        await ask(north)


@pytest.mark.parametrize("answer", ["A" * 20_000, "=" * 12_438, "AAAA", 5], ids=["long", "padding", "short", "number"])
async def test_an_answer_that_cannot_be_one_costs_its_member_alone(
    north: TestFederation, liar: LyingHub, answer: object
) -> None:
    liar.lines = lambda stream: [
        {**line, "answer": answer} if line.get("member") == AGENCY else line for line in stream
    ]
    outcomes, _ = await ask(north)
    assert outcomes == {AGENCY: INVALID, OTHER: TEAMS}


async def test_a_stream_of_more_lines_than_members_is_broken_off(north: TestFederation, liar: LyingHub) -> None:
    strangers = [{"member": f"stranger-{number}", "outcome": "timeout"} for number in range(50)]
    liar.lines = lambda stream: [*strangers, *stream]
    with pytest.raises(WireError, match="more lines"):
        await ask(north)
    liar.lines = lambda stream: stream
    assert (await ask(north))[0] == {AGENCY: TEAMS, OTHER: TEAMS}
