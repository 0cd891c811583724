"""A scenario for apart.py: one member's only way to its hub loses a fifth of all packets and takes half a second.

The member's node is a process in a network namespace of its own; hub and other members are here. Between the two are
real IP packets, so it is TCP that has to cope with their loss.
"""

import asyncio
import contextlib
import os
import random
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from gateway.demo.servers import command
from gateway.node.results import MemberOutcome, MemberResult
from gateway.settings import PLAIN_HTTP_WORDS
from gateway.wire.join import sign_join
from gateway.wire.jws import peek
from tests.bench.sealed_questions import NO_BUDGETS
from tests.federation import NAME, TestFederation, federation, someone
from tests.hostile.far_end import FAR, NEAR, end_of_line
from tests.hostile.settings import change

ASKER, AGENCY, OTHER = "childrens-services", "housing", "police"
LOSS, ONE_WAY_S = 0.2, 0.25
SEED = 6
LOG = "log.jsonl"
QUESTIONS, DEADLINE_MS = 12, 6_000
OTHERS_WAIT_S = 3.0
START_S = 60.0
MAX_PACKET_BYTES = 65_536
TEAMS, TIMEOUT, UNREACHABLE = MemberOutcome.TEAMS, MemberOutcome.TIMEOUT, MemberOutcome.UNREACHABLE


@dataclass(slots=True)
class BadLine:
    """Carries packets between two ends, late and not all of them."""

    chance: random.Random
    carried: int = 0
    lost: int = 0

    def join(self, one: int, other: int) -> None:
        loop = asyncio.get_running_loop()
        loop.add_reader(one, self._carry, one, other)
        loop.add_reader(other, self._carry, other, one)

    def _carry(self, here: int, there: int) -> None:
        packet = os.read(here, MAX_PACKET_BYTES)
        if self.chance.random() < LOSS:
            self.lost += 1
            return
        self.carried += 1
        asyncio.get_running_loop().call_later(ONE_WAY_S, _deliver, there, packet)


def _deliver(end: int, packet: bytes) -> None:
    with contextlib.suppress(OSError):  # the far end has gone, or its queue is full: one more that is lost
        os.write(end, packet)


@asynccontextmanager
async def far_node(settings: Path, near: int) -> AsyncIterator[BadLine]:
    """AGENCY's node at the far end."""
    mine, theirs = socket.socketpair()
    serve = command("node", "serve", "--config", str(settings))
    far_end = ["unshare", "--net", sys.executable, "-m", "tests.hostile.far_end", str(theirs.fileno()), *serve]
    with (settings.parent / LOG).open("wb") as log:
        process = subprocess.Popen(far_end, pass_fds=[theirs.fileno()], stderr=log)  # noqa: ASYNC220, S603 - returns at once; this very program
    try:
        mine.settimeout(START_S)
        _, [far], _, _ = await asyncio.to_thread(socket.recv_fds, mine, 16, 1)
        line = BadLine(random.Random(SEED))  # noqa: S311 - the same losses in each run
        line.join(near, far)
        yield line
    finally:
        process.kill()
        process.wait()


async def main(folder: Path) -> None:
    """Questions through the bad line: each is answered or named as unanswered, once, and delays nobody else."""
    near = end_of_line(NEAR, FAR)  # and loopback is up
    async with federation(folder, [ASKER, AGENCY, OTHER], now=time.time(), options=NO_BUDGETS) as north:
        for member in (AGENCY, OTHER):
            await north.add(member, *someone("Katherine", "Bramley", "1991-05-17"))
        await move_far_away(north)
        async with far_node(folder / AGENCY / "node.toml", near) as line:
            await until_it_is_up(folder / AGENCY / LOG)
            results = await asyncio.gather(*(ask(north) for _ in range(QUESTIONS)))
            assert line.lost > line.carried / 10, "the line was not bad"
        outcomes = [result.outcome for result in results]
        sys.stderr.write(f"{line.lost} of {line.lost + line.carried} packets lost: {outcomes}\n")
        assert set(outcomes) <= {TEAMS, TIMEOUT, UNREACHABLE}
        assert TEAMS in outcomes, outcomes  # most of them, by and large
        node = await north.open(AGENCY)
        entries = [entry.body async for entry in node.parts.ledger.entries() if entry.body is not None]
        await node.close()
        asked = [entry["jti"] for entry in entries if entry["kind"] == "answered"]
        assert len(set(asked)) == len(asked), "a question was sent again"
        answered = {peek(result.answer, max_bytes=4096)["in_reply_to"] for result in results if result.answer}
        assert answered <= set(asked)


async def move_far_away(north: TestFederation) -> None:
    """AGENCY listens at the far end, and its hub is at the near one."""
    port, hub = north.ports[AGENCY], north.ports["hub"]
    at = replace(north.operator.document.members[AGENCY], endpoint=f"http://{FAR}:{port}")
    moved = sign_join(at, north.nodes[AGENCY].parts.me.signing_key, federation=NAME, now=north.clock.now())
    await north.publish(lambda operator: operator.update(moved, north.clock.now()))
    await north.refresh()
    await north.stop(AGENCY)
    plain = f'plain_http = "{PLAIN_HTTP_WORDS}"\n'
    settings = north.folder / AGENCY / "node.toml"
    change(settings, f'listen = "127.0.0.1:{port}"\n', f'listen = "{FAR}:{port}"\n{plain}')
    change(settings, f'hubs = ["http://127.0.0.1:{hub}"]', f'hubs = ["http://{NEAR}:{hub}"]')
    hubs = north.folder / "hub" / "hub.toml"
    listen = f'listen = "0.0.0.0:{hub}"\n{plain}deadline_ms = {DEADLINE_MS}\n'
    change(hubs, f'listen = "127.0.0.1:{hub}"\n', listen)
    await north.restart_hub()


async def until_it_is_up(log: Path) -> None:
    """Until the node at the far end listens."""
    async with asyncio.timeout(START_S):
        while True:
            if b'"node.started"' in log.read_bytes():  # noqa: ASYNC240 - a test may wait for its own small file
                return
            await asyncio.sleep(0.05)


async def ask(north: TestFederation) -> MemberResult:
    """AGENCY's result; OTHER's must have come long before it could have."""
    north.clock.time = began = time.time()
    shown: dict[str, MemberResult] = {}
    async for event in north.stream(ASKER, "Katherine Bramley", born="1991-05-17", deadline_ms=DEADLINE_MS):
        if isinstance(event, MemberResult):
            shown[event.member.id] = event
            if event.member.id == OTHER:
                assert time.time() - began < OTHERS_WAIT_S
    assert shown[OTHER].outcome is TEAMS
    return shown[AGENCY]


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
