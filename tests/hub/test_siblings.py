"""Links that another process of the hub holds: who is asked over which, how many there may be, who may listen in."""

import asyncio
import os
import stat
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from aiohttp import WSCloseCode

from gateway.errors import ConfigurationError
from gateway.links.contract import Delivery
from gateway.links.sibling_frames import (
    MAX_BODY_BYTES,
    MAX_HEAD_BYTES,
    Ask,
    Cancel,
    Held,
    Known,
    Said,
    packed,
    read_frame,
)
from gateway.links.sibling_sockets import FOLDER, MAX_PATH_BYTES, clear_folder, open_folder
from gateway.links.siblings import Siblings
from gateway.wire.coverage import DeliveryOutcome
from gateway.wire.federation import Member
from gateway.wire.limits import MAX_IN_FLIGHT_PER_LINK, MAX_LINKS_PER_MEMBER, SEALED_ANSWER_BYTES
from gateway.wire.request import HashedBody
from tests.hub.dialled import DialledNode, dialled, silent
from tests.hub.kit import Federated, RunningHub, process, running_hub

ENVELOPE = HashedBody.of(b'{"opaque":"to the hub"}')
LOST = Delivery(outcome=DeliveryOutcome.UNREACHABLE)
OVERLOADED = Delivery(outcome=DeliveryOutcome.OVERLOADED)


@pytest.fixture
def member(federation: Federated) -> Member:
    """A member whose node dials."""
    return federation.add("foodbank", endpoint=None)


@pytest.fixture
async def hubs(federation: Federated, member: Member) -> AsyncIterator[list[RunningHub]]:
    """Three processes of one hub, each of which knows the others."""
    assert member
    federation.publish()
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(running_hub(federation, sharing=process(number, of=3)))
            for number in range(3)
        ]


def siblings(hub: RunningHub) -> Siblings:
    assert hub.shared is not None
    return hub.shared.siblings


async def knows(hub: RunningHub, member: Member, *, holds: bool = True) -> None:
    """Wait until this process has heard that another holds a link of the member, or that none does any more."""
    async with asyncio.timeout(5):
        while siblings(hub).holds(member.id) is not holds:  # noqa: ASYNC110 - the product has no event for a test
            await asyncio.sleep(0.005)


async def closed(link: DialledNode) -> int | None:
    async with asyncio.timeout(5):
        await link.ended.wait()
    return link.socket.close_code


async def test_whole_question_to_any_process_reaches_a_node_that_has_dialled_one(
    hubs: list[RunningHub], member: Member
) -> None:
    async with dialled(hubs[0], member.id) as node:
        await knows(hubs[1], member)
        await knows(hubs[2], member)
        for hub in hubs:
            assert (await hub.ask(member.id)).outcomes == {member.id: "answered"}
        assert len(node.questions) == 3
    await knows(hubs[1], member, holds=False)
    assert (await hubs[1].ask(member.id)).outcomes == {member.id: "unreachable"}


async def test_process_that_starts_later_knows_the_links_before_it_takes_a_question(
    federation: Federated, hubs: list[RunningHub], member: Member
) -> None:
    async with dialled(hubs[0], member.id):
        await siblings(hubs[2]).close()
        async with running_hub(federation, sharing=process(2, of=3)) as hub:
            assert (await hub.ask(member.id)).outcomes == {member.id: "answered"}


async def test_when_the_process_that_holds_the_link_dies_its_questions_are_lost_and_never_sent_again(
    hubs: list[RunningHub], member: Member
) -> None:
    async with dialled(hubs[0], member.id, silent) as held, dialled(hubs[2], member.id) as other:
        await knows(hubs[1], member)
        asked: list[asyncio.Task[Delivery]] = []
        while not held.questions:
            asked.append(asyncio.create_task(siblings(hubs[1]).deliver(member, ENVELOPE)))
            await asyncio.wait(asked[-1:], timeout=0.1)
        answered = len(other.questions)
        await siblings(hubs[0]).close()
        assert await asked[-1] == LOST
        assert (await siblings(hubs[1]).deliver(member, ENVELOPE)).outcome is DeliveryOutcome.ANSWERED
        assert (len(held.questions), len(other.questions)) == (1, answered + 1)


