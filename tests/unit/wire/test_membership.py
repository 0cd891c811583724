"""The federation document over time: archive, freshness, joining, rotation, and what waits for the officer."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from gateway.errors import (
    ClockWrong,
    FederationRolledBack,
    FederationStale,
    MalformedMessage,
    NotAuthentic,
    NotForUs,
)
from gateway.wire.acceptance import ChangeKind, PendingChange, advance, pending_changes, without_pending
from gateway.wire.federation import HUB, OPERATOR, Member, MemberKey, verify_document
from gateway.wire.freshness import sign_freshness, verify_freshness
from gateway.wire.join import sign_join, sign_rotation, verify_join
from gateway.wire.keys import SigningKey
from gateway.wire.request import sign_request, verify_header
from mappings.vocabulary import OrganisationType, Sector
from tests.unit.wire.parties import (
    CHARITY,
    COUNCIL,
    DAY,
    FEDERATION,
    JTI,
    NOW,
    TRUST,
    Parties,
    document,
    member,
    signing_key,
)


def _with(parties: Parties, **changes: Any) -> tuple[Member, ...]:
    """The members, the trust changed."""
    members = parties.federation.members
    return (members[COUNCIL], replace(members[TRUST], **changes), members[CHARITY])


def _rotated(parties: Parties, new: SigningKey, *, by: SigningKey, said_at: float = NOW) -> MemberKey:
    word = sign_rotation(new.verify_key(), by, member=TRUST, federation=FEDERATION, now=said_at)
    return MemberKey(key=new.verify_key(), not_before=int(NOW), not_after=int(NOW) + 90 * DAY, rotation=word)


def test_document_reads_back_as_it_was_written(parties: Parties) -> None:
    operator = parties.operator.verify_key()
    assert verify_document(parties.federation.token, operator_key=operator, now=NOW) == parties.federation
    assert parties.federation.members[CHARITY].endpoint is None


def test_archived_document_is_read_after_its_end(parties: Parties) -> None:
    operator, later = parties.operator.verify_key(), NOW + 400 * DAY
    with pytest.raises(FederationStale):
        verify_document(parties.federation.token, operator_key=operator, now=later)
    assert verify_document(parties.federation.token, operator_key=operator, now=None) == parties.federation


def test_suspended_member_has_no_voice(parties: Parties) -> None:
    suspended = document(parties, seq=8, members=_with(parties, status="suspended"))
    assert [active.id for active in suspended.active_members()] == [COUNCIL, CHARITY]
    assert not suspended.keys_of(TRUST, NOW)
    with pytest.raises(NotAuthentic, match="suspended"):
        suspended.member(TRUST)


def test_keys_are_in_force_from_their_begin_until_before_their_end(parties: Parties) -> None:
    trust = parties.federation.members[TRUST]
    (key,) = trust.keys
    assert not trust.keys_at(key.not_before - 1)
    assert trust.keys_at(key.not_before).keys() == {key.key.kid}
    assert not trust.keys_at(key.not_after)


def test_newer_document_advances_and_older_does_not(parties: Parties) -> None:
    newer = document(parties, seq=8)
    assert advance(None, parties.federation) is parties.federation
    assert advance(parties.federation, newer) is newer
    assert advance(newer, newer) is newer
    with pytest.raises(FederationRolledBack, match="8 to 7"):
        advance(newer, parties.federation)


def test_freshness_names_the_document_and_the_hubs_time(parties: Parties) -> None:
    token = sign_freshness(parties.federation, parties.hub, NOW)
    fresh = verify_freshness(token, parties.federation, NOW + 30)
    assert (fresh.seq, fresh.sha256, fresh.time) == (7, parties.federation.sha256, int(NOW))
    fresh.check_clock(NOW + 60)
    for off, said in ((61, "61 s ahead of the hub's"), (-95, "95 s behind the hub's")):
        with pytest.raises(ClockWrong, match=said):
            fresh.check_clock(NOW + off)


def test_request_token_proves_member_and_hub(parties: Parties) -> None:
    for issuer, key in ((COUNCIL, parties.signing[COUNCIL]), (HUB, parties.hub)):
        given: dict[str, Any] = {"method": "POST", "path": "/v1/answers", "body": b"x"}
        header = sign_request(key, iss=issuer, aud=TRUST, now=NOW, jti=JTI, **given)
        body = given.pop("body")
        verified = verify_header(
            header, lambda found: parties.federation.keys_of(found, NOW), aud=TRUST, now=NOW, **given
        )
        with pytest.raises(NotForUs):
            verified.with_body(b"y")
        claims = verified.with_body(body)
        assert (claims.issuer, claims.jti, claims.expires_at) == (issuer, JTI, int(NOW) + 60)


def test_join_request_proves_possession_of_its_key() -> None:
    key = signing_key("school")
    wish = member("school", key)
    request = verify_join(sign_join(wish, key, federation=FEDERATION, now=NOW), federation=FEDERATION, now=NOW)
    assert request.member == wish


@pytest.mark.parametrize("reserved", [HUB, OPERATOR])
def test_no_member_can_speak_as_the_hub_or_the_operator(parties: Parties, reserved: str) -> None:
    impostor = member(reserved, signing_key("school"))
    with pytest.raises(MalformedMessage, match="no member may be called hub or operator"):
        document(parties, seq=8, members=(*parties.federation.members.values(), impostor))
    token = sign_join(impostor, signing_key("school"), federation=FEDERATION, now=NOW)
    with pytest.raises(MalformedMessage, match="no member may be called hub or operator"):
        verify_join(token, federation=FEDERATION, now=NOW)


# What waits for this node's own officer


def test_unchanged_document_leaves_nothing_waiting(parties: Parties) -> None:
    assert pending_changes(parties.federation.members, document(parties, seq=8)) == ()


def test_new_member_waits_and_is_left_out(parties: Parties) -> None:
    newcomer = member("school", signing_key("school"))
    received = document(parties, seq=8, members=(*parties.federation.members.values(), newcomer))
    pending = pending_changes(parties.federation.members, received)
    assert pending == (PendingChange(kind=ChangeKind.NEW_MEMBER, member="school"),)
    usable = without_pending(received, pending)
    assert usable.members.keys() == {COUNCIL, TRUST, CHARITY}
    assert (usable.seq, usable.sha256) == (received.seq, received.sha256)


def test_before_anything_is_accepted_everybody_waits(parties: Parties) -> None:
    pending = pending_changes({}, parties.federation)
    assert {change.member for change in pending} == {COUNCIL, TRUST, CHARITY}
    assert not without_pending(parties.federation, pending).members


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        (ChangeKind.SECTOR, {"sector": Sector.STATUTORY}),
        (ChangeKind.TYPE, {"type": OrganisationType.POLICE}),
    ],
)
def test_change_of_sector_or_type_waits(parties: Parties, kind: ChangeKind, changes: dict[str, Any]) -> None:
    received = document(parties, seq=8, members=_with(parties, **changes))
    pending = pending_changes(parties.federation.members, received)
    assert pending == (PendingChange(kind=kind, member=TRUST),)
    assert TRUST not in without_pending(received, pending).members


def test_change_of_name_endpoint_or_status_does_not_wait(parties: Parties) -> None:
    received = document(parties, seq=8, members=_with(parties, name="New", endpoint=None, status="suspended"))
    assert pending_changes(parties.federation.members, received) == ()


def test_key_signed_by_its_predecessor_is_accepted(parties: Parties) -> None:
    (old,) = parties.federation.members[TRUST].keys
    first, second = signing_key("trust-2"), signing_key("trust-3")
    chain = (
        _rotated(parties, second, by=first),
        _rotated(parties, first, by=parties.signing[TRUST]),
        old,
    )
    received = document(parties, seq=8, members=_with(parties, keys=chain))
    assert pending_changes(parties.federation.members, received) == ()


def test_key_put_in_by_the_operator_alone_waits(parties: Parties) -> None:
    (old,) = parties.federation.members[TRUST].keys
    forged = MemberKey(key=signing_key("eve").verify_key(), not_before=int(NOW), not_after=int(NOW) + DAY)
    received = document(parties, seq=8, members=_with(parties, keys=(old, forged)))
    pending = pending_changes(parties.federation.members, received)
    assert pending == (PendingChange(kind=ChangeKind.SIGNING_KEY, member=TRUST, kid=forged.key.kid),)
    assert without_pending(received, pending).keys_of(TRUST, NOW).keys() == {old.key.kid}


@pytest.mark.parametrize("fault", ["stranger", "another-member", "another-key", "after-its-end", "garbage"])
def test_rotation_that_does_not_hold_waits(parties: Parties, fault: str) -> None:
    (old,) = parties.federation.members[TRUST].keys
    new, trust = signing_key("trust-2"), parties.signing[TRUST]
    given: dict[str, Any] = {"member": TRUST, "federation": FEDERATION, "now": NOW}
    words: dict[str, Callable[[], str]] = {
        "stranger": lambda: sign_rotation(new.verify_key(), signing_key("eve"), **given),
        "another-member": lambda: sign_rotation(new.verify_key(), trust, **{**given, "member": COUNCIL}),
        "another-key": lambda: sign_rotation(signing_key("eve").verify_key(), trust, **given),
        "after-its-end": lambda: sign_rotation(new.verify_key(), trust, **{**given, "now": NOW + 90 * DAY}),
        "garbage": lambda: "not.a.token",
    }
    key = MemberKey(key=new.verify_key(), not_before=int(NOW), not_after=int(NOW) + DAY, rotation=words[fault]())
    received = document(parties, seq=8, members=_with(parties, keys=(old, key)))
    pending = pending_changes(parties.federation.members, received)
    assert pending == (PendingChange(kind=ChangeKind.SIGNING_KEY, member=TRUST, kid=new.kid),)


def test_revoked_key_cannot_name_its_successor(parties: Parties) -> None:
    """Whoever stole the old key can sign a rotation; once the operator takes the key out, its word is worth nothing."""
    new = signing_key("trust-2")
    received = document(
        parties, seq=8, members=_with(parties, keys=(_rotated(parties, new, by=parties.signing[TRUST]),))
    )
    assert [change.kid for change in pending_changes(parties.federation.members, received)] == [new.kid]
