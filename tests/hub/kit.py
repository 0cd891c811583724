"""A real hub on a free loopback port, with members that are stubs: they answer, refuse or misbehave, and open nothing.

Bodies, copies and answers are random bytes here, as they are to a hub: it must not need to open anything.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import orjson
from aiohttp import web

from gateway.app.hub import RunningHub as Running
from gateway.app.hub import open_hub
from gateway.app.hub_shared import Shared, Sharing
from gateway.http import Listener, listen, operation_outcome
from gateway.hub.fanout import Hub
from gateway.hub.keys import HUB_KEY_FILE
from gateway.links.websocket import WebSocketLink
from gateway.settings import HubSettings
from gateway.wire.coverage import DeliveryOutcome, verify_coverage
from gateway.wire.envelope import Envelope, SealedCopy
from gateway.wire.federation import ACTIVE, SUSPENDED, Federation, Member, MemberKey, sign_document
from gateway.wire.keys import LedgerKey, SigningKey
from gateway.wire.limits import (
    QUESTION_BASE_BYTES,
    QUESTION_BYTES_PER_RECIPIENT,
    SEALED_ANSWER_BYTES,
    SEALED_COPY_BYTES,
)
from gateway.wire.paths import ANSWERS_PATH, QUERIES_PATH
from gateway.wire.request import sign_request
from mappings.vocabulary import OrganisationType, Sector

FEDERATION = "test-federation"
ASKER = "asker"
NOW = 1_900_000_000.0
DEADLINE_MS = 5_000
AEAD_TAG_BYTES = 16

Answering = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class SteppingClock:
    """Stands still until a test moves it."""

    time: float = NOW

    def now(self) -> float:
        return self.time


@dataclass
class StubNode:
    """What one member's HTTP door saw."""

    listener: Listener
    envelopes: list[dict[str, Any]] = field(default_factory=list)
    authorisations: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.listener.port}"


async def answer(_: web.Request) -> web.StreamResponse:
    """What an honest node sends: sealed bytes of the one size."""
    return web.Response(body=os.urandom(SEALED_ANSWER_BYTES), content_type="application/octet-stream")


async def slowly(request: web.Request) -> web.StreamResponse:
    """An honest node that takes its time."""
    await asyncio.sleep(0.05)
    return await answer(request)


async def overloaded(_: web.Request) -> web.StreamResponse:
    """A node that is too busy to open anything."""
    return operation_outcome(503, "overloaded")


async def hang(_: web.Request) -> web.StreamResponse:
    """A node that accepts and never answers."""
    await asyncio.Event().wait()
    raise AssertionError


@asynccontextmanager
async def stub_node(answering: Answering = answer) -> AsyncIterator[StubNode]:
    """A member's node on a free port that keeps what it is sent."""

    async def post(request: web.Request) -> web.StreamResponse:
        body = await request.read()
        node.bodies.append(body)
        node.envelopes.append(orjson.loads(body))
        node.asked.set()
        node.authorisations.append(request.headers["Authorization"])
        try:
            return await answering(request)
        except asyncio.CancelledError:
            node.cancelled.set()
            raise

    application = web.Application()
    application.router.add_post(ANSWERS_PATH, post)
    node = StubNode(await listen(application, host="127.0.0.1", port=0))
    try:
        yield node
    finally:
        server = node.listener.runner.server
        assert server is not None
        server.pre_shutdown()
        await server.shutdown(0.01)  # some hang on purpose
        await node.listener.close()


