"""Join codes: what a hostile or broken one does to who reads it, and what of a request by one the operator believes."""

from dataclasses import replace
from typing import Any

import pytest

from gateway.errors import MalformedMessage, NotAuthentic, NotForUs, OutOfTime, WireError
from gateway.wire import base64url, jws
from gateway.wire.claims import MAX_MOMENT
from gateway.wire.invitation import TYP, Invitation, read_code, sign_invitation, verify_invitation
from gateway.wire.join import sign_join
from gateway.wire.join_code import Joining, read_waiting, verified_of, verify_joining, waiting_json
from gateway.wire.keys import SigningKey
from gateway.wire.limits import MAX_AUTHORITY_BYTES, MAX_INVITATION_BYTES, MAX_JOINING_BYTES
from mappings.vocabulary import OrganisationType, Sector
from tests.unit.wire.parties import DAY, FEDERATION, NOW, Parties, member, signing_key

HUB = "https://hub.riverside.example.org"


def invited(parties: Parties, **changed: Any) -> Invitation:
    given: dict[str, Any] = {
        "hubs": (HUB,),
        "organisation_type": OrganisationType.VOLUNTARY,
        "sector": Sector.VOLUNTARY,
        "name": "Foodbank Northshire",
        "now": NOW,
        "lifetime_s": 14 * DAY,
    }
    return sign_invitation(parties.federation, parties.operator, **given | changed)


def forged(invitation: Invitation, key: SigningKey, **changed: Any) -> str:
    """The same with some claims changed (None: left out), signed with `key`."""
    claims = jws.peek(invitation.token, max_bytes=MAX_INVITATION_BYTES) | changed
    return jws.sign({name: value for name, value in claims.items() if value is not None}, typ=TYP, key=key)


def test_a_code_says_all_that_a_node_needs_also_in_lines_as_mail_breaks_them(parties: Parties) -> None:
    made = invited(parties, authorities=(b"\x30\x82", b"\x30\x83"))
    in_lines = "\r\n ".join(made.token[start : start + 76] for start in range(0, len(made.token), 76))
    read = read_code(f"  {in_lines}\n", NOW + 13 * DAY)
    assert read == made
    assert (read.federation, read.hubs, read.name) == (FEDERATION, (HUB,), "Foodbank Northshire")
    assert read.operator_key == parties.operator.verify_key()
    assert read.authorities == (b"\x30\x82", b"\x30\x83")
    assert invited(parties).id != made.id


def test_a_certificate_may_have_just_so_many_bytes(parties: Parties) -> None:
    most = b"\x30" * MAX_AUTHORITY_BYTES
    assert read_code(invited(parties, authorities=(most,)).token, NOW).authorities == (most,)
    with pytest.raises(MalformedMessage, match="too long"):
        invited(parties, authorities=(most + b"\x30",))


HUBS = (
    "http://hub.example.org",
    "ftp://hub.example.org",
    "https://",
    "https://user@hub.example.org",
    "https://hub.example.org/?next=x",
    "https://hub.example.org/#x",
    "https://hub.example.org\\@evil.example.org",
    'https://hub.example.org"]\naccept_members = "operator',
    "https://hub.example.org:0",
    "https://h\u0443b.example.org",
    "https://hub..example.org",
    "https://[::1",
    "https://hub.example.org:99999",
    "https://hub.example.org/%2e%2e/x",
    "javascript:alert(1)",
    "",
    "https://hub.example.org/" + "x" * 200,
)


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        *(({"hubs": [hub]}, MalformedMessage) for hub in HUBS),
        ({"hubs": []}, MalformedMessage),
        ({"hubs": [HUB] * 2}, MalformedMessage),
        ({"hubs": [f"https://hub-{number}.example.org" for number in range(5)]}, MalformedMessage),
        ({"hubs": HUB}, MalformedMessage),
        ({"v": 2}, MalformedMessage),
        ({"v": True}, MalformedMessage),
        ({"more": 1}, MalformedMessage),
        ({"jti": None}, MalformedMessage),
        ({"jti": "1"}, MalformedMessage),
        ({"name": "Food\u202eknab"}, MalformedMessage),
        ({"name": "Food\x1b[2Jbank"}, MalformedMessage),
        ({"name": "x" * 201}, MalformedMessage),
        ({"iss": "Riverside\nthe operator says: all is well"}, MalformedMessage),
        ({"aud": "River Side"}, MalformedMessage),
        ({"type": "bank"}, MalformedMessage),
        ({"operator": {}}, MalformedMessage),
        ({"operator": signing_key("somebody").public_jwk()}, NotAuthentic),
        ({"authorities": [base64url.encode_text(bytes(3_000))]}, MalformedMessage),
        ({"authorities": ["AAAA"] * 5}, MalformedMessage),
        ({"exp": int(NOW)}, OutOfTime),
        ({"exp": int(NOW) + 31 * DAY}, OutOfTime),
        ({"iat": int(NOW) + DAY, "exp": int(NOW) + 2 * DAY}, OutOfTime),
    ],
)
def test_hostile_code_is_refused_though_it_is_signed(
    parties: Parties, changed: dict[str, Any], error: type[WireError]
) -> None:
    """By whoever: with a key of one's own anybody can make a code."""
    with pytest.raises(error):
        read_code(forged(invited(parties), parties.operator, **changed), NOW)


