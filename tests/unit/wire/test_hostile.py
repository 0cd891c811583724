"""Every file of tests/vectors/wire/ is refused, with exactly the error that it names (README.md there)."""

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway import errors
from gateway.wire import base64url, jws
from gateway.wire.acceptance import advance
from gateway.wire.answer import open_answer
from gateway.wire.envelope import Envelope, MemberEnvelope, SealedCopy, open_query
from gateway.wire.federation import Federation, MemberKey, verify_document
from gateway.wire.freshness import verify_freshness
from gateway.wire.invitation import verify_invitation
from gateway.wire.join import verify_join
from gateway.wire.limits import MAX_TOKEN_BYTES
from gateway.wire.query import SignedQuery, question_bytes, verify_query
from gateway.wire.query_claims import read_query
from gateway.wire.request import verify_header
from gateway.wire.seal import binding, seal
from gateway.wire.sealing_keys import verify_sealing_key
from tests.unit.wire.parties import (
    COUNCIL,
    DAY,
    FEDERATION,
    JTI,
    NOW,
    TRUST,
    Parties,
    fixed_reply_key,
    make_parties,
)

VECTORS = Path(__file__).parents[2] / "vectors" / "wire"
CASES = sorted(VECTORS.glob("*.json"))
EXPECTED = vars(errors)
Case = dict[str, Any]


@pytest.fixture(scope="module")
def parties(tmp_path_factory: pytest.TempPathFactory) -> Parties:
    token = (VECTORS / "federation.jws").read_bytes().strip()
    return make_parties(tmp_path_factory.mktemp("hostile") / "parties", token)


def _federation(parties: Parties, case: Case) -> Federation:
    """The federation as the receiving node holds it."""
    council = parties.federation.members[COUNCIL]
    (key,) = council.keys
    now = int(NOW)
    ended = MemberKey(key=key.key, not_before=now - DAY, not_after=now)
    early = MemberKey(key=key.key, not_before=now + 1, not_after=now + DAY)
    variants = {
        "as-signed": council,
        "council-suspended": replace(council, status="suspended"),
        "council-key-revoked": replace(council, keys=()),
        "council-key-ended": replace(council, keys=(ended,)),
        "council-key-not-begun": replace(council, keys=(early,)),
    }
    members = {**parties.federation.members, COUNCIL: variants[case.get("federation", "as-signed")]}
    return replace(parties.federation, members=members)


def _now(case: Case) -> float:
    return float(case.get("now", NOW))


def _jws(parties: Parties, case: Case) -> object:
    key = parties.signing[COUNCIL].verify_key()
    return jws.verify(case["token"], typ="patchwork-query+jwt", keys={key.kid: key}, max_bytes=MAX_TOKEN_BYTES)


def _query(parties: Parties, case: Case) -> object:
    return verify_query(
        case["token"].encode(),
        me=case.get("me", TRUST),
        sender_claimed=case.get("sender_claimed", COUNCIL),
        envelope_id=case.get("envelope_id", JTI),
        federation=_federation(parties, case),
        now=_now(case),
    )


def _flipped(data: bytes) -> bytes:
    return data[:-40] + bytes([data[-40] ^ 1]) + data[-39:]


def _envelope(parties: Parties, case: Case) -> object:
    """Seal the honest question as the asker would, do to it what the case says, and open it."""
    token = case["token"].encode()
    plain = case.get("length", len(token)).to_bytes(4, "big") + token
    filler = bytes.fromhex(case.get("padding", "00"))
    padded = plain + filler * (question_bytes(2) - len(plain))
    key = secrets.token_bytes(32)
    body = AESGCM(key).encrypt(bytes(12), padded, binding("body", FEDERATION, COUNCIL, JTI))
    to = parties.rings[TRUST].current(NOW).public
    bound: dict[str, Any] = {
        "use": "question",
        "federation": FEDERATION,
        "sender": COUNCIL,
        "recipient": TRUST,
        "jti": JTI,
    }
    sealed = seal(key, to, **{**bound, **case.get("bound", {})})
    if case.get("key_of"):  # a member that may open it seals it again, to somebody who may not
        to = parties.rings[case["key_of"]].current(NOW).public
        sealed = seal(key, to, **bound)
    envelope = MemberEnvelope(
        id=case.get("id", JTI),
        deadline_ms=2_000,
        body=_flipped(body) if case.get("flip") == "body" else body[: len(body) - case.get("cut", 0)],
        copy=SealedCopy(kid=case.get("kid", to.kid), sealed=_flipped(sealed) if case.get("flip") == "copy" else sealed),
        sender=case.get("sender", COUNCIL),
    )
    me = case.get("me", TRUST)
    return open_query(envelope, parties.rings[me], federation=FEDERATION, me=me, now=_now(case))


