"""Minutes of questions through a hub and nodes that are processes, some flaky, one member flooding: `make soak`.

    SOAK_MINUTES=10 make soak, or python -m tests.bench.soak --minutes 10 --nodes 20

One member asks steadily, one asks as fast as it can. Three nodes are killed and started again, or stopped for some
seconds (SIGSTOP: a node that hangs), at random times. Three nodes have no port and dial the hub: one of those that are
killed, one that is left alone, and one behind a line that is cut now and then without either end being told. Every ten
seconds a line tells questions, answers, which answers of steady nodes were missed, links that were opened again, and
memory and open files of hub and steady nodes. In the end every answer that was received is looked up in its node's
ledger, which must verify and have each question once. Exit code 1 if an entry is lost or a question answered twice, a
steady node or the hub dies, a node that dials answers nothing in the last quarter of the time, or memory or files grow:
from the second quarter of the time to the last, medians, by more than GROWTH and GROWTH_MB, or GROWTH_FILES.
"""

import argparse
import asyncio
import contextlib
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from gateway.app.hub import open_hub
from gateway.clock import SystemClock
from gateway.demo.servers import command
from gateway.errors import PatchworkError
from gateway.node.results import MemberOutcome
from gateway.settings import load_hub
from gateway.wire.jws import peek
from tests.bench.sealed_questions import NO_BUDGETS
from tests.federation import AGREEMENT, FIVE, TestFederation, federation, someone
from tests.hostile.cable import Cable, free_port
from tests.hostile.settings import change

ASKER, FLOODER = "childrens-services", "police"
FLAKY = 3
WELL_S = 30.0  # a link on a line that was cut is missed for some 20 s before it is dialled again
CUT_S = (40.0, 80.0)  # a line is well for so long, then it is cut
LINE_S = 10.0
ASK_EVERY_S = 0.5
FLOOD_AT_ONCE = 8
CALM_S = (8.0, 20.0)  # a flaky node is well for so long, then it is killed or hangs
HANG_S = 4.0
START_S = 120.0  # of one process, among twenty that start and whatever else the machine does
GROWTH, GROWTH_MB, GROWTH_FILES = 1.2, 20.0, 40
RATE = 300  # questions of one member a minute that the hub takes: the flood is more, the steady asker less
CLOCK = SystemClock()
SEED = 11


@dataclass(slots=True)
class Soak:
    """What runs, and what was seen; `samples` has (seconds, MB, open files) of each process that may not grow."""

    north: TestFederation
    steady: list[str]
    flaky: list[str]
    dialling: list[str]
    cable: Cable
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    leaves: dict[str, set[str]] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[tuple[bool, MemberOutcome]] = field(default_factory=Counter)  # by whether the node is steady
    flood_refused: int = 0
    disturbed: int = 0
    cuts: int = 0
    starts: Counter[str] = field(default_factory=Counter)
    links_before: dict[str, int] = field(default_factory=dict)  # the last start
    last_answer: dict[str, float] = field(default_factory=dict)
    ended: float = 0.0
    faults: list[str] = field(default_factory=list)
    samples: dict[str, list[tuple[float, float, int]]] = field(default_factory=dict)

    def start(self, name: str) -> None:
        """Start the hub or a node as a process."""
        role = "hub" if name == "hub" else "node"
        config = self.north.folder / name / f"{role}.toml"
        self.starts[name] += 1
        self.links_before[name] = self.linked(name)
        with self.log_of(name).open("ab") as log:
            self.processes[name] = subprocess.Popen(  # noqa: S603 - this very program
                command(role, "serve", "--config", str(config)), stderr=log, stdout=subprocess.DEVNULL
            )

    def log_of(self, name: str) -> Path:
        """Where a node that dials says so; what others say is not kept."""
        return self.north.folder / name / "log.jsonl" if name in self.dialling else Path(os.devnull)

    def linked(self, name: str) -> int:
        """How often a node that dials has opened a link."""
        log = self.log_of(name)
        return log.read_bytes().count(b'"event":"hub_link.opened"') if log.is_file() else 0

    def linked_again(self) -> int:
        """Links that were opened after others had ended, but for those of nodes that were started again."""
        return sum(max(0, self.linked(name) - self.starts[name]) for name in self.dialling)

    async def ask(self, asker: str) -> None:
        """One question; what was answered is kept, to be looked up in the end."""
        self.asked[asker] += 1
        try:
            asked = await self.north.ask(asker, "Katherine Bramley", born="1991-05-17", deadline_ms=2000)
        except PatchworkError:
            if asker == FLOODER:
                self.flood_refused += 1
            else:
                self.faults.append("the hub did not take the steady asker's question")
            return
        for result in asked.results:
            if result.member.id not in self.processes:
                continue
            if result.answer is not None:
                self.last_answer[result.member.id] = time.monotonic()
                self.leaves.setdefault(result.member.id, set()).add(peek(result.answer, max_bytes=4096)["ledger_leaf"])
            if asker == ASKER:
                self.outcomes[(result.member.id in self.steady, result.outcome)] += 1

    async def listening(self, name: str) -> None:
        """Until a process takes connections, or has dialled."""
        async with asyncio.timeout(START_S):
            if name in self.dialling:
                while self.linked(name) == self.links_before[name]:  # noqa: ASYNC110 - a log has no event
                    await asyncio.sleep(0.1)
                return
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", self.north.ports[name])
                except OSError:
                    await asyncio.sleep(0.1)
                    continue
                writer.close()
                return


