"""One node in two federations: what one knows, signs and records is nothing to the other."""

import asyncio
import contextlib
import shutil
import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from gateway.app.hub import open_hub
from gateway.app.node import open_nodes
from gateway.app.telemetry import watch_nodes
from gateway.doctor.gather_federations import examine_nodes
from gateway.errors import ConfigurationError, FederationError, NotAuthentic
from gateway.node.identity import load_identity
from gateway.settings import TelemetryTable, load_hub, load_node
from gateway.wire.federation import Federation
from gateway.wire.keys import SigningKey
from gateway.wire.limits import SEALED_ANSWER_BYTES
from gateway.wire.operator import Operator
from gateway.wire.request import sign_request
from tests.federation import TestFederation, result_of, someone
from tests.flow.test_dialled_process import logged, serving
from tests.flow.two_federations import SHARED, Two, two_federations
from tests.hub.searched_hub import memory_of, search
from tests.lying_hub import LyingHub, post_answer

NORTH_ASKER, SOUTH_ASKER = "childrens-services", "community-trust"
NORTHERNER = ("Katherine Bramley", "1991-05-17")
SOUTHERNER = ("Zephyrine Quillfeather", "1984-02-29")


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[Two]:
    """Each register of the shared node knows somebody whom the other does not."""
    async with two_federations(tmp_path, lying=True) as running:
        await fill(running)
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def calm(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Two]:
    """The same, shared by tests that leave it as it was."""
    async with two_federations(tmp_path_factory.mktemp("calm"), lying=True) as running:
        await fill(running)
        yield running


async def fill(two: Two) -> None:
    await two.north.add(SHARED, *someone("Katherine", "Bramley", "1991-05-17"))
    await two.south.add(SHARED, *someone("Zephyrine", "Quillfeather", "1984-02-29"))


async def outcome(federation: TestFederation, asker: str, person: tuple[str, str]) -> str:
    completed = await federation.ask(asker, person[0], born=person[1], postcode="ZM4 7QT")
    return result_of(completed, SHARED).outcome.value


def liar_of(federation: TestFederation) -> LyingHub:
    assert federation.liar is not None
    return federation.liar


async def test_a_question_is_answered_from_the_rows_of_its_own_federation_alone(two: Two) -> None:
    north, south = two.north, two.south
    assert await outcome(north, NORTH_ASKER, NORTHERNER) == "teams"
    assert await outcome(north, NORTH_ASKER, SOUTHERNER) == "nothing-to-disclose"
    assert await outcome(south, SOUTH_ASKER, SOUTHERNER) == "teams"
    assert await outcome(south, SOUTH_ASKER, NORTHERNER) == "nothing-to-disclose"
    # Each has on record what was asked there, and no question of the other.
    asked = {each.name: {entry["jti"] for entry in await each.ledger(SHARED)} for each in (north, south)}
    assert [len(jtis) for jtis in asked.values()] == [2, 2]
    assert not asked["northshire"] & asked["southshire"]
    assert {sender for sender, _ in liar_of(north).envelopes} == {NORTH_ASKER}
    assert {sender for sender, _ in liar_of(south).envelopes} == {SOUTH_ASKER}
    # Asking is in one federation too: nobody else's hub and no other's member hears of it.
    before = len(liar_of(south).envelopes)
    completed = await north.ask(SHARED, "Olu Open", born="1990-04-04")
    assert [each.member.id for each in completed.results] == [NORTH_ASKER]
    assert len(liar_of(south).envelopes) == before


@pytest.mark.asyncio(loop_scope="module")
async def test_keys_ledgers_and_files_have_nothing_in_common(calm: Two) -> None:
    north, south = calm.nodes
    assert await outcome(calm.south, SOUTH_ASKER, SOUTHERNER) == "teams"
    assert not north.parts.me.signing_keys.kids & south.parts.me.signing_keys.kids
    assert north.parts.me.ledger_key.kid != south.parts.me.ledger_key.kid
    assert north.parts.me.log_key.name != south.parts.me.log_key.name
    now = calm.north.clock.now()
    assert north.parts.me.ring.current(now).kid != south.parts.me.ring.current(now).kid
    for node, other in ((north, "southshire"), (south, "northshire")):
        files = b"".join(path.read_bytes() for path in node.settings.node.data.rglob("*") if path.is_file())
        assert node.parts.me.federation.encode() in files  # the search finds what is there
        assert other.encode() not in files
    # What the north's hub and operator have on disk holds nothing of the south: no person, no member, no name.
    held = b"".join(
        path.read_bytes()
        for name in ("hub", "operator")
        for path in (calm.north.folder / name).rglob("*")
        if path.is_file()
    )
    assert NORTH_ASKER.encode() in held
    for word in (b"southshire", SOUTH_ASKER.encode(), b"Quillfeather", *_kids(south.parts.me.signing_keys.kids)):
        assert word not in held


