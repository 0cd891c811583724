"""A member's node that dials the hub under test: it answers, refuses or misbehaves, and opens nothing."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import uuid4

import aiohttp

from gateway.wire.limits import MAX_QUESTION_FRAME_BYTES, SEALED_ANSWER_BYTES
from gateway.wire.link_frames import (
    AnswerFrame,
    HeardFrame,
    LeavingFrame,
    NewsFrame,
    QuestionFrame,
    read_from_hub,
)
from gateway.wire.paths import link_path
from tests.hub.kit import RunningHub
from tests.hub.served import Served

Socket = aiohttp.ClientWebSocketResponse
Hub = RunningHub | Served


@dataclass
class DialledNode:
    """What came over one link."""

    socket: Socket
    questions: list[QuestionFrame] = field(default_factory=list)
    news: list[int] = field(default_factory=list)
    told: asyncio.Event = field(default_factory=asyncio.Event)
    heard: asyncio.Event = field(default_factory=asyncio.Event)  # that this node leaves
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    async def answer(self, question: QuestionFrame, sealed: bytes | None = None) -> None:
        sealed = os.urandom(SEALED_ANSWER_BYTES) if sealed is None else sealed
        await self.socket.send_str(AnswerFrame(id=question.id, sealed=sealed).to_json())

    async def leave(self) -> None:
        """Say farewell, and wait until the hub has heard it."""
        await self.socket.send_str(LeavingFrame().to_json())
        async with asyncio.timeout(5):
            await self.heard.wait()

    async def asked_times(self, times: int) -> None:
        async with asyncio.timeout(5):
            while len(self.questions) < times:
                self.asked.clear()
                await self.asked.wait()


Behaving = Callable[[DialledNode, QuestionFrame], Awaitable[None]]


async def honest(node: DialledNode, question: QuestionFrame) -> None:
    """Answers at once."""
    await node.answer(question)


async def silent(_: DialledNode, __: QuestionFrame) -> None:
    """Takes questions and says nothing."""


async def dial(
    hub: Hub, member: str, *, process: str | None = None, authorisation: str | None = None, autoping: bool = True
) -> Socket:
    """Open a link as a member's node does; it is the caller's to close."""
    path = link_path(process or str(uuid4()), hub.federation.hub_key.kid)
    authorisation = authorisation or hub.authorise(b"", member=member, method="GET", path=path)
    return await hub.client.ws_connect(
        hub.url(path),
        headers={"Authorization": authorisation},
        autoping=autoping,
        max_msg_size=MAX_QUESTION_FRAME_BYTES,
        timeout=aiohttp.ClientWSTimeout(ws_close=1),
    )


@asynccontextmanager
async def dialled(
    hub: Hub, member: str, behaving: Behaving = honest, *, process: str | None = None
) -> AsyncIterator[DialledNode]:
    """A node with one link that the hub holds, until the block ends."""
    node = DialledNode(await dial(hub, member, process=process))
    reading = asyncio.create_task(_read(node, behaving))
    try:
        async with asyncio.timeout(5):
            await node.told.wait()  # the hub says at once which document it has
        async with asyncio.timeout(20):  # a test that waits for what does not come fails, and does not hang
            yield node
    finally:
        reading.cancel()
        await asyncio.wait([reading])
        await node.socket.close()


async def _read(node: DialledNode, behaving: Behaving) -> None:
    async for message in node.socket:
        frame = read_from_hub(message.data)
        if isinstance(frame, NewsFrame):
            node.news.append(frame.seq)
            node.told.set()
            continue
        if isinstance(frame, HeardFrame):
            node.heard.set()
            continue
        node.questions.append(frame)
        node.asked.set()
        await behaving(node, frame)
    node.ended.set()
