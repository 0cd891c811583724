"""A small federation with fixed keys and times, for tests of the wire: three members, a hub, an operator.

Every key is derived from its owner's name, so that the files in tests/vectors/wire/ stay readable. Nobody else may.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from gateway.wire import base64url
from gateway.wire.answer import Disclosure, NothingToDisclose, pack, seal_answer, sign_answer
from gateway.wire.envelope import Envelope, MemberEnvelope, member_envelope, open_query, seal_query
from gateway.wire.federation import AgreementBytes, Federation, Member, MemberKey, sign_document, verify_document
from gateway.wire.key_files import write_private
from gateway.wire.keys import LedgerKey, SigningKey
from gateway.wire.query import (
    AskingPractitioner,
    NameParts,
    Query,
    SignedQuery,
    Subject,
    VerifiedQuery,
    sign_query,
    verify_query,
)
from gateway.wire.seal import PRIVATE_BYTES, HybridPrivateKey, ReplyKey
from gateway.wire.sealing_keys import SealingKeyRing
from mappings.vocabulary import AuthMethod, LawfulBasis, Mode, OrganisationType, Purpose, Sector

NOW = 1_790_000_000.0
DAY = 86_400
FEDERATION = "riverside"
COUNCIL, TRUST, CHARITY = "council", "trust", "food-bank"
JTI = "7f0c1a52-5f0e-4d3a-9d6b-0a1b2c3d4e5f"
OTHER_JTI = "11111111-2222-4333-8444-555555555555"
LEAF = "ab" * 32
BUNDLE = b'{"resourceType":"Bundle","type":"searchset","entry":[]}'
DISCLOSURE = Disclosure(
    policy_uri="https://riverside.example.org/agreements/coordination", policy_version="1", rule="r1", bundle=BUNDLE
)


def signing_key(owner: str) -> SigningKey:
    return SigningKey(
        ec.derive_private_key(int.from_bytes(hashlib.sha256(owner.encode()).digest(), "big"), ec.SECP256R1())
    )


def ledger_key(owner: str) -> LedgerKey:
    return LedgerKey(ed25519.Ed25519PrivateKey.from_private_bytes(hashlib.sha256(owner.encode()).digest()))


def hybrid_key(owner: str) -> HybridPrivateKey:
    return HybridPrivateKey(hashlib.shake_256(owner.encode()).digest(PRIVATE_BYTES))


def fixed_reply_key(owner: str = "reply") -> ReplyKey:
    reply_key = ReplyKey()
    reply_key.private = hybrid_key(owner)
    return reply_key


def fixed_ring(folder: Path, owner: str) -> SealingKeyRing:
    folder.mkdir(parents=True)
    private = hybrid_key(owner)
    content = {
        "kid": private.public.kid,
        "not_before": int(NOW) - DAY,
        "expires": int(NOW) + 6 * DAY,
        "private": base64url.encode_text(private.private_bytes()),
    }
    write_private(folder / f"{private.public.kid}.key", orjson.dumps(content))
    return SealingKeyRing(folder)


@dataclass(frozen=True, kw_only=True)
class Parties:
    """Every private key of a federation, and its document."""

    operator: SigningKey
    hub: SigningKey
    signing: Mapping[str, SigningKey]
    rings: Mapping[str, SealingKeyRing]
    federation: Federation


def member(member_id: str, key: SigningKey, **changes: Any) -> Member:
    plain = Member(
        id=member_id,
        identifier=(("https://fhir.nhs.uk/Id/ods-organization-code", f"X{len(member_id):02}"),),
        name=f"The {member_id}",
        type=OrganisationType.LOCAL_AUTHORITY if member_id == COUNCIL else OrganisationType.VOLUNTARY,
        sector=Sector.STATUTORY if member_id == COUNCIL else Sector.VOLUNTARY,
        status="active",
        keys=(MemberKey(key=key.verify_key(), not_before=int(NOW) - DAY, not_after=int(NOW) + 90 * DAY),),
        ledger_key=ledger_key(member_id).public_jwk(),
        endpoint=None if member_id == CHARITY else f"https://{member_id}.example.org",
        duty_contact=(("phone", "01632 960001"),),
    )
    return replace(plain, **changes)


def document(parties: Parties, **changes: Any) -> Federation:
    """The federation's document again, with some of it changed, signed by the operator."""
    content: dict[str, Any] = {
        "operator": parties.federation.operator,
        "name": FEDERATION,
        "seq": parties.federation.seq,
        "members": tuple(parties.federation.members.values()),
        "agreements": parties.federation.agreements,
        "hub_keys": tuple(parties.federation.hub_keys.values()),
        "key": parties.operator,
        "now": NOW,
    }
    return sign_document(**{**content, **changes})


