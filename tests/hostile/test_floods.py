"""Who floods a hub or a node delays itself: everybody else is answered meanwhile."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import aiohttp
import pytest

from gateway.node.results import MemberOutcome
from gateway.wire.keys import SigningKey
from gateway.wire.paths import ANSWERS_PATH, QUERIES_PATH
from gateway.wire.request import sign_request
from tests.federation import NAME, TestFederation, federation, someone
from tests.hostile.hub_process import hub_process
from tests.hostile.raw_link import dial_raw
from tests.hostile.settings import change
from tests.hub.kit import envelope

ASKER, AGENCY, FLOODER = "childrens-services", "housing", "police"
TEAMS = MemberOutcome.TEAMS
ANSWERED_S = 3.0  # a question that takes 0.1 s, on two busy cores that also make the flood
STRANGERS = 200
FLOODED_S = 20.0  # until a member has used up what it may ask in a burst


@pytest.fixture
async def north(tmp_path: Path) -> AsyncIterator[TestFederation]:
    """Three members; AGENCY knows somebody. The hub has the rate and the concurrency that it has by default."""
    async with federation(tmp_path, [ASKER, AGENCY, FLOODER]) as running:
        await running.add(AGENCY, *someone("Katherine", "Bramley", "1991-05-17"))
        change(tmp_path / "hub" / "hub.toml", "rate_per_minute = 100000\n", "")
        await running.restart_hub()
        yield running


async def test_a_member_that_dials_again_and_again_is_told_to_wait_and_delays_nobody(north: TestFederation) -> None:
    key: SigningKey = north.nodes[FLOODER].parts.me.signing_key
    said: Counter[str] = Counter()

    async def dial_on() -> None:
        while True:
            try:
                link = await dial_raw(north, FLOODER, key)
            except ConnectionRefusedError as refused:
                said[str(refused)] += 1
            else:
                said["opened"] += 1
                link.writer.transport.abort()

    flood = asyncio.gather(*(dial_on() for _ in range(10)))
    async with asyncio.timeout(FLOODED_S):
        while len(said) < 2:  # noqa: ASYNC110 - what it waits for is a status of many requests
            await asyncio.sleep(0.01)
    await answered_meanwhile(north, flood)  # type: ignore[arg-type]  # what gather() gives can be cancelled as well
    assert said.keys() == {"opened", "HTTP/1.1 429 Too Many Requests"}


async def answered_meanwhile(north: TestFederation, flood: "asyncio.Task[object]", *, questions: int = 5) -> None:
    """AGENCY answers the asker's questions while the flood goes on."""
    for _ in range(questions):
        began = time.monotonic()
        completed = await north.ask(ASKER, "Katherine Bramley", born="1991-05-17")
        outcomes = {each.member.id: each.outcome for each in completed.results}
        assert outcomes[AGENCY] is TEAMS
        assert time.monotonic() - began < ANSWERED_S
        assert not flood.done(), "the flood has ended too soon to show anything"
    flood.cancel()
    await asyncio.gather(flood, return_exceptions=True)


async def test_a_member_that_floods_the_hub_is_told_to_wait_and_delays_nobody(north: TestFederation) -> None:
    """Well-formed and well signed; what is sealed in them is nothing, which no hub can see."""
    key: SigningKey = north.nodes[FLOODER].parts.me.signing_key
    statuses: Counter[int] = Counter()
    waits: list[int] = []

    async def post_on(session: aiohttp.ClientSession) -> None:
        while True:
            body = envelope(AGENCY).to_json()
            token = sign_request(
                key,
                iss=FLOODER,
                aud=NAME,
                method="POST",
                path=QUERIES_PATH,
                body=body,
                now=north.clock.now(),
                jti=str(uuid4()),
            )
            async with session.post(QUERIES_PATH, data=body, headers={"Authorization": token}) as response:
                await response.read()
            statuses[response.status] += 1
            if response.status == 429:
                waits.append(int(response.headers["Retry-After"]))

    async with aiohttp.ClientSession(f"http://127.0.0.1:{north.ports['hub']}") as session:
        flood = asyncio.gather(*(post_on(session) for _ in range(20)))
        async with asyncio.timeout(FLOODED_S):
            while not waits:  # noqa: ASYNC110 - what it waits for is a status of many requests
                await asyncio.sleep(0.01)
        await answered_meanwhile(north, flood)  # type: ignore[arg-type]  # what gather() gives can be cancelled as well
    assert set(statuses) == {200, 429}
    assert statuses[429] > 20
    assert min(waits) >= 1
    assert await north.ledger(AGENCY) != []
    assert {entry["asker"]["member"] for entry in await north.ledger(AGENCY)} == {ASKER}


