"""Where strangers knock: with an invitation they wait for the operator, without one they learn and leave nothing."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any
from uuid import uuid4

import orjson
import pytest

from gateway.clock import SystemClock
from gateway.errors import HubError, HubRefused, TooManyRequests
from gateway.hub import joins, strangers
from gateway.hub.bucket import Rate
from gateway.hub.strangers import MAX_ADDRESSES, OF_ALL, OF_NETWORK, OF_NEW, OF_ONE, Strangers
from gateway.links.joins_client import ask_to_join, fetch_waiting, hub_key_at, session_trusting
from gateway.wire import jws
from gateway.wire.federation import OPERATOR, Federation, Member, MemberKey
from gateway.wire.invitation import TYP, Invitation, sign_invitation
from gateway.wire.join import sign_join
from gateway.wire.join_code import Joining
from gateway.wire.keys import LedgerKey, SigningKey
from gateway.wire.limits import MAX_INVITATION_BYTES, MAX_JOINING_BYTES
from gateway.wire.paths import JOINS_PATH, joins_path
from gateway.wire.request import sign_request
from mappings.vocabulary import OrganisationType, Sector
from tests.hub.kit import ASKER, FEDERATION, Federated, RunningHub, SteppingClock, running_hub, stub_node

DAY = 86_400


@pytest.fixture
async def hub(federation: Federated, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[RunningHub]:
    """A hub whose strangers may ask as often as a test wants."""
    for rate in ("OF_ONE", "OF_NETWORK", "OF_ALL", "OF_NEW"):
        monkeypatch.setattr(strangers, rate, Rate(60_000))
    federation.publish()
    async with running_hub(federation) as hub:
        yield hub


def invited(federation: Federated, **changed: Any) -> Invitation:
    document = federation.document
    assert isinstance(document, Federation)
    given: dict[str, Any] = {
        "hubs": ("https://hub.example.org",),
        "organisation_type": OrganisationType.VOLUNTARY,
        "sector": Sector.VOLUNTARY,
        "now": federation.clock.now(),
        "lifetime_s": 7 * DAY,
    }
    return sign_invitation(document, federation.operator, **given | changed)


def request(federation: Federated, key: SigningKey, name: str = "Anytown Food Bank", **changed: Any) -> str:
    now = int(federation.clock.now())
    given: dict[str, Any] = {
        "id": "food-bank",
        "identifier": (),
        "name": name,
        "type": OrganisationType.VOLUNTARY,
        "sector": Sector.VOLUNTARY,
        "status": "active",
        "keys": (MemberKey(key=key.verify_key(), not_before=now, not_after=now + 700 * DAY),),
        "ledger_key": LedgerKey.generate().public_jwk(),
        "endpoint": None,
        "duty_contact": (),
    }
    return sign_join(Member(**given | changed), key, federation=FEDERATION, now=now)


def admit(federation: Federated, member: str, key: SigningKey) -> None:
    listed = MemberKey(key=key.verify_key(), not_before=0, not_after=2**37)
    federation.members[member] = replace(federation.add(member, endpoint=None), keys=(listed,))


async def post(hub: RunningHub, body: bytes) -> tuple[int, bytes]:
    async with hub.client.post(hub.url(JOINS_PATH), data=body) as response:
        return response.status, await response.read()


async def listed(hub: RunningHub, key: SigningKey | None = None) -> list[Joining]:
    """What the operator, or whoever has `key`, is told."""
    async with session_trusting(()) as session:
        return await fetch_waiting(
            session,
            hub.url(""),
            hub_key=hub.federation.hub_key.kid,
            key=key or hub.federation.operator,
            federation=FEDERATION,
            clock=hub.federation.clock,
        )


def code(reply: bytes) -> str:
    found: str = orjson.loads(reply)["issue"][0]["details"]["coding"][0]["code"]
    return found


async def test_who_was_invited_waits_until_the_operator_has_admitted_it(federation: Federated, hub: RunningHub) -> None:
    key, invitation = SigningKey.generate(), invited(federation)
    joining = Joining(invitation=invitation.token, request=request(federation, key))
    assert await post(hub, joining.to_json()) == (202, b'{"status":"waiting"}')
    (waiting,) = await listed(hub)
    assert (waiting.invitation, waiting.request) == (joining.invitation, joining.request)
    assert waiting.received_at == int(federation.clock.now())
    # The same again, also with another name, is welcome and waits once; an older one played again changes nothing.
    federation.clock.time += 1
    again = Joining(invitation=invitation.token, request=request(federation, key, "Anytown Foodbank"))
    assert await post(hub, again.to_json()) == (202, b'{"status":"waiting"}')
    assert await post(hub, joining.to_json()) == (202, b'{"status":"waiting"}')
    assert [each.request for each in await listed(hub)] == [again.request]
    # Once its key is listed it waits no more, under whatever id.
    admit(federation, "other-id", key)
    federation.publish()
    await hub.hub.directory.refresh()
    assert await listed(hub) == []
    assert (await post(hub, again.to_json()))[0] == 202


async def test_key_that_was_admitted_and_taken_out_again_waits_no_more(
    federation: Federated, hub: RunningHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(joins, "MAX_WAITING_JOINS", 1)
    key = SigningKey.generate()
    joining = Joining(invitation=invited(federation).token, request=request(federation, key))
    assert (await post(hub, joining.to_json()))[0] == 202
    admit(federation, "food-bank", key)
    federation.publish()
    await hub.hub.directory.refresh()
    del federation.members["food-bank"]  # it was stolen
    federation.publish()
    await hub.hub.directory.refresh()
    assert await listed(hub) == []
    # The same invitation brings it no second time, and it takes nobody's room.
    federation.clock.time += 1
    again = Joining(invitation=joining.invitation, request=request(federation, key, "Anytown Foodbank"))
    assert (await post(hub, again.to_json()))[0] == 202
    assert await listed(hub) == []
    other = Joining(invitation=invited(federation).token, request=request(federation, SigningKey.generate()))
    assert (await post(hub, other.to_json()))[0] == 202
    assert [each.request for each in await listed(hub)] == [other.request]


async def test_more_than_may_wait_are_told_in_part_and_not_refused_as_a_whole(
    federation: Federated, hub: RunningHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):  # as when the bound was another
        joining = Joining(invitation=invited(federation).token, request=request(federation, SigningKey.generate()))
        assert (await post(hub, joining.to_json()))[0] == 202
    monkeypatch.setattr(joins, "MAX_WAITING_JOINS", 2)
    assert len(await listed(hub)) == 2


async def test_one_invitation_brings_one_key_also_after_a_restart(federation: Federated) -> None:
    federation.publish()
    first, invitation = SigningKey.generate(), invited(federation)
    async with running_hub(federation) as hub:
        joining = Joining(invitation=invitation.token, request=request(federation, first))
        assert (await post(hub, joining.to_json()))[0] == 202
    thief = Joining(invitation=invitation.token, request=request(federation, SigningKey.generate()))
    async with running_hub(federation) as hub:
        status, reply = await post(hub, thief.to_json())
        assert (status, code(reply)) == (409, "replayed")
        federation.clock.time += 6 * DAY
        federation.publish()
        await hub.hub.directory.refresh()
        assert (await post(hub, thief.to_json()))[0] == 409  # as long as the invitation could be used
        assert [each.request for each in await listed(hub)] == [joining.request]
        async with session_trusting(()) as session:
            with pytest.raises(HubRefused, match="has been used, with other keys than those here: ask the operator"):
                await ask_to_join(session, hub.url(""), thief)


async def test_strangers_are_all_told_the_same_and_leave_nothing(federation: Federated, hub: RunningHub) -> None:
    key, good = SigningKey.generate(), invited(federation)
    claims = jws.peek(good.token, max_bytes=MAX_INVITATION_BYTES)
    own_operator = SigningKey.generate()
    self_made = jws.sign(claims | {"operator": own_operator.public_jwk()}, typ=TYP, key=own_operator)
    asks = request(federation, key)

    def with_invitation(token: str) -> bytes:
        return Joining(invitation=token, request=asks).to_json()

    told = [
        await post(hub, body)
        for body in (
            b"",
            b"hello",
            b"{}",
            b"[" * 30_000,
            b"\xff" * 100,
            with_invitation("x"),
            with_invitation("e30.e30.e30"),
            with_invitation(self_made),
            with_invitation(jws.sign(claims, typ=TYP, key=federation.keys[ASKER])),  # a member's
            with_invitation(jws.sign(claims | {"aud": "elsewhere"}, typ=TYP, key=federation.operator)),
            with_invitation(jws.sign(claims, typ="patchwork-join+jwt", key=federation.operator)),
            with_invitation(jws.sign(claims | {"v": 2}, typ=TYP, key=federation.operator)),
            with_invitation(federation.sign().token.decode()),  # what the operator signs and everybody has
            orjson.dumps({"v": 1, "request": asks}),
        )
    ]
    assert len(set(told)) == 1
    assert (told[0][0], code(told[0][1])) == (401, "not-authentic")
    assert await listed(hub) == []


async def test_body_of_no_length_or_too_much_of_it_is_not_read(hub: RunningHub) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"{}"

    async with hub.client.post(hub.url(JOINS_PATH), data=chunks()) as response:
        assert response.status == 411
    assert (await post(hub, bytes(MAX_JOINING_BYTES + 1)))[0] == 413


async def test_invited_who_asks_for_what_was_not_offered_is_told_why(federation: Federated, hub: RunningHub) -> None:
    key, invitation = SigningKey.generate(), invited(federation)
    other = SigningKey.generate()
    for asks, expected in (
        (request(federation, key, type=OrganisationType.POLICE), (403, "not-for-us")),
        (request(federation, key, sector=Sector.STATUTORY), (403, "not-for-us")),
        (request(federation, key, name="Food\u202ebank"), (400, "malformed")),
        (request(federation, key, status="suspended"), (400, "malformed")),
        (
            request(federation, key).rsplit(".", 1)[0] + "." + request(federation, other).rsplit(".", 1)[1],
            (401, "not-authentic"),
        ),
        (
            sign_join(
                federation.members[ASKER], federation.keys[ASKER], federation="elsewhere", now=federation.clock.now()
            ),
            (403, "not-for-us"),
        ),
        ("x" * 16_385, (401, "not-authentic")),
    ):
        status, reply = await post(hub, Joining(invitation=invitation.token, request=asks).to_json())
        assert (status, code(reply)) == expected
    assert await listed(hub) == []
    # Nothing of all that has used the invitation up; its time does.
    joining = Joining(invitation=invitation.token, request=request(federation, key))
    federation.clock.time += 8 * DAY
    federation.publish()
    await hub.hub.directory.refresh()
    status, reply = await post(hub, joining.to_json())
    assert (status, code(reply)) == (401, "out-of-time")


async def test_so_many_wait_and_no_more(
    federation: Federated, hub: RunningHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(joins, "MAX_WAITING_JOINS", 3)
    told = []
    for _ in range(4):
        joining = Joining(invitation=invited(federation).token, request=request(federation, SigningKey.generate()))
        told.append((await post(hub, joining.to_json()))[0])
    assert told == [202, 202, 202, 503]
    federation.clock.time += 31 * DAY
    federation.publish()
    await hub.hub.directory.refresh()
    joining = Joining(invitation=invited(federation).token, request=request(federation, SigningKey.generate()))
    assert (await post(hub, joining.to_json()))[0] == 202  # what nobody has admitted in its time makes room
    assert [each.request for each in await listed(hub)] == [joining.request]


async def test_who_waits_is_told_to_the_operator_alone(federation: Federated, hub: RunningHub) -> None:
    joining = Joining(invitation=invited(federation).token, request=request(federation, SigningKey.generate()))
    await post(hub, joining.to_json())
    for key in (SigningKey.generate(), federation.hub_key, federation.keys[ASKER]):
        with pytest.raises(HubRefused, match="401"):
            await listed(hub, key)

    path = joins_path(federation.hub_key.kid)

    async def get(iss: str, key: SigningKey, *, sent: str = path, **changed: Any) -> int:
        given: dict[str, Any] = {"aud": FEDERATION, "method": "GET", "path": path, "now": federation.clock.now()}
        token = sign_request(key, iss=iss, body=b"", jti=str(uuid4()), **given | changed)
        statuses = []
        for _ in range(2):
            async with hub.client.get(hub.url(sent), headers={"Authorization": token}) as response:
                statuses.append(response.status)
        assert statuses[0] != 200 or statuses[1] == 409  # a token works once
        return statuses[0]

    assert await get(OPERATOR, federation.operator) == 200
    assert await get(ASKER, federation.keys[ASKER]) == 401
    assert await get(ASKER, federation.operator) == 401
    assert await get("hub", federation.hub_key) == 401
    assert await get(OPERATOR, federation.operator, path="/v1/federation") == 403
    assert await get(OPERATOR, federation.operator, method="POST") == 403
    # What the operator has signed for one hub another cannot use.
    other = joins_path(SigningKey.generate().kid)
    assert await get(OPERATOR, federation.operator, path=other) == 403
    assert await get(OPERATOR, federation.operator, path=other, sent=other) == 403
    assert await get(OPERATOR, federation.operator, path=JOINS_PATH, sent=JOINS_PATH) == 403
    assert await get(OPERATOR, federation.operator, aud="elsewhere") == 403
    assert await get(OPERATOR, federation.operator, now=federation.clock.now() - 3_600) == 401
    async with hub.client.get(hub.url(JOINS_PATH)) as response:
        assert response.status == 400
    # And the operator's word opens no other door of the hub.
    body = b"{}"
    authorisation = sign_request(
        federation.operator,
        iss=OPERATOR,
        aud=FEDERATION,
        method="POST",
        path="/v1/queries",
        body=body,
        now=federation.clock.now(),
        jti=str(uuid4()),
    )
    assert (await hub.ask(body=body, authorisation=authorisation)).status == 401


async def test_flood_of_strangers_ends_at_the_door_and_members_do_not_notice(federation: Federated) -> None:
    async with stub_node() as node:
        federation.add("housing", endpoint=node.endpoint)
        federation.publish()
        async with running_hub(federation) as hub:
            told = await asyncio.gather(*(post(hub, b"{}") for _ in range(40)))
            assert {status for status, _ in told} == {401, 429}
            assert sum(status == 401 for status, _ in told) <= OF_ONE.capacity
            assert (await hub.ask("housing")).outcomes == {"housing": "answered"}
            federation.clock.time += 60
            assert (await post(hub, b"{}"))[0] == 401


def refused(door: Strangers, address: str) -> bool:
    try:
        door.take(address)
    except TooManyRequests:
        return True
    return False


def test_one_address_cannot_use_up_what_all_have_and_all_together_have_an_end() -> None:
    clock = SteppingClock()
    door = Strangers(clock)
    assert sum(not refused(door, "192.0.2.1") for _ in range(1_000)) == int(OF_ONE.capacity)
    assert not refused(door, "192.0.2.2")
    assert sum(not refused(door, f"198.51.100.{number}") for number in range(250)) == int(OF_NEW.capacity) - 2
    clock.time += 60
    assert not refused(door, "192.0.2.1")


def test_who_asks_for_the_first_time_finds_room_whoever_asks_all_the_time() -> None:
    clock = SteppingClock()
    door = Strangers(clock)
    crowd = [f"198.51.100.{number}" for number in range(60)]
    came_in = 0
    for second in range(60):
        came_in += sum(not refused(door, address) for address in crowd)
        clock.time += 1
        assert not refused(door, f"192.0.2.{second}"), "invited"
    assert came_in <= OF_ALL.capacity + OF_ALL.per_minute + len(crowd)
    # One that had an invitation finds room again, one that had none waits with all the others.
    for address in crowd:
        refused(door, address)
    door.welcome("192.0.2.1")
    assert (refused(door, "192.0.2.1"), refused(door, "192.0.2.2")) == (False, True)


def test_an_ipv6_site_counts_as_a_whole() -> None:
    clock = SteppingClock()
    door = Strangers(clock)
    came_in = sum(not refused(door, f"2001:db8:1:{number:x}::") for number in range(1_000))
    assert came_in == int(OF_NETWORK.capacity)
    assert not refused(door, "2001:db8:2::")


def test_addresses_are_forgotten_before_they_fill_the_memory() -> None:
    door = Strangers(SystemClock())
    for number in range(3 * MAX_ADDRESSES):
        refused(door, str(number))
    assert len(door._by_address) == len(door._by_network) == MAX_ADDRESSES


@pytest.mark.parametrize("behind_proxy", [False, True])
async def test_whose_address_counts_is_the_proxy_s_word_only_where_there_is_one(
    federation: Federated, behind_proxy: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[str] = []
    take: Callable[[Strangers, str], None] = lambda _, address: taken.append(address)  # noqa: E731
    monkeypatch.setattr(Strangers, "take", take)
    federation.publish()
    async with running_hub(federation, behind_proxy=behind_proxy) as hub:
        headers = {"X-Forwarded-For": "203.0.113.9, 2001:db8:1:2:3::4"}
        async with hub.client.post(hub.url(JOINS_PATH), data=b"{}", headers=headers) as response:
            assert response.status == 401
    assert taken == (["2001:db8:1:2::"] if behind_proxy else ["127.0.0.1"])


async def test_operator_signs_for_a_hub_of_its_own_list_alone(federation: Federated, hub: RunningHub) -> None:
    async with session_trusting(()) as session:
        held, clock = federation.sign(seq=federation.seq + 1), federation.clock  # newer than what the hub serves
        assert await hub_key_at(session, hub.url(""), held, clock=clock) == federation.hub_key.kid
        federation.hub_key = SigningKey.generate()
        with pytest.raises(HubError, match="does not show that it is a hub of this member list"):
            await hub_key_at(session, hub.url(""), federation.sign(), clock=clock)