async def test_the_hub_of_one_cannot_deliver_for_the_other(two: Two) -> None:
    north, south = liar_of(two.north), liar_of(two.south)
    south.keeps_questions = north.keeps_questions = True
    await two.south.ask(SOUTH_ASKER, SOUTHERNER[0], born=SOUTHERNER[1])
    question, port = south.stolen(SHARED), two.north.ports[SHARED]
    body = question.to_json()
    # The north's hub has a question of the south's, and hands it over: to the north's desk, which cannot open it.
    reply = await north.deliver(SHARED, question)
    assert (reply.status, reply.code) == (403, "not-for-us")
    # In the name of the south's hub it has no key; what is refused sounds as at a node in one federation.
    alone = await post_answer(two.north.ports[NORTH_ASKER], body, authorisation=north.authorise(NORTH_ASKER, body))
    stranger = SigningKey.generate()
    refused = [
        await post_answer(port, body, authorisation=north.authorise(SHARED, body, key=stranger)),
        await post_answer(port, body, authorisation=north.authorise(SHARED, body, iss=SOUTH_ASKER)),
        await post_answer(port, body, authorisation=south.authorise(SHARED, body, iss=NORTH_ASKER)),
    ]
    other = await post_answer(
        two.north.ports[NORTH_ASKER], body, authorisation=north.authorise(NORTH_ASKER, body, key=stranger)
    )
    assert {(each.status, each.code) for each in refused} == {(other.status, other.code)} == {(401, "not-authentic")}
    assert {each.body for each in refused} == {other.body}
    assert alone.status == 403  # a question that is sealed for another is as closed to any node
    assert await two.north.ledger(SHARED) == await two.south.ledger(SHARED) == []
    # Its own hub delivers it, by either address of the one door, once.
    opened = await post_answer(port, body, authorisation=south.authorise(SHARED, body))
    assert (opened.status, len(opened.body)) == (200, SEALED_ANSWER_BYTES)
    assert (len(await two.north.ledger(SHARED)), len(await two.south.ledger(SHARED))) == (0, 1)


@pytest.mark.asyncio(loop_scope="module")
async def test_members_come_to_the_desk_of_their_own_federation(calm: Two) -> None:
    port = calm.north.ports[SHARED]
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
        for federation, member, status in (
            (calm.north, NORTH_ASKER, 200),
            (calm.south, SOUTH_ASKER, 200),
        ):
            key = federation.nodes[member].parts.me.signing_key
            for named, expected in ((member, status), (SHARED, 403)):
                path = f"/v1/checkpoints/{named}"
                token = sign_request(
                    key,
                    iss=member,
                    aud=SHARED,
                    method="GET",
                    path=path,
                    body=b"",
                    now=federation.clock.now(),
                    jti="00000000-0000-4000-8000-00000000000a",
                )
                async with session.get(path, headers={"Authorization": token}) as response:
                    assert response.status == expected, (member, named)
        async with session.get("/v1/ready") as response:  # which member it is where, is nothing to whoever asks
            assert (response.status, await response.json()) == (200, {"status": "ready"})


@pytest.mark.asyncio(loop_scope="module")
async def test_a_document_of_the_other_federation_is_refused(calm: Two) -> None:
    south = calm.south.hub.hub.directory.federation().token.decode()
    liar_of(calm.north).replies["/v1/federation"] = lambda reply: reply | {"document": south}
    before = calm.nodes[0].parts.membership.received
    with pytest.raises((FederationError, NotAuthentic)):
        await calm.nodes[0].parts.membership.refresh()
    assert calm.nodes[0].parts.membership.received is before
    liar_of(calm.north).replies.clear()


