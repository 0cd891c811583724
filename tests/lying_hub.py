"""A hub that can lie: it stands between the nodes and the real hub, and holds the hub's own key.

Until a test changes `lines`, `replies` or `keeps_questions` it passes everything on. What a hub may do to a federation
with all that it knows, a test does here; it has no key of any member, and none of the operator.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import uuid4

import aiohttp
import orjson
from aiohttp import web

from gateway.http import listen
from gateway.wire.coverage import DeliveryOutcome, sign_coverage
from gateway.wire.envelope import Envelope, MemberEnvelope, member_envelope
from gateway.wire.federation import HUB
from gateway.wire.jws import peek
from gateway.wire.keys import SigningKey
from gateway.wire.limits import MAX_ANSWER_FRAME_BYTES, MAX_QUESTION_FRAME_BYTES
from gateway.wire.link_frames import QuestionFrame
from gateway.wire.paths import ANSWERS_PATH, LINK_PATH
from gateway.wire.request import sign_request

Line = dict[str, Any]
Lines = list[Line]


class _Clock(Protocol):
    def now(self) -> float: ...


@dataclass(slots=True, kw_only=True)
class Reply:
    """What a node's door said."""

    status: int
    body: bytes
    headers: Mapping[str, str]

    @property
    def code(self) -> str:
        """The code of an OperationOutcome, which must be all that it says."""
        outcome = orjson.loads(self.body)
        (issue,) = outcome["issue"]
        assert outcome.keys() == {"resourceType", "issue"}
        assert issue.keys() == {"severity", "code", "details"}
        code: str = issue["details"]["coding"][0]["code"]
        return code


