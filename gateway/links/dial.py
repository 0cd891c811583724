"""A node's end of a link: dials a hub, answers what comes, and dials again when it ends (docs/wire.md, "Links").

(1) once it is known which hub of the member list this is: dial, with a request token for that hub; follow no redirect
(2) each question in a task of its own, so many at once and no more: the rest are refused as overloaded
(3) news of a document are passed on, the newest only, and no oftener than NEWS_S
(4) when the link ends, whoever ended it: drop what was under way, wait a random time (full jitter), dial again; a link
    whose hub is taken out of the member list is ended here
(5) when this node stops: say farewell, answer all that was sent before the hub heard it, close
"""

import asyncio
import contextlib
import logging
import random
from collections.abc import Awaitable, Callable
from uuid import uuid4

import aiohttp
from aiohttp import WSCloseCode, WSMsgType

from gateway.clock import Clock
from gateway.errors import MalformedMessage, Overloaded, PatchworkError, WireError, logged
from gateway.events import emit
from gateway.links.signs_of_life import SignsOfLife, is_silent
from gateway.links.websocket import HEARTBEAT_S, SILENT, WRITE_S
from gateway.wire.keys import SigningKey
from gateway.wire.limits import MAX_QUESTION_FRAME_BYTES
from gateway.wire.link_frames import (
    AnswerFrame,
    HeardFrame,
    LeavingFrame,
    NewsFrame,
    QuestionFrame,
    RefusedFrame,
    read_from_hub,
)
from gateway.wire.paths import link_path
from gateway.wire.request import sign_request

CONNECT_S = 10.0
CLOSE_S = 2.0
KNOWN_CHECK_S = 0.25
NO_HUB = "no-hub"  # the end of a link whose hub is in the member list no more
ANSWER_S = 90.0  # longer than any deadline: an answer that takes this long has been forgotten
FAREWELL_S = 2.0  # for the hub to say that it has heard that this node leaves
DRAIN_S = 10.0  # for answers under way when this node stops: each leaves at a multiple of the answer delay, 5 s at most
NEWS_S = 1.0
NEWS_SPREAD_S = 0.3  # so that not all nodes fetch a document in the same moment

# Full jitter ("Exponential Backoff And Jitter", AWS Architecture Blog, 2015): of the ways to spread clients that have
# all lost one server, a wait of any length up to a doubling limit costs the server least.
FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 30.0
STEADY_S = 30.0  # a link that lasted so long was a good one: the next wait is short again

Answer = Callable[[QuestionFrame, Callable[[], bool]], Awaitable[bytes]]
"""From a question, and whether the hub is still there, to a sealed answer."""