def make_parties(folder: Path, token: bytes | None = None) -> Parties:
    """With `token`, the document is that one and not a new one."""
    signing = {name: signing_key(name) for name in (COUNCIL, TRUST, CHARITY)}
    operator, hub = signing_key("operator"), signing_key("hub")
    federation = (
        verify_document(token, operator_key=operator.verify_key(), now=NOW)
        if token
        else sign_document(
            operator="Riverside Safeguarding Partnership",
            name=FEDERATION,
            seq=7,
            members=tuple(member(name, key) for name, key in signing.items()),
            agreements=(AgreementBytes(text=b"[agreement]\n", signatures=("a.b.c",)),),
            hub_keys=(hub.verify_key(),),
            key=operator,
            now=NOW,
        )
    )
    rings = {name: fixed_ring(folder / name, name) for name in signing}
    return Parties(operator=operator, hub=hub, signing=signing, rings=rings, federation=federation)


def question(parties: Parties, reply_key: ReplyKey, **changes: Any) -> Query:
    plain = Query(
        federation=FEDERATION,
        issuer=COUNCIL,
        issued_at=int(NOW),
        expires_at=int(NOW) + 60,
        jti=JTI,
        recipients=(CHARITY, TRUST),
        fed_seq=parties.federation.seq,
        fed_sha256=parties.federation.sha256,
        practitioner=AskingPractitioner(
            id="sw-17",
            name="Invented Worker",
            role="Social worker",
            organisation="Children's services",
            telecom=(("phone", "01632 960002"), ("email", "worker@example.org")),
        ),
        auth_method=AuthMethod.MFA,
        auth_time=int(NOW) - 300,
        purpose=Purpose.COORDINATION,
        lawful_basis=LawfulBasis.PUBLIC_TASK,
        agreement_uri="https://riverside.example.org/agreements/coordination",
        agreement_version="1",
        mode=Mode.PRACTITIONER,
        subject=Subject(
            names=(NameParts(given=("Zebedee",), family="Quillfeather", text="Zebedee Quillfeather"),),
            birth_date="2014-03",
            age=12,
            postcode="ZZ99 3WZ",
            identifiers=(("https://fhir.nhs.uk/Id/nhs-number", "9990000018"),),
        ),
        reply_key=reply_key.public,
    )
    return replace(plain, **changes)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A question on its way: what the asker keeps, and what travels."""

    reply_key: ReplyKey
    signed: SignedQuery
    envelope: Envelope


def ask(parties: Parties, **changes: Any) -> Asked:
    reply_key = ReplyKey.generate()
    query = question(parties, reply_key, **changes)
    signed = sign_query(query, parties.signing[COUNCIL])
    keys = {name: parties.rings[name].current(NOW).public for name in query.recipients}
    return Asked(reply_key=reply_key, signed=signed, envelope=seal_query(signed, keys, deadline_ms=2_000))


def receive(
    parties: Parties,
    envelope: MemberEnvelope,
    *,
    me: str = TRUST,
    now: float = NOW,
    federation: Federation | None = None,
) -> VerifiedQuery:
    """All that an answering node checks before it looks for anybody."""
    token = open_query(envelope, parties.rings[me], federation=FEDERATION, me=me, now=now)
    return verify_query(
        token,
        me=me,
        sender_claimed=envelope.sender,
        envelope_id=envelope.id,
        federation=federation or parties.federation,
        now=now,
    )


def delivered(asked: Asked, me: str = TRUST) -> MemberEnvelope:
    return MemberEnvelope.from_json(member_envelope(asked.envelope, me, COUNCIL).to_json())


def reply(
    parties: Parties, to: VerifiedQuery, what: Disclosure | NothingToDisclose, *, me: str = TRUST, now: float = NOW
) -> bytes:
    signed = sign_answer(what, to=to, me=me, ledger_leaf=LEAF, now=now, key=parties.signing[me])
    return seal_answer(pack(signed), to=to, me=me)
