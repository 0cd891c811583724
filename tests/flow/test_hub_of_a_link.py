"""What a node signs for one hub is of no use at another; what is no hub of the member list gets nothing from a node."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from gateway.app.hub import RunningHub
from gateway.doctor.gather_node import examine_node
from gateway.errors import HubError
from gateway.http import listen
from gateway.links import dial
from gateway.node.results import MemberOutcome
from gateway.wire.paths import LINK_PATH, QUERIES_PATH
from tests.federation import TestFederation, federation, someone

ASKER, AGENCY = "childrens-services", "housing"
PERSON = ("Katherine", "Bramley", "1991-05-17")


@dataclass
class Thief:
    """Stands where the second hub was; shows each link's token to the first hub, and passes on what that serves."""

    victim: str
    relays: bool = False
    got: asyncio.Queue[int] = field(default_factory=asyncio.Queue)  # what the first hub said to each token
    questions: int = 0

    async def handle(self, request: web.Request) -> web.StreamResponse:
        headers = {"Authorization": request.headers.get("Authorization", "")}
        self.questions += request.path == QUERIES_PATH
        async with aiohttp.ClientSession() as session:
            if request.path == LINK_PATH:
                try:
                    async with session.ws_connect(self.victim + request.raw_path, headers=headers):
                        self.got.put_nowait(101)
                except aiohttp.WSServerHandshakeError as refused:
                    self.got.put_nowait(refused.status)
            elif self.relays:
                async with session.get(self.victim + request.raw_path) as reply:
                    return web.Response(body=await reply.read(), content_type="application/json")
        return web.Response(status=503)

    @asynccontextmanager
    async def listening(self, port: int) -> AsyncIterator["Thief"]:
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", self.handle)
        listener = await listen(application, host="127.0.0.1", port=port)
        try:
            yield self
        finally:
            await listener.close()


@pytest.fixture
async def north(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[TestFederation]:
    """Two hubs, to both of which a node has dialled, again soon."""
    monkeypatch.setattr(dial, "FIRST_WAIT_S", 0.05)
    monkeypatch.setattr(dial, "LONGEST_WAIT_S", 0.2)
    async with federation(tmp_path, [ASKER, AGENCY], second_hub=True, dialling=[AGENCY]) as running:
        await running.add(AGENCY, *someone(*PERSON))
        async with asyncio.timeout(5):
            while not _second(running).links.holds(AGENCY):  # noqa: ASYNC110 - the product has no event for a test
                await asyncio.sleep(0.01)
        yield running


async def test_what_opens_a_link_at_one_hub_opens_none_at_another(north: TestFederation) -> None:
    thief = Thief(f"http://127.0.0.1:{north.ports['hub']}")
    own = north.hub.links.held(AGENCY)
    await _second(north).close()
    async with thief.listening(north.ports["hub-2"]), asyncio.timeout(10):
        assert [await thief.got.get() for _ in range(3)] == [403, 403, 403]
        assert north.hub.links.held(AGENCY) == own
        assert await _outcome(north) is MemberOutcome.TEAMS
        # It says that it is the first hub, by that one's own signed word: nobody believes it, and nobody dials it.
        thief.relays = True
        await north.refresh()
        membership = north.nodes[AGENCY].parts.membership
        assert "shows the key of the hub at" in membership.doubtful_hubs[_address(north, "hub-2")]
        found = await examine_node(north.nodes[AGENCY].settings, north.clock)
        assert [f"shows the key of the hub at {_address(north, 'hub')}" in each.what for each in found].count(True) == 1
        assert await _is_dialled_no_more(thief)
        assert membership.hub_key(_address(north, "hub")) == north.hub.hub.key().kid
        assert north.hub.links.held(AGENCY) == own


async def test_a_removed_hub_is_left_by_its_links_dialled_no_more_and_asked_nothing(north: TestFederation) -> None:
    second = _second(north)
    kid = second.hub.key().kid
    document = north.operator.remove_hub(kid, north.clock.now())
    (north.folder / "hub" / "federation.jws").write_bytes(document.token)
    await north.hub.hub.directory.refresh()
    await north.refresh()  # the removed hub goes on with the document in which it is listed
    async with asyncio.timeout(5):
        while second.links.holds(AGENCY):  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.01)
    assert north.hub.links.holds(AGENCY)
    assert await _outcome(north) is MemberOutcome.TEAMS
    await second.close()
    thief = Thief(f"http://127.0.0.1:{north.ports['hub']}")
    async with thief.listening(north.ports["hub-2"]):
        assert await _is_dialled_no_more(thief)
        await north.hub.close()  # and with the only hub of the list down, nobody is asked instead
        with pytest.raises(HubError):
            await _outcome(north)
    assert thief.questions == 0


def _second(north: TestFederation) -> RunningHub:
    assert north.second_hub is not None
    return north.second_hub


def _address(north: TestFederation, hub: str) -> str:
    return f"http://127.0.0.1:{north.ports[hub]}"


async def _outcome(north: TestFederation) -> MemberOutcome:
    (result,) = (await north.ask(ASKER, "Katherine Bramley", born="1991-05-17")).results
    return result.outcome


async def _is_dialled_no_more(thief: Thief) -> bool:
    """What was under way may still come; then nothing, for several times as long as it takes to dial again."""
    await asyncio.sleep(0.4)
    while not thief.got.empty():
        thief.got.get_nowait()
    await asyncio.sleep(1)
    return thief.got.empty()