@contextlib.asynccontextmanager
async def running(folder: Path, nodes: int) -> AsyncIterator[Soak]:
    """Everything up: the two askers in this process, hub and all other nodes as processes of their own."""
    others = [each for each in FIVE if each not in {ASKER, FLOODER}]
    others += [f"agency-{number}" for number in range(len(others), nodes - 2)]
    members = [ASKER, FLOODER, *others]
    agreement = folder / "agreement.toml"
    listed = ", ".join(f'"{member}"' for member in members)
    parties = ", ".join(f'"{member}"' for member in FIVE)
    agreement.write_text(AGREEMENT.read_text().replace(parties, listed))
    flaky, steady, on_cable = others[:FLAKY], others[FLAKY:-1], others[-1]
    dialling = [flaky[-1], steady[0], on_cable]
    async with (
        federation(
            folder, members, now=time.time(), options=NO_BUDGETS, agreement=agreement, dialling=dialling
        ) as north,
        Cable(port=free_port(), to=north.ports["hub"]).laid() as cable,
    ):
        soak = Soak(north=north, flaky=flaky, steady=steady, dialling=dialling, cable=cable)
        for member in members:
            if member in others:
                await north.add(member, *someone("Katherine", "Bramley", "1991-05-17"))
            await north.stop(member)
        hub = f'"http://127.0.0.1:{north.ports["hub"]}"'
        change(folder / on_cable / "node.toml", hub, f'"http://127.0.0.1:{cable.port}"')
        await north.hub.close()
        settings = folder / "hub" / "hub.toml"
        settings.write_text(settings.read_text().replace("rate_per_minute = 100000", f"rate_per_minute = {RATE}"))
        try:
            soak.start("hub")
            await soak.listening("hub")
            for member in others:
                soak.start(member)
            for member in others:
                await soak.listening(member)
            for member in (ASKER, FLOODER):
                await north.start(member, clock=CLOCK)
            yield soak
        finally:
            for process in soak.processes.values():
                process.send_signal(signal.SIGCONT)
                process.terminate()
            for process in soak.processes.values():
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(20)
                process.kill()
            north.hub = await open_hub(load_hub(folder / "hub" / "hub.toml"), clock=CLOCK)


async def soak_for(folder: Path, seconds: float, nodes: int) -> Soak:
    """Ask, flood and disturb for so long, then hold what was received against the ledgers."""
    async with running(folder, nodes) as soak:
        begun = time.monotonic()
        fresh = [asyncio.create_task(soak.north.nodes[each].parts.membership.keep_fresh()) for each in (ASKER, FLOODER)]
        await soak.north.refresh()
        chance = random.Random(SEED)  # noqa: S311 - a repeatable choice
        tasks = [
            *(asyncio.create_task(_disturb(soak, name, chance)) for name in soak.flaky),
            asyncio.create_task(_cut(soak, chance)),
            *(asyncio.create_task(_flood(soak)) for _ in range(FLOOD_AT_ONCE)),
            asyncio.create_task(_ask_on(soak)),
        ]
        while (now := time.monotonic() - begun) < seconds:
            await asyncio.sleep(min(LINE_S, seconds - now))
            _sample(soak, time.monotonic() - begun)
            ended = [task for task in (*tasks, *fresh) if task.done()]
            for task in ended:
                task.result()  # an error ends the soak
        soak.ended = time.monotonic()
        for task in (*tasks, *fresh):
            task.cancel()
        await asyncio.gather(*tasks, *fresh, return_exceptions=True)
    return soak


async def _ask_on(soak: Soak) -> None:
    while True:
        await soak.ask(ASKER)
        await asyncio.sleep(ASK_EVERY_S)


async def _flood(soak: Soak) -> None:
    while True:
        await soak.ask(FLOODER)
        await asyncio.sleep(0.02)  # this process also asks steadily


async def _disturb(soak: Soak, name: str, chance: random.Random) -> None:
    """Now killed and started again, now hanging."""
    while True:
        await asyncio.sleep(chance.uniform(*CALM_S))
        soak.disturbed += 1
        process = soak.processes[name]
        if chance.random() < 0.5:
            process.kill()
            await asyncio.to_thread(process.wait)
            soak.start(name)
            await soak.listening(name)
        else:
            process.send_signal(signal.SIGSTOP)
            try:
                await asyncio.sleep(HANG_S)
            finally:
                process.send_signal(signal.SIGCONT)


