"""A hub that drops answers is named by the members' own counts; an honest one is not."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from typer.testing import CliRunner

from consent_ledger.exchange import SECONDS_PER_HOUR
from consent_ledger.retention_beside import drop_counts
from gateway.cli import application
from gateway.cli.options import CLOCK
from gateway.database.contract import Statement, Work
from gateway.errors import HubError, MalformedMessage
from gateway.links.counts_client import NoStatement, fetch_counts
from gateway.node import door
from gateway.node.compare_counts import Compared, Gap, Overstated
from gateway.node.counts import statement_for
from gateway.node.reconcile import Silent, reconcile
from gateway.node.results import MemberResult
from gateway.wire import jws
from gateway.wire.counts import counts_request, read_counts_request, verify_counts
from gateway.wire.coverage import DeliveryOutcome
from gateway.wire.federation import Member
from gateway.wire.limits import MAX_COUNTS_BYTES
from gateway.wire.paths import COUNTS_PATH
from tests.federation import NOW, TestFederation, federation, someone
from tests.lying_hub import Line, Lines, LyingHub

ASKER, AGENCY, OTHER = "childrens-services", "housing", "police"
HOUR = int(NOW + 120) // SECONDS_PER_HOUR  # in which a question asked at NOW ends


@pytest.fixture
async def north(tmp_path: Path) -> AsyncIterator[TestFederation]:
    """Three members and a hub that can lie; housing knows one person."""
    async with federation(tmp_path, [ASKER, AGENCY, OTHER], lying=True) as running:
        await running.add(AGENCY, *someone("Katherine", "Bramley", "1991-05-17"))
        yield running


@pytest.fixture
def liar(north: TestFederation) -> LyingHub:
    """Its hub."""
    assert north.liar is not None
    return north.liar


async def ask(north: TestFederation, name: str = "Katherine Bramley") -> None:
    """One question, of the known person or of nobody."""
    await north.ask(ASKER, name, born="1991-05-17")


def invents_timeouts(liar: LyingHub, member: str) -> None:
    """From now on the hub drops this member's answers, and signs that it did not answer in time."""

    def said(line: Line) -> Line:
        return {"member": member, "outcome": "timeout"} if line.get("member") == member else line

    def lines(stream: Lines) -> Lines:
        outcomes = {line["member"]: DeliveryOutcome(said(line)["outcome"]) for line in stream[:-1]}
        return [*(said(line) for line in stream[:-1]), liar.coverage(ASKER, outcomes)]

    liar.lines = lines


async def reconciled(north: TestFederation, member: str = ASKER) -> dict[str, Compared | Silent]:
    """What a member finds two hours later, by the other member."""
    north.clock.turn(2 * SECONDS_PER_HOUR)
    for node in north.nodes.values():
        await node.parts.membership.refresh()
    return await found(north, member)


async def found(north: TestFederation, member: str) -> dict[str, Compared | Silent]:
    node = north.nodes[member]
    me = node.parts.me
    fetch = partial(
        fetch_counts, session=node.session, me=me.member, key=me.signing_key, clock=north.clock, plain_http=False
    )
    results = [each async for each in reconcile(HOUR - 24, node=node.parts, fetch=fetch)]
    return {each.member: each for each in results}


def gaps(found: dict[str, Compared | Silent], member: str) -> tuple[Gap, ...]:
    """What is missing between the one that reconciled and a member."""
    each = found[member]
    assert isinstance(each, Compared), each
    return each.gaps


async def test_an_honest_hub_is_not_named(north: TestFederation) -> None:
    await ask(north)
    await ask(north, "Somebody Else")
    for asker in (ASKER, AGENCY):
        results = await reconciled(north, asker)
        for each in results.values():
            assert isinstance(each, Compared)
            assert (each.gaps, each.overstated) == ((), ())
    assert isinstance(each, Compared)
    assert each.answers == 2


