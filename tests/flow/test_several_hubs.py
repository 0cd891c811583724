"""A federation with two hubs: one may be down, be killed, lag behind or lie, and the other carries on."""

import asyncio
import contextlib
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from consent_ledger.witness import newest_seen
from gateway.accounts.account import Role
from gateway.cli.status import show_status
from gateway.demo.servers import command
from gateway.errors import ClockWrong, FederationRolledBack, HubError
from gateway.links.hub_client import HubClient, Relayed
from gateway.node.results import Completed, MemberOutcome
from gateway.settings import load_node
from gateway.wire.coverage import DeliveryOutcome
from gateway.wire.freshness import sign_freshness
from tests.federation import NAME, NOW, TestFederation, federation, someone
from tests.lying_hub import LyingHub

ASKER, AGENCY = "childrens-services", "housing"
PERSON = ("Katherine", "Bramley", "1991-05-17")
TEAMS = MemberOutcome.TEAMS


@asynccontextmanager
async def two_hubs(folder: Path, *, now: float = NOW, lying: bool = False) -> AsyncIterator[TestFederation]:
    """Both hubs run; the asked agency knows the person. `lying`: in place of the first hub stands one that can lie."""
    async with federation(folder, [ASKER, AGENCY], second_hub=True, lying=lying, now=now, web=True) as north:
        await north.add(AGENCY, *someone(*PERSON))
        yield north


async def ask(north: TestFederation) -> Completed:
    return await north.ask(ASKER, "Katherine Bramley", born="1991-05-17")


def outcome(completed: Completed) -> MemberOutcome:
    (result,) = completed.results
    return result.outcome


def address(north: TestFederation, hub: str) -> str:
    return f"http://127.0.0.1:{north.ports[hub]}"


def used(north: TestFederation) -> str:
    """The hub to which the asker's next question goes."""
    (state,) = (state for state in north.nodes[ASKER].parts.hubs.states if state.used)
    return next(hub for hub in ("hub", "hub-2", "liar") if state.hub == address(north, hub))


async def on_the_page(north: TestFederation) -> str:
    """What the page of the federation says of the hubs."""
    words = (await (await north.sign_in(ASKER, Role.AUDITOR)).get("/manage/federation")).words
    return words[words.index("Hub http") : words.index("Last said on")]


async def test_questions_keys_and_documents_come_by_the_second_hub_while_the_first_is_down(tmp_path: Path) -> None:
    async with two_hubs(tmp_path) as north:
        assert used(north) == "hub"
        first, second = (await north.nodes[ASKER].parts.hubs.sealing_keys()).values()
        assert first == second
        assert first.keys() == {ASKER, AGENCY}
        await north.hub.close()
        completed = await ask(north)
        assert (outcome(completed), completed.coverage_agrees, used(north)) == (TEAMS, True, "hub-2")
        said = await on_the_page(north)
        assert f"{address(north, 'hub')}: Could not be reached" in said
        assert f"{address(north, 'hub-2')}: Questions go there" in said
        # What the second hub serves is enough for a node that has forgotten everybody's keys.
        await north.stop(ASKER)
        (tmp_path / ASKER / "data" / "node.db").unlink()
        await north.start(ASKER)
        await north.refresh()
        completed = await ask(north)
        assert outcome(completed) is TEAMS
        view = north.nodes[ASKER].parts.membership.current()
        assert view.federation.seq == north.operator.document.seq
        await north.restart_hub()
        await north.refresh()
        assert used(north) == "hub"
        assert outcome(await ask(north)) is TEAMS


async def test_a_node_without_a_port_is_asked_through_whichever_hub_is_there(tmp_path: Path) -> None:
    async with federation(tmp_path, [ASKER, AGENCY], second_hub=True, dialling=[AGENCY]) as north:
        await north.add(AGENCY, *someone(*PERSON))
        assert north.second_hub is not None
        async with asyncio.timeout(5):
            while not north.second_hub.links.holds(AGENCY):  # noqa: ASYNC110 - the product has no event for a test
                await asyncio.sleep(0.01)
        assert (outcome(await ask(north)), used(north)) == (TEAMS, "hub")
        await north.hub.close()
        assert (outcome(await ask(north)), used(north)) == (TEAMS, "hub-2")


