"""Links that nodes have opened: hostile frames, silence, several at once, news, and the hub's going."""

import asyncio
import contextlib
import os
import socket as sockets
from collections.abc import AsyncIterator
from dataclasses import replace
from uuid import uuid4

import aiohttp
import orjson
import pytest
from aiohttp import WSCloseCode, WSMsgType

from gateway.hub.circuit import FAILURES_TO_OPEN
from gateway.links import websocket
from gateway.links.contract import Delivery
from gateway.wire import base64url
from gateway.wire.coverage import DeliveryOutcome
from gateway.wire.federation import Member, MemberKey
from gateway.wire.keys import SigningKey
from gateway.wire.limits import (
    MAX_ANSWER_FRAME_BYTES,
    MAX_IN_FLIGHT_PER_LINK,
    MAX_LINKS_PER_MEMBER,
    MAX_MEMBER_ENVELOPE_BYTES,
    SEALED_ANSWER_BYTES,
)
from gateway.wire.link_frames import AnswerFrame, QuestionFrame
from gateway.wire.paths import LINK_PATH, link_path
from gateway.wire.request import HashedBody
from tests.hub.dialled import DialledNode, dial, dialled, silent
from tests.hub.kit import Federated, RunningHub, running_hub, stub_node

ENVELOPE = HashedBody.of(b'{"opaque":"to the link"}')
FAILED = Delivery(outcome=DeliveryOutcome.UNREACHABLE, fault=True)
NOT_THERE = Delivery(outcome=DeliveryOutcome.UNREACHABLE)
SEALED = base64url.encode_text(bytes(SEALED_ANSWER_BYTES))


@pytest.fixture
def member(federation: Federated) -> Member:
    """A member whose node dials."""
    return federation.add("foodbank", endpoint=None)


