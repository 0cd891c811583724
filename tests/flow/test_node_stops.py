"""A node that is told to stop takes no more questions, says so, and lets the answers under way leave at their time."""

import asyncio
from dataclasses import replace
from pathlib import Path

import aiohttp

from gateway.app.node import listen_node
from gateway.node.admission import Admission
from gateway.wire.limits import SEALED_ANSWER_BYTES
from gateway.wire.paths import HEALTH_PATH, READY_PATH
from tests.federation import federation, someone
from tests.flow.test_node_door import check_refusal
from tests.lying_hub import LyingHub, Reply

ASKER, AGENCY = "childrens-services", "housing"


async def test_a_node_that_stops_ends_what_is_under_way_and_takes_nothing_new(tmp_path: Path) -> None:
    async with federation(tmp_path, [ASKER, AGENCY], lying=True) as north:
        await north.add(AGENCY, *someone("Katherine", "Bramley", "1991-05-17"))
        assert north.liar is not None
        north.liar.keeps_questions = True
        await north.ask(ASKER, "Katherine Bramley", born="1991-05-17")
        other = await north.open(AGENCY)
        table = other.settings.node.model_copy(update={"listen": ("127.0.0.1", 0), "answer_delay_ms": 500})
        other = replace(other, settings=other.settings.model_copy(update={"node": table}))
        admission = Admission(most=4, delay_s=0.5, measured=False)
        door = await listen_node(other, admission)
        hub = LyingHub(key=north.liar.key, clock=north.liar.clock, real=north.liar.real, ports={AGENCY: door.port})
        try:
            assert (await _get(door.port, READY_PATH)).status == 200
            under_way = asyncio.create_task(hub.deliver(AGENCY, north.liar.stolen(AGENCY)))
            while await admission.ended(0):  # noqa: ASYNC110 - nothing tells that it has begun
                await asyncio.sleep(0.01)
            admission.stop()
            check_refusal(await _get(door.port, READY_PATH), 503, "overloaded")
            assert (await _get(door.port, HEALTH_PATH)).status == 200
            check_refusal(await hub.deliver(AGENCY, north.liar.stolen(AGENCY)), 503, "overloaded")
            assert not under_way.done()
            assert len((await under_way).body) == SEALED_ANSWER_BYTES
            assert await admission.ended(1)
        finally:
            await door.close()
            await other.close()


async def _get(port: int, path: str) -> Reply:
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}{path}") as response:
        return Reply(status=response.status, body=await response.read(), headers=response.headers)