@pytest.mark.parametrize("loopback", ["http://127.0.0.1:8400", "http://[::1]:8400", "http://localhost:8400"])
def test_plain_http_is_for_this_machine_alone(parties: Parties, loopback: str) -> None:
    assert invited(parties, hubs=(loopback,)).hubs == (loopback,)


@pytest.mark.parametrize(
    "code",
    [
        "",
        "hello",
        "a.b.c",
        "\u200b",
        "e30.e30.e30",
        "A" * (MAX_INVITATION_BYTES + 1),
        "." * 10_000,
        "\ud800",
        "patchwork node init",
    ],
)
def test_text_that_is_no_code_is_said_to_be_none(code: str) -> None:
    with pytest.raises(MalformedMessage):
        read_code(code, NOW)


def test_code_that_was_cut_off_altered_or_signed_for_something_else_is_refused(parties: Parties) -> None:
    made = invited(parties)
    header, payload, signature = made.token.split(".")
    for broken in (
        made.token[:-1],
        made.token[: len(made.token) // 2],
        f"{header}.{payload[:-4]}AAAA.{signature}",
        f"{header}.{payload}.{'A' * len(signature)}",
        parties.federation.token.decode(),
        sign_join(member("school", signing_key("school")), signing_key("school"), federation=FEDERATION, now=NOW),
    ):
        with pytest.raises((MalformedMessage, NotAuthentic)):
            read_code(broken, NOW)


def test_hub_takes_codes_of_its_own_operator_and_federation_alone(parties: Parties) -> None:
    made, own = invited(parties), parties.operator.verify_key()
    verify_invitation(made.token, operator_key=own, federation=FEDERATION, now=NOW)
    stranger = signing_key("stranger")
    with pytest.raises(NotAuthentic):
        verify_invitation(
            forged(made, stranger, operator=stranger.public_jwk()), operator_key=own, federation=FEDERATION, now=NOW
        )
    with pytest.raises(NotAuthentic):  # the operator's key is named, and another has signed
        verify_invitation(forged(made, stranger), operator_key=own, federation=FEDERATION, now=NOW)
    with pytest.raises(NotForUs):
        verify_invitation(made.token, operator_key=own, federation="lakeside", now=NOW)
    with pytest.raises(OutOfTime):
        verify_invitation(made.token, operator_key=own, federation=FEDERATION, now=NOW + 15 * DAY)


def asks(parties: Parties, **changed: Any) -> Joining:
    key = signing_key("food-bank-new")
    wished = replace(
        member("food-bank-new", key), type=OrganisationType.VOLUNTARY, sector=Sector.VOLUNTARY, endpoint=None
    )
    request = sign_join(replace(wished, **changed), key, federation=FEDERATION, now=NOW)
    return Joining(invitation=invited(parties).token, request=request, received_at=int(NOW))


def test_request_by_a_code_is_believed_as_far_as_the_invitation_goes(parties: Parties) -> None:
    given: dict[str, Any] = {
        "operator_key": parties.operator.verify_key(),
        "federation": FEDERATION,
        "now": NOW,
        "invited_now": NOW,
    }
    assert verify_joining(asks(parties), **given).request.member.id == "food-bank-new"
    for changed in ({"type": OrganisationType.POLICE}, {"sector": Sector.STATUTORY}):
        with pytest.raises(NotForUs):
            verify_joining(asks(parties, **changed), **given)


@pytest.mark.parametrize("name", ["Food\u202ebank", "Food\x07bank", "Food\u2028bank", ""])
def test_name_that_plays_with_a_terminal_is_no_request(parties: Parties, name: str) -> None:
    joining = asks(parties, name=name)
    verified, bad = verified_of(
        [joining, asks(parties)], operator_key=parties.operator.verify_key(), federation=FEDERATION, now=NOW
    )
    assert ([each.request.member.name for each in verified], bad) == (["The food-bank-new"], 1)


def test_what_a_hub_lists_is_read_strictly_and_verified_again(parties: Parties) -> None:
    joining = asks(parties)
    assert read_waiting(waiting_json([joining])) == [joining]
    for hostile in (b"", b"[]", b"{}", b'{"joins":{}}', b'{"joins":[{}]}', b'{"joins":[1]}', b'{"joins":[],"more":1}'):
        with pytest.raises(MalformedMessage):
            read_waiting(hostile)
    with pytest.raises(MalformedMessage):  # the operator's command prints it as a date
        read_waiting(waiting_json([replace(joining, received_at=MAX_MOMENT + 1)]))
    with pytest.raises(MalformedMessage):
        Joining.from_json(b" " * (MAX_JOINING_BYTES + 1))
    stranger = signing_key("stranger")
    forgery = forged(invited(parties), stranger, operator=stranger.public_jwk())
    made_up = replace(joining, invitation=forgery)  # a hub's own
    operator_key = parties.operator.verify_key()
    assert verified_of([made_up], operator_key=operator_key, federation=FEDERATION, now=NOW) == ([], 1)
    # The invitation has ended since, the request has not: it was in time when it came.
    (held,), _ = verified_of([joining], operator_key=operator_key, federation=FEDERATION, now=NOW + 20 * DAY)
    assert held.received_at == int(NOW)
