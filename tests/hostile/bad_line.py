"""A scenario for apart.py: two members behind lines of their own, which lose and delay packets and go dead unnoticed.

AGENCY is called by the hub over HTTPS, DIALS has dialled the hub over TLS; both nodes are processes, each in a network
namespace of its own; hub and other members are here.
"""

import asyncio
import random
import sys
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from gateway.errors import HubError
from gateway.links import websocket
from gateway.links.delivery import REFUSED
from gateway.node.results import Completed, MemberOutcome, MemberResult
from gateway.wire.join import sign_join
from gateway.wire.jws import peek
from tests.bench.sealed_questions import NO_BUDGETS
from tests.certificates import certificate_files
from tests.federation import NAME, TestFederation, federation, someone
from tests.hostile.far_end import loopback_up
from tests.hostile.impatient import SILENCE_S
from tests.hostile.line import Line, Sockets, at_the_far_end, said
from tests.hostile.settings import change
from tests.hostile.until import until

ASKER, AGENCY, DIALS, OTHER = "childrens-services", "housing", "food-bank", "police"
# TEST-NET-1: nobody's addresses
CALLED = Line("line0", "192.0.2.1", "192.0.2.2", random.Random(6))  # noqa: S311 - losses, not secrets
DIALLED = Line("line1", "192.0.2.5", "192.0.2.6", random.Random(7))  # noqa: S311 - losses, not secrets
LOG = "log.jsonl"
DEADLINE_S = 6.0  # each connection that is opened takes three ways to and fro, and some packets a second try
LATE_S = 1.0  # the hub keeps its deadline to 50 ms; the rest is for a busy machine
OTHERS_WAIT_S = 2.0
AT_ONCE, ROUNDS = 4, 4  # questions through a bad line, until one came through
BACK_S = 30.0  # a link that has been lost is dialled again after half a second, then later and later
TEAMS, TIMEOUT, UNREACHABLE = MemberOutcome.TEAMS, MemberOutcome.TIMEOUT, MemberOutcome.UNREACHABLE
UNANSWERED = {TIMEOUT, UNREACHABLE, MemberOutcome.NOT_TRIED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One question's end: what each member's part came to, and the exact answers that came."""

    outcomes: dict[str, MemberOutcome]
    answered: dict[str, str]  # member: the question that its answer replies to


async def main(folder: Path) -> None:
    """Whatever the lines do: results by the deadline, who is missing is named, and nothing is sent twice."""
    loopback_up()
    CALLED.lay()
    DIALLED.lay()
    websocket.HEARTBEAT_S = SILENCE_S
    members = [ASKER, AGENCY, DIALS, OTHER]
    async with federation(folder, members, dialling=[DIALS], now=time.time(), options=NO_BUDGETS) as north:
        for member in (AGENCY, DIALS, OTHER):
            await north.add(member, *someone("Katherine", "Bramley", "1991-05-17"))
        await move_far_away(north)
        heard: list[Asked] = []
        async with AsyncExitStack() as stack:
            for line, member in ((CALLED, AGENCY), (DIALLED, DIALS)):
                serve = ["-m", "tests.hostile.impatient", "node", "serve"]
                settings = str(folder / member / "node.toml")
                far = [sys.executable, *serve, "--config", settings]
                sockets = await stack.enter_async_context(at_the_far_end(line, far, folder / member / LOG))
            await said(folder / AGENCY / LOG, "node.started")
            await ask_from_there(north, OTHER, sockets)
            await linked(north)
            for stage in (on_good_lines, on_bad_lines, one_way_only, on_good_lines):
                north.hub.hub.circuits.record(AGENCY, REFUSED)  # each has the hub try it again
                began = time.monotonic()
                heard += await stage(north)
                tell(f"{stage.__name__}: {time.monotonic() - began:.1f} s, {len(heard)} questions by now")
        for member in (AGENCY, DIALS):
            await nothing_twice(north, member, heard)


async def on_good_lines(north: TestFederation) -> list[Asked]:
    """Each answers, over a link or connection that came back by itself if there had been one before."""
    CALLED.is_good()
    DIALLED.is_good()
    await linked(north)
    asked = await ask(north, deadline_s=DEADLINE_S)
    assert asked.outcomes == {AGENCY: TEAMS, DIALS: TEAMS, OTHER: TEAMS}
    return [asked]


async def on_bad_lines(north: TestFederation) -> list[Asked]:
    """Answers come through at last, over the link that DIALS has open as well; and OTHER asks through a line."""
    CALLED.is_bad()
    DIALLED.is_bad()
    through = asyncio.create_task(ask_through_the_line(north))
    heard = await ask_until_answered(north, [AGENCY, DIALS])
    await through
    for line in (CALLED, DIALLED):
        assert line.lost > line.carried / 10, "the line was not bad"
    return heard


async def one_way_only(north: TestFederation) -> list[Asked]:
    """A question arrives and its answer does not: answered on record, unanswered to the asker, and not sent again.

    The hub gives the link up that says nothing any more, and calls it silent.
    """
    CALLED.is_good()
    DIALLED.is_good()
    await linked(north)
    before = await ask(north, deadline_s=DEADLINE_S)  # over connections that have answered
    CALLED.is_dead(there=False)
    DIALLED.is_dead(there=False)
    lost = await ask(north, deadline_s=1.0)
    assert lost.outcomes == {AGENCY: TIMEOUT, DIALS: TIMEOUT, OTHER: TEAMS}
    await until(lambda: not north.hub.links.holds(DIALS), seconds=3 * SILENCE_S)
    gone = await ask(north, deadline_s=0.6)
    assert gone.outcomes == {AGENCY: TIMEOUT, DIALS: UNREACHABLE, OTHER: TEAMS}
    return [before, lost, gone]


async def ask_until_answered(north: TestFederation, members: Sequence[str]) -> list[Asked]:
    """Some questions at a time, until each of these members has answered one."""
    heard: list[Asked] = []
    for _ in range(ROUNDS):
        north.hub.hub.circuits.record(AGENCY, REFUSED)
        heard += await asyncio.gather(*(ask(north, deadline_s=DEADLINE_S) for _ in range(AT_ONCE)))
        if all(any(asked.outcomes[member] is TEAMS for asked in heard) for member in members):
            return heard
    raise AssertionError(f"nothing came through: {heard}")


async def ask(north: TestFederation, *, deadline_s: float) -> Asked:
    """Everybody is shown by the deadline, OTHER long before it, and who has not answered with whom to telephone."""
    north.clock.time = time.time()
    began = time.monotonic()
    shown: dict[str, MemberResult] = {}
    agrees = False
    question = north.stream(ASKER, "Katherine Bramley", born="1991-05-17", deadline_ms=int(deadline_s * 1000))
    async for event in question:
        if isinstance(event, MemberResult):
            shown[event.member.id] = event
            if event.member.id == OTHER:
                assert time.monotonic() - began < OTHERS_WAIT_S, "a bad line delays others"
        if isinstance(event, Completed):
            agrees = event.coverage_agrees
    assert time.monotonic() - began < deadline_s + LATE_S
    assert agrees
    assert shown.keys() == {AGENCY, DIALS, OTHER}
    assert shown[OTHER].outcome is TEAMS
    for result in shown.values():
        assert result.outcome in {TEAMS, *UNANSWERED}, result.outcome
        assert result.member.duty_contact
        assert bool(result.rows) is (result.outcome is TEAMS)
    replied = {id_: result.answer for id_, result in shown.items() if result.answer is not None}
    return Asked(
        outcomes={id_: result.outcome for id_, result in shown.items()},
        answered={id_: peek(answer, max_bytes=4096)["in_reply_to"] for id_, answer in replied.items()},
    )


async def ask_through_the_line(north: TestFederation) -> None:
    """OTHER's own question to the hub, and the stream of answers back: nobody is left out of what comes through."""
    for _ in range(ROUNDS):
        north.clock.time = time.time()
        try:
            asked = await north.ask(OTHER, "Katherine Bramley", born="1991-05-17", deadline_ms=int(DEADLINE_S * 1000))
        except HubError as error:
            tell(f"through the line: {error}")
            continue
        assert {result.member.id for result in asked.results} == {ASKER, AGENCY, DIALS}
        tell(f"through the line: {[str(result.outcome) for result in asked.results]}")
        if asked.coverage_agrees:
            return
    raise AssertionError("no question came through")


async def nothing_twice(north: TestFederation, member: str, heard: Sequence[Asked]) -> None:
    """A far member has each question on record once at most, and every one that it answered."""
    node = await north.open(member)
    entries = [entry.body async for entry in node.parts.ledger.entries() if entry.body is not None]
    await node.parts.ledger.verify()
    await node.close()
    asked = [entry["jti"] for entry in entries if entry["kind"] == "answered"]
    assert len(set(asked)) == len(asked), "a question was sent again"
    answered = {each.answered[member] for each in heard if member in each.answered}
    assert answered <= set(asked)
    assert len(asked) > len(answered), "the answer to one that arrived was lost on the way"


async def ask_from_there(north: TestFederation, member: str, sockets: Sockets) -> None:
    """A member's node in this process, whose way to the hub is a line all the same."""
    await north.start(member)
    connector = north.nodes[member].session.connector
    assert connector is not None
    connector._socket_factory = sockets  # type: ignore[attr-defined]  # of TCPConnector, before it is used
    await north.refresh(member)


async def move_far_away(north: TestFederation) -> None:
    """AGENCY and DIALS are at far ends, and all that crosses a line is under TLS of a private authority."""
    folder, hub, port = north.folder, north.ports["hub"], north.ports[AGENCY]
    lines = (CALLED, DIALLED)
    certificate, _ = certificate_files(folder, also=[end for line in lines for end in (line.near, line.far)])
    tls = f'certificate = "../{certificate.name}"\nkey = "../{certificate.stem}.key"\n'
    trusted = f'ca_file = "../{certificate.name}"\n'
    at = replace(north.operator.document.members[AGENCY], endpoint=f"https://{CALLED.far}:{port}")
    moved = sign_join(at, north.nodes[AGENCY].parts.me.signing_key, federation=NAME, now=north.clock.now())
    await north.publish(lambda operator: operator.update(moved, north.clock.now()))
    await north.refresh()
    for member, near in ((AGENCY, CALLED.near), (DIALS, DIALLED.near), (OTHER, DIALLED.near), (ASKER, "127.0.0.1")):
        await north.stop(member)
        settings = folder / member / "node.toml"
        change(settings, f'hubs = ["http://127.0.0.1:{hub}"]\n', f'hubs = ["https://{near}:{hub}"]\n{trusted}')
        if member == AGENCY:
            change(settings, f'listen = "127.0.0.1:{port}"\n', f'listen = "{CALLED.far}:{port}"\n')
            change(settings, "[[federation]]", f"[node.tls]\n{tls}[[federation]]")
    hubs = folder / "hub" / "hub.toml"
    change(hubs, f'listen = "127.0.0.1:{hub}"\n', f'listen = "0.0.0.0:{hub}"\ndeadline_ms = {int(DEADLINE_S * 1000)}\n')
    hubs.write_text(f"{hubs.read_text()}{trusted}[hub.tls]\n{tls}")
    await north.restart_hub()
    await north.start(ASKER)
    await north.refresh(ASKER)


async def linked(north: TestFederation) -> None:
    """Until DIALS has a link, which it opens by itself."""
    async with asyncio.timeout(BACK_S):
        while not north.hub.links.holds(DIALS):
            north.clock.time = time.time()
            await asyncio.sleep(0.05)


def tell(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
