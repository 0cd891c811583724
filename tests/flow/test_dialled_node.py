"""A node without a port: it dials the hub, is asked and answers, and dials again whatever ends its link."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from uuid import uuid4

import aiohttp
import pytest
from aiohttp import WSMsgType, web

from gateway.app import serve_node
from gateway.app.dialling import keep_linked
from gateway.app.node_limits import admission_of
from gateway.clock import SystemClock
from gateway.errors import ConfigurationError, PatchworkError
from gateway.http import listen
from gateway.links import dial
from gateway.links.dial import FIRST_WAIT_S, LONGEST_WAIT_S, Dialler, wait_before
from gateway.settings import check_node, load_node
from gateway.wire.keys import SigningKey
from gateway.wire.limits import MAX_QUESTION_FRAME_BYTES, SEALED_ANSWER_BYTES
from gateway.wire.link_frames import (
    AnswerFrame,
    HeardFrame,
    LeavingFrame,
    NewsFrame,
    QuestionFrame,
    RefusedFrame,
    read_from_node,
)
from gateway.wire.paths import LINK_PATH
from tests.federation import TestFederation, federation, result_of, someone

ASKER, DIALS = "childrens-services", "housing"


async def _outcome(north: TestFederation) -> str:
    completed = await north.ask(ASKER, "Katherine Bramley", born="1991-05-17")
    return result_of(completed, DIALS).outcome.value


async def test_a_node_without_a_port_answers_and_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dial, "FIRST_WAIT_S", 0.05)
    monkeypatch.setattr(dial, "NEWS_S", dial.NEWS_SPREAD_S)
    async with federation(tmp_path, [ASKER, DIALS], dialling=[DIALS]) as north:
        for member in (ASKER, DIALS):
            await north.add(member, *someone("Katherine", "Bramley", "1991-05-17"))
        assert DIALS not in north.listeners
        assert await _outcome(north) == "teams"
        asked = await north.ask(DIALS, "Katherine Bramley", born="1991-05-17")
        assert result_of(asked, ASKER).outcome.value == "teams"
        # Each delivery is on record once, as over HTTPS.
        assert len(await north.ledger(DIALS)) == 1

        # The hub goes and comes back: the node dials again by itself.
        await north.restart_hub()
        await north.linked(DIALS)
        assert await _outcome(north) == "teams"

        # News of a document reach it at once, without a refresh of its own.
        node = north.nodes[DIALS].parts.membership
        await north.publish()
        newest = north.operator.document.seq
        async with asyncio.timeout(2):
            while node.current().federation.seq < newest:  # noqa: ASYNC110 - the product has no event for a test
                await asyncio.sleep(0.01)

        await north.refresh(ASKER)

        # A second process of the same node takes its share; when the first goes, it takes all.
        second = await north.open(DIALS)
        await second.parts.membership.refresh()
        linked = asyncio.create_task(keep_linked(second, admission_of(second.settings)))
        async with asyncio.timeout(5):
            while len(north.hub.links._usable(DIALS)) < 2:  # noqa: ASYNC110 - the product has no event for a test
                await asyncio.sleep(0.01)
        ended = await asyncio.gather(*(_outcome(north) for _ in range(6)))
        assert set(ended) == {"teams"}
        await north.stop(DIALS)
        assert await _outcome(north) == "teams"
        linked.cancel()
        await asyncio.wait([linked])
        await second.close()
        assert await _outcome(north) == "unreachable"


async def test_questions_while_a_node_stops_are_answered_or_not_sent_and_never_called_overloaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop = asyncio.Event()
    monkeypatch.setattr(serve_node, "until_stopped", stop.wait)
    for not_in_a_test in ("configure_logging", "collect_rarely"):
        monkeypatch.setattr(serve_node, not_in_a_test, lambda: None)
    async with federation(tmp_path, [ASKER, DIALS], dialling=[DIALS], delay_ms=400) as north:
        await north.add(DIALS, *someone("Katherine", "Bramley", "1991-05-17"))
        await north.stop(DIALS)
        config = tmp_path / DIALS / "node.toml"
        served = asyncio.create_task(serve_node.serve_node(load_node(config), config=config, clock=north.clock))
        await north.linked(DIALS)
        while await _outcome(north) != "teams":  # noqa: ASYNC110 - until its record has been compared with the hub's
            await asyncio.sleep(0.05)
        asking = [asyncio.create_task(_outcome(north))]
        await asyncio.sleep(0.2)
        stop.set()
        for _ in range(10):
            asking.append(asyncio.create_task(_outcome(north)))
            await asyncio.sleep(0.02)
        await served
        asking.append(asyncio.create_task(_outcome(north)))
        first, *later = await asyncio.gather(*asking)
        assert first == "teams"
        assert set(later) <= {"teams", "unreachable"}
        assert later[-1] == "unreachable"
        assert not north.hub.hub.circuits._faults


def test_a_port_and_no_port_are_not_both_configured() -> None:
    text = (
        '[node]\nmember = "food-bank"\nlink = "dial"\nlisten = "127.0.0.1:8401"\n'
        '[[federation]]\nid = "orchard"\noperator_key = "operator.jwk"\nhubs = ["https://hub.example.org"]\n'
    )
    with pytest.raises(ConfigurationError, match="link"):
        check_node(text, Path("node.toml"))
    assert check_node(text.replace('listen = "127.0.0.1:8401"\n', ""), Path("node.toml")).node.link == "dial"


def test_waits_are_of_any_length_up_to_a_limit_that_doubles_to_half_a_minute() -> None:
    for failures, longest in ((0, FIRST_WAIT_S), (3, 8 * FIRST_WAIT_S), (10, LONGEST_WAIT_S), (10**6, LONGEST_WAIT_S)):
        waits = [wait_before(failures) for _ in range(400)]
        assert min(waits) < longest / 10
        assert longest * 9 / 10 < max(waits) <= longest


# What a hub may do to a node that dials it: a hub of the test's own, which is no hub of any federation.

Serving = Callable[[web.WebSocketResponse], Awaitable[None]]


@contextlib.asynccontextmanager
async def dialling(
    serve: Serving | None,
    *,
    answer: dial.Answer,
    most: int = 4,
    heard: list[int] | None = None,
    listed: asyncio.Event | None = None,
    hub_key: Callable[[], str | None] = lambda: "key-of-this-hub",
) -> AsyncIterator[list[str]]:
    """A node that dials a hub that does `serve` with each link (None: redirects); yields the paths of its requests."""
    paths: list[str] = []

    async def get(request: web.Request) -> web.StreamResponse:
        paths.append(request.path)
        if serve is None:
            raise web.HTTPTemporaryRedirect("/elsewhere")
        socket = web.WebSocketResponse(max_msg_size=2**20, timeout=1)
        await socket.prepare(request)
        await serve(socket)
        return socket

    async def hear(seq: int) -> None:
        if heard is not None:
            heard.append(seq)

    application = web.Application()
    application.router.add_get("/{path:.*}", get)
    listener = await listen(application, host="127.0.0.1", port=0)
    async with aiohttp.ClientSession() as session:
        dialler = Dialler(
            session,
            f"http://127.0.0.1:{listener.port}",
            member="foodbank",
            federation="test",
            key=SigningKey.generate,
            clock=SystemClock(),
            hub_key=hub_key,
            answer=answer,
            hear=hear,
            most=most,
            listed=listed,
        )
        task = asyncio.create_task(dialler.keep())
        try:
            yield paths
        finally:
            task.cancel()
            await asyncio.wait([task])
            await listener.close()


async def answering(_: QuestionFrame, __: Callable[[], bool]) -> bytes:
    return bytes(SEALED_ANSWER_BYTES)


def question() -> QuestionFrame:
    return QuestionFrame(id=str(uuid4()), authorisation="Patchwork x", envelope=b"sealed")


@pytest.mark.parametrize(
    "frame",
    [
        "hello",
        "{}",
        '{"farewell":"heard"}',
        '{"farewell":"leaving"}',
        '{"news":0}',
        '{"news":"7"}',
        '{"answer":"x"}',
        "x" * (MAX_QUESTION_FRAME_BYTES + 1),
        b"{}",
    ],
)
async def test_hub_that_cannot_be_understood_is_left_and_dialled_again(
    monkeypatch: pytest.MonkeyPatch, frame: str | bytes
) -> None:
    monkeypatch.setattr(dial, "FIRST_WAIT_S", 0.02)
    codes: asyncio.Queue[int | None] = asyncio.Queue()

    async def serve(socket: web.WebSocketResponse) -> None:
        await (socket.send_str(frame) if isinstance(frame, str) else socket.send_bytes(frame))
        while (await socket.receive()).type not in {WSMsgType.CLOSE, WSMsgType.CLOSED, WSMsgType.ERROR}:
            pass
        codes.put_nowait(socket.close_code)

    async with dialling(serve, answer=answering), asyncio.timeout(5):
        assert {await codes.get(), await codes.get()} <= {1008, 1009}


async def test_hub_that_answers_no_ping_is_left_as_silent_and_dialled_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(dial, "FIRST_WAIT_S", 0.02)
    monkeypatch.setattr(dial, "HEARTBEAT_S", 0.2)
    served = asyncio.Queue[None]()

    async def serve(socket: web.WebSocketResponse) -> None:
        served.put_nowait(None)
        await asyncio.sleep(1)

    async with dialling(serve, answer=answering), asyncio.timeout(5):
        for _ in range(2):
            await served.get()
    assert "silent" in [vars(each)["event_fields"].get("code") for each in caplog.records]


async def test_hub_that_pings_without_end_is_left(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(dial, "FIRST_WAIT_S", 0.02)
    ended = asyncio.Queue[int | None]()

    async def serve(socket: web.WebSocketResponse) -> None:
        for _ in range(100):
            await socket.ping()
        await socket.receive()
        ended.put_nowait(socket.close_code)

    async with dialling(serve, answer=answering), asyncio.timeout(5):
        assert [await ended.get(), await ended.get()] == [1008, 1008]
    assert "malformed" in [vars(each)["event_fields"].get("code") for each in caplog.records]


async def test_redirect_is_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dial, "FIRST_WAIT_S", 0.02)
    async with dialling(None, answer=answering) as paths, asyncio.timeout(5):
        while len(paths) < 3:  # noqa: ASYNC110 - a list is simplest
            await asyncio.sleep(0.01)
    assert set(paths) == {LINK_PATH}


async def test_so_many_answers_at_once_and_the_rest_are_overloaded_and_a_fault_is_one_questions_alone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    said: asyncio.Queue[AnswerFrame | RefusedFrame | LeavingFrame] = asyncio.Queue()
    release = asyncio.Event()

    async def answer(question: QuestionFrame, _: Callable[[], bool]) -> bytes:
        envelope = question.envelope
        await release.wait()
        if envelope == b"bad":
            raise PatchworkError("x")
        if envelope == b"worse":
            raise ZeroDivisionError
        return bytes(SEALED_ANSWER_BYTES)

    async def serve(socket: web.WebSocketResponse) -> None:
        for envelope in (b"bad", b"worse", b"good", b"good", b"too many", b"too many"):
            frame = QuestionFrame(id=str(uuid4()), authorisation="Patchwork x", envelope=envelope)
            await socket.send_str(frame.to_json())
        async for message in socket:
            said.put_nowait(read_from_node(message.data))

    async with dialling(serve, answer=answer, most=4), asyncio.timeout(5):
        busy = [await said.get(), await said.get()]
        assert [each.code for each in busy if isinstance(each, RefusedFrame)] == ["overloaded", "overloaded"]
        release.set()
        rest = [await said.get() for _ in range(4)]
    assert sorted(each.code for each in rest if isinstance(each, RefusedFrame)) == ["error", "error"]
    assert sum(isinstance(each, AnswerFrame) for each in rest) == 2
    told = [record.__dict__["event_fields"] for record in caplog.records if record.message == "hub_link.refused"]
    assert len(told) == 2
    assert all(each["federation"] == "test" and each["hub"].startswith("http://127.0.0.1:") for each in told)


async def test_flood_of_news_is_one_fetch_of_the_newest() -> None:
    heard: list[int] = []

    async def serve(socket: web.WebSocketResponse) -> None:
        for seq in range(1, 500):
            await socket.send_str(NewsFrame(seq).to_json())
        await socket.receive()

    async with dialling(serve, answer=answering, heard=heard), asyncio.timeout(5):
        await asyncio.sleep(dial.NEWS_SPREAD_S + 0.2)
    assert len(heard) == 1
    assert heard[0] == 499


async def test_question_sent_before_the_hub_has_heard_the_farewell_is_answered() -> None:
    said: list[AnswerFrame | RefusedFrame | LeavingFrame] = []
    answered, ended = asyncio.Event(), asyncio.Event()

    async def serve(socket: web.WebSocketResponse) -> None:
        await socket.send_str(question().to_json())
        try:
            async for message in socket:
                frame = read_from_node(message.data)
                said.append(frame)
                answered.set()
                if isinstance(frame, LeavingFrame):
                    await socket.send_str(question().to_json())  # was on its way
                    await socket.send_str(HeardFrame().to_json())
                    await socket.send_str(question().to_json())  # against the rules
        finally:
            ended.set()

    async with asyncio.timeout(5):
        async with dialling(serve, answer=answering):
            await answered.wait()
        await ended.wait()
    assert isinstance(said[1], LeavingFrame)
    assert sum(isinstance(each, AnswerFrame) for each in said) == 2
    assert {each.code for each in said if isinstance(each, RefusedFrame)} <= {"overloaded"}


async def test_hub_that_does_not_hear_the_farewell_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dial, "FAREWELL_S", 0.1)
    dialled = asyncio.Event()

    async def serve(socket: web.WebSocketResponse) -> None:
        dialled.set()
        async for _ in socket:
            pass

    async with asyncio.timeout(3):
        async with dialling(serve, answer=answering):
            await dialled.wait()


async def test_node_that_has_just_been_listed_dials_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dial, "wait_before", lambda _: 60.0)
    listed, tried = asyncio.Event(), asyncio.Queue[None]()

    async def serve(socket: web.WebSocketResponse) -> None:
        tried.put_nowait(None)

    async with dialling(serve, answer=answering, listed=listed), asyncio.timeout(5):
        await tried.get()
        listed.set()
        await tried.get()
        await asyncio.sleep(0.1)
        assert tried.empty()  # once: from then on it waits as ever


async def test_answers_end_with_the_link(monkeypatch: pytest.MonkeyPatch) -> None:
    """As when the hub hangs up during a POST: nobody works for a link that has gone."""
    monkeypatch.setattr(dial, "FIRST_WAIT_S", 0.02)
    began, cancelled = asyncio.Event(), asyncio.Event()

    async def answer(_: QuestionFrame, __: Callable[[], bool]) -> bytes:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()
        raise AssertionError

    async def serve(socket: web.WebSocketResponse) -> None:
        await socket.send_str(question().to_json())
        await began.wait()
        await socket.close()

    async with dialling(serve, answer=answer), asyncio.timeout(5):
        await cancelled.wait()
