"""The HTTPS link against failing and hostile members; what both links have in common is in test_link_contract.py."""

import asyncio
import resource
from pathlib import Path

import pytest
from aiohttp import web

from gateway.errors import ConfigurationError
from gateway.links.contract import Delivery
from gateway.links.https import HttpsLink, answers_url
from gateway.wire.coverage import DeliveryOutcome
from gateway.wire.limits import SEALED_ANSWER_BYTES
from gateway.wire.paths import ANSWERS_PATH
from gateway.wire.request import HashedBody
from tests.hub.kit import Federated, answer, hang, raw_node, stub_node

ENVELOPE = HashedBody.of(b'{"opaque":"to the link"}')
FAILED = Delivery(outcome=DeliveryOutcome.UNREACHABLE, fault=True)
REFUSED = Delivery(outcome=DeliveryOutcome.UNREACHABLE)


async def test_connection_is_used_again(federation: Federated, link: HttpsLink) -> None:
    ports = set()

    async def reply(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        ports.add(request.transport.get_extra_info("peername")[1])
        return await answer(request)

    async with stub_node(reply) as node:
        member = federation.add("housing", endpoint=node.endpoint)
        for _ in range(3):
            assert (await link.deliver(member, ENVELOPE)).outcome is DeliveryOutcome.ANSWERED
    assert len(ports) == 1


async def _other_503(_: web.Request) -> web.StreamResponse:
    return web.Response(status=503, text="<h1>Bad gateway of some proxy</h1>")


async def _deep_503(_: web.Request) -> web.StreamResponse:
    return web.Response(status=503, text="[" * 4_000)


@pytest.mark.parametrize("answering", [_other_503, _deep_503])
async def test_refusal_is_unreachable_but_no_fault_that_an_asker_could_provoke(
    federation: Federated, link: HttpsLink, answering: object
) -> None:
    async with stub_node(answering) as node:  # type: ignore[arg-type]  # parametrised
        delivery = await link.deliver(federation.add("housing", endpoint=node.endpoint), ENVELOPE)
    assert delivery == REFUSED


async def test_redirect_is_not_followed(federation: Federated, link: HttpsLink) -> None:
    async with stub_node() as elsewhere:

        async def redirect(_: web.Request) -> web.StreamResponse:
            raise web.HTTPTemporaryRedirect(elsewhere.endpoint + ANSWERS_PATH)

        async with stub_node(redirect) as node:
            delivery = await link.deliver(federation.add("housing", endpoint=node.endpoint), ENVELOPE)
    assert delivery == REFUSED
    assert elsewhere.envelopes == []


async def test_gigabyte_is_not_read(federation: Federated, link: HttpsLink) -> None:
    sent = 0

    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % 2**30)
        for _ in range(2**14):
            writer.write(b"x" * 2**16)
            sent += 2**16
            await writer.drain()

    async with raw_node(flood) as endpoint:
        assert await link.deliver(federation.add("housing", endpoint=endpoint), ENVELOPE) == FAILED
    assert sent < 2**25  # what the two sockets' buffers took


async def test_chunked_body_behind_the_right_length_is_not_read(federation: Federated, link: HttpsLink) -> None:
    async def smuggle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nTransfer-Encoding: chunked\r\n\r\n" % SEALED_ANSWER_BYTES
        writer.write(head + b"ffffff\r\n" + b"x" * 2**20)
        await writer.drain()

    async with raw_node(smuggle) as endpoint:
        assert await link.deliver(federation.add("housing", endpoint=endpoint), ENVELOPE) == FAILED