async def test_counts_that_were_dropped_after_their_time_accuse_nobody(north: TestFederation) -> None:
    await ask(north)
    assert not gaps(await reconciled(north), AGENCY)
    await north.nodes[AGENCY].ledger_database.write(drop_counts(HOUR + 1))
    said = (await found(north, ASKER))[AGENCY]
    assert said == Silent(AGENCY, "it has no counts of some of these 25 hours, or not yet")
    assert await found(north, AGENCY) == {}  # it asks about no hour of which it has none itself


async def test_a_hub_that_invents_timeouts_is_named_by_both_sides(north: TestFederation, liar: LyingHub) -> None:
    await ask(north)
    invents_timeouts(liar, AGENCY)
    await ask(north)
    await ask(north, "Somebody Else")
    results = await reconciled(north)
    gap = Gap(
        hub=f"http://127.0.0.1:{north.ports['liar']}",
        hour=HOUR,
        asker=ASKER,
        answerer=AGENCY,
        answered=3,
        received=1,
        unfinished=0,
    )
    assert gaps(results, AGENCY) == (gap,)
    assert gap.missing == 2
    assert gaps(results, OTHER) == ()
    assert gaps(await found(north, AGENCY), ASKER) == (gap,)


async def test_a_hub_that_drops_whole_streams_is_named(north: TestFederation, liar: LyingHub) -> None:
    liar.lines = lambda _: []
    await ask(north)

    def breaks_off(_: Lines) -> Lines:
        raise web.HTTPBadGateway

    liar.lines = breaks_off
    with pytest.raises(HubError):
        await ask(north)
    results = await reconciled(north)
    assert [gaps(results, member)[0].missing for member in (AGENCY, OTHER)] == [2, 2]


async def test_a_hub_that_keeps_questions_has_dropped_no_answer(north: TestFederation, liar: LyingHub) -> None:
    liar.keeps_questions = True
    await ask(north)
    assert gaps(await reconciled(north), AGENCY) == ()


async def test_a_question_that_its_asker_gave_up_speaks_against_nobody(north: TestFederation) -> None:
    await ask(north)
    stream = north.stream(ASKER, "Katherine Bramley", born="1991-05-17")
    async for event in stream:
        if isinstance(event, MemberResult):
            break
    await stream.aclose()  # type: ignore[attr-defined]  # an asynchronous generator
    assert gaps(await reconciled(north), AGENCY) == ()


async def test_hours_that_are_not_over_are_left_for_later(north: TestFederation, liar: LyingHub) -> None:
    invents_timeouts(liar, AGENCY)
    await ask(north)
    assert await found(north, ASKER) == {}
    assert gaps(await reconciled(north), AGENCY)[0].missing == 1


async def test_both_sides_count_a_question_in_the_hour_in_which_it_ends(north: TestFederation) -> None:
    north.clock.time = (HOUR + 1) * SECONDS_PER_HOUR - 60.0
    await north.refresh()
    await ask(north)
    await reconciled(north)
    for member, other in ((ASKER, AGENCY), (AGENCY, ASKER)):
        ledger = north.nodes[member].parts.ledger
        await ledger.settle()
        assert (await ledger.exchanged(other, 0, HOUR + 24)).keys() == {HOUR + 1}


async def test_a_member_that_claims_more_answers_than_questions_cannot_blame_the_hub(north: TestFederation) -> None:
    await ask(north)
    await overstate(north, by=1)
    (each,) = [each for name, each in (await found(north, ASKER)).items() if name == AGENCY]
    assert isinstance(each, Compared)
    assert each.gaps == ()
    assert each.overstated == (Overstated(member=AGENCY, hour=HOUR, answered=2, asked=1),)


