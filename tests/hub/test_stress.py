"""What a hub keeps to when members and askers do their worst: its deadline, its memory, and everybody else's turn."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import aiohttp
import orjson
import pytest
from aiohttp import web

from gateway.http import listen
from gateway.links.https import HttpsLink
from gateway.wire.limits import SEALED_ANSWER_BYTES
from gateway.wire.paths import QUERIES_PATH
from gateway.wire.request import HashedBody
from tests.hub.hub_process import RealClock, hub_process
from tests.hub.kit import (
    ASKER,
    Federated,
    RunningHub,
    a_byte_a_while,
    envelope,
    federated,
    gigabyte,
    hang,
    raw_node,
    running_hub,
    slowly,
    stub_node,
)

LATE_S = 0.05  # after the deadline
GROWTH_MB = 32  # of a hub's memory while members do their worst; each of them sends many times more

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Took:
    """Seconds of a question, and those of them in which others had the processor: a busy machine makes nobody late."""

    s: float
    waited_s: float

    def late_s(self, deadline_s: float) -> float:
        """After its deadline."""
        return self.s - deadline_s - self.waited_s


@contextmanager
def _taking(*processes: int) -> Iterator[Took]:
    """Measure what the block takes of this thread's time, and of other processes'."""
    took = Took(0, 0)
    tasks = ["thread-self", *map(str, processes)]
    waited_s, began = sum(map(_waited_s, tasks)), time.monotonic()
    yield took
    took.s, took.waited_s = time.monotonic() - began, sum(map(_waited_s, tasks)) - waited_s


def _waited_s(task: str) -> float:
    """How long it has been ready to run while others ran (proc(5)); nothing where the kernel does not count that."""
    file = Path(f"/proc/{task}/schedstat")
    return int(file.read_text().split()[1]) / 1e9 if file.exists() else 0.0


async def _took(hub: RunningHub, recipients: tuple[str, ...], deadline_ms: int) -> Took:
    body = envelope(*recipients, deadline_ms=deadline_ms).to_json()
    with _taking() as took:
        answers = await hub.ask(body=body)
    assert "coverage" in answers.lines[-1]
    return took


async def test_the_last_word_of_members_that_hang_comes_at_the_deadline(federation: Federated) -> None:
    async with AsyncExitStack() as stack:
        node = await stack.enter_async_context(stub_node(hang))
        members = tuple(f"silent-{number}" for number in range(20))
        for member in members:
            federation.add(member, endpoint=node.endpoint)
        federation.publish()
        hub = await stack.enter_async_context(running_hub(federation))
        took = [await _took(hub, members, 300) for _ in range(5)]
    assert min(each.s for each in took) >= 0.3
    assert median(each.late_s(0.3) for each in took) <= LATE_S, took


async def test_a_member_that_floods_the_hub_delays_itself_alone(federation: Federated) -> None:
    async with stub_node(slowly) as node:
        federation.add("flooding", endpoint=None)
        federation.add("housing", endpoint=node.endpoint)
        federation.publish()
        async with running_hub(federation, max_running=2) as hub:
            flood = [asyncio.create_task(hub.ask("housing", member="flooding")) for _ in range(40)]
            await node.asked.wait()
            other = await hub.ask("housing", member=ASKER)
            assert other.outcomes == {"housing": "answered"}
            assert sum(not task.done() for task in flood) >= 30, "whoever asks once waits for one turn, not for forty"
            ended = await asyncio.gather(*flood)
    assert all(answers.outcomes == {"housing": "answered"} for answers in ended)


async def test_recipients_that_nobody_is_and_the_asker_itself_take_no_room_from_others(
    federation: Federated, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.app.hub.MAX_RELAYED_BYTES", 8 * 2**20)
    nobody = [f"nobody-{number}" for number in range(300)]
    async with stub_node(hang) as silent, stub_node() as node:
        federation.add("flooding", endpoint=node.endpoint)
        federation.add("housing", endpoint=node.endpoint)
        federation.add("silent", endpoint=silent.endpoint)
        federation.publish()
        async with running_hub(federation) as hub:
            body = envelope("flooding", "silent", *nobody, deadline_ms=1_500).to_json()
            flood = asyncio.create_task(hub.ask(member="flooding", body=body))
            await asyncio.wait_for(silent.asked.wait(), 5)
            other = await hub.ask(body=envelope("housing", deadline_ms=500).to_json())
            assert other.outcomes == {"housing": "answered"}
            assert not flood.done()
            assert (await flood).outcomes == {"flooding": "not-tried", "silent": "timeout"} | dict.fromkeys(
                nobody, "not-tried"
            )
    assert [each["from"] for each in node.envelopes] == [ASKER]


async def test_a_question_that_finds_no_room_in_time_can_be_asked_again_as_it_is(federation: Federated) -> None:
    async with stub_node(hang) as silent, stub_node() as node:
        federation.add("silent", endpoint=silent.endpoint)
        federation.add("housing", endpoint=node.endpoint)
        federation.publish()
        async with running_hub(federation, max_running=1) as hub:
            first = asyncio.create_task(hub.ask(body=envelope("silent", deadline_ms=500).to_json()))
            await silent.asked.wait()
            body = envelope("housing", deadline_ms=200).to_json()
            token = hub.authorise(body)
            refused = await hub.ask(body=body, authorisation=token)
            assert (refused.status, refused.code, refused.headers["Retry-After"]) == (503, "overloaded", "1")
            assert node.bodies == []
            await first
            assert (await hub.ask(body=body, authorisation=token)).outcomes == {"housing": "answered"}


async def test_what_a_question_waited_is_taken_from_what_its_members_are_given(federation: Federated) -> None:
    async with stub_node(hang) as silent:
        federation.add("silent", endpoint=silent.endpoint)
        federation.publish()
        async with running_hub(federation, max_running=1) as hub:
            began = time.monotonic()
            first = asyncio.create_task(_took(hub, ("silent",), 300))
            await silent.asked.wait()
            gap_s = time.monotonic() - began
            took = await _took(hub, ("silent",), 1_000)
            waited_s = (await first).s - gap_s
    assert 1.0 - waited_s - LATE_S <= silent.envelopes[1]["deadline_ms"] / 1000 <= 0.7 + gap_s + LATE_S
    assert took.late_s(1.0) <= 2 * LATE_S


async def test_an_asker_that_does_not_read_is_cut_off_and_what_it_held_is_free(
    federation: Federated, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.hub.fanout.LAST_WRITES_S", 0.1)
    async with AsyncExitStack() as stack:
        node = await stack.enter_async_context(stub_node())
        members = [f"member-{number}" for number in range(60)]
        for member in members:
            federation.add(member, endpoint=node.endpoint)
        federation.publish()
        hub = await stack.enter_async_context(running_hub(federation))
        server = hub.listener.runner.server
        assert server is not None
        with socket.socket() as asker:
            asker.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            asker.connect(("127.0.0.1", hub.listener.port))
            await asyncio.sleep(0.05)
            (connection,) = server.connections
            assert connection.transport is not None
            accepted = connection.transport.get_extra_info("socket")
            accepted.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
            body = envelope(*members, deadline_ms=400).to_json()
            head = f"POST {QUERIES_PATH} HTTP/1.1\r\nHost: hub\r\nContent-Length: {len(body)}\r\n"
            asker.setblocking(False)
            await asyncio.get_running_loop().sock_sendall(
                asker, f"{head}Authorization: {hub.authorise(body)}\r\n\r\n".encode() + body
            )
            await asyncio.wait_for(node.asked.wait(), 3)
            assert hub.hub.turns.running == 1
            assert await hub.hub.turns.ended(3)
            async with asyncio.timeout(3):
                while server.connections:  # noqa: ASYNC110 - nothing tells
                    await asyncio.sleep(0.02)


async def test_whoever_asks_for_much_and_reads_nothing_is_cut_off_and_who_is_idle_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("gateway.links.unread.UNREAD_S", 0.3)

    async def large(_: web.Request) -> web.StreamResponse:
        return web.Response(body=bytes(16 * 2**20))

    application = web.Application()
    application.router.add_get("/large", large)
    listener = await listen(application, host="127.0.0.1", port=0)
    try:
        _, idle = await asyncio.open_connection("127.0.0.1", listener.port)
        with socket.create_connection(("127.0.0.1", listener.port)) as unread:
            unread.sendall(b"GET /large HTTP/1.1\r\nHost: hub\r\n\r\n")
            server = listener.runner.server
            assert server is not None
            await asyncio.sleep(0.1)
            assert len(server.connections) == 2
            async with asyncio.timeout(3):
                while len(server.connections) > 1:  # noqa: ASYNC110 - nothing tells
                    await asyncio.sleep(0.02)
        await asyncio.sleep(0.5)
        assert len(server.connections) == 1
        idle.close()
    finally:
        await listener.close()


async def _endless_head(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\n")
    for number in range(10**9):
        writer.write(b"X-%d: %s\r\n" % (number, b"x" * 4_000))
        await writer.drain()


async def _endless_line(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nX: ")
    while True:
        writer.write(b"x" * 2**16)
        await writer.drain()


async def _always_soon(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    while True:
        writer.write(b"HTTP/1.1 102 Processing\r\n\r\n" * 1_000)
        await writer.drain()


async def _more_than_announced(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % SEALED_ANSWER_BYTES)
    while True:
        writer.write(b"x" * 2**16)
        await writer.drain()


async def _chunks(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"10000\r\n" + b"x" * 2**16 + b"\r\n")
        await writer.drain()


async def _reads_nothing(_: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


SILENT = {"a-byte-a-while": "timeout", "reads-nothing": "timeout"}
HOSTILE: dict[str, Talk] = {
    "endless-head": _endless_head,
    "endless-line": _endless_line,
    "always-soon": _always_soon,
    "gigabyte": gigabyte,
    "more-than-announced": _more_than_announced,
    "chunks": _chunks,
    "a-byte-a-while": a_byte_a_while,
    "reads-nothing": _reads_nothing,
}


@asynccontextmanager
async def _hostile_federation(folder: Path) -> AsyncIterator[Federated]:
    federation = federated(folder)
    federation.clock = RealClock()
    async with AsyncExitStack() as stack:
        node = await stack.enter_async_context(stub_node())
        federation.add("good", endpoint=node.endpoint)
        for member, talk in HOSTILE.items():
            federation.add(member, endpoint=await stack.enter_async_context(raw_node(talk)))
        federation.publish()
        yield federation


def _memory_mb(process_id: int, what: str) -> float:
    status = Path(f"/proc/{process_id}/status").read_text()
    return int(status.split(what)[1].split()[0]) / 1024


async def test_nothing_that_members_send_fills_the_hubs_memory_or_makes_its_answers_late(tmp_path: Path) -> None:
    outcomes: dict[str, str] = {}
    late: list[float] = []
    async with _hostile_federation(tmp_path) as federation, aiohttp.ClientSession() as client:
        with hub_process(federation) as (process_id, port):
            before = _memory_mb(process_id, "VmRSS:")
            for deadline_s in (0.3, 0.3, 0.3, 1.5):  # the last leaves also a busy machine time for all of them
                body = envelope("good", *HOSTILE, deadline_ms=round(deadline_s * 1000)).to_json()
                headers = {"Authorization": federation.authorise(body)}
                with _taking(process_id) as each:
                    async with client.post(
                        f"http://127.0.0.1:{port}{QUERIES_PATH}", data=body, headers=headers
                    ) as response:
                        lines = [orjson.loads(line) for line in (await response.read()).splitlines()]
                late.append(each.late_s(deadline_s))
                outcomes = {line["member"]: line["outcome"] for line in lines if "member" in line}
                assert "coverage" in lines[-1]
            most = _memory_mb(process_id, "VmHWM:")
    assert outcomes.pop("good") == "answered"
    assert outcomes == {member: SILENT.get(member, "unreachable") for member in HOSTILE}
    assert most - before < GROWTH_MB
    assert median(late) <= LATE_S, late


@pytest.mark.filterwarnings("ignore:Sending a large body")  # more than any, so that no system's own buffer takes it all
async def test_a_question_that_a_member_does_not_read_is_not_kept_for_it(
    federation: Federated, link: HttpsLink
) -> None:
    body = HashedBody.of(bytes(8 * 2**20))
    ended = asyncio.Event()
    got = 0

    async def read_late(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        nonlocal got
        await ended.wait()
        while data := await reader.read(2**20):
            got += len(data)

    async with raw_node(read_late) as endpoint:
        member = federation.add("housing", endpoint=endpoint)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(link.deliver(member, body), 0.2)
        ended.set()
        await asyncio.sleep(0.2)
    assert got < len(body.data)
