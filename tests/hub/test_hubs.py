"""Several hubs as one: which of them gets a question, and that none goes to a second once the first may have it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from uuid import uuid4

import aiohttp
import pytest
from aiohttp import web

from gateway.errors import HubError, HubRefused
from gateway.http import Listener, listen, operation_outcome
from gateway.links import hub_client, hubs
from gateway.links.hub_client import CoverageClaim, HubClient, Relayed
from gateway.links.hub_health import FIRST_ASIDE_S, LONGEST_ASIDE_S
from gateway.links.hubs import Hubs
from gateway.wire.keys import SigningKey
from tests.hub.kit import ASKER, FEDERATION, SteppingClock, envelope

KEY = SigningKey.generate()
COVERAGE = b'{"coverage":"a.b.c"}\n'
LINE = b'{"member":"trust","outcome":"timeout"}\n'

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(kw_only=True)
class Played:
    """One hub that does as it is told: `answers` says what becomes of a question, `fetched` of all else."""

    answers: Answer
    fetched: Answer
    questions: list[bytes] = field(default_factory=list)
    published: list[bytes] = field(default_factory=list)
    listener: Listener = field(init=False)

    async def listen(self, port: int = 0) -> None:
        application = web.Application(client_max_size=2**22)
        application.router.add_route("*", "/{path:.*}", self.handle)
        self.listener = await listen(application, host="127.0.0.1", port=port)

    async def close(self) -> None:
        await self.listener.close()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.listener.port}"

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        if request.path == "/v1/queries":
            self.questions.append(body)
            return await self.answers(request)
        if request.method == "PUT":
            self.published.append(body)
            return web.Response(status=204)
        return await self.fetched(request)


async def well(_: web.Request) -> web.StreamResponse:
    return web.Response(body=LINE + COVERAGE)


async def serves(_: web.Request) -> web.StreamResponse:
    return web.json_response({"document": "d", "freshness": "f", "sealing_keys": {"trust": "s"}})


async def breaks_off(request: web.Request) -> web.StreamResponse:
    """It has taken the question, says one line, and is gone."""
    response = web.StreamResponse(headers={"Content-Length": "1000"})
    await response.prepare(request)
    await response.write(LINE)
    assert request.transport is not None
    request.transport.close()
    return response


async def never(_: web.Request) -> web.StreamResponse:
    await asyncio.sleep(60)
    raise AssertionError


def refuses(status: int, code: str) -> Answer:
    async def refuse(_: web.Request) -> web.StreamResponse:
        return operation_outcome(status, code)

    return refuse


async def proxy_error(_: web.Request) -> web.StreamResponse:
    return web.Response(status=503, text="<html>no server is available to handle this request</html>")


@dataclass(kw_only=True)
class Two:
    """Two hubs and a node that knows both."""

    first: Played
    second: Played
    hubs: Hubs
    clock: SteppingClock

    async def ask(self) -> list[Relayed | CoverageClaim]:
        return [said async for said in self.hubs.ask(envelope("trust", deadline_ms=100))]

    @property
    def asked(self) -> tuple[int, int]:
        """How many questions each has been sent."""
        return len(self.first.questions), len(self.second.questions)

    @property
    def used(self) -> str:
        """Where the next question goes."""
        (used,) = (state.hub for state in self.hubs.states if state.used)
        return "first" if used == self.first.address else "second"


@asynccontextmanager
async def two(
    answers: Sequence[Answer] = (well, well), fetched: Sequence[Answer] = (serves, serves)
) -> AsyncIterator[Two]:
    clock = SteppingClock()
    async with AsyncExitStack() as stack:
        played = [Played(answers=answer, fetched=fetch) for answer, fetch in zip(answers, fetched, strict=True)]
        for each in played:
            await each.listen()
            stack.push_async_callback(each.close)
        session = await stack.enter_async_context(aiohttp.ClientSession())
        clients = [
            HubClient(session, each.address, member=ASKER, federation=FEDERATION, key=lambda: KEY, clock=clock)
            for each in played
        ]
        yield Two(first=played[0], second=played[1], hubs=Hubs(clients, clock=clock), clock=clock)


async def test_while_the_first_hub_is_well_the_second_sees_no_question() -> None:
    async with two() as known:
        for _ in range(3):
            assert isinstance((await known.ask())[-1], CoverageClaim)
        assert (known.asked, known.used) == ((3, 0), "first")


async def test_a_hub_that_cannot_be_connected_to_is_passed_over_until_a_visit_reaches_it_again() -> None:
    async with two() as known:
        await known.first.close()
        for _ in range(2):
            assert isinstance((await known.ask())[-1], CoverageClaim)
        assert (known.asked, known.used) == ((0, 2), "second")
        (silent, _) = known.hubs.states
        assert "cannot be reached" in silent.silent
        await known.first.listen(known.first.listener.port)
        assert known.used == "second"
        await known.hubs.federation()
        assert isinstance((await known.ask())[-1], CoverageClaim)
        assert (known.asked, known.used) == ((1, 2), "first")


@pytest.mark.parametrize(
    "refusal", [(503, "overloaded"), (503, "federation-stale"), (503, "storage"), (401, "not-authentic")]
)
async def test_a_question_that_a_hub_says_it_has_not_taken_goes_to_the_next(refusal: tuple[int, str]) -> None:
    async with two((refuses(*refusal), well)) as known:
        assert isinstance((await known.ask())[-1], CoverageClaim)
        assert (known.asked, known.used) == ((1, 1), "first")


@pytest.mark.parametrize("refusal", [(429, "too-many-requests"), (409, "replayed"), (400, "malformed")])
async def test_a_refusal_that_is_about_the_asker_is_not_taken_to_another_hub(refusal: tuple[int, str]) -> None:
    async with two((refuses(*refusal), well)) as known:
        with pytest.raises(HubRefused, match=str(refusal[0])):
            await known.ask()
        assert (known.asked, known.used) == ((1, 0), "first")


@pytest.mark.parametrize("answers", [breaks_off, proxy_error, refuses(504, "timeout"), refuses(500, "error")])
async def test_a_question_that_a_hub_may_have_is_never_sent_to_another_but_the_next_one_is(answers: Answer) -> None:
    async with two((answers, well)) as known:
        with pytest.raises(HubError):
            await known.ask()
        assert (known.asked, known.used) == ((1, 0), "second")
        assert isinstance((await known.ask())[-1], CoverageClaim)
        assert known.asked == (1, 1)


async def test_a_hub_that_takes_questions_and_says_nothing_is_not_waited_for_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hub_client, "GRACE_S", 0.1)
    monkeypatch.setattr(hubs, "NEXT_CONNECT_S", 0.1)
    async with two((never, well)) as known:
        with pytest.raises(HubError, match="cannot be reached"):
            await known.ask()
        assert known.asked == (1, 0)
        assert isinstance((await known.ask())[-1], CoverageClaim)
        assert known.asked == (1, 1)


async def test_a_hub_set_aside_is_tried_again_after_a_while_that_doubles_and_is_bounded() -> None:
    async with two((breaks_off, well)) as known:
        waits = []
        for _ in range(7):
            with pytest.raises(HubError):
                await known.ask()
            waits.append(0)
            while known.used == "second":
                known.clock.time += FIRST_ASIDE_S
                waits[-1] += 1
        assert waits == [1, 2, 4, 8, 16, 16, 16]
        assert waits[-1] * FIRST_ASIDE_S == LONGEST_ASIDE_S
        known.first.answers = well
        await known.ask()
        known.first.answers = breaks_off
        with pytest.raises(HubError):
            await known.ask()
        known.clock.time += FIRST_ASIDE_S
        assert known.used == "first"  # a question brought to its end wipes the slate


async def test_with_all_hubs_down_each_question_is_tried_with_all_and_the_error_is_said() -> None:
    async with two() as known:
        await known.first.close()
        await known.second.close()
        for _ in range(2):
            with pytest.raises(HubError, match="cannot be reached"):
                await known.ask()


async def test_what_hubs_serve_is_fetched_from_all_and_a_slow_one_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hubs, "LATE_S", 0.1)
    async with two() as known:
        assert [served.hub for served in await known.hubs.federation()] == [
            known.first.address,
            known.second.address,
        ]
        known.first.fetched = never
        async with asyncio.timeout(3):
            (served,) = await known.hubs.federation()
        assert (served.hub, known.used) == (known.second.address, "second")
        assert list(await known.hubs.sealing_keys()) == [known.second.address]
        known.first.fetched = serves
        await known.hubs.federation()
        assert known.used == "first"


async def test_a_hub_that_serves_nonsense_costs_nothing_but_itself() -> None:
    async def nonsense(_: web.Request) -> web.StreamResponse:
        return web.Response(body=b"[" * 100)

    async with two(fetched=(nonsense, serves)) as known:
        (served,) = await known.hubs.federation()
        assert served.hub == known.second.address


async def test_a_key_is_published_where_it_is_wanted_and_one_hub_is_enough() -> None:
    async with two() as known:
        both = [known.first.address, known.second.address]
        await known.hubs.publish_sealing_key("a.b.c", both)
        assert (known.first.published, known.second.published) == ([b"a.b.c"], [b"a.b.c"])
        await known.first.close()
        await known.hubs.publish_sealing_key(str(uuid4()), both)
        await known.second.close()
        with pytest.raises(HubError):
            await known.hubs.publish_sealing_key("a.b.c", both)
