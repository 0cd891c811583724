"""What anybody who can connect may try on a node's door: each is refused with a code, and nothing else is said."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from gateway.wire.keys import SigningKey
from gateway.wire.limits import MAX_MEMBER_ENVELOPE_BYTES, REQUEST_LIFETIME_S, SEALED_ANSWER_BYTES, SKEW_S
from tests.federation import TestFederation, federation, someone
from tests.lying_hub import LyingHub, Reply, post_answer

ASKER, AGENCY, OTHER = "childrens-services", "housing", "police"


@pytest.fixture
async def north(tmp_path: Path) -> AsyncIterator[TestFederation]:
    """A question about somebody whom the agency knows, kept by the hub."""
    async with federation(tmp_path, [ASKER, AGENCY, OTHER], lying=True) as running:
        await running.add(AGENCY, *someone("Katherine", "Bramley", "1991-05-17"))
        assert running.liar is not None
        running.liar.keeps_questions = True
        await running.ask(ASKER, "Katherine Bramley", born="1991-05-17")
        yield running


@pytest.fixture
def liar(north: TestFederation) -> LyingHub:
    """The hub's key and the question."""
    assert north.liar is not None
    return north.liar


def check_refusal(reply: Reply, status: int, code: str) -> None:
    """Status and code, and no word more: no detail, no trace, no software, nothing to cache."""
    assert (reply.status, reply.code) == (status, code)
    assert len(reply.body) < 160
    assert b"Traceback" not in reply.body
    assert "Server" not in reply.headers
    assert reply.headers["Cache-Control"] == "no-store"
    assert reply.headers["X-Content-Type-Options"] == "nosniff"


async def test_only_a_token_of_the_hub_for_this_very_delivery_opens_the_door(
    north: TestFederation, liar: LyingHub
) -> None:
    envelope = liar.stolen(AGENCY)
    body, port = envelope.to_json(), north.ports[AGENCY]
    member_key = north.nodes[OTHER].parts.me.signing_key
    check_refusal(await post_answer(port, body, authorisation=None), 400, "malformed")
    check_refusal(await post_answer(port, body, authorisation="Bearer abc"), 400, "malformed")
    check_refusal(await post_answer(port, body, authorisation="Patchwork a.b.c"), 400, "malformed")
    wrong: list[tuple[dict[str, Any], int, str]] = [
        ({"key": SigningKey.generate()}, 401, "not-authentic"),
        ({"key": member_key}, 401, "not-authentic"),
        ({"key": member_key, "iss": OTHER}, 401, "not-authentic"),
        ({"iss": ASKER}, 401, "not-authentic"),
        ({"aud": OTHER}, 403, "not-for-us"),
        ({"path": "/v1/queries"}, 403, "not-for-us"),
        ({"method": "PUT"}, 403, "not-for-us"),
        ({"signed_body": body + b" "}, 403, "not-for-us"),
        ({"now": north.clock.now() - REQUEST_LIFETIME_S - SKEW_S - 1}, 401, "out-of-time"),
        ({"now": north.clock.now() + SKEW_S + 1}, 401, "out-of-time"),
    ]
    for wrongly, status, code in wrong:
        check_refusal(await liar.deliver(AGENCY, envelope, **wrongly), status, code)
    assert await north.ledger(AGENCY) == []
    opened = await liar.deliver(AGENCY, envelope)
    assert (opened.status, len(opened.body)) == (200, SEALED_ANSWER_BYTES)


async def test_a_body_that_is_no_envelope_is_malformed(north: TestFederation, liar: LyingHub) -> None:
    good = liar.stolen(AGENCY).to_json()
    for body in (
        b"",
        b"{}",
        b"[]",
        b"null",
        b"not json",
        b'{"a":' * 5000,
        good[:-1],
        good.replace(b'"v":1', b'"v":2'),
        good.replace(b'"v":1', b'"v":1,"v":1'),
        good.replace(b'"v":1', b'"v":1,"more":1'),
        b"\xff\xfe" + good,
        good.replace(b'"from":"childrens-services"', b'"from":"../../etc/passwd"'),
    ):
        check_refusal(await liar.deliver(AGENCY, body), 400, "malformed")
    assert await north.ledger(AGENCY) == []