async def test_full_link_here_is_relieved_by_one_elsewhere_and_then_the_member_is_overloaded(
    hubs: list[RunningHub], member: Member
) -> None:
    async with dialled(hubs[0], member.id, silent) as here, dialled(hubs[1], member.id, silent) as there:
        await knows(hubs[0], member)
        link = hubs[0].hub.link
        asked = [asyncio.create_task(link.deliver(member, ENVELOPE)) for _ in range(2 * MAX_IN_FLIGHT_PER_LINK)]
        await here.asked_times(MAX_IN_FLIGHT_PER_LINK)
        await there.asked_times(MAX_IN_FLIGHT_PER_LINK)
        assert await link.deliver(member, ENVELOPE) == OVERLOADED
        assert await hubs[2].hub.link.deliver(member, ENVELOPE) == OVERLOADED
        await there.answer(there.questions[0])
        relieved = asyncio.create_task(hubs[2].hub.link.deliver(member, ENVELOPE))
        await there.asked_times(MAX_IN_FLIGHT_PER_LINK + 1)
        for each in [*asked, relieved]:
            each.cancel()


async def test_member_whose_link_here_is_full_and_whose_link_elsewhere_has_just_gone_is_overloaded(
    hubs: list[RunningHub], member: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = hubs[0].hub.link
    async with dialled(hubs[0], member.id, silent) as here:
        asked = [asyncio.create_task(link.deliver(member, ENVELOPE)) for _ in range(MAX_IN_FLIGHT_PER_LINK)]
        await here.asked_times(MAX_IN_FLIGHT_PER_LINK)
        monkeypatch.setattr(siblings(hubs[0]), "holds", lambda _: True)
        assert await link.deliver(member, ENVELOPE) == OVERLOADED
        for each in asked:
            each.cancel()


async def test_question_whose_asker_has_gone_keeps_its_place_on_a_link_elsewhere(
    hubs: list[RunningHub], member: Member
) -> None:
    async with dialled(hubs[0], member.id, silent) as node:
        await knows(hubs[1], member)
        asked = [asyncio.create_task(siblings(hubs[1]).deliver(member, ENVELOPE)) for _ in range(10)]
        await node.asked_times(10)
        for each in asked:
            each.cancel()
        await asyncio.wait(asked)
        await asyncio.sleep(0.05)
        link = hubs[0].links.with_room(member.id)
        assert link is not None
        assert (link.in_flight, len(link.under_way())) == (10, 0)


async def test_member_has_no_more_links_to_all_processes_together_than_to_one(
    hubs: list[RunningHub], member: Member
) -> None:
    async with AsyncExitStack() as stack:
        links = [
            await stack.enter_async_context(dialled(hubs[number % 3], member.id, silent))
            for number in range(MAX_LINKS_PER_MEMBER + 2)
        ]
        assert [await closed(each) for each in links[:2]] == [WSCloseCode.GOING_AWAY] * 2
        await asyncio.sleep(0.1)
        assert not any(each.ended.is_set() for each in links[2:])
        assert sum(len(hub.links.held(member.id)) for hub in hubs) == MAX_LINKS_PER_MEMBER


async def test_process_of_a_node_with_all_its_links_that_dials_elsewhere_costs_the_others_none(
    hubs: list[RunningHub], member: Member
) -> None:
    names = [str(uuid4()) for _ in range(MAX_LINKS_PER_MEMBER)]
    async with AsyncExitStack() as stack:
        links = [await stack.enter_async_context(dialled(hubs[0], member.id, silent, process=name)) for name in names]
        await stack.enter_async_context(dialled(hubs[1], member.id, silent, process=names[-1]))
        assert await closed(links[-1]) == WSCloseCode.GOING_AWAY
        await asyncio.sleep(0.1)
        assert not any(each.ended.is_set() for each in links[:-1])


async def test_new_link_of_a_nodes_process_takes_the_place_of_the_one_that_it_had_elsewhere(
    hubs: list[RunningHub], member: Member
) -> None:
    node_process = str(uuid4())
    async with dialled(hubs[0], member.id, silent, process=node_process) as lost:
        await knows(hubs[1], member)
        delivery = asyncio.create_task(siblings(hubs[1]).deliver(member, ENVELOPE))
        await lost.asked_times(1)
        async with dialled(hubs[2], member.id, process=node_process) as found:
            assert await closed(lost) == WSCloseCode.GOING_AWAY
            assert await delivery == Delivery(outcome=DeliveryOutcome.UNREACHABLE, fault=True)
            await knows(hubs[0], member)
            assert (await hubs[0].ask(member.id)).outcomes == {member.id: "answered"}
            assert len(found.questions) == 1
    assert len(lost.questions) == 1


async def test_news_reach_the_links_of_each_process_and_who_is_shut_out_loses_them(
    federation: Federated, hubs: list[RunningHub], member: Member
) -> None:
    other = federation.add("housing", endpoint=None)
    federation.publish()
    for hub in hubs:
        await hub.hub.directory.refresh()
    async with (
        dialled(hubs[0], member.id) as gone,
        dialled(hubs[1], member.id) as too,
        dialled(hubs[2], other.id) as on,
    ):
        federation.suspend(member.id)
        federation.publish()
        for hub in hubs:
            await hub.hub.directory.refresh()
        assert [await closed(each) for each in (gone, too)] == [WSCloseCode.POLICY_VIOLATION] * 2
        async with asyncio.timeout(5):
            while federation.seq not in on.news:  # noqa: ASYNC110 - nothing tells
                await asyncio.sleep(0.005)
    assert not siblings(hubs[2]).holds(member.id)


async def test_processes_that_stop_together_keep_their_links_until_the_last_question_of_any_has_ended(
    hubs: list[RunningHub], member: Member
) -> None:
    async with dialled(hubs[0], member.id, silent) as node:
        await knows(hubs[1], member)
        asking = asyncio.create_task(hubs[1].ask(member.id))
        await node.asked_times(1)
        stopping = [asyncio.create_task(hub.running.drain()) for hub in hubs]
        await asyncio.sleep(0.1)
        assert not any(each.done() for each in stopping), "one has a question under way"
        await node.answer(node.questions[0])
        assert (await asking).outcomes == {member.id: "answered"}
        async with asyncio.timeout(2):
            await asyncio.gather(*stopping)


HOSTILE = {
    "no frame": b"GET / HTTP/1.1\r\n\r\n",
    "long head": (MAX_HEAD_BYTES + 1).to_bytes(4) + bytes(4),
    "long body": (2).to_bytes(4) + (MAX_BODY_BYTES + 1).to_bytes(4),
    "no JSON": (2).to_bytes(4) + bytes(4) + b"xx",
    "unknown kind": (8).to_bytes(4) + bytes(4) + b'["Stop"]',
    "no list": (2).to_bytes(4) + bytes(4) + b"{}",
    "too few values": (9).to_bytes(4) + bytes(4) + b'["Ask",1]',
    "number as a text": (12).to_bytes(4) + bytes(4) + b'["Hello",""]',
    "a body without use": (11).to_bytes(4) + (1).to_bytes(4) + b'["Hello",1]x',
    "what only the other end says": packed(Known()),
}


@pytest.mark.parametrize("sent", HOSTILE.values(), ids=HOSTILE.keys())
async def test_what_no_process_of_the_hub_says_ends_that_connection_and_nothing_else(
    federation: Federated, hubs: list[RunningHub], member: Member, sent: bytes
) -> None:
    async with dialled(hubs[0], member.id), asyncio.timeout(5):
        await knows(hubs[1], member)
        reader, writer = await asyncio.open_unix_connection(federation.folder / FOLDER / "test-0.sock")
        while not isinstance(await read_frame(reader), Known):
            pass
        writer.write(sent)
        while await reader.read(2**16):
            pass
        writer.close()
        assert (await hubs[1].ask(member.id)).outcomes == {member.id: "answered"}


Talking = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def beside(federation: Federated, member: Member, talking: Talking) -> AsyncIterator[RunningHub]:
    """A process that dials another, which says that it holds a link of this member and then does as `talking`."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(packed(Held(member.id, {str(uuid4()): 1.0})) + packed(Known()))
        try:
            await talking(reader, writer)
        finally:
            writer.close()

    federation.publish()
    folder = open_folder(federation.folder, "test")
    server = await folder.listen(0, talk)
    async with running_hub(federation, sharing=process(1)) as hub:
        yield hub
    server.close()
    folder.close()


UNTRUE = {
    "short answer": packed(Said(1, "answered", False, b"short")),
    "no answer": packed(Said(1, "answered", False, b"")),
    "answer to a refusal": packed(Said(1, "overloaded", False, bytes(SEALED_ANSWER_BYTES))),
    "no such outcome": packed(Said(1, "perhaps", False, b"")),
    "a question back": packed(Cancel(1)),
}


@pytest.mark.parametrize("said", UNTRUE.values(), ids=UNTRUE.keys())
async def test_what_a_process_cannot_have_been_told_by_a_node_is_believed_of_none(
    federation: Federated, member: Member, said: bytes
) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while not isinstance(await read_frame(reader), Ask):
            pass
        writer.write(packed(Said(99, "answered", False, bytes(SEALED_ANSWER_BYTES))) + said)
        await reader.read()

    async with beside(federation, member, talk) as hub, asyncio.timeout(5):
        assert await siblings(hub).deliver(member, ENVELOPE) == LOST


async def test_process_that_does_not_read_is_sent_so_much_and_no_more(
    federation: Federated, member: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.links.sibling_sockets.MAX_UNSENT_BYTES", 2**20)

    async def read_nothing(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        reader._transport.pause_reading()  # type: ignore[attr-defined]  # a reader has no public way to hang
        await asyncio.sleep(60)

    large = HashedBody.of(bytes(MAX_BODY_BYTES))
    async with beside(federation, member, read_nothing) as hub, asyncio.timeout(5):
        asked = [asyncio.create_task(siblings(hub).deliver(member, large)) for _ in range(100)]
        ended, waiting = await asyncio.wait(asked, timeout=0.3)
        assert {each.result() for each in ended} == {OVERLOADED}
        assert len(waiting) < 40, "what the system takes, and a mebibyte"
        for each in waiting:
            each.cancel()


async def test_questions_of_one_other_process_that_wait_are_bounded_in_bytes(
    hubs: list[RunningHub], member: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.links.sibling_door.MAX_ASKED_BYTES", 3 * len(ENVELOPE.data))
    async with dialled(hubs[0], member.id, silent) as node:
        await knows(hubs[1], member)
        await knows(hubs[2], member)
        asked = [asyncio.create_task(siblings(hubs[1]).deliver(member, ENVELOPE)) for _ in range(3)]
        await node.asked_times(3)
        assert await siblings(hubs[1]).deliver(member, ENVELOPE) == OVERLOADED
        other = asyncio.create_task(siblings(hubs[2]).deliver(member, ENVELOPE))
        await node.asked_times(4)
        for each in [*asked, other]:
            each.cancel()


async def test_questions_that_are_left_by_who_asked_them_are_bounded_by_the_link(
    federation: Federated, hubs: list[RunningHub], member: Member
) -> None:
    async with dialled(hubs[0], member.id, silent), asyncio.timeout(5):
        _, writer = await asyncio.open_unix_connection(federation.folder / FOLDER / "test-0.sock")
        for number in range(3 * MAX_IN_FLIGHT_PER_LINK):
            writer.write(packed(Ask(number, member.id, "Patchwork x", "", b"{}")))
        await writer.drain()
        await asyncio.sleep(0.1)
        (link,) = hubs[0].links._links[member.id]
        assert link.in_flight == MAX_IN_FLIGHT_PER_LINK
        writer.close()
        await asyncio.sleep(0.1)
        assert not link.under_way()


async def test_only_the_hubs_own_user_is_let_in_and_believed(
    federation: Federated, hubs: list[RunningHub], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = federation.folder / FOLDER
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(each.stat().st_mode) for each in folder.iterdir()} == {0o600}
    mine = os.geteuid()
    monkeypatch.setattr("gateway.links.sibling_sockets.os.geteuid", lambda: mine + 1)
    reader, writer = await asyncio.open_unix_connection(folder / "test-0.sock")
    async with asyncio.timeout(2):
        assert await reader.read() == b""
    writer.close()
    opened = open_folder(federation.folder, "test")
    with pytest.raises(PermissionError):
        await opened.dial(1)
    opened.close()


async def test_folder_may_have_a_longer_path_than_a_socket_can(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * MAX_PATH_BYTES)
    deep.mkdir()
    folder = open_folder(deep, "test")
    accepted = asyncio.Event()

    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        accepted.set()
        writer.close()

    server = await folder.listen(0, talk)
    wire = await folder.dial(0)
    async with asyncio.timeout(2):
        await accepted.wait()
    wire.abort()
    server.close()
    assert (folder.path / "test-0.sock").is_socket()
    clear_folder(deep)
    assert not list(folder.path.iterdir())
    folder.close()


def test_link_in_place_of_the_folder_is_refused_and_what_it_leads_to_is_left_alone(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    elsewhere.chmod(0o755)  # whatever umask an earlier test has left
    (elsewhere / "1-0.sock").touch()
    (tmp_path / FOLDER).symlink_to(elsewhere)
    with pytest.raises(ConfigurationError, match="cannot be made private"):
        open_folder(tmp_path, "test")
    clear_folder(tmp_path)
    assert (elsewhere / "1-0.sock").exists()
    assert stat.S_IMODE(elsewhere.stat().st_mode) == 0o755


async def test_process_that_says_nothing_any_more_is_given_up(
    federation: Federated, member: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.links.sibling.SILENT_S", 0.3)
    monkeypatch.setattr("gateway.links.sibling_door.ALIVE_S", 60)
    federation.publish()
    async with (
        running_hub(federation, sharing=process(0)) as hanging,
        dialled(hanging, member.id, silent) as node,
        running_hub(federation, sharing=process(1)) as hub,
    ):
        delivery = asyncio.create_task(siblings(hub).deliver(member, ENVELOPE))
        await node.asked_times(1)
        async with asyncio.timeout(2):
            assert await delivery == LOST


async def test_process_of_several_that_is_the_only_one_there_does_not_wait_for_the_others(
    federation: Federated,
) -> None:
    federation.publish()
    async with asyncio.timeout(1.5), running_hub(federation, sharing=process(2, of=8)) as hub:
        assert (await hub.ask("nobody")).outcomes == {"nobody": "not-tried"}