async def gigabyte(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Announce and send far more than any answer has."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % 2**30)
    while True:
        writer.write(b"x" * 2**16)
        await writer.drain()


async def a_byte_a_while(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer so slowly that no deadline is long enough."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % SEALED_ANSWER_BYTES)
    while True:
        writer.write(b"x")
        await asyncio.sleep(0.05)


@asynccontextmanager
async def raw_node(
    talk: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]], *, port: int = 0
) -> AsyncIterator[str]:
    """A hostile endpoint below HTTP; yields its address."""
    talking: set[asyncio.Task[Any]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        talking.add(task)
        try:
            await talk(reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", port)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in talking:
            task.cancel()
        await asyncio.gather(*talking, return_exceptions=True)


@dataclass
class Answers:
    """One stream, read to its end."""

    status: int
    headers: Mapping[str, str]
    lines: list[dict[str, Any]]
    raw: bytes

    @property
    def outcomes(self) -> dict[str, str]:
        return {line["member"]: line["outcome"] for line in self.lines if "member" in line}

    @property
    def code(self) -> str:
        """Of a refusal."""
        code: str = orjson.loads(self.raw)["issue"][0]["details"]["coding"][0]["code"]
        return code


@dataclass(kw_only=True)
class Federated:
    """The federation around the hub under test: every private key, and the operator's file."""

    folder: Path
    clock: SteppingClock
    operator: SigningKey
    hub_key: SigningKey
    keys: dict[str, SigningKey]
    members: dict[str, Member]
    seq: int = 0
    document: Federation | None = None

    @property
    def file(self) -> Path:
        return self.folder / "federation.jws"

    def key_folder(self) -> Path:
        """With the hub's key as a file, where it looks for it."""
        folder = self.folder / f"keys-{self.hub_key.kid}"
        if not folder.exists():
            folder.mkdir(mode=0o700)
            self.hub_key.save(folder / HUB_KEY_FILE)
        return folder

    def add(self, member_id: str, *, endpoint: str | None) -> Member:
        key = SigningKey.generate()
        self.keys[member_id] = key
        self.members[member_id] = Member(
            id=member_id,
            identifier=(),
            name=f"Agency {member_id}",
            type=OrganisationType.VOLUNTARY,
            sector=Sector.VOLUNTARY,
            status=ACTIVE,
            keys=(MemberKey(key=key.verify_key(), not_before=0, not_after=2**37),),
            ledger_key=LedgerKey.generate().public_jwk(),
            endpoint=endpoint,
            duty_contact=(),
        )
        return self.members[member_id]

    def suspend(self, member_id: str) -> None:
        self.members[member_id] = replace(self.members[member_id], status=SUSPENDED)

    def sign(self, *, seq: int | None = None, operator: SigningKey | None = None) -> Federation:
        return sign_document(
            operator="operator",
            name=FEDERATION,
            seq=self.seq if seq is None else seq,
            members=tuple(self.members.values()),
            agreements=(),
            hub_keys=(self.hub_key.verify_key(),),
            key=operator or self.operator,
            now=self.clock.now(),
        )

    def publish(self) -> Federation:
        """Write the operator's next document."""
        self.seq += 1
        self.document = self.sign()
        self.file.write_bytes(self.document.token)
        return self.document

    def authorise(self, body: bytes, *, member: str = ASKER, method: str = "POST", path: str = QUERIES_PATH) -> str:
        """The header of a member's request to the hub."""
        return sign_request(
            self.keys[member],
            iss=member,
            aud=FEDERATION,
            method=method,
            path=path,
            body=body,
            now=self.clock.now(),
            jti=str(uuid4()),
        )


def federated(folder: Path) -> Federated:
    """An empty federation with one member that asks."""
    federation = Federated(
        folder=folder,
        clock=SteppingClock(),
        operator=SigningKey.generate(),
        hub_key=SigningKey.generate(),
        keys={},
        members={},
    )
    federation.add(ASKER, endpoint=None)
    return federation


@dataclass(kw_only=True)
class RunningHub:
    """A hub that listens, and the means to ask it as a member would."""

    federation: Federated
    running: Running
    client: aiohttp.ClientSession

    @property
    def hub(self) -> Hub:
        return self.running.hub

    @property
    def links(self) -> WebSocketLink:
        return self.running.links

    @property
    def listener(self) -> Listener:
        return self.running.listener

    @property
    def shared(self) -> Shared | None:
        return self.running.shared

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.listener.port}{path}"

    def authorise(self, body: bytes, *, member: str = ASKER, method: str = "POST", path: str = QUERIES_PATH) -> str:
        return self.federation.authorise(body, member=member, method=method, path=path)

    async def ask(
        self, *recipients: str, member: str = ASKER, body: bytes | None = None, authorisation: str | None = None
    ) -> Answers:
        """Post a question and read the stream to its end."""
        body = envelope(*recipients).to_json() if body is None else body
        headers = {"Authorization": authorisation or self.authorise(body, member=member)}
        async with self.client.post(self.url(QUERIES_PATH), data=body, headers=headers) as response:
            raw = await response.read()
            ndjson = response.headers["Content-Type"] == "application/x-ndjson"
            lines = [orjson.loads(line) for line in raw.splitlines()] if ndjson else []
            return Answers(response.status, response.headers, lines, raw)

    def coverage(self, answers: Answers, question: str) -> dict[str, DeliveryOutcome]:
        """The last line, verified."""
        assert self.federation.document is not None
        return verify_coverage(
            answers.lines[-1]["coverage"],
            question=question,
            me=ASKER,
            federation=self.federation.document,
            now=self.federation.clock.now(),
        )


def envelope(*recipients: str, deadline_ms: int = DEADLINE_MS) -> Envelope:
    """A question as the hub sees it: random bytes of the right sizes."""
    return Envelope(
        id=str(uuid4()),
        deadline_ms=deadline_ms,
        body=os.urandom(QUESTION_BASE_BYTES + QUESTION_BYTES_PER_RECIPIENT * len(recipients) + AEAD_TAG_BYTES),
        copies={
            member: SealedCopy(kid="A" * 43, sealed=os.urandom(SEALED_COPY_BYTES)) for member in sorted(recipients)
        },
    )


def process(number: int, of: int = 2) -> Sharing:
    """One process of a hub of several."""
    return Sharing(processes=of, port=0, number=number, group="test")


@asynccontextmanager
async def running_hub(
    federation: Federated,
    *,
    rate_per_minute: int = 6_000,
    max_concurrent: int = 64,
    deadline_ms: int = DEADLINE_MS,
    max_running: int = 512,
    behind_proxy: bool = False,
    sharing: Sharing | None = None,
) -> AsyncIterator[RunningHub]:
    """The product's own hub, on a free port and with the federation's stepping clock.

    `sharing`: as one process of several, though all run in this one.
    """
    operator_key = federation.folder / "operator.jwk"
    operator_key.write_bytes(orjson.dumps(federation.operator.public_jwk()))
    table = {
        "id": "hub",
        "listen": "127.0.0.1:0",
        "federation_document": federation.file,
        "operator_key": operator_key,
        "data": federation.folder,
        "keys": federation.key_folder(),
        "rate_per_minute": rate_per_minute,
        "max_concurrent": max_concurrent,
        "max_running": max_running,
        "deadline_ms": deadline_ms,
        "behind_proxy": behind_proxy,
    }
    running = await open_hub(HubSettings.model_validate({"hub": table}), clock=federation.clock, sharing=sharing)
    try:
        async with aiohttp.ClientSession() as client:
            yield RunningHub(federation=federation, running=running, client=client)
    finally:
        await running.close()