async def _cut(soak: Soak, chance: random.Random) -> None:
    """What went over the line is dead from now on, and nobody knows."""
    while True:
        await asyncio.sleep(chance.uniform(*CUT_S))
        soak.cuts += 1
        soak.cable.cut()


def _sample(soak: Soak, now: float) -> None:
    for name in ("hub", *soak.steady, soak.dialling[-1]):
        process = soak.processes[name]
        if process.poll() is not None:
            soak.faults.append(f"{name} has ended by itself")
            continue
        status = Path(f"/proc/{process.pid}/status").read_text()
        resident = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
        files = len(os.listdir(f"/proc/{process.pid}/fd"))
        soak.samples.setdefault(name, []).append((now, resident / 1024, files))
    answered = sum(number for (_, outcome), number in soak.outcomes.items() if outcome.answered)
    missed = sum(number for (steady, outcome), number in soak.outcomes.items() if steady and not outcome.answered)
    last = {name: samples[-1] for name, samples in soak.samples.items()}
    nodes = [last[name] for name in soak.steady if name in last]
    sys.stdout.write(
        f"{now:6.0f} s  asked {soak.asked[ASKER]}, answered {answered}, missed of steady nodes {missed}"
        f" | flood {soak.asked[FLOODER]}, refused {soak.flood_refused} | disturbed {soak.disturbed}"
        f" | cut {soak.cuts}, linked again {soak.linked_again()}"
        f" | hub {last['hub'][1]:.0f} MB, {last['hub'][2]} files"
        f" | nodes at most {max(each[1] for each in nodes):.0f} MB, {max(each[2] for each in nodes)} files\n"
    )
    sys.stdout.flush()


async def lost_entries(soak: Soak) -> list[str]:
    """Answers that were received and have no entry; every ledger has to verify. Before the folder is gone."""
    lost = []
    for member, leaves in sorted(soak.leaves.items()):
        node = await soak.north.open(member, clock=CLOCK)
        try:
            await node.parts.ledger.verify()
            entries = [entry async for entry in node.parts.ledger.entries()]
        finally:
            await node.close()
        missing = leaves - {entry.leaf_hash for entry in entries}
        if missing:
            lost.append(f"{member}: {len(missing)} of {len(leaves)} answers left without an entry")
        bodies = [entry.body for entry in entries if entry.body is not None]
        ids = [body["jti"] for body in bodies if body["kind"] == "answered"]
        if len(set(ids)) < len(ids):
            lost.append(f"{member}: {len(ids) - len(set(ids))} of {len(ids)} questions were answered twice")
    return lost


def grown(samples: dict[str, list[tuple[float, float, int]]], seconds: float) -> list[str]:
    """Processes whose memory or open files grew, from the second quarter of the time to the last."""
    found = []
    for name, taken in samples.items():
        early = [each for each in taken if seconds / 4 <= each[0] < seconds / 2]
        late = [each for each in taken if each[0] >= seconds * 3 / 4]
        if not early or not late:
            continue
        for index, unit, least in ((1, "MB", GROWTH_MB), (2, "open files", GROWTH_FILES)):
            before, after = (statistics.median(each[index] for each in part) for part in (early, late))
            if after > before * GROWTH and after > before + least:
                found.append(f"{name} grew from {before:.0f} to {after:.0f} {unit}")
    return found


def unheard(soak: Soak, seconds: float) -> list[str]:
    """Nodes that dial of which no answer came in the last quarter of the time, in which they had time to come back."""
    quarter = max(seconds / 4, WELL_S)
    since = soak.ended - quarter
    return [
        f"{name} dials and has answered nothing for {quarter:.0f} s"
        for name in soak.dialling
        if soak.last_answer.get(name, 0.0) < since and seconds > quarter
    ]


async def _soaked(folder: Path, seconds: float, nodes: int) -> list[str]:
    soak = await soak_for(folder, seconds, nodes)
    lost = await lost_entries(soak)
    received = sum(len(leaves) for leaves in soak.leaves.values())
    outcomes = Counter[str]()
    for (steady, outcome), number in soak.outcomes.items():
        outcomes[f"{'steady' if steady else 'flaky'} {outcome}"] += number
    sys.stdout.write(
        f"{received} answers received; " + ", ".join(f"{k}: {v}" for k, v in sorted(outcomes.items())) + "\n"
    )
    faults = [f"{fault} ({number} times)" for fault, number in Counter(soak.faults).items()]
    return [*lost, *grown(soak.samples, seconds), *unheard(soak, seconds), *faults]


def main() -> int:
    """Exit code 1 if anything was lost, grew or died."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=float(os.environ.get("SOAK_MINUTES", "10")))
    parser.add_argument("--nodes", type=int, default=20)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        faults = asyncio.run(_soaked(Path(folder), options.minutes * 60, options.nodes))
    sys.stdout.write("".join(f"FAULT: {fault}\n" for fault in faults) or "nothing lost, nothing grew\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
