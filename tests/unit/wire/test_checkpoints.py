"""Messages between a ledger's node and its witnesses: what is read back is what was written, and no more is taken."""

import orjson
import pytest

from gateway.errors import MalformedMessage, NotAuthentic, NotForUs
from gateway.wire import base64url
from gateway.wire.checkpoints import Held, Submission, Verdict, sign_witness_key, verify_witness_key
from gateway.wire.claims import read_claims
from gateway.wire.keys import LedgerKey, ledger_public
from gateway.wire.limits import MAX_CHECKPOINT_BYTES, MAX_NOTE_BYTES, MAX_PROOF_HASHES
from tests.unit.wire.parties import FEDERATION, NOW, TRUST, Parties

NOTE = "patchwork/northshire/trust\n1\n…\n"
HASH = base64url.encode_text(bytes(32))


def _submission(**changes: object) -> bytes:
    return orjson.dumps({"note": base64url.encode_text(NOTE.encode()), "proof": [HASH]} | changes)


def test_each_message_comes_back_as_it_was_sent() -> None:
    submission = Submission(note=NOTE, proof=[bytes(32), bytes([1]) * 32])
    assert Submission.from_json(submission.to_json()) == submission
    for held in (Held(note=None), Held(note=NOTE), Held(note=NOTE, witness_key="a.b.c")):
        assert Held.from_claims(read_claims(held.to_json(), max_bytes=MAX_CHECKPOINT_BYTES)) == held
    for verdict in (Verdict(refused="fewer entries"), Verdict(cosignature="— w AAAAAAAA")):
        assert Verdict.from_claims(read_claims(verdict.to_json(), max_bytes=MAX_CHECKPOINT_BYTES)) == verdict


@pytest.mark.parametrize(
    "body",
    [
        b"",
        _submission(more=1),
        _submission(note=1),
        _submission(note=""),
        _submission(note=base64url.encode_text(b"\xff")),
        _submission(note=base64url.encode_text(bytes(MAX_NOTE_BYTES + 1))),
        _submission(proof=HASH),
        _submission(proof=[HASH[:-2]]),
        _submission(proof=[7]),
        _submission(proof=[HASH] * (MAX_PROOF_HASHES + 1)),
        _submission() + b" " * MAX_CHECKPOINT_BYTES,
    ],
)
def test_a_hostile_submission_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedMessage):
        Submission.from_json(body)


@pytest.mark.parametrize("said", [{}, {"cosignature": "x", "refused": "y"}, {"refused": ""}, {"cosignature": "a\nb"}])
def test_a_verdict_is_one_of_two_things(said: dict[str, str]) -> None:
    with pytest.raises(MalformedMessage):
        Verdict.from_claims(said)


def test_the_hubs_word_for_its_witness_key_is_taken_from_the_hub_alone(parties: Parties) -> None:
    jwk = LedgerKey.generate().public_jwk()
    token = sign_witness_key(jwk, parties.hub, federation=FEDERATION, now=NOW)
    assert verify_witness_key(token, parties.federation) == ledger_public(jwk)
    with pytest.raises(NotAuthentic):
        verify_witness_key(
            sign_witness_key(jwk, parties.signing[TRUST], federation=FEDERATION, now=NOW), parties.federation
        )
    with pytest.raises(NotForUs):
        verify_witness_key(sign_witness_key(jwk, parties.hub, federation="elsewhere", now=NOW), parties.federation)
    with pytest.raises(MalformedMessage):
        verify_witness_key(
            sign_witness_key(parties.hub.public_jwk(), parties.hub, federation=FEDERATION, now=NOW), parties.federation
        )
