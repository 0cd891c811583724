"""A real hub process under load is searched for what it must not know, killed, and started again.

Killed, it loses what was on its way: each of those is shown as no answer and named by reconciliation. Started again it
needs nothing from anybody, and remembers what it has taken.
"""

import asyncio
import sqlite3
import subprocess
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from consent_ledger.exchange import SECONDS_PER_HOUR
from gateway.app.hub import open_hub
from gateway.errors import HubError
from gateway.node.compare_counts import Compared
from gateway.node.reconcile import Silent
from gateway.node.results import MemberOutcome, MemberResult
from gateway.settings import load_hub
from gateway.wire.envelope import Envelope
from gateway.wire.jws import peek
from tests.bench.sealed_questions import NO_BUDGETS
from tests.federation import TestFederation, federation, someone
from tests.hostile.hub_process import hub_process
from tests.hostile.reconciled import reconciled
from tests.hub.searched_hub import memory_of, search

ASKER, AGENCY, OTHER, DIALS = "childrens-services", "housing", "police", "food-bank"
AT_ONCE = 6
ANSWERS = 30  # of a life of the hub
LIFE_S = 60.0
TEAMS = MemberOutcome.TEAMS

# Unmistakable, so that none stands in a process for another reason.
GIVEN, FAMILY, BORN, POSTCODE, NHS = "Xanthippina", "Zeugmatique", "1987-11-23", "ZE97 3QX", "9990004218"
WORKER, ASKING = "Quirinus Prüfsteiner", "Alex Asker"


@dataclass(slots=True)
class Seen:
    """What the asker was shown: outcomes, leaf hashes of each member's answers, and every envelope that was posted."""

    outcomes: Counter[MemberOutcome] = field(default_factory=Counter)
    leaves: dict[str, set[str]] = field(default_factory=lambda: {AGENCY: set(), OTHER: set(), DIALS: set()})
    envelopes: list[Envelope] = field(default_factory=list)
    refused: int = 0

    def count(self) -> int:
        """Answers that have arrived."""
        return sum(len(leaves) for leaves in self.leaves.values())


async def ask_until(
    north: TestFederation, seen: Seen, process: "subprocess.Popen[bytes]", *, answers: int, kills: bool = True
) -> None:
    """Ask on until so many answers have come; whoever has the last of them kills the hub, among questions of others."""
    while process.poll() is None and seen.count() < answers:
        north.clock.time = time.time()
        try:
            async for event in north.stream(
                ASKER, f"{GIVEN} {FAMILY}", born=BORN, postcode=POSTCODE, nhs=NHS, deadline_ms=2000
            ):
                if isinstance(event, MemberResult):
                    note(seen, event)
        except HubError:
            seen.refused += 1
    if kills:
        process.kill()


def note(seen: Seen, result: MemberResult) -> None:
    seen.outcomes[result.outcome] += 1
    if result.answer is not None:
        seen.leaves[result.member.id].add(peek(result.answer, max_bytes=4096)["ledger_leaf"])


async def post_again(north: TestFederation, envelope: Envelope) -> str:
    """What the hub says to a question that it has taken before, in a new request."""
    try:
        async for _ in north.nodes[ASKER].parts.hubs.ask(envelope):
            pass
    except HubError as error:
        return str(error)
    return ""


def held_by_the_hub(north: TestFederation, process: "subprocess.Popen[bytes]", facts: list[str]) -> set[str]:
    """Which of these stand in the hub's memory, or in any file that it has written, in any spelling."""
    files = b"\n".join(path.read_bytes() for path in (north.folder / "hub").rglob("*") if path.is_file())
    memory = b"\0".join(filter(None, memory_of(process.pid).split(bytes(64))))  # what was never used is half of it
    return {fact for held in (memory, files) for fact in facts if search(held, [fact])}