class Dialler:
    """One process's link to one hub."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        url: str,
        *,
        member: str,
        federation: str,
        key: Callable[[], SigningKey],
        clock: Clock,
        hub_key: Callable[[], str | None],
        answer: Answer,
        hear: Callable[[int], Awaitable[None]],
        most: int,
        listed: asyncio.Event | None = None,
        linked: Callable[[int], None] = lambda _: None,
    ) -> None:
        """`session`: its certificates count. `hear`: is told of a document's seq. `most`: answers under way at once.

        `hub_key`: the kid by which the hub at `url` is in the member list; None if it is not, or is not known to be.
        `listed`: is set once a document lists this node, which then dials at once. `linked`: is told 1 when a link is
        open, 0 when it has ended.
        """
        self._connector = session.connector
        self._url = url.rstrip("/")
        self._process = str(uuid4())
        self._hub_key = hub_key
        self._member = member
        self._federation = federation
        self._key = key
        self._clock = clock
        self._answer = answer
        self._hear = hear
        self._most = most
        self._listed = listed or asyncio.Event()
        self._linked = linked
        self._answering: set[asyncio.Task[None]] = set()
        self._leaving = False
        self._heard = asyncio.Event()  # the hub's word that no more questions will come
        self._seq = 0
        self._news = asyncio.Event()
        self._said = ""

    async def keep(self) -> None:
        """Keep a link until cancelled, (1)-(4); then (5)."""
        async with (
            aiohttp.ClientSession(  # one of our own, over the same connections: nothing else refuses redirects
                connector=self._connector,
                connector_owner=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
                middlewares=(_refuse_redirects,),
            ) as session,
            asyncio.TaskGroup() as group,
        ):
            group.create_task(self._pass_news_on())
            group.create_task(self._dial_again_and_again(session))

    async def _dial_again_and_again(self, session: aiohttp.ClientSession) -> None:
        failures = 0
        while True:
            await self._hub_is(known=True)
            began, listed = asyncio.get_running_loop().time(), self._listed.is_set()
            self._log_end(await self._one_link(session))
            failures = 0 if asyncio.get_running_loop().time() - began >= STEADY_S else failures + 1
            if listed:
                await asyncio.sleep(wait_before(failures))  # (4)
            elif await self._listed_within(wait_before(failures)):
                failures = 0

    async def _listed_within(self, seconds: float) -> bool:
        """Wait so long that a document lists this node, which none did when it dialled."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._listed.wait()
        return self._listed.is_set()

    async def _one_link(self, session: aiohttp.ClientSession) -> str:
        """Dial once and serve until the link ends; returns why it did, as a code."""
        hub_key = self._hub_key()
        if hub_key is None:
            return NO_HUB
        try:
            async with asyncio.timeout(CONNECT_S):
                socket = await self._dial(session, hub_key)  # (1)
        except aiohttp.ClientResponseError as error:  # no upgrade, or a redirect
            return f"http-{error.status}"
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            return type(error).__name__
        emit("hub_link.opened", federation=self._federation, hub=self._url)
        self._said = ""
        self._linked(1)
        reading = asyncio.create_task(self._read(socket))
        removed = asyncio.create_task(self._hub_is(known=False))
        try:
            await asyncio.wait([reading, removed], return_when=asyncio.FIRST_COMPLETED)
            return reading.result() if reading.done() else NO_HUB
        except asyncio.CancelledError:
            await self._leave(socket, reading)  # (5)
            raise
        finally:
            self._linked(0)
            for task in (reading, removed, *self._answering):
                task.cancel()
            await asyncio.wait([reading, removed, *self._answering])
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CLOSE_S):
                    await socket.close(code=WSCloseCode.GOING_AWAY)

    async def _hub_is(self, *, known: bool) -> None:
        """Wait until it is, or is no longer, known which hub of the member list this address is."""
        while (self._hub_key() is not None) != known:  # noqa: ASYNC110 - a key also ends by time alone
            await asyncio.sleep(KNOWN_CHECK_S)

    async def _leave(self, socket: aiohttp.ClientWebSocketResponse, reading: asyncio.Task[str]) -> None:
        """(5) What the hub sent before it heard the farewell is answered; a hub that says nothing is not waited for."""
        self._leaving = True
        heard = asyncio.create_task(self._heard.wait())
        with contextlib.suppress(TimeoutError, OSError):
            await _send(socket, LeavingFrame())
            await asyncio.wait([heard, reading], timeout=FAREWELL_S, return_when=asyncio.FIRST_COMPLETED)
        heard.cancel()
        self._heard.set()
        if self._answering:
            await asyncio.wait(self._answering, timeout=DRAIN_S)

    async def _dial(self, session: aiohttp.ClientSession, hub_key: str) -> aiohttp.ClientWebSocketResponse:
        path = link_path(self._process, hub_key)
        authorisation = sign_request(
            self._key(),
            iss=self._member,
            aud=self._federation,
            method="GET",
            path=path,
            body=b"",
            now=self._clock.now(),
            jti=str(uuid4()),
        )
        return await session.ws_connect(
            self._url + path,
            headers={"Authorization": authorisation},
            heartbeat=HEARTBEAT_S,
            timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_S),
            max_msg_size=MAX_QUESTION_FRAME_BYTES,
            autoping=False,
        )

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> str:
        """(2) and (3), until the link ends or the hub says what no hub may say."""
        signs = SignsOfLife()
        try:
            async for message in socket:
                if is_silent(socket):
                    break
                if await signs.take(message, socket):
                    continue
                if message.type is not WSMsgType.TEXT:
                    raise MalformedMessage("link: not a text message of at most the longest question")
                await self._take(read_from_hub(message.data), socket)
        except WireError as error:
            await socket.close(code=WSCloseCode.POLICY_VIOLATION)
            return error.code
        except (TimeoutError, OSError) as error:
            return type(error).__name__
        return SILENT if is_silent(socket) else f"closed-{socket.close_code}"

    async def _take(
        self, frame: QuestionFrame | NewsFrame | HeardFrame, socket: aiohttp.ClientWebSocketResponse
    ) -> None:
        if isinstance(frame, NewsFrame):
            self._seq = max(self._seq, frame.seq)
            self._news.set()
        elif isinstance(frame, HeardFrame):
            if not self._leaving:
                raise MalformedMessage("link: an answer to no farewell")
            self._heard.set()
        elif self._heard.is_set() or len(self._answering) >= self._most:
            await _send(socket, RefusedFrame(id=frame.id, code=Overloaded.code))
        else:
            task = asyncio.create_task(self._answer_one(frame, socket))
            self._answering.add(task)
            task.add_done_callback(self._answering.discard)

    async def _answer_one(self, frame: QuestionFrame, socket: aiohttp.ClientWebSocketResponse) -> None:
        """(2) Whatever goes wrong is this question's alone."""
        said: AnswerFrame | RefusedFrame
        try:
            async with asyncio.timeout(ANSWER_S):
                sealed = await self._answer(frame, lambda: not socket.closed)
            said = AnswerFrame(id=frame.id, sealed=sealed)
        except PatchworkError as error:
            said = RefusedFrame(id=frame.id, code=error.code)
            self._log_refused(error, logging.WARNING)
        except Exception as error:
            said = RefusedFrame(id=frame.id, code=PatchworkError.code)
            self._log_refused(error, logging.ERROR)
        try:
            await _send(socket, said)
        except (TimeoutError, OSError):
            await socket.close(code=WSCloseCode.GOING_AWAY)

    async def _pass_news_on(self) -> None:
        """(3)"""
        while True:
            await self._news.wait()
            await asyncio.sleep(random.uniform(0, NEWS_SPREAD_S))  # noqa: S311 - spreads load, decides nothing
            self._news.clear()
            await self._hear(self._seq)
            await asyncio.sleep(NEWS_S - NEWS_SPREAD_S)

    def _log_refused(self, error: Exception, level: int) -> None:
        emit("hub_link.refused", level=level, federation=self._federation, hub=self._url, **logged(error))

    def _log_end(self, code: str) -> None:
        """Once for each new reason, not at each try."""
        if code != self._said:
            emit("hub_link.closed", level=logging.WARNING, federation=self._federation, hub=self._url, code=code)
        self._said = code


def wait_before(failures: int) -> float:
    """(4) Seconds until the next try, after so many links in a row that came to nothing."""
    longest = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** min(failures, 16))
    return random.uniform(0, longest)  # noqa: S311 - spreads load, decides nothing


async def _send(socket: aiohttp.ClientWebSocketResponse, frame: AnswerFrame | RefusedFrame | LeavingFrame) -> None:
    """Raises TimeoutError or OSError when the hub does not take it."""
    async with asyncio.timeout(WRITE_S):
        await socket.send_str(frame.to_json())


async def _refuse_redirects(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    response = await handler(request)
    if 300 <= response.status < 400:  # noqa: PLR2004 - HTTP's redirections
        response.close()
        raise aiohttp.ClientResponseError(response.request_info, (), status=response.status)
    return response