def _answer(parties: Parties, case: Case) -> object:
    token = (VECTORS / "question.jws").read_bytes().strip()
    query = read_query(jws.peek(token, max_bytes=MAX_TOKEN_BYTES))
    signed = SignedQuery(token=token, query=query, sha256=hashlib.sha256(token).hexdigest())
    bound: dict[str, Any] = {
        "use": "answer",
        "federation": FEDERATION,
        "sender": TRUST,
        "recipient": COUNCIL,
        "jti": JTI,
    }
    reply_to = fixed_reply_key(case.get("reply_key", "reply")).private.public
    sealed = seal(base64url.decode_text(case["packed"]), reply_to, **{**bound, **case.get("bound", {})})
    sealed = sealed[: len(sealed) - case.get("cut", 0)] + bytes(case.get("extend", 0))
    return open_answer(
        sealed,
        reply_key=fixed_reply_key(),
        signed=signed,
        member=parties.federation.members[case.get("member", TRUST)],
        federation=parties.federation,
        now=_now(case),
    )


def _document(parties: Parties, case: Case) -> Federation:
    return verify_document(case["token"], operator_key=parties.operator.verify_key(), now=_now(case))


def _request(parties: Parties, case: Case) -> object:
    federation = _federation(parties, case)
    verified = verify_header(
        case["header"],
        lambda issuer: federation.keys_of(issuer, NOW),
        method="POST",
        path="/v1/queries",
        aud=FEDERATION,
        now=_now(case),
    )
    return verified.with_body(case.get("body", "body").encode())


def _sealing_key(parties: Parties, case: Case) -> object:
    member = parties.federation.members[TRUST]
    return verify_sealing_key(case["token"], member=member, federation=FEDERATION, now=_now(case))


READERS: dict[str, Callable[[Parties, Case], object]] = {
    "jws": _jws,
    "query": _query,
    "envelope": _envelope,
    "hub-envelope": lambda parties, case: Envelope.from_json(case["json"].encode()),
    "member-envelope": lambda parties, case: MemberEnvelope.from_json(case["json"].encode()),
    "answer": _answer,
    "document": _document,
    "advance": lambda parties, case: advance(parties.federation, _document(parties, case)),
    "freshness": lambda parties, case: verify_freshness(case["token"], parties.federation, _now(case)),
    "request": _request,
    "sealing-key": _sealing_key,
    "invitation": lambda parties, case: verify_invitation(
        case["token"], operator_key=parties.operator.verify_key(), federation=FEDERATION, now=_now(case)
    ),
    "join": lambda parties, case: verify_join(case["token"], federation=FEDERATION, now=_now(case)),
}


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_hostile_message_is_refused(path: Path, parties: Parties) -> None:
    case = orjson.loads(path.read_bytes())
    expected = EXPECTED[case["expect"]]
    with pytest.raises(errors.PatchworkError) as refused:
        READERS[case["reader"]](parties, case)
    assert type(refused.value) is expected, refused.value
    # Nothing of the person asked about may reach a log with the error.
    assert not any(word in str(refused.value) for word in ("Zebedee", "Quillfeather", "2014-0", "9990000018"))


def test_honest_question_of_the_vectors_is_accepted(parties: Parties) -> None:
    token = (VECTORS / "question.jws").read_text().strip()
    _jws(parties, {"token": token})
    _query(parties, {"token": token})
    assert _envelope(parties, {"token": token}) == token.encode()


def test_every_reader_has_cases() -> None:
    assert {orjson.loads(path.read_bytes())["reader"] for path in CASES} == READERS.keys()