async def test_with_one_hub_killed_under_load_no_question_is_answered_twice_and_only_those_it_had_are_lost(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    at_once, before, after = 6, 15, 25
    async with two_hubs(tmp_path, now=time.time()) as north:
        await north.hub.close()
        config = str(tmp_path / "hub" / "hub.toml")
        with _process("hub", "serve", "-c", config) as hub:
            try:
                await _is_well(address(north, "hub"))
                await north.refresh()
                assert used(north) == "hub"
                ended: list[str] = []
                begun = asyncio.Event()

                async def keep_asking() -> None:
                    while len(ended) < before + after:
                        try:
                            ended.append(outcome(await ask(north)).value)
                        except HubError:
                            ended.append("no-word")
                        if len(ended) >= before:
                            begun.set()

                async with asyncio.TaskGroup() as group:
                    for _ in range(at_once):
                        group.create_task(keep_asking())
                    await begun.wait()
                    hub.kill()
            finally:
                hub.kill()
        lost = len(ended) - ended.count("teams")
        assert ended[:before] == ["teams"] * before
        assert lost <= at_once
        assert ended[-at_once:] == ["teams"] * at_once
        on_record = [entry["jti"] for entry in await north.ledger(AGENCY)]
        assert len(on_record) == len(set(on_record))
        assert len(ended) - lost <= len(on_record) <= len(ended)
        # `node status` says where questions go, in words.
        await show_status(load_node(tmp_path / ASKER / "node.toml"), lambda _, line: print(line))  # noqa: T201
        told = capsys.readouterr().out
        assert f"Hub {address(north, 'hub')}: not used: the hub at {address(north, 'hub')} cannot be reached" in told
        assert f"Hub {address(north, 'hub-2')}: questions go there" in told


def _process(*arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command(*arguments), stderr=subprocess.DEVNULL)  # noqa: S603 - this very program


async def _is_well(url: str) -> None:
    async with aiohttp.ClientSession() as session:
        for _ in range(400):
            with contextlib.suppress(aiohttp.ClientError):
                async with session.get(f"{url}/v1/health") as response:
                    assert response.status == 200
                    return
            await asyncio.sleep(0.05)
    raise AssertionError("the hub has not started")


@pytest.fixture
async def north(tmp_path: Path) -> AsyncIterator[TestFederation]:
    """The first hub can lie."""
    async with two_hubs(tmp_path, lying=True) as running:
        yield running


@pytest.fixture
def liar(north: TestFederation) -> LyingHub:
    assert north.liar is not None
    return north.liar


async def test_a_question_that_reaches_two_hubs_is_answered_once(north: TestFederation, liar: LyingHub) -> None:
    assert outcome(await ask(north)) is TEAMS
    _, envelope = liar.envelopes[-1]
    me = north.nodes[ASKER].parts.me
    async with aiohttp.ClientSession() as session:
        second = HubClient(
            session,
            address(north, "hub-2"),
            member=ASKER,
            federation=NAME,
            key=lambda: me.signing_key,
            clock=north.clock,
        )
        lines = [line async for line in second.ask(envelope)]
    assert lines[0] == Relayed(member=AGENCY, outcome=DeliveryOutcome.UNREACHABLE, answer=None)
    assert len(await north.ledger(AGENCY)) == 1


async def test_one_hub_cannot_hold_back_what_another_serves(north: TestFederation, liar: LyingHub) -> None:
    served: list[dict[str, Any]] = []

    def keep(reply: dict[str, Any]) -> dict[str, Any]:
        served.append(reply)
        return served[0]

    liar.replies["/v1/federation"] = keep
    await north.refresh(ASKER)
    await north.publish(lambda operator: operator.suspend(AGENCY, north.clock.now()))
    await north.refresh(ASKER)
    membership = north.nodes[ASKER].parts.membership
    view = membership.current()
    assert (view.federation.seq, view.federation.members[AGENCY].active) == (north.operator.document.seq, False)
    (said,) = membership.doubtful_hubs.items()
    assert said[0] == address(north, "liar")
    assert "another hub" in said[1]
    assert f"{address(north, 'liar')}: What it says is not believed" in await on_the_page(north)


@pytest.mark.parametrize("newer", [False, True])
async def test_two_hubs_with_two_documents_of_one_number_stop_the_node(
    north: TestFederation, liar: LyingHub, newer: bool
) -> None:
    twin = north.twin()
    liar.replies["/v1/federation"] = lambda _: {
        "document": twin.token.decode(),
        "freshness": sign_freshness(twin, liar.key, north.clock.now()),
    }
    if newer:  # though the other hub serves one with a higher number, which alone would be taken
        await north.publish()
    membership = north.nodes[ASKER].parts.membership
    for _ in range(1 if newer else 2):  # also once the officer has cleared the alarm, for as long as there are two
        with pytest.raises(FederationRolledBack, match="two contents"):
            await membership.refresh()
        with pytest.raises(FederationRolledBack):
            membership.current()
        await membership.clear_alarm()
    del liar.replies["/v1/federation"]
    assert (await membership.refresh()).federation.sha256 == north.operator.document.sha256


async def test_a_clock_that_one_hub_confirms_is_right_and_one_that_none_confirms_is_wrong(
    north: TestFederation, liar: LyingHub
) -> None:
    def ten_minutes_off(reply: dict[str, Any]) -> dict[str, Any]:
        return reply | {"freshness": sign_freshness(north.operator.document, liar.key, north.clock.now() - 600)}

    liar.replies["/v1/federation"] = ten_minutes_off
    membership = north.nodes[ASKER].parts.membership
    await membership.refresh()
    assert outcome(await ask(north)) is TEAMS
    assert "clock" in membership.doubtful_hubs[address(north, "liar")]
    assert north.second_hub is not None
    await north.second_hub.close()
    with pytest.raises(ClockWrong):
        await membership.refresh()


async def test_the_hub_that_the_settings_name_cosigns_the_ledger(tmp_path: Path) -> None:
    async with two_hubs(tmp_path) as north:
        assert north.second_hub is not None
        hubs = (north.hub.hub.database, north.second_hub.hub.database)
        file = tmp_path / ASKER / "node.toml"
        await north.nodes[ASKER].checkpoints.visit()
        assert [await hub.read(newest_seen(ASKER)) is not None for hub in hubs] == [True, False]
        text = file.read_text().replace("\nhubs = ", f'\nwitness_hub = "{address(north, "hub-2")}"\nhubs = ')
        file.write_text(text)
        await north.stop(ASKER)
        await north.start(ASKER)
        await north.refresh(ASKER)
        await north.nodes[ASKER].checkpoints.visit()
        assert [await hub.read(newest_seen(ASKER)) is not None for hub in hubs] == [True, True]
