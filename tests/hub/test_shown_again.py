"""Who was handed a member's request, as another hub of the federation is, shows it here again and again."""

import asyncio

import pytest

from gateway.wire.limits import MAX_ENVELOPE_BYTES
from gateway.wire.paths import CHECKPOINTS_PATH, QUERIES_PATH
from tests.hub.kit import ASKER, Federated, envelope, running_hub, stub_node

RATE = 60  # a minute, of which ten are there at once
TIMES = 25


@pytest.mark.parametrize("path", [QUERIES_PATH, f"{CHECKPOINTS_PATH}/{ASKER}"])
async def test_a_request_shown_again_spends_nothing_of_its_members_rate(federation: Federated, path: str) -> None:
    async with stub_node() as node:
        federation.add("housing", endpoint=node.endpoint)
        federation.publish()
        method, body = ("POST", envelope("housing").to_json()) if path == QUERIES_PATH else ("GET", b"")
        headers = {"Authorization": federation.authorise(body, method=method, path=path)}
        async with running_hub(federation, rate_per_minute=RATE) as hub:
            statuses = []
            for _ in range(TIMES):
                async with hub.client.request(method, hub.url(path), data=body or None, headers=headers) as response:
                    statuses.append(response.status)
            assert statuses == [200] + (TIMES - 1) * [409]
            assert [(await hub.ask("housing")).status for _ in range(3)] == [200] * 3


async def test_a_request_shown_again_does_not_have_its_body_read(federation: Federated) -> None:
    federation.publish()
    body = envelope("housing").to_json()
    token = federation.authorise(body)
    async with running_hub(federation) as hub:
        for status in (200, 409):
            assert (await hub.ask(body=body, authorisation=token)).status == status
        reader, writer = await asyncio.open_connection("127.0.0.1", hub.listener.port)
        head = f"POST {QUERIES_PATH} HTTP/1.1\r\nHost: hub\r\nContent-Length: {MAX_ENVELOPE_BYTES}\r\n"
        writer.write(f"{head}Authorization: {token}\r\n\r\n".encode())
        async with asyncio.timeout(2):
            assert b" 409 " in await reader.readline()
        writer.close()