async def test_a_document_that_lists_a_key_of_the_other_federation_is_not_taken_and_harms_no_other(two: Two) -> None:
    stolen = liar_of(two.north).key.verify_key()  # the south's operator lists the north's hub as one of its own

    def add(operator: Operator) -> Federation:
        return operator.add_hub(stolen, two.south.clock.now())

    await two.south.publish(add)
    held = two.nodes[1].parts.membership.received
    with pytest.raises(FederationError, match="lists a key that is somebody's in northshire"):
        await two.nodes[1].parts.membership.refresh()
    assert two.nodes[1].parts.membership.received is held
    assert await outcome(two.north, NORTH_ASKER, NORTHERNER) == "teams"


async def test_neither_memory_nor_files_of_one_hub_hold_anything_of_the_other_federation(tmp_path: Path) -> None:
    async with two_federations(tmp_path, now=time.time()) as two:
        north, south = two.north, two.south
        await fill(two)
        await north.hub.close()
        with serving(north.folder, "hub", "serve", "--config", "hub/hub.toml") as (hub, log):
            await asyncio.to_thread(logged, log, "hub.started")
            for federation, asker, person in ((south, SOUTH_ASKER, SOUTHERNER), (north, NORTH_ASKER, NORTHERNER)):
                await federation.refresh()
                assert await outcome(federation, asker, person) == "teams"
            memory = memory_of(hub.pid)
        north.hub = await open_hub(load_hub(north.folder / "hub" / "hub.toml"), clock=north.clock)
        files = b"".join(path.read_bytes() for path in (north.folder / "hub").rglob("*") if path.is_file())
        held = memory + files
        own, other = ((each.name, *each.nodes[SHARED].parts.me.signing_keys.kids) for each in (north, south))
        assert all(word.encode() in held for word in own)  # the search finds what is there
        assert not [word for word in (*other, *NORTHERNER, *SOUTHERNER) if word.encode() in held]
        assert search(memory, [NORTH_ASKER])
        assert not search(memory, ["Quillfeather"])


async def test_a_flood_of_one_hub_takes_no_place_of_the_other(tmp_path: Path) -> None:
    async with two_federations(tmp_path, lying=True, options="max_in_flight = 2", delay_ms=300) as two:
        await fill(two)
        north = liar_of(two.north)
        north.keeps_questions = True
        envelopes = []
        for _ in range(4):
            await two.north.ask(NORTH_ASKER, NORTHERNER[0], born=NORTHERNER[1])
            envelopes.append(north.stolen(SHARED))
        flood = [asyncio.create_task(north.deliver(SHARED, each)) for each in envelopes]
        await asyncio.sleep(0.1)
        assert await outcome(two.south, SOUTH_ASKER, SOUTHERNER) == "teams"
        assert sorted(each.status for each in await asyncio.gather(*flood)) == [200, 503, 503, 503]


async def test_whoever_has_no_key_in_a_federation_does_not_see_how_things_stand_there(tmp_path: Path) -> None:
    async with two_federations(tmp_path, lying=True, options="max_in_flight = 2", delay_ms=600) as two:
        north, south = liar_of(two.north), liar_of(two.south)
        port, alone = two.north.ports[SHARED], two.north.ports[NORTH_ASKER]
        north.keeps_questions = True
        await two.north.ask(NORTH_ASKER, NORTHERNER[0], born=NORTHERNER[1])
        question = north.stolen(SHARED)
        by_stranger = sign_request(
            SigningKey.generate(),
            iss=SOUTH_ASKER,
            aud=SHARED,
            method="POST",
            path="/v1/counts",
            body=b"{}",
            now=two.north.clock.now(),
            jti="00000000-0000-4000-8000-00000000000b",
        )
        shared_told, alone_told = [], []
        for state in ("idle", "busy", "stale"):
            if state == "busy":
                running = asyncio.create_task(north.deliver(SHARED, question))
                await asyncio.sleep(0.2)
            if state == "stale":
                assert (await running).status == 200
                two.north.clock.turn(5 * 3_600)
            body = question.to_json()
            shared_told += [
                await refusal(port, path, authorisation)
                for path in ("/v1/answers", "/v1/counts", "/v1/checkpoints")
                for authorisation in ("", "Patchwork x.y.z", by_stranger)
            ]
            hub_of_other = await post_answer(port, body, authorisation=south.authorise(SHARED, body, iss=NORTH_ASKER))
            shared_told.append((hub_of_other.status, hub_of_other.code))
            alone_told += [await refusal(alone, path, by_stranger) for path in ("/v1/answers", "/v1/counts")]
            own = (await north.deliver(SHARED, question)).code if state != "idle" else ""
            assert own == {"idle": "", "busy": "overloaded", "stale": "federation-stale"}[state]
    assert set(shared_told) == {(401, "not-authentic")}
    assert set(alone_told) == {(401, "not-authentic")}


