"""What the processes of `patchwork hub serve --workers N` share beside the database: links, places, who fails."""

import asyncio
import os
import signal
import time
from collections import Counter
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import orjson

from gateway.app.hub import DRAIN_S
from gateway.hub.circuit import FAILURES_TO_OPEN
from gateway.links.sibling_sockets import FOLDER
from tests.hub.dialled import DialledNode, dialled, silent
from tests.hub.hub_process import RealClock
from tests.hub.kit import StubNode, federated, hang, stub_node
from tests.hub.served import WORKERS, Served, served, until

MEMBERS = [f"foodbank-{number}" for number in range(6)]  # the kernel spreads their links over the processes
AT_ONCE = 8


async def test_two_processes_pass_questions_to_each_others_links_and_keep_to_one_limit_together(tmp_path: Path) -> None:
    federation = federated(tmp_path)
    federation.clock = RealClock()
    async with AsyncExitStack() as stack:
        hanging = await stack.enter_async_context(stub_node(hang))
        federation.add("silent", endpoint=hanging.endpoint)
        federation.add("dead", endpoint="http://127.0.0.1:9")
        for member in MEMBERS:
            federation.add(member, endpoint=None)
        federation.publish()
        hub = await asyncio.to_thread(stack.enter_context, served(federation, max_concurrent=AT_ONCE))
        hub.client = await stack.enter_async_context(aiohttp.ClientSession())
        nodes = {member: await stack.enter_async_context(dialled(hub, member)) for member in MEMBERS}
        await _every_process_reaches_every_link(hub, nodes)
        await _news_reach_every_link(hub, nodes)
        await _places_are_shared(hub, hanging)
        await _dead_member_costs_a_few_questions(hub)
        await _process_that_dies_takes_its_links_and_nothing_is_asked_twice(hub, nodes, stack)
        await _all_stop_at_once_when_nothing_is_under_way(hub)


async def test_question_over_another_processs_links_is_answered_though_all_are_told_to_stop(tmp_path: Path) -> None:
    federation = federated(tmp_path)
    federation.clock = RealClock()
    for member in MEMBERS:
        federation.add(member, endpoint=None)
    federation.publish()
    async with AsyncExitStack() as stack:
        hub = await asyncio.to_thread(stack.enter_context, served(federation))
        hub.client = await stack.enter_async_context(aiohttp.ClientSession())
        nodes = [await stack.enter_async_context(dialled(hub, member, silent)) for member in MEMBERS]
        await asyncio.sleep(0.1)  # for the processes to tell each other
        asking = asyncio.create_task(hub.ask(*MEMBERS, deadline_ms=5_000))
        for node in nodes:
            await node.asked_times(1)
        hub.process.send_signal(signal.SIGTERM)
        await asyncio.sleep(DRAIN_S + 0.3)  # the process that relays nothing would have closed its links by now
        for node in nodes:
            await node.answer(node.questions[0])
        _, lines = await asking
        assert {line["member"]: line["outcome"] for line in lines[:-1]} == dict.fromkeys(MEMBERS, "answered")
        assert await asyncio.to_thread(hub.process.wait, 10) == 0


async def _every_process_reaches_every_link(hub: Served, nodes: dict[str, DialledNode]) -> None:
    await asyncio.sleep(0.1)  # for the processes to tell each other
    asked = await asyncio.gather(*(hub.ask(*MEMBERS) for _ in range(AT_ONCE)))
    for status, lines in asked:
        assert status == 200
        assert {line["member"]: line["outcome"] for line in lines[:-1]} == dict.fromkeys(MEMBERS, "answered")
    assert {len(node.questions) for node in nodes.values()} == {len(asked)}


async def _news_reach_every_link(hub: Served, nodes: dict[str, DialledNode]) -> None:
    seq = hub.federation.publish().seq
    async with asyncio.timeout(5):
        while not all(seq in node.news for node in nodes.values()):  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.02)


async def _places_are_shared(hub: Served, hanging: StubNode) -> None:
    held = [asyncio.create_task(hub.ask("silent", deadline_ms=5_000)) for _ in range(AT_ONCE)]
    async with asyncio.timeout(4):
        while len(hanging.bodies) < AT_ONCE:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.01)
        refused = await asyncio.gather(*(hub.ask(*MEMBERS) for _ in range(2 * AT_ONCE)))
    assert {status for status, _ in refused} == {429}
    for each in held:
        each.cancel()  # the askers go away
    async with asyncio.timeout(4):
        while {status for status, _ in await asyncio.gather(*(hub.ask(*MEMBERS) for _ in range(AT_ONCE)))} != {200}:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def _dead_member_costs_a_few_questions(hub: Served) -> None:
    outcomes = [(await hub.ask("dead"))[1][0]["outcome"] for _ in range(4 * FAILURES_TO_OPEN)]
    tried = outcomes.count("unreachable")
    assert outcomes == ["unreachable"] * tried + ["not-tried"] * (len(outcomes) - tried)
    assert FAILURES_TO_OPEN <= tried <= FAILURES_TO_OPEN + WORKERS - 1, "those under way while one told the other"


async def _process_that_dies_takes_its_links_and_nothing_is_asked_twice(
    hub: Served, nodes: dict[str, DialledNode], stack: AsyncExitStack
) -> None:
    before = hub.workers()
    loads = [asyncio.create_task(_load(hub, seconds=1.0)) for _ in range(4)]
    await asyncio.sleep(0.3)
    os.kill(min(before), signal.SIGKILL)
    outcomes = sum(await asyncio.gather(*loads), Counter[str]())
    assert outcomes["answered"] > len(MEMBERS)
    assert outcomes.keys() <= {"answered", "unreachable", "broken off"}
    await asyncio.to_thread(until, lambda: hub.starts() == WORKERS + 2)
    assert hub.workers() & before == before - {min(before)}
    assert len(hub.workers()) == WORKERS
    (ended,) = hub.events("hub.worker_ended")
    assert ended["status"] == -signal.SIGKILL
    links = list(nodes.items())
    for member, node in nodes.items():
        if node.ended.is_set():
            links.append((member, await stack.enter_async_context(dialled(hub, member))))
    await asyncio.sleep(0.5)  # for the processes to find each other
    for _ in range(4):
        _, lines = await hub.ask(*MEMBERS)
        assert {line["member"]: line["outcome"] for line in lines[:-1]} == dict.fromkeys(MEMBERS, "answered")
    received = Counter(
        (member, orjson.loads(question.envelope)["id"]) for member, node in links for question in node.questions
    )
    assert set(received.values()) == {1}


async def _all_stop_at_once_when_nothing_is_under_way(hub: Served) -> None:
    began = time.monotonic()
    hub.process.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(hub.process.wait, 10) == 0
    assert time.monotonic() - began < 5, (
        "a machine may be busy; but each process waits up to ten seconds for the others"
    )
    assert not list((hub.federation.folder / "data" / FOLDER).iterdir())


async def _load(hub: Served, *, seconds: float) -> Counter[str]:
    """Ask all for so long, one question after the other."""
    outcomes: Counter[str] = Counter()
    until_s = asyncio.get_running_loop().time() + seconds
    while asyncio.get_running_loop().time() < until_s:
        try:
            status, lines = await hub.ask(*MEMBERS)
        except aiohttp.ClientError:
            outcomes["broken off"] += 1
            continue
        assert status == 200
        outcomes.update(line["outcome"] for line in lines[:-1])
    return outcomes
