"""kill -9 under load: every answer that left a node has its entry, the tree verifies, the database is whole.

    make bench-kill, or python -m tests.bench.bench_kill --kills 50

A real `patchwork node serve` is asked through a real hub, and killed after a random number of its answers has arrived;
then the same again on what it left behind. tests/flow/test_kill.py does it a few times in the suite.
"""

import argparse
import asyncio
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from gateway.demo.servers import command
from gateway.links.delivery import REFUSED
from gateway.node.results import MemberOutcome
from gateway.wire.jws import peek
from tests.bench.sealed_questions import NO_BUDGETS
from tests.federation import TestFederation, federation, result_of, someone

ASKER, ANSWERER = "childrens-services", "housing"
AT_ONCE = 12
START_S = 30.0
ANSWERS = (1, 60)  # a kill comes when so many of a life have arrived, with as many more on their way as AT_ONCE
SEED = 9


@dataclass(slots=True)
class Seen:
    """What the asker has received: leaf hashes of verified answers; how often it was killed, and at how many next."""

    leaves: set[str] = field(default_factory=set)
    kills: int = 0
    kill_at: int = 0


async def kill_again_and_again(folder: Path, kills: int, *, dialling: bool = False) -> Seen:
    """Kill, restart, and at the end hold what was received against the ledger; raises AssertionError.

    `dialling`: the node has no port and dials the hub, which must take it back after each kill.
    """
    seen = Seen()
    chance = random.Random(SEED)  # noqa: S311 - a repeatable choice
    dials = [ANSWERER] if dialling else []
    async with federation(folder, [ASKER, ANSWERER], dialling=dials, now=time.time(), options=NO_BUDGETS) as north:
        await north.add(ANSWERER, *someone("Katherine", "Bramley", "1991-05-17"))
        await north.stop(ANSWERER)
        for _ in range(kills):
            await _kill_once(north, seen, chance.randint(*ANSWERS))
            _intact(north.folder / ANSWERER / "data" / "ledger.db")
        north.clock.time = time.time()
        await north.start(ANSWERER)
        ledger = north.nodes[ANSWERER].parts.ledger
        await ledger.verify()
        entries = [entry async for entry in ledger.entries()]
        lost = seen.leaves - {entry.leaf_hash for entry in entries}
        assert not lost, f"{len(lost)} of {len(seen.leaves)} answers left without an entry"
        bodies = [entry.body for entry in entries if entry.body is not None]
        asked = [body["jti"] for body in bodies if body["kind"] == "answered"]
        assert len(set(asked)) == len(asked), "a question was answered twice"
        await north.nodes[ANSWERER].checkpoints.begin()
        doubt = north.nodes[ANSWERER].parts.standing.doubt
        assert not doubt, doubt
    return seen


async def _kill_once(north: TestFederation, seen: Seen, answers: int) -> None:
    """One life of the node: from its start until it is killed among answers."""
    with subprocess.Popen(  # noqa: ASYNC220, S603 - returns at once; this very program
        command("node", "serve", "--config", str(north.folder / ANSWERER / "node.toml")), stderr=subprocess.DEVNULL
    ) as process:
        try:
            await _first_answer(north, seen, process)
            seen.kill_at = len(seen.leaves) + answers
            await asyncio.gather(*(_ask_on(north, seen, process) for _ in range(AT_ONCE)))
        finally:
            process.kill()
    seen.kills += 1


async def _first_answer(north: TestFederation, seen: Seen, process: "subprocess.Popen[bytes]") -> None:
    """Until the node answers; asking while nobody listens would have the hub put it aside."""
    async with asyncio.timeout(START_S):
        while True:
            assert process.poll() is None, "the node has stopped by itself"
            if await _is_there(north) and await _ask(north, seen):
                return
            await asyncio.sleep(0.05)


async def _is_there(north: TestFederation) -> bool:
    """Whether it listens, or has dialled."""
    north.clock.time = time.time()  # by which the hub judges who dials
    if north.operator.document.members[ANSWERER].endpoint is None:
        return north.hub.links.holds(ANSWERER)
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", north.ports[ANSWERER])
    except OSError:
        return False
    writer.close()
    return True


async def _ask_on(north: TestFederation, seen: Seen, process: "subprocess.Popen[bytes]") -> None:
    """Ask until no answer comes any more; whoever has the last answer of this life ends it."""
    while await _ask(north, seen):
        if len(seen.leaves) >= seen.kill_at:
            process.send_signal(signal.SIGKILL)


async def _ask(north: TestFederation, seen: Seen) -> bool:
    """One question; False if no answer came."""
    north.clock.time = time.time()
    north.hub.hub.circuits.record(ANSWERER, REFUSED)  # so that the hub tries a member that was just killed
    asked = await north.ask(ASKER, "Katherine Bramley", born="1991-05-17", deadline_ms=1500)
    result = result_of(asked, ANSWERER)
    if result.outcome is not MemberOutcome.TEAMS:
        return False
    assert result.answer is not None
    seen.leaves.add(peek(result.answer, max_bytes=4096)["ledger_leaf"])
    return True


def _intact(file: Path) -> None:
    with closing(sqlite3.connect(file)) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def main() -> None:
    """Kill so often, and say what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--dialling", action="store_true", help="the node has no port and dials the hub")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        seen = asyncio.run(kill_again_and_again(Path(folder), options.kills, dialling=options.dialling))
    sys.stdout.write(
        f"{seen.kills} kills; each of {len(seen.leaves)} answers that left has its entry, the tree verifies,"
        " the database is intact\n"
    )


if __name__ == "__main__":
    main()