async def test_a_hub_killed_under_load_loses_answers_visibly_and_comes_back_by_itself(tmp_path: Path) -> None:
    seen = Seen()
    members = [ASKER, AGENCY, OTHER, DIALS]
    async with federation(tmp_path, members, dialling=[DIALS], now=time.time(), options=NO_BUDGETS) as north:
        for member in (AGENCY, OTHER, DIALS):
            await north.add(member, *someone(GIVEN, FAMILY, BORN, postcode=POSTCODE, nhs=NHS, worker=WORKER))
        overhear(north, seen)
        await north.hub.close()
        for life in (1, 2):
            async with hub_process(north) as process:
                if life == 2:
                    assert "(409)" in await post_again(north, seen.envelopes[0]), "taken before the kill"
                async with asyncio.timeout(LIFE_S):
                    await until_dialled(north, seen)
                    before = seen.count()
                    if life == 1:
                        await ask_until(north, seen, process, answers=before + 8, kills=False)
                        assert held_by_the_hub(north, process, [seen.envelopes[0].id]), "the search finds what is there"
                        secrets = [GIVEN, FAMILY, BORN, POSTCODE, NHS, WORKER, ASKING, "01632 960123"]
                        assert held_by_the_hub(north, process, secrets) == set()
                    askers = (ask_until(north, seen, process, answers=before + ANSWERS) for _ in range(AT_ONCE))
                    await asyncio.gather(*askers)
            with closing(sqlite3.connect(north.folder / "hub" / "data" / "hub.db")) as database:
                assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert seen.count() >= before + ANSWERS
        # Both knew the person, so nobody was ever told of nothing: what was lost is shown as no answer.
        assert set(seen.outcomes) <= {TEAMS, MemberOutcome.UNREACHABLE}
        lost = {member: await on_record(north, member) - len(seen.leaves[member]) for member in seen.leaves}
        assert all(count >= 0 for count in lost.values())
        del lost[DIALS]  # nobody can call it to compare
        # An honest hub of the same key tells the hour's end; the members' own counts name what the dead one lost.
        north.hub = await open_hub(load_hub(north.folder / "hub" / "hub.toml"), clock=north.clock)
        assert await missing(north) == lost


async def until_dialled(north: TestFederation, seen: Seen) -> None:
    """Until DIALS has dialled this hub by itself, and has answered."""
    before = len(seen.leaves[DIALS])
    while len(seen.leaves[DIALS]) == before:
        await asyncio.sleep(0.1)
        north.clock.time = time.time()
        for result in (await north.ask(ASKER, f"{GIVEN} {FAMILY}", born=BORN, postcode=POSTCODE, nhs=NHS)).results:
            note(seen, result)


def overhear(north: TestFederation, seen: Seen) -> None:
    """Keep each envelope that the asker posts."""
    hubs = north.nodes[ASKER].parts.hubs
    ask = hubs.ask

    def kept(envelope: Envelope) -> object:
        seen.envelopes.append(envelope)
        return ask(envelope)

    hubs.ask = kept  # type: ignore[method-assign,assignment]  # passed on


async def on_record(north: TestFederation, member: str) -> int:
    """How many questions a member has answered; none of them twice."""
    ids = [entry["jti"] for entry in await north.ledger(member)]
    assert len(set(ids)) == len(ids)
    return len(ids)


async def missing(north: TestFederation) -> dict[str, int]:
    """By member, how many of its answers never arrived, as `patchwork ledger reconcile` says two hours later."""
    began = int(north.clock.now()) // SECONDS_PER_HOUR - 1
    north.clock.turn(2 * SECONDS_PER_HOUR)
    await north.refresh()
    found = {AGENCY: 0, OTHER: 0}
    for each in await reconciled(north, ASKER, since=began):
        if each.member == DIALS:
            assert isinstance(each, Silent)
            continue
        assert isinstance(each, Compared), each
        assert not each.overstated
        assert all(gap.hub.endswith(str(north.ports["hub"])) for gap in each.gaps)
        found[each.member] = sum(gap.missing for gap in each.gaps)
    return found
