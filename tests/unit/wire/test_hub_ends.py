"""A hub's key that has had its time signs nothing that anybody believes, though a document in force still lists it."""

from dataclasses import replace

import pytest

from gateway.errors import FederationStale, MalformedMessage, NotAuthentic
from gateway.wire.checkpoints import sign_witness_key, verify_witness_key
from gateway.wire.coverage import DeliveryOutcome, sign_coverage, verify_coverage
from gateway.wire.federation import HUB, Federation
from gateway.wire.freshness import sign_freshness, verify_freshness
from gateway.wire.keys import LedgerKey, SigningKey, ledger_public
from tests.unit.wire.parties import COUNCIL, FEDERATION, JTI, NOW, TRUST, Parties, document

NEXT = SigningKey.generate()
END = int(NOW) + 1000


def rotating(parties: Parties) -> Federation:
    return document(parties, hub_keys=(parties.hub.verify_key(), NEXT.verify_key()), hub_ends={parties.hub.kid: END})


def test_after_its_end_a_hub_key_makes_no_document_fresh_and_no_request_and_no_coverage(parties: Parties) -> None:
    federation = rotating(parties)
    outcomes = {TRUST: DeliveryOutcome.ANSWERED}

    def coverage(key: SigningKey, at: float) -> dict[str, DeliveryOutcome]:
        token = sign_coverage(outcomes, question=JTI, asker=COUNCIL, key=key, now=at)
        return verify_coverage(token, question=JTI, me=COUNCIL, federation=federation, now=at)

    for key, at in ((parties.hub, END - 1), (NEXT, END - 1), (NEXT, END)):
        assert verify_freshness(sign_freshness(federation, key, at), federation, at).seq == federation.seq
        assert coverage(key, at) == outcomes
        assert key.kid in federation.keys_of(HUB, at)
    with pytest.raises(FederationStale, match="has ended"):
        verify_freshness(sign_freshness(federation, parties.hub, END), federation, END)
    with pytest.raises(NotAuthentic):
        coverage(parties.hub, END)
    assert list(federation.keys_of(HUB, END)) == [NEXT.kid]  # whose requests a node takes


def test_what_it_said_of_the_witness_key_holds_for_as_long_as_it_is_listed(parties: Parties) -> None:
    federation, jwk = rotating(parties), LedgerKey.generate().public_jwk()
    token = sign_witness_key(jwk, parties.hub, federation=FEDERATION, now=NOW)
    assert verify_witness_key(token, federation) == ledger_public(jwk)  # cosignatures are kept for years
    without = replace(federation, hub_keys={NEXT.kid: NEXT.verify_key()})
    with pytest.raises(NotAuthentic):
        verify_witness_key(token, without)


def test_only_a_listed_key_can_have_an_end(parties: Parties) -> None:
    for ends in ({NEXT.kid: END}, {parties.hub.kid: "soon"}, {parties.hub.kid: True}):
        with pytest.raises(MalformedMessage):
            document(parties, hub_ends=ends)