@dataclass(slots=True, kw_only=True)
class LyingHub:
    """`lines` changes each answer stream (coverage is its last line), `replies` the reply of a path.

    `answers` changes what a member's node says over its link, before the hub has it; `links` are those that are open.
    """

    key: SigningKey
    clock: _Clock
    real: str
    ports: Mapping[str, int]
    lines: Callable[[Lines], Lines] = lambda lines: lines
    replies: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = field(default_factory=dict)
    keeps_questions: bool = False  # instead of delivering them
    envelopes: list[tuple[str, Envelope]] = field(default_factory=list)
    links: dict[str, "LyingLink"] = field(default_factory=dict)
    answers: Callable[[str, Line], list[Line]] = lambda _, frame: [frame]
    streams: list[Lines] = field(default_factory=list)

    @asynccontextmanager
    async def listening(self, port: int) -> AsyncIterator[None]:
        """Serve the nodes on this port."""
        application = web.Application(client_max_size=2**22)
        application.router.add_route("*", "/{path:.*}", self._pass_on)
        listener = await listen(application, host="127.0.0.1", port=port)
        try:
            yield
        finally:
            await listener.close()

    def stolen(self, member: str) -> MemberEnvelope:
        """The newest question's copy for one member."""
        sender, envelope = self.envelopes[-1]
        return member_envelope(envelope, member, sender)

    async def deliver(self, member: str, envelope: MemberEnvelope | bytes, **wrong: Any) -> Reply:
        """Hand bytes to a member's door as the hub would; `wrong` replaces what the token says or who signs it."""
        body = envelope if isinstance(envelope, bytes) else envelope.to_json()
        return await post_answer(
            self.ports[member], body, authorisation=self.authorise(member, wrong.pop("signed_body", body), **wrong)
        )

    def authorise(self, member: str, body: bytes, *, key: SigningKey | None = None, **wrong: Any) -> str:
        """The hub's request token."""
        claims: dict[str, Any] = {"iss": HUB, "aud": member, "method": "POST", "path": ANSWERS_PATH}
        claims |= {"now": self.clock.now(), "jti": str(uuid4())}
        return sign_request(key or self.key, body=body, **claims | wrong)

    def coverage(self, asker: str, outcomes: Mapping[str, DeliveryOutcome]) -> Line:
        """A last line that claims whatever a test likes, about the newest question."""
        _, envelope = self.envelopes[-1]
        token = sign_coverage(outcomes, question=envelope.id, asker=asker, key=self.key, now=self.clock.now())
        return {"coverage": token}

    async def push(self, member: str, envelope: MemberEnvelope | bytes, **wrong: Any) -> Line:
        """Hand bytes to a member's node over its link as the hub would; returns the node's frame. See deliver()."""
        body = envelope if isinstance(envelope, bytes) else envelope.to_json()
        authorisation = self.authorise(member, wrong.pop("signed_body", body), **wrong)
        frame = QuestionFrame(id=str(uuid4()), authorisation=authorisation, envelope=body)
        return await self.links[member].ask(frame.id, frame.to_json())

    async def _link(self, request: web.Request) -> web.StreamResponse:
        """A node dials: dial the real hub with its token, and pass frames on, both ways."""
        member = _issuer(request.headers["Authorization"])
        near = web.WebSocketResponse(compress=False, max_msg_size=MAX_ANSWER_FRAME_BYTES)
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(
                self.real + request.path_qs,
                headers={"Authorization": request.headers["Authorization"]},
                max_msg_size=MAX_QUESTION_FRAME_BYTES,
            ) as far,
        ):
            await near.prepare(request)
            link = self.links[member] = LyingLink(near)

            async def to_node() -> None:
                async for message in far:
                    await near.send_str(message.data)
                await near.close()

            passing = asyncio.create_task(to_node())
            try:
                async for message in near:
                    frame = orjson.loads(message.data)
                    if not link.heard(frame):
                        for said in self.answers(member, frame):
                            await far.send_str(orjson.dumps(said).decode())
            finally:
                passing.cancel()
                del self.links[member]
        return near

    async def _pass_on(self, request: web.Request) -> web.StreamResponse:
        if request.path == LINK_PATH:
            return await self._link(request)
        body = await request.read()
        if request.path == "/v1/queries":
            sender = _issuer(request.headers["Authorization"])
            self.envelopes.append((sender, Envelope.from_json(body)))
            if self.keeps_questions:
                return _ndjson(self.lines([self.coverage(sender, {})]))
        async with (
            aiohttp.ClientSession() as session,
            session.request(
                request.method,
                self.real + request.path_qs,
                data=body or None,
                headers={"Authorization": request.headers.get("Authorization", "")},
            ) as response,
        ):
            content = await response.read()
        if response.status != 200:
            return web.Response(status=response.status, body=content)
        if request.path == "/v1/queries":
            lines = [orjson.loads(line) for line in content.splitlines()]
            self.streams.append(lines)
            return _ndjson(self.lines([dict(line) for line in lines]))
        reply = orjson.loads(content)
        change = self.replies.get(request.path)
        return web.json_response(reply if change is None else change(reply))


@dataclass(slots=True, eq=False)
class LyingLink:
    """One node's link, over which the liar may ask as well as the hub."""

    near: web.WebSocketResponse
    _waiting: dict[str, "asyncio.Future[Line]"] = field(default_factory=dict)

    async def ask(self, id_: str, frame: str) -> Line:
        """What the node says to this frame."""
        said: asyncio.Future[Line] = asyncio.get_running_loop().create_future()
        self._waiting[id_] = said
        await self.near.send_str(frame)
        async with asyncio.timeout(10):
            return await said

    def heard(self, frame: Line) -> bool:
        """Whether a frame of the node's is for the liar."""
        said = self._waiting.pop(str(frame.get("answer") or frame.get("refused")), None)
        if said is not None:
            said.set_result(frame)
        return said is not None


async def post_answer(port: int, body: bytes, *, authorisation: str | None, timeout_s: float = 10) -> Reply:
    """POST /v1/answers of the node on this port, as anybody can."""
    headers = {} if authorisation is None else {"Authorization": authorisation}
    async with (
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=timeout_s)) as session,
        session.post(f"http://127.0.0.1:{port}{ANSWERS_PATH}", data=body, headers=headers) as response,
    ):
        return Reply(status=response.status, body=await response.read(), headers=dict(response.headers))


def _ndjson(lines: Lines) -> web.Response:
    return web.Response(body=b"".join(orjson.dumps(line) + b"\n" for line in lines))


def _issuer(authorisation: str) -> str:
    issuer: str = peek(authorisation.removeprefix("Patchwork "), max_bytes=2048)["iss"]
    return issuer