async def test_a_tampered_envelope_opens_nothing(north: TestFederation, liar: LyingHub) -> None:
    envelope = liar.stolen(AGENCY)
    flipped = bytes([envelope.body[0] ^ 1]) + envelope.body[1:]
    sealed = envelope.copy.sealed
    broken_copy = replace(envelope.copy, sealed=sealed[:-1] + bytes([sealed[-1] ^ 1]))
    for tampered, status, code in (
        (replace(envelope, body=flipped, encoded=None), 401, "not-authentic"),
        (replace(envelope, body=envelope.body[:-1], encoded=None), 401, "not-authentic"),
        (replace(envelope, copy=broken_copy), 401, "not-authentic"),
        (replace(envelope, copy=replace(envelope.copy, kid="../signing")), 403, "not-for-us"),
        (replace(envelope, id="00000000-0000-4000-8000-000000000000"), 401, "not-authentic"),
    ):
        check_refusal(await liar.deliver(AGENCY, tampered), status, code)
    assert await north.ledger(AGENCY) == []


async def test_an_oversized_body_is_refused_before_it_is_read(north: TestFederation, liar: LyingHub) -> None:
    too_long = b"x" * (MAX_MEMBER_ENVELOPE_BYTES + 1)
    check_refusal(await liar.deliver(AGENCY, too_long), 413, "http-413")
    # Announced only: the refusal does not wait for 10 GB.
    reader, writer = await asyncio.open_connection("127.0.0.1", north.ports[AGENCY])
    writer.write(b"POST /v1/answers HTTP/1.1\r\nHost: a\r\nContent-Length: 10000000000\r\n\r\n")
    status = await asyncio.wait_for(reader.readline(), 5)
    assert status.split()[1] == b"413"
    writer.close()
    await writer.wait_closed()


async def test_other_doors_are_not_there(north: TestFederation) -> None:
    async with aiohttp.ClientSession(f"http://127.0.0.1:{north.ports[AGENCY]}") as session:
        for method, path, status in (
            ("GET", "/v1/answers", 405),
            ("GET", "/", 404),
            ("GET", "/v1/../../node.toml", 404),
            ("PUT", "/v1/sealing-keys", 404),
        ):
            async with session.request(method, path) as response:
                assert response.status == status
                assert b"node" not in await response.read()


async def test_strangers_who_connect_do_not_make_a_node_look_busy(tmp_path: Path) -> None:
    async with federation(tmp_path, [ASKER, AGENCY], options="max_in_flight = 2") as north:
        slow = [await asyncio.open_connection("127.0.0.1", north.ports[AGENCY]) for _ in range(5)]
        for _, writer in slow:
            writer.write(b"POST /v1/answers HTTP/1.1\r\nHost: a\r\nContent-Length: 10000\r\n\r\n{")
            await writer.drain()
        completed = await north.ask(ASKER, "Katherine Bramley", born="1991-05-17")
        assert [each.outcome.value for each in completed.results] == ["nothing-to-disclose"]
        for _, writer in slow:
            writer.close()
            await writer.wait_closed()


async def test_a_captured_request_takes_no_place_a_second_time(north: TestFederation, liar: LyingHub) -> None:
    body, port = liar.stolen(AGENCY).to_json(), north.ports[AGENCY]
    token = liar.authorise(AGENCY, body)
    began = asyncio.get_running_loop().time()
    assert (await post_answer(port, body, authorisation=token)).status == 200
    first_s = asyncio.get_running_loop().time() - began
    for _ in range(3):
        began = asyncio.get_running_loop().time()
        check_refusal(await post_answer(port, body, authorisation=token), 409, "replayed")
        assert asyncio.get_running_loop().time() - began < first_s + 0.05, "a replay is not worked on"