async def refusal(port: int, path: str, authorisation: str) -> tuple[int, str]:
    """What whoever posts this is told."""
    async with (
        aiohttp.ClientSession(headers={"Authorization": authorisation}) as session,
        session.post(f"http://127.0.0.1:{port}{path}", data=b"{}") as response,
    ):
        return response.status, (await response.json())["issue"][0]["details"]["coding"][0]["code"]


async def test_a_node_that_dials_opens_a_link_to_the_hub_of_each(tmp_path: Path) -> None:
    async with two_federations(tmp_path, link="dial") as two:
        await fill(two)
        assert await outcome(two.north, NORTH_ASKER, NORTHERNER) == "teams"
        assert await outcome(two.south, SOUTH_ASKER, NORTHERNER) == "nothing-to-disclose"
        assert await outcome(two.south, SOUTH_ASKER, SOUTHERNER) == "teams"


@pytest.mark.asyncio(loop_scope="module")
async def test_each_figure_says_of_which_federation_it_is_and_the_doctor_names_it(calm: Two) -> None:
    telemetry = await watch_nodes(calm.nodes, TelemetryTable(listen=("127.0.0.1", 0)))
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(telemetry.close)
        client = await stack.enter_async_context(aiohttp.ClientSession())
        await calm.south.ask(SOUTH_ASKER, SOUTHERNER[0], born=SOUTHERNER[1])
        async with client.get(f"http://127.0.0.1:{telemetry.listener.port}/metrics") as response:
            lines = (await response.text()).splitlines()
    answered = f'patchwork_questions_answered_total{{federation="southshire",member="{SOUTH_ASKER}"}} 1.0'
    assert answered in lines
    requests = [line for line in lines if line.startswith("patchwork_http_requests_total")]
    assert requests == ['patchwork_http_requests_total{federation="southshire",route="/v1/answers",status="200"} 1.0']
    assert len([line for line in lines if line.startswith("# TYPE patchwork_federation_seq ")]) == 1
    assert len([line for line in lines if line.startswith("patchwork_build_info")]) == 1

    findings = await examine_nodes(calm.settings, calm.north.clock)
    assert any(each.what.startswith("southshire: ") for each in findings)
    assert not [each for each in findings if "one key" in each.what]


@pytest.mark.asyncio(loop_scope="module")
async def test_a_node_whose_federations_share_a_key_or_a_folder_does_not_start(calm: Two) -> None:
    text = calm.config.read_text()
    home, other = calm.north.folder / SHARED, calm.south.folder / SHARED
    key = (home / "keys" / "signing.pem").read_bytes()
    kept = (other / "keys" / "signing.pem").read_bytes()
    (other / "keys" / "signing.pem").write_bytes(key)
    with pytest.raises(ConfigurationError, match="northshire and southshire: both key folders hold the same key"):
        await open_nodes(calm.settings, clock=calm.north.clock)
    assert [each for each in await examine_nodes(calm.settings, calm.north.clock) if "one key" in each.what]
    (other / "keys" / "signing.pem").write_bytes(kept)
    # A ledger's next key, which is not signed with yet, is one of them.
    load_identity(home / "keys", member=SHARED, federation="northshire").ledger_keys.begin()
    (waiting,) = (home / "keys").glob("ledger-*.pem")
    shared = Path(shutil.copy(waiting, other / "keys"))
    with pytest.raises(ConfigurationError, match="northshire and southshire: both key folders hold the same key"):
        await open_nodes(calm.settings, clock=calm.north.clock)
    for file in (waiting, shared):
        file.unlink()
    # A link from one folder into the other is found as well, though the configuration does not show it.
    (calm.config.parent / "elsewhere").symlink_to(home)
    calm.config.write_text(text.replace(f'folder = "{other}"', f'folder = "{calm.config.parent / "elsewhere"}"'))
    with pytest.raises(ConfigurationError, match="would hold what belongs to two of them"):
        await open_nodes(load_node(calm.config), clock=calm.north.clock)
    calm.config.write_text(text)


def _kids(kids: frozenset[str]) -> list[bytes]:
    return [kid.encode() for kid in kids]
