"""How many questions a second a hub of one, two and three processes relays, and what processor time each costs.

Members' nodes are stubs in a process of their own (bench_fanout.py), reached over HTTP; each question goes to MEMBERS
of them, and AT_ONCE are under way, from askers in this process. All share the machine's cores, so on few of them the
rate says how far processes help beside what loads them; processor time for a question is the hub's alone. With one and
two the same is measured once more over links that nodes have opened; of two, another process holds half of them.

    python -m tests.bench.bench_workers
"""

import asyncio
import json
import os
import sys
import tempfile
import time
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path

import aiohttp
import uvloop

from tests.bench.bench_fanout import Stubs
from tests.hub.dialled import dialled
from tests.hub.hub_process import RealClock
from tests.hub.kit import envelope, federated
from tests.hub.served import Served, served

MEMBERS = 20
AT_ONCE = 24
WARM_S = 1.5
MEASURED_S = 6.0
PROCESSES = (1, 2, 3)
LINKED_PROCESSES = 2


def run() -> dict[str, float]:
    """Measure each; takes about a minute."""
    figures: dict[str, float] = {"workers_cores": os.cpu_count() or 0}
    for processes in PROCESSES:
        with ExitStack() as stack:
            ports = stack.enter_context(Stubs(MEMBERS)).ports
            federation = federated(Path(stack.enter_context(tempfile.TemporaryDirectory())))
            federation.clock = RealClock()
            for number, port in enumerate(ports.answering):
                federation.add(_name(number), endpoint=f"http://127.0.0.1:{port}")
            federation.publish()
            hub = stack.enter_context(served(federation, rate_per_minute=1_000_000, workers=processes))
            figures[f"workers_{processes}_per_s"], figures[f"workers_{processes}_cpu_ms"] = uvloop.run(_measure(hub))
            if processes <= LINKED_PROCESSES:
                _, figures[f"workers_{processes}_links_cpu_ms"] = uvloop.run(_measure_links(hub))
    return figures


async def _measure_links(hub: Served) -> tuple[float, float]:
    """The same over links; their nodes answer in this process."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as hub.client, AsyncExitStack() as stack:
        for number in range(MEMBERS):
            await stack.enter_async_context(dialled(hub, _name(number)))
        await asyncio.sleep(0.2)  # for the processes to tell each other
        return await _measure(hub)


async def _measure(hub: Served) -> tuple[float, float]:
    """Questions a second, and milliseconds of the hub's processor time for each."""
    asked = 0

    async def ask_on_and_on() -> None:
        nonlocal asked
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as client:
            while True:
                body = envelope(*map(_name, range(MEMBERS))).to_json()
                headers = {"Authorization": hub.authorise(body)}
                async with client.post(hub.url("/v1/queries"), data=body, headers=headers) as response:
                    text = await response.read()
                assert text.count(b'"answered"') == MEMBERS, text[:200]
                asked += 1

    asking = [asyncio.create_task(ask_on_and_on()) for _ in range(AT_ONCE)]  # each on a connection of its own
    await asyncio.sleep(WARM_S)
    before, cpu_s, began = asked, _processor_s(hub), time.perf_counter()
    await asyncio.wait(asking, timeout=MEASURED_S, return_when=asyncio.FIRST_COMPLETED)
    took, done, cpu_s = time.perf_counter() - began, asked - before, _processor_s(hub) - cpu_s
    for task in asking:
        if task.done():
            task.result()
        task.cancel()
    await asyncio.gather(*asking, return_exceptions=True)
    return done / took, 1000 * cpu_s / done


def _processor_s(hub: Served) -> float:
    """Of all its processes, user and system (proc(5))."""
    ticks = 0
    for process in hub.workers() or {hub.process.pid}:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _name(number: int) -> str:
    return f"member-{number:04}"


if __name__ == "__main__":
    sys.stdout.write(json.dumps({key: round(value, 2) for key, value in run().items()}, indent=2) + "\n")