@pytest.fixture
async def hub(federation: Federated, member: Member, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[RunningHub]:
    """A hub that knows it, and forgets requests soon: a link is none."""
    assert member
    monkeypatch.setattr("gateway.app.hub.REQUEST_LIMIT_S", 1.0)
    federation.publish()
    async with running_hub(federation) as hub:
        yield hub


async def gone(hub: RunningHub, member: Member) -> None:
    """Wait until the hub holds no link of this member."""
    async with asyncio.timeout(5):
        while hub.links.holds(member.id):  # noqa: ASYNC110 - the product has no event for a test
            await asyncio.sleep(0.005)


ID = "11111111-2222-4333-8444-555555555555"

HOSTILE = {
    "no JSON": "hello",
    "no object": "[]",
    "empty": "{}",
    "unknown member": '{"answer":"ID","sealed":"SEALED","more":1}',
    "named twice": '{"refused":"ID","refused":"ID","code":"overloaded"}',
    "short answer": '{"answer":"ID","sealed":"AAAA"}',
    "padded base64": '{"answer":"ID","sealed":"SEALED="}',
    "no id": '{"sealed":"SEALED"}',
    "id is a number": '{"answer":1,"sealed":"SEALED"}',
    "answer to no question": '{"answer":"11111111-2222-4333-8444-555555555555","sealed":"SEALED"}',
    "refusal of no question": '{"refused":"11111111-2222-4333-8444-555555555555","code":"overloaded"}',
    "code is a text": '{"refused":"ID","code":"We are full, sorry"}',
    "a question to the hub": '{"question":"ID","authorisation":"Patchwork x","envelope":"AAAA"}',
    "news to the hub": '{"news":7}',
    "a farewell of the hub's": '{"farewell":"heard"}',
    "a farewell to more": '{"farewell":"leaving","until":7}',
    "deep": '{"answer":' * 60 + "1" + "}" * 60,
    "too long": "x" * (MAX_ANSWER_FRAME_BYTES + 1),
}


@pytest.mark.parametrize("frame", HOSTILE.values(), ids=HOSTILE.keys())
async def test_hostile_frame_costs_its_sender_the_link_and_nobody_else_anything(
    federation: Federated, hub: RunningHub, member: Member, frame: str
) -> None:
    other = federation.add("housing", endpoint=None)
    federation.publish()
    await hub.hub.directory.refresh()

    async def misbehave(node: DialledNode, question: QuestionFrame) -> None:
        await node.socket.send_str(frame.replace("ID", question.id).replace("SEALED", SEALED))

    async with dialled(hub, other.id), dialled(hub, member.id, misbehave) as hostile:
        ended = await asyncio.gather(hub.links.deliver(member, ENVELOPE), hub.links.deliver(other, ENVELOPE))
        assert ended[0] == FAILED
        assert ended[1].outcome is DeliveryOutcome.ANSWERED
        await hostile.ended.wait()
        expected = WSCloseCode.MESSAGE_TOO_BIG if len(frame) > MAX_ANSWER_FRAME_BYTES else WSCloseCode.POLICY_VIOLATION
        assert hostile.socket.close_code == expected
        assert not hub.links.holds(member.id)
        assert hub.links.holds(other.id)


async def test_binary_frame_and_second_answer_to_one_question_end_the_link(hub: RunningHub, member: Member) -> None:
    async def binary(node: DialledNode, question: QuestionFrame) -> None:
        answer = AnswerFrame(id=question.id, sealed=bytes(SEALED_ANSWER_BYTES))
        await node.socket.send_bytes(answer.to_json().encode())

    async def twice(node: DialledNode, question: QuestionFrame) -> None:
        await node.answer(question)
        await node.answer(question)

    async with dialled(hub, member.id, binary):
        assert await hub.links.deliver(member, ENVELOPE) == FAILED
    async with dialled(hub, member.id, twice) as node:
        assert (await hub.links.deliver(member, ENVELOPE)).outcome is DeliveryOutcome.ANSWERED
        await node.ended.wait()
        assert node.socket.close_code == WSCloseCode.POLICY_VIOLATION


async def test_flood_of_answers_that_nobody_asked_for_is_not_read(
    hub: RunningHub, member: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(websocket, "CLOSE_S", 0.1)
    flood = await dial(hub, member.id)
    await flood.send_json({"answer": str(uuid4()), "sealed": SEALED})
    await gone(hub, member)
    async with asyncio.timeout(5):
        with contextlib.suppress(ConnectionError):
            while True:
                await flood.send_json({"answer": str(uuid4()), "sealed": SEALED})
                await asyncio.sleep(0)
    await flood.close()


async def test_answer_whose_asker_has_gone_is_no_fault(hub: RunningHub, member: Member) -> None:
    async with dialled(hub, member.id, silent) as node:
        delivery = asyncio.create_task(hub.links.deliver(member, ENVELOPE))
        await node.asked_times(1)
        delivery.cancel()
        await asyncio.wait([delivery])
        await node.answer(node.questions[0])
        second = asyncio.create_task(hub.links.deliver(member, ENVELOPE))
        await node.asked_times(2)
        await node.answer(node.questions[1])
        assert (await second).outcome is DeliveryOutcome.ANSWERED


async def test_so_many_questions_at_once_and_no_more_even_if_their_askers_have_gone(
    hub: RunningHub, member: Member
) -> None:
    async with dialled(hub, member.id, silent) as node:
        asked = [asyncio.create_task(hub.links.deliver(member, ENVELOPE)) for _ in range(MAX_IN_FLIGHT_PER_LINK)]
        await node.asked_times(MAX_IN_FLIGHT_PER_LINK)
        for each in asked:
            each.cancel()
        await asyncio.wait(asked)
        assert (await hub.links.deliver(member, ENVELOPE)).outcome is DeliveryOutcome.OVERLOADED
        await node.answer(node.questions[0])
        async with asyncio.timeout(5):
            while len(node.questions) == MAX_IN_FLIGHT_PER_LINK:
                again = asyncio.create_task(hub.links.deliver(member, ENVELOPE))
                await asyncio.sleep(0.02)
        assert not again.done()


async def test_questions_under_way_end_with_the_link_and_go_to_no_other(hub: RunningHub, member: Member) -> None:
    async with dialled(hub, member.id) as other, dialled(hub, member.id, silent) as first:
        deliveries = [asyncio.create_task(hub.links.deliver(member, ENVELOPE))]  # to the newest of equals
        await first.asked_times(1)
        assert not other.questions
        await first.socket.close()
        assert [await each for each in deliveries] == [FAILED]
        assert not other.questions
        assert (await hub.links.deliver(member, ENVELOPE)).outcome is DeliveryOutcome.ANSWERED
        assert len(other.questions) == 1


async def test_processes_of_one_node_share_the_questions(hub: RunningHub, member: Member) -> None:
    async with dialled(hub, member.id, silent) as one, dialled(hub, member.id, silent) as two:
        asked = [asyncio.create_task(hub.links.deliver(member, ENVELOPE)) for _ in range(10)]
        await one.asked_times(5)
        await two.asked_times(5)
        for node in (one, two):
            for question in node.questions:
                await node.answer(question)
        assert {(await each).outcome for each in asked} == {DeliveryOutcome.ANSWERED}
    assert (len(one.questions), len(two.questions)) == (5, 5)
    await gone(hub, member)


async def test_new_link_of_a_process_replaces_the_one_that_it_has_lost(hub: RunningHub, member: Member) -> None:
    process = str(uuid4())
    async with dialled(hub, member.id, silent, process=process) as lost:
        delivery = asyncio.create_task(hub.links.deliver(member, ENVELOPE))
        await lost.asked_times(1)
        async with dialled(hub, member.id, process=process):
            assert await delivery == FAILED
            for _ in range(3):
                assert (await hub.links.deliver(member, ENVELOPE)).outcome is DeliveryOutcome.ANSWERED
    assert len(lost.questions) == 1


async def test_one_link_too_many_takes_the_place_of_the_oldest(hub: RunningHub, member: Member) -> None:
    held = [await dial(hub, member.id) for _ in range(MAX_LINKS_PER_MEMBER + 1)]
    ended = [await _last(each) for each in held[:1]]
    assert ended == [WSCloseCode.GOING_AWAY]
    assert not any(each.closed for each in held[1:])
    for each in held[1:]:
        await each.close()


async def test_member_that_is_not_connected_is_no_fault_but_unreachable(
    federation: Federated, hub: RunningHub, member: Member
) -> None:
    assert await hub.hub.link.deliver(member, ENVELOPE) == NOT_THERE


async def test_link_goes_before_the_endpoint_and_the_endpoint_serves_without_one(
    federation: Federated, hub: RunningHub
) -> None:
    async with stub_node() as node:
        both = federation.add("housing", endpoint=node.endpoint)
        federation.publish()
        await hub.hub.directory.refresh()
        async with dialled(hub, both.id) as over_link:
            assert (await hub.hub.link.deliver(both, ENVELOPE)).outcome is DeliveryOutcome.ANSWERED
        await gone(hub, both)
        assert (await hub.hub.link.deliver(both, ENVELOPE)).outcome is DeliveryOutcome.ANSWERED
    assert (len(over_link.questions), len(node.bodies)) == (1, 1)


async def test_whole_question_over_a_link_and_the_link_outlives_the_time_of_a_request(
    hub: RunningHub, member: Member
) -> None:
    async with dialled(hub, member.id) as node:
        await asyncio.sleep(1.2)  # the limit is 1 s here
        answers = await hub.ask(member.id)
        assert answers.outcomes == {member.id: "answered"}
        assert orjson.loads(node.questions[0].envelope)["from"] == "asker"


async def test_member_that_was_skipped_is_tried_once_as_soon_as_it_dials(hub: RunningHub, member: Member) -> None:
    for _ in range(FAILURES_TO_OPEN):
        hub.hub.circuits.record(member.id, FAILED)
    assert (await hub.ask(member.id)).outcomes == {member.id: "not-tried"}
    async with dialled(hub, member.id, silent) as node:
        waiting = asyncio.create_task(hub.ask(member.id))
        await node.asked_times(1)
        assert (await hub.ask(member.id)).outcomes == {member.id: "not-tried"}, "not more than one at a time"
        await node.socket.close()
        assert (await waiting).outcomes == {member.id: "unreachable"}
    assert (await hub.ask(member.id)).outcomes == {member.id: "not-tried"}
    async with dialled(hub, member.id):
        assert (await hub.ask(member.id)).outcomes == {member.id: "answered"}
        assert (await hub.ask(member.id)).outcomes == {member.id: "answered"}


async def test_node_that_answers_no_ping_is_dropped(
    hub: RunningHub, member: Member, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="patchwork")
    monkeypatch.setattr(websocket, "HEARTBEAT_S", 0.2)
    dead = await dial(hub, member.id, autoping=False)
    reading = asyncio.create_task(_last(dead))
    delivery = asyncio.create_task(hub.links.deliver(member, ENVELOPE))
    async with asyncio.timeout(2):
        assert await delivery == FAILED
    assert not hub.links.holds(member.id)
    await reading
    await dead.close()
    closed = [vars(each)["event_fields"]["code"] for each in caplog.records if each.getMessage() == "link.closed"]
    assert closed == ["silent"], "it has said nothing wrong"


async def test_node_that_does_not_read_is_dropped(
    hub: RunningHub, member: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(websocket, "WRITE_S", 0.2)
    path = link_path(str(uuid4()), hub.federation.hub_key.kid)
    reader, writer = await asyncio.open_connection("127.0.0.1", hub.listener.port, limit=1024)
    sock = writer.get_extra_info("socket")
    sock.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
    writer.write(
        f"GET {path} HTTP/1.1\r\nHost: hub\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {'A' * 22}==\r\n"
        f"Authorization: {hub.authorise(b'', member=member.id, method='GET', path=path)}\r\n\r\n".encode()
    )
    assert (await reader.readline()).startswith(b"HTTP/1.1 101")
    large = HashedBody.of(os.urandom(MAX_MEMBER_ENVELOPE_BYTES))
    asked = [asyncio.create_task(hub.links.deliver(member, large)) for _ in range(MAX_IN_FLIGHT_PER_LINK)]
    async with asyncio.timeout(8):
        assert {(await each).fault for each in asked} == {True}
    assert not hub.links.holds(member.id)
    writer.close()


async def test_newer_document_is_told_and_who_is_shut_out_loses_the_link(
    federation: Federated, hub: RunningHub, member: Member
) -> None:
    other = federation.add("housing", endpoint=None)
    federation.publish()
    await hub.hub.directory.refresh()
    async with dialled(hub, member.id, silent) as node, dialled(hub, other.id) as bystander:
        delivery = asyncio.create_task(hub.links.deliver(member, ENVELOPE))
        await node.asked_times(1)
        federation.suspend(member.id)
        federation.publish()
        await hub.hub.directory.refresh()
        assert await delivery == NOT_THERE
        await node.ended.wait()
        assert node.socket.close_code == WSCloseCode.POLICY_VIOLATION
        assert (await hub.links.deliver(other, ENVELOPE)).outcome is DeliveryOutcome.ANSWERED
        assert bystander.news == [federation.seq - 1, federation.seq]
    assert not hub.links.holds(member.id)


async def test_key_that_gives_way_to_the_next_keeps_its_link_and_what_is_under_way(
    federation: Federated, hub: RunningHub, member: Member
) -> None:
    async with dialled(hub, member.id, silent) as node:
        delivery = asyncio.create_task(hub.links.deliver(member, ENVELOPE))
        await node.asked_times(1)
        now = int(federation.clock.now())
        (held,) = member.keys
        following = MemberKey(key=SigningKey.generate().verify_key(), not_before=now, not_after=now + 7_200)
        federation.members[member.id] = replace(member, keys=(replace(held, not_after=now + 3_600), following))
        federation.publish()
        await hub.hub.directory.refresh()
        await node.answer(node.questions[0])
        assert (await delivery).outcome is DeliveryOutcome.ANSWERED
        assert hub.links.holds(member.id)
        federation.clock.time = now + 3_600
        assert not hub.links.holds(member.id)


async def test_key_that_is_taken_out_of_the_document_loses_its_link(
    federation: Federated, hub: RunningHub, member: Member
) -> None:
    async with dialled(hub, member.id) as node:
        federation.add(member.id, endpoint=None)  # with a new key
        federation.publish()
        await hub.hub.directory.refresh()
        await node.ended.wait()
        assert not hub.links.holds(member.id)
    async with dialled(hub, member.id):
        assert hub.links.holds(member.id)


async def test_hub_that_stops_lets_answers_under_way_arrive_and_says_that_it_goes(
    hub: RunningHub, member: Member
) -> None:
    async def slowly(node: DialledNode, question: QuestionFrame) -> None:
        await asyncio.sleep(0.3)
        await node.answer(question)

    async with dialled(hub, member.id, slowly) as node:
        asking = asyncio.create_task(hub.ask(member.id))
        await node.asked_times(1)
        await hub.links.close(within_s=3)
        assert (await asking).outcomes == {member.id: "answered"}
        await node.ended.wait()
        assert node.socket.close_code == WSCloseCode.GOING_AWAY


async def test_node_that_leaves_answers_what_it_was_asked_and_is_asked_no_more(hub: RunningHub, member: Member) -> None:
    async with dialled(hub, member.id) as other, dialled(hub, member.id, silent) as leaving:
        asked = asyncio.create_task(hub.links.deliver(member, ENVELOPE))  # to the newest of equals
        await leaving.asked_times(1)
        await leaving.leave()
        for _ in range(3):  # its other process goes on
            assert (await hub.links.deliver(member, ENVELOPE)).outcome is DeliveryOutcome.ANSWERED
        assert (len(leaving.questions), len(other.questions)) == (1, 3)
        assert not asked.done()
        await leaving.answer(leaving.questions[0])
        assert (await asked).outcome is DeliveryOutcome.ANSWERED


async def test_what_a_node_has_not_answered_when_it_has_left_is_unreachable_and_no_fault(
    hub: RunningHub, member: Member
) -> None:
    async with dialled(hub, member.id, silent) as node:
        asked = asyncio.create_task(hub.links.deliver(member, ENVELOPE))
        await node.asked_times(1)
        await node.leave()
        assert await hub.links.deliver(member, ENVELOPE) == NOT_THERE
        await node.socket.close()
        assert await asked == NOT_THERE


async def test_node_that_leaves_is_asked_at_its_endpoint_if_it_has_one(federation: Federated, hub: RunningHub) -> None:
    async with stub_node() as node:
        both = federation.add("housing", endpoint=node.endpoint)
        federation.publish()
        await hub.hub.directory.refresh()
        async with dialled(hub, both.id) as over_link:
            await over_link.leave()
            assert (await hub.hub.link.deliver(both, ENVELOPE)).outcome is DeliveryOutcome.ANSWERED
        assert (len(over_link.questions), len(node.bodies)) == (0, 1)


async def test_node_that_says_farewell_and_stays_is_shown_the_door(
    hub: RunningHub, member: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(websocket, "LEAVING_S", 0.1)
    async with dialled(hub, member.id) as node:
        await node.leave()
        await node.ended.wait()
        assert node.socket.close_code == WSCloseCode.GOING_AWAY
    async with dialled(hub, member.id) as node:
        await node.leave()
        await node.socket.send_json({"farewell": "leaving"})
        await node.ended.wait()
        assert node.socket.close_code == WSCloseCode.POLICY_VIOLATION


async def test_link_ends_with_the_key_that_opened_it_without_any_new_document(
    federation: Federated, hub: RunningHub, member: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(websocket, "KEY_CHECK_S", 0.02)
    now = int(federation.clock.now())
    own, next_key = federation.keys[member.id], SigningKey.generate()
    held = MemberKey(key=own.verify_key(), not_before=0, not_after=now + 3_600)
    later = MemberKey(key=next_key.verify_key(), not_before=now + 1_800, not_after=now + 7_200)

    async def listing(*keys: MemberKey) -> None:
        federation.members[member.id] = replace(federation.members[member.id], keys=keys)
        federation.publish()
        await hub.hub.directory.refresh()

    await listing(held, later)
    async with dialled(hub, member.id) as node:  # until another follows it
        federation.clock.time = now + 1_799
        await asyncio.sleep(0.1)
        assert (await hub.links.deliver(member, ENVELOPE)).outcome is DeliveryOutcome.ANSWERED
        federation.clock.time = now + 1_800
        assert await hub.links.deliver(member, ENVELOPE) == NOT_THERE
        await node.ended.wait()
        assert node.socket.close_code == WSCloseCode.POLICY_VIOLATION
    async with dialled(hub, member.id, silent) as node:  # until its own end
        asked = asyncio.create_task(hub.links.deliver(member, ENVELOPE))
        await node.asked_times(1)
        federation.clock.time = now + 3_600
        await node.ended.wait()
        assert await asked == NOT_THERE
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await dial(hub, member.id)
    federation.keys[member.id] = next_key
    async with dialled(hub, member.id):
        assert hub.links.holds(member.id)


async def test_only_an_active_member_opens_a_link_with_a_new_token_for_it(
    federation: Federated, hub: RunningHub, member: Member
) -> None:
    path = link_path(ID, federation.hub_key.kid)

    async def refused(authorisation: str, *, process: str = ID) -> int:
        with pytest.raises(aiohttp.WSServerHandshakeError) as error:
            await dial(hub, member.id, process=process, authorisation=authorisation)
        return error.value.status

    good = hub.authorise(b"", member=member.id, method="GET", path=path)
    assert await refused("Bearer x") == 400
    assert await refused(hub.authorise(b"", member=member.id, method="POST", path=path)) == 403
    assert await refused(hub.authorise(b"", member=member.id, method="GET", path=LINK_PATH)) == 403
    other = link_path(ID, SigningKey.generate().kid)
    assert await refused(hub.authorise(b"", member=member.id, method="GET", path=other)) == 403
    for path_of_another in (other, f"{LINK_PATH}?process={ID}"):
        authorisation = hub.authorise(b"", member=member.id, method="GET", path=path_of_another)
        async with hub.client.get(hub.url(path_of_another), headers={"Authorization": authorisation}) as response:
            assert response.status == 403, "the link was to be with another hub"
    assert await refused(good, process=str(uuid4())) == 403
    assert await refused(good, process="one") == 400
    async with hub.client.get(hub.url(path), headers={"Authorization": good}) as response:
        assert response.status == 426
    opened = await dial(hub, member.id, process=ID, authorisation=good)
    assert await refused(good) == 409
    assert not opened.closed
    await opened.close()
    federation.suspend(member.id)
    federation.publish()
    await hub.hub.directory.refresh()
    assert await refused(hub.authorise(b"", member=member.id, method="GET", path=path)) == 401


async def _last(socket: aiohttp.ClientWebSocketResponse) -> int | None:
    """The code with which the hub closed a link; what it sent before is thrown away."""
    async with asyncio.timeout(5):
        while (await socket.receive()).type in {WSMsgType.TEXT, WSMsgType.PING}:
            pass
    return socket.close_code