async def test_a_statement_names_the_tree_that_will_not_bear_out_invented_answers(
    north: TestFederation, liar: LyingHub
) -> None:
    liar.keeps_questions = True
    await ask(north)
    await overstate(north, by=1)
    await north.nodes[AGENCY].checkpoints.visit()  # what nobody has signed yet is nobody else's business
    token = await counts_of(north, AGENCY, ASKER)
    said = verify_counts(
        token,
        issuer=AGENCY,
        reader=ASKER,
        federation=north.operator.document.name,
        keys=north.operator.document.keys_of(AGENCY, north.clock.now()),
        now=north.clock.now(),
    )
    assert said.hours[HOUR].answered == 1
    head = await north.nodes[AGENCY].parts.ledger.head()
    assert (said.ledger_size, said.ledger_root) == (head.size, head.root)
    assert await north.ledger(AGENCY) == []


async def test_a_member_that_gives_no_statement_is_said_to(north: TestFederation) -> None:
    await ask(north)
    await north.stop(AGENCY)
    results = await reconciled(north)
    silent = results[AGENCY]
    assert isinstance(silent, Silent)
    assert "cannot be reached" in silent.why
    assert isinstance(results[OTHER], Compared)


async def test_the_command_names_hub_hour_and_members(
    north: TestFederation, liar: LyingHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CLOCK, "now", north.clock.now)  # not CLOCK: modules that load now would keep another
    assert await reconcile_command(north) == (
        0,
        ["Nothing to compare yet: an hour counts 20 minutes after its end, and none has had questions."],
    )
    await ask(north)
    invents_timeouts(liar, AGENCY)
    await ask(north)
    await reconciled(north)
    assert await reconcile_command(north) == (
        1,
        [
            "housing: 2 answers sent until 2026-09-21 15:00 UTC; SOME DID NOT ARRIVE",
            "  2026-09-21 14:00 UTC: housing answered 2 questions of childrens-services, 1 arrived: 1 missing by the"
            f" hub at http://127.0.0.1:{north.ports['liar']}",
            "police: 2 answers sent until 2026-09-21 15:00 UTC; all arrived",
        ],
    )
    code, (said,) = await reconcile_command(north, OTHER, "--since", "2026-09-20")
    assert (code, said) == (0, "childrens-services: 2 answers sent until 2026-09-21 15:00 UTC; all arrived")
    config = ("-c", str(north.folder / ASKER / "node.toml"))
    ran = await asyncio.to_thread(
        CliRunner().invoke, application(), ["ledger", "reconcile", *config, "--since", "2026-09-22"]
    )
    assert "that day has not begun yet" in str(ran.exception)
    assert (await reconcile_command(north, ASKER, "--since", "yesterday"))[0] == 1


async def test_an_answer_that_was_late_speaks_against_nobody(
    north: TestFederation, liar: LyingHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    invents_timeouts(liar, AGENCY)
    await north.ask(ASKER, "Katherine Bramley", born="1991-05-17", deadline_ms=400)
    assert gaps(await reconciled(north), AGENCY)[0].missing == 1  # a short deadline excuses nobody
    monkeypatch.setattr(door, "IN_TIME_S", 0.0)
    await north.ask(ASKER, "Katherine Bramley", born="1991-05-17", deadline_ms=400)
    assert len(gaps(await reconciled(north), AGENCY)) == 1


async def test_counts_tell_nothing_of_what_answers_said(north: TestFederation) -> None:
    await ask(north)
    known = await counts(north)
    await north.ask(ASKER, "Somebody Else", born="1991-05-17")
    both = await counts(north)
    assert known["hours"] == [{"hour": HOUR, "answered": 1, "received": 0, "unfinished": 0}]
    assert {entry["answered"] for entry in both["hours"]} == {1}
    assert known.keys() == both.keys()


async def test_the_door_for_counts_opens_to_members_alone(north: TestFederation, liar: LyingHub) -> None:
    await ask(north)
    body = counts_request(HOUR - 1, HOUR + 1)
    key = north.nodes[ASKER].parts.me.signing_key
    by_hub = liar.authorise(AGENCY, body, path=COUNTS_PATH)
    by_other = liar.authorise(AGENCY, body, key=key, iss=OTHER, path=COUNTS_PATH)
    by_member = liar.authorise(AGENCY, body, key=key, iss=ASKER, path=COUNTS_PATH)
    assert await post(north, body, by_hub) == 401
    assert await post(north, body, by_other) == 401
    assert await post(north, body + b" ", by_member) == 403
    assert await post(north, body, by_member) == 200
    assert await post(north, body, by_member) == 409


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b'{"v":1,"since":5,"until":4}',
        b'{"v":1,"since":0,"until":745}',
        b'{"v":2,"since":0,"until":1}',
        b'{"v":1,"since":-1,"until":1}',
        b'{"v":1,"since":0,"until":1,"member":"police"}',
    ],
)
async def test_a_request_for_counts_of_another_form_is_refused(body: bytes) -> None:
    with pytest.raises(MalformedMessage):
        read_counts_request(body)