async def test_truncated_answer_is_unreachable(federation: Federated, link: HttpsLink) -> None:
    async def truncate(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\nhalf of it" % SEALED_ANSWER_BYTES)

    async with raw_node(truncate) as endpoint:
        assert await link.deliver(federation.add("housing", endpoint=endpoint), ENVELOPE) == FAILED


async def test_peer_that_does_not_speak_http_is_unreachable(federation: Federated, link: HttpsLink) -> None:
    async def babble(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example.org ESMTP\r\n")

    async with raw_node(babble) as endpoint:
        assert await link.deliver(federation.add("housing", endpoint=endpoint), ENVELOPE) == FAILED


async def test_nobody_listening_is_unreachable(federation: Federated, link: HttpsLink) -> None:
    async with stub_node() as node:
        endpoint = node.endpoint
    assert await link.deliver(federation.add("housing", endpoint=endpoint), ENVELOPE) == FAILED


async def test_hub_that_may_open_no_more_connections_holds_it_against_no_member(
    federation: Federated, link: HttpsLink
) -> None:
    """Else whoever uses up the hub's connections has all members skipped for a while."""
    async with stub_node() as node:
        member = federation.add("housing", endpoint=node.endpoint)
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
        try:
            delivery = await link.deliver(member, ENVELOPE)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        assert (delivery.outcome, delivery.fault) == (DeliveryOutcome.UNREACHABLE, False)
        assert node.envelopes == []
        assert (await link.deliver(member, ENVELOPE)).outcome is DeliveryOutcome.ANSWERED


async def test_question_is_never_sent_twice(federation: Federated, link: HttpsLink) -> None:
    """Even where a kept connection dies under it, when other clients would try again."""
    requests = 0

    async def die_on_second(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal requests
        while await reader.readuntil(ENVELOPE.data):
            requests += 1
            if requests == 2:
                return
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % SEALED_ANSWER_BYTES)
            writer.write(b"x" * SEALED_ANSWER_BYTES)

    async with raw_node(die_on_second) as endpoint:
        member = federation.add("housing", endpoint=endpoint)
        assert (await link.deliver(member, ENVELOPE)).outcome is DeliveryOutcome.ANSWERED
        assert await link.deliver(member, ENVELOPE) == FAILED
        await asyncio.sleep(0.05)
    assert requests == 2


async def test_cancelled_delivery_hangs_up(federation: Federated, link: HttpsLink) -> None:
    async with stub_node(hang) as node:
        delivery = asyncio.create_task(link.deliver(federation.add("housing", endpoint=node.endpoint), ENVELOPE))
        await node.asked.wait()
        delivery.cancel()
        with pytest.raises(asyncio.CancelledError):
            await delivery
        async with asyncio.timeout(2):
            await node.cancelled.wait()


async def test_member_that_dials_out_has_no_https_endpoint(federation: Federated, link: HttpsLink) -> None:
    assert await link.deliver(federation.add("foodbank", endpoint=None), ENVELOPE) == FAILED


@pytest.mark.parametrize(
    ("endpoint", "plain_http", "allowed"),
    [
        ("https://node.example.org", False, True),
        ("https://node.example.org:8443/patchwork/", False, True),
        ("http://127.0.0.1:8401", False, True),
        ("http://[::1]:8401", False, True),
        ("http://localhost:8401", False, True),
        ("http://node.example.org", False, False),
        ("http://node.example.org", True, True),
        ("http://127.0.0.1.example.org", False, False),
        ("http://localhost.example.org", False, False),
        ("http://127.0.0.1@example.org", False, False),
        ("https://user:secret@example.org", True, False),
        ("https://example.org/?to=", True, False),
        ("ftp://127.0.0.1", True, False),
        ("file:///etc/passwd", True, False),
        ("https://", True, False),
        ("http://[::1", True, False),
    ],
)
def test_plain_http_goes_to_loopback_only_unless_allowed(endpoint: str, plain_http: bool, allowed: bool) -> None:
    assert (answers_url(endpoint, plain_http=plain_http) is not None) is allowed


def test_unusable_authority_file_is_named(federation: Federated, tmp_path: Path) -> None:
    authority = tmp_path / "ca.pem"
    authority.write_text("not a certificate")
    with pytest.raises(ConfigurationError, match=r"ca\.pem"):
        HttpsLink(key=lambda: federation.hub_key, clock=federation.clock, ca_file=authority)