@asynccontextmanager
async def crowd(port: int, said: bytes) -> AsyncIterator[None]:
    """So many strangers connect and say this, and then no more."""
    writers = [(await asyncio.open_connection("127.0.0.1", port))[1] for _ in range(STRANGERS)]
    try:
        for writer in writers:
            writer.write(said)
        yield
    finally:
        for writer in writers:
            writer.transport.abort()


@pytest.mark.parametrize("whose", ["hub", AGENCY])
@pytest.mark.parametrize("said", [b"", b"POST /v1/queries HTTP/1.1\r\nX: ", b"\x16\x03\x01\x02\x00\x01"])
async def test_strangers_who_connect_and_say_nothing_keep_nobody_out(
    north: TestFederation, whose: str, said: bytes
) -> None:
    async with crowd(north.ports[whose], said):
        await answered_meanwhile(north, asyncio.create_task(asyncio.sleep(60)), questions=1)


async def test_a_hub_takes_more_connections_than_its_service_manager_lets_it_begin_with(tmp_path: Path) -> None:
    """1,024 open files are the usual soft limit: whoever opens as many connections must not keep everybody out."""
    async with federation(tmp_path, [ASKER, AGENCY], now=time.time()) as north:
        await north.add(AGENCY, *someone("Katherine", "Bramley", "1991-05-17"))
        await north.hub.close()
        async with hub_process(north, files=STRANGERS // 2), crowd(north.ports["hub"], b""):
            north.clock.time = time.time()
            await answered_meanwhile(north, asyncio.create_task(asyncio.sleep(60)), questions=1)


@pytest.mark.parametrize(("whose", "path"), [("hub", QUERIES_PATH), (AGENCY, ANSWERS_PATH)])
async def test_strangers_who_send_a_byte_in_each_chunk_are_not_parsed(
    north: TestFederation, whose: str, path: str
) -> None:
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    refused: Counter[bytes] = Counter()

    async def send_on() -> None:
        while True:
            reader, writer = await asyncio.open_connection("127.0.0.1", north.ports[whose])
            try:
                writer.write(head + b"1\r\nx\r\n" * 50_000)
                refused[await reader.readline()] += 1
            except ConnectionError:
                refused[b""] += 1
            finally:
                writer.transport.abort()

    flood = asyncio.gather(*(send_on() for _ in range(10)))
    await answered_meanwhile(north, flood)  # type: ignore[arg-type]  # what gather() gives can be cancelled as well
    assert refused[b"HTTP/1.1 411 Length Required\r\n"] > 0
    assert refused.keys() <= {b"HTTP/1.1 411 Length Required\r\n", b""}


async def test_strangers_requests_cost_a_refusal_each(north: TestFederation) -> None:
    refused: Counter[int] = Counter()

    async def knock(session: aiohttp.ClientSession, url: str) -> None:
        while True:
            async with session.post(url, data=b"x" * 10_000, headers={"Authorization": "Patchwork a.b.c"}) as response:
                await response.read()
            refused[response.status] += 1

    urls = (
        f"http://127.0.0.1:{north.ports['hub']}{QUERIES_PATH}",
        f"http://127.0.0.1:{north.ports[AGENCY]}{ANSWERS_PATH}",
    )
    async with aiohttp.ClientSession() as session:
        flood = asyncio.gather(*(knock(session, url) for url in urls for _ in range(10)))
        await answered_meanwhile(north, flood)  # type: ignore[arg-type]  # what gather() gives can be cancelled as well
    assert set(refused) <= {400, 401}
    assert refused.total() > 20
