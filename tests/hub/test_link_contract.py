"""What every link guarantees (gateway/links/contract.py), over real sockets: HTTPS, WebSocket, another process's."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace

import pytest
from aiohttp import web

from gateway.http import operation_outcome
from gateway.links.contract import Delivery, Link
from gateway.links.https import HttpsLink
from gateway.telemetry.trace_context import HEADER
from gateway.wire import base64url
from gateway.wire.coverage import DeliveryOutcome
from gateway.wire.federation import HUB, Member
from gateway.wire.limits import MAX_MEMBER_ENVELOPE_BYTES, SEALED_ANSWER_BYTES
from gateway.wire.link_frames import QuestionFrame, RefusedFrame
from gateway.wire.paths import ANSWERS_PATH
from gateway.wire.request import HashedBody, verify_header
from tests.hub.dialled import DialledNode, dialled
from tests.hub.kit import Federated, process, running_hub, stub_node

ENVELOPE = HashedBody.of(b'{"opaque":"to the link"}')
FAILED = Delivery(outcome=DeliveryOutcome.UNREACHABLE, fault=True)
REFUSED = Delivery(outcome=DeliveryOutcome.UNREACHABLE)
OVERLOADED = Delivery(outcome=DeliveryOutcome.OVERLOADED)

HANG_UP = "hangs up"

# What the member's node does with a question: bytes to answer, a code to refuse with, or HANG_UP.
Behaving = Callable[[bytes], Awaitable[bytes | str]]


@dataclass
class Party:
    """A member, and the link to it."""

    link: Link
    member: Member
    bodies: list[bytes]
    authorisations: list[str]
    asked: asyncio.Event
    traces: list[str]


Over = Callable[[Federated, Behaving], AbstractAsyncContextManager[Party]]


@asynccontextmanager
async def over_https(federation: Federated, behaving: Behaving) -> AsyncIterator[Party]:
    traces: list[str] = []

    async def reply(request: web.Request) -> web.StreamResponse:
        traces.append(request.headers.get(HEADER, ""))
        said = await behaving(await request.read())
        if said == HANG_UP:
            assert request.transport is not None
            request.transport.abort()
            raise ConnectionResetError
        if isinstance(said, str):
            return operation_outcome(503 if said == "overloaded" else 400, said)
        return web.Response(body=said)

    link = HttpsLink(key=lambda: federation.hub_key, clock=federation.clock)
    async with stub_node(reply) as node:
        member = federation.add("housing", endpoint=node.endpoint)
        yield Party(link, member, node.bodies, node.authorisations, node.asked, traces)
        await link.close()


@asynccontextmanager
async def over_websocket(federation: Federated, behaving: Behaving) -> AsyncIterator[Party]:
    member = federation.add("housing", endpoint=None)
    federation.publish()
    bodies: list[bytes] = []
    authorisations: list[str] = []
    traces: list[str] = []
    running: set[asyncio.Task[None]] = set()

    async def say(node: DialledNode, question: QuestionFrame) -> None:
        said = await behaving(question.envelope)
        if said == HANG_UP:
            await node.socket.close()
        elif isinstance(said, str):
            await node.socket.send_str(RefusedFrame(id=question.id, code=said).to_json())
        else:  # of any size
            await node.socket.send_json({"answer": question.id, "sealed": base64url.encode_text(said)})

    async def take(node: DialledNode, question: QuestionFrame) -> None:
        bodies.append(question.envelope)
        authorisations.append(question.authorisation)
        traces.append(question.traceparent)
        running.add(asyncio.create_task(say(node, question)))

    async with running_hub(federation, sharing=process(0)) as hub, dialled(hub, member.id, take) as node:
        yield Party(hub.links, member, bodies, authorisations, node.asked, traces)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


@asynccontextmanager
async def over_another_process(federation: Federated, behaving: Behaving) -> AsyncIterator[Party]:
    """The node has dialled one process of the hub, and the other relays the question."""
    async with over_websocket(federation, behaving) as party, running_hub(federation, sharing=process(1)) as other:
        assert other.shared is not None
        yield replace(party, link=other.shared.siblings)


@pytest.fixture(params=[over_https, over_websocket, over_another_process])
def over(request: pytest.FixtureRequest) -> Over:
    """Each link in turn."""
    way: Over = request.param
    return way


def saying(said: bytes | str) -> Behaving:
    """Always the same."""

    async def say(_: bytes) -> bytes | str:
        return said

    return say


async def never(_: bytes) -> bytes | str:
    """A node that takes a question and says nothing."""
    await asyncio.Event().wait()
    raise AssertionError


async def test_sealed_answer_comes_back_as_it_was_sent(federation: Federated, over: Over) -> None:
    sealed = os.urandom(SEALED_ANSWER_BYTES)
    async with over(federation, saying(sealed)) as party:
        delivery = await party.link.deliver(party.member, ENVELOPE)
    assert delivery == Delivery(outcome=DeliveryOutcome.ANSWERED, answer=sealed)
    assert party.bodies == [ENVELOPE.data]


async def test_the_largest_envelope_arrives_byte_for_byte(federation: Federated, over: Over) -> None:
    largest = HashedBody.of(b'"' + b"x" * (MAX_MEMBER_ENVELOPE_BYTES - 2) + b'"')
    async with over(federation, saying(bytes(SEALED_ANSWER_BYTES))) as party:
        assert (await party.link.deliver(party.member, largest)).outcome is DeliveryOutcome.ANSWERED
    assert party.bodies == [largest.data]


async def test_request_token_names_the_hub_the_member_and_this_body(federation: Federated, over: Over) -> None:
    async with over(federation, saying(bytes(SEALED_ANSWER_BYTES))) as party:
        await party.link.deliver(party.member, ENVELOPE)
    header = verify_header(
        party.authorisations[0],
        lambda _: {federation.hub_key.kid: federation.hub_key.verify_key()},
        method="POST",
        path=ANSWERS_PATH,
        aud="housing",
        now=federation.clock.now(),
    )
    assert header.with_body(ENVELOPE.data).issuer == HUB


async def test_each_of_many_questions_at_once_gets_its_own_answer(federation: Federated, over: Over) -> None:
    async def echo(body: bytes) -> bytes:
        await asyncio.sleep(0.002 * (40 - int(body)))  # the last comes back first
        return body.rjust(SEALED_ANSWER_BYTES, b".")

    async with over(federation, echo) as party:
        asked = [HashedBody.of(b"%d" % number) for number in range(40)]
        ended = await asyncio.gather(*(party.link.deliver(party.member, each) for each in asked))
    assert [(each.answer or b"").lstrip(b".") for each in ended] == [each.data for each in asked]


async def test_busy_member_is_overloaded_and_no_fault(federation: Federated, over: Over) -> None:
    async with over(federation, saying("overloaded")) as party:
        assert await party.link.deliver(party.member, ENVELOPE) == OVERLOADED


async def test_refusal_is_unreachable_but_no_fault_that_an_asker_could_provoke(
    federation: Federated, over: Over
) -> None:
    async with over(federation, saying("malformed")) as party:
        assert await party.link.deliver(party.member, ENVELOPE) == REFUSED


@pytest.mark.parametrize("size", [0, 1, SEALED_ANSWER_BYTES - 1, SEALED_ANSWER_BYTES + 1, 10 * SEALED_ANSWER_BYTES])
async def test_answer_of_another_size_is_unreachable(federation: Federated, over: Over, size: int) -> None:
    async with over(federation, saying(b"x" * size)) as party:
        assert await party.link.deliver(party.member, ENVELOPE) == FAILED


async def test_member_that_hangs_up_is_unreachable_and_is_not_asked_again(federation: Federated, over: Over) -> None:
    async with over(federation, saying(HANG_UP)) as party:
        assert await party.link.deliver(party.member, ENVELOPE) == FAILED
        await asyncio.sleep(0.05)
    assert party.bodies == [ENVELOPE.data]


async def test_trace_goes_along(federation: Federated, over: Over) -> None:
    traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    async with over(federation, saying(bytes(SEALED_ANSWER_BYTES))) as party:
        await party.link.deliver(party.member, replace(ENVELOPE, traceparent=traceparent))
    assert party.traces == [traceparent]


async def test_cancelled_delivery_ends_at_once(federation: Federated, over: Over) -> None:
    async with over(federation, never) as party:
        delivery = asyncio.create_task(party.link.deliver(party.member, ENVELOPE))
        await party.asked.wait()
        delivery.cancel()
        async with asyncio.timeout(1):
            with pytest.raises(asyncio.CancelledError):
                await delivery