async def overstate(north: TestFederation, *, by: int) -> None:
    """Housing adds to what it says that it answered."""
    await reconciled(north)
    for member in north.nodes:
        await north.nodes[member].parts.ledger.settle()

    def more() -> Work[None]:
        yield Statement(
            "INSERT INTO exchange_hour (hour, member, answered) VALUES (?, ?, ?)"
            " ON CONFLICT DO UPDATE SET answered = answered + excluded.answered",
            (HOUR, ASKER, by),
        )

    await north.nodes[AGENCY].ledger_database.write(more())


async def reconcile_command(north: TestFederation, member: str = ASKER, *more: str) -> tuple[int, list[str]]:
    """Exit code and lines of `patchwork ledger reconcile` at a member's node."""
    arguments = ["ledger", "reconcile", "-c", str(north.folder / member / "node.toml"), *more]
    ran = await asyncio.to_thread(CliRunner().invoke, application(), arguments)
    return ran.exit_code, ran.stdout.splitlines()


async def counts(north: TestFederation) -> dict[str, Any]:
    """The claims of housing's statement to the asker."""
    north.clock.turn(2 * SECONDS_PER_HOUR)
    await north.refresh()
    return jws.peek(await counts_of(north, AGENCY, ASKER), max_bytes=MAX_COUNTS_BYTES)


async def counts_of(north: TestFederation, member: str, reader: str) -> str:
    """A member's statement to a reader, as its node makes it."""
    return await statement_for(reader, HOUR - 24, HOUR + 24, node=north.nodes[member].parts)


async def post(north: TestFederation, body: bytes, authorisation: str) -> int:
    """The status of a request for housing's counts."""
    async with (
        aiohttp.ClientSession() as session,
        session.post(
            f"http://127.0.0.1:{north.ports[AGENCY]}{COUNTS_PATH}", data=body, headers={"Authorization": authorisation}
        ) as response,
    ):
        return response.status


async def test_a_statement_that_ends_early_leaves_hours_open_and_none_of_them_counts_as_arrived(
    north: TestFederation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CLOCK, "now", north.clock.now)  # not CLOCK: modules that load now would keep another
    await ask(north)
    await reconciled(north)

    async def short(member: Member, since: int, _: int, **__: Any) -> bytes:
        return (await statement_for(ASKER, since, since + 1, node=north.nodes[member.id].parts)).encode()

    monkeypatch.setattr("gateway.cli.ledger_reconcile.fetch_counts", short)
    code, lines = await reconcile_command(north)
    assert code == 1
    assert lines[:2] == [
        "housing: 0 answers sent until 2026-09-14 17:00 UTC; not all can be compared",
        "  2026-09-14 17:00 UTC to 2026-09-21 15:00 UTC: no statement for these hours",
    ]

    async def silent(*_: Any, **__: Any) -> bytes:
        raise NoStatement("it cannot be reached")

    monkeypatch.setattr("gateway.cli.ledger_reconcile.fetch_counts", silent)
    code, lines = await reconcile_command(north)
    assert (code, lines[0]) == (1, "housing: no statement: it cannot be reached")
