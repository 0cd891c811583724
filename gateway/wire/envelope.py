"""The envelope in which a question travels (docs/wire.md, "Envelope").

The body is encrypted once under a content key used for nothing else; each recipient gets that key sealed to itself.
The hub passes on to each member its own copy alone, and can open none.
"""

import hashlib
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway.errors import InputError, MalformedMessage, NotAuthentic, NotForUs
from gateway.wire import base64url
from gateway.wire.claims import Claims, identifier, integer, nested, only, raw, read_claims, text, uuid
from gateway.wire.limits import (
    AEAD_TAG_BYTES,
    CONTENT_KEY_BYTES,
    MAX_BODY_BYTES,
    MAX_DEADLINE_MS,
    MAX_ENVELOPE_BYTES,
    MAX_MEMBER_ENVELOPE_BYTES,
    MAX_RECIPIENTS,
    SEALED_COPY_BYTES,
)
from gateway.wire.padding import pad, unpad
from gateway.wire.query import SignedQuery, question_bytes
from gateway.wire.request import HashedBody
from gateway.wire.seal import PublicSealingKey, binding, open_sealed, seal
from gateway.wire.sealing_keys import SealingKeyRing

VERSION = 1

_ENVELOPE = frozenset({"v", "id", "deadline_ms", "body", "copies"})
_MEMBER_ENVELOPE = frozenset({"v", "id", "deadline_ms", "body", "copy", "from"})
_COPY = frozenset({"kid", "sealed"})
# A content key encrypts one body and is never used again, so its one nonce may be all zeros.
_NONCE = bytes(12)


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedCopy:
    """The content key, sealed (SEALED_COPY_BYTES) to the sealing key `kid` of one member."""

    kid: str
    sealed: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """What an asking node sends to its hub; `copies` by member id.

    `encoded` is the body as it arrived in JSON: a hub relays it to a thousand members without encoding it as often.
    `traceparent` goes beside it, in a header (docs/wire.md, "Traces"); empty: none does.
    """

    id: str
    deadline_ms: int
    body: bytes = field(repr=False)
    copies: Mapping[str, SealedCopy]
    encoded: str | None = field(default=None, repr=False, compare=False)
    traceparent: str = field(default="", compare=False)

    def to_json(self) -> bytes:
        """The body of `POST /v1/queries`."""
        content = {
            "v": VERSION,
            "id": self.id,
            "deadline_ms": self.deadline_ms,
            "body": self.encoded or base64url.encode_text(self.body),
            "copies": {member: _copy_json(copy) for member, copy in self.copies.items()},
        }
        return orjson.dumps(content)

    @classmethod
    def from_json(cls, data: bytes) -> "Envelope":
        """Read what a member posted; raises MalformedMessage, also when the body's size does not tell the copies."""
        content = _read(data, _ENVELOPE, MAX_ENVELOPE_BYTES)
        copies = nested(content, "copies")
        if not 1 <= len(copies) <= MAX_RECIPIENTS:
            raise MalformedMessage(f"copies must be 1 to {MAX_RECIPIENTS}")
        for member in copies:
            identifier({"copies": member}, "copies")
        return cls(
            id=uuid(content, "id"),
            deadline_ms=integer(content, "deadline_ms", minimum=1, maximum=MAX_DEADLINE_MS),
            body=raw(content, "body", size=question_bytes(len(copies)) + AEAD_TAG_BYTES),
            copies={member: _copy(nested(copies, member)) for member in copies},
            encoded=content["body"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberEnvelope:
    """What a hub hands to one member; `sender` (`from` on the wire) is the member that the hub authenticated."""

    id: str
    deadline_ms: int
    body: bytes = field(repr=False)
    copy: SealedCopy
    sender: str
    encoded: str | None = field(default=None, repr=False, compare=False)

    def to_json(self) -> bytes:
        """The body of `POST {endpoint}/v1/answers`."""
        content = {
            "v": VERSION,
            "id": self.id,
            "deadline_ms": self.deadline_ms,
            "body": self.encoded or base64url.encode_text(self.body),
            "copy": _copy_json(self.copy),
            "from": self.sender,
        }
        return orjson.dumps(content)

    @classmethod
    def from_json(cls, data: bytes) -> "MemberEnvelope":
        """Read what a hub delivered; raises MalformedMessage."""
        content = _read(data, _MEMBER_ENVELOPE, MAX_MEMBER_ENVELOPE_BYTES)
        return cls(
            id=uuid(content, "id"),
            deadline_ms=integer(content, "deadline_ms", minimum=1, maximum=MAX_DEADLINE_MS),
            body=raw(content, "body", maximum=MAX_BODY_BYTES),
            copy=_copy(nested(content, "copy")),
            sender=identifier(content, "from"),
        )


def seal_query(signed: SignedQuery, recipients: Mapping[str, PublicSealingKey], *, deadline_ms: int) -> Envelope:
    """Seal a question to exactly its recipients; raises InputError if a sealing key is missing or one too many.

    (1) pad to a size that tells the number of recipients alone   (2) encrypt once   (3) seal the key to each
    """
    query = signed.query
    if recipients.keys() != set(query.recipients):
        raise InputError("the sealing keys are not those of the question's recipients")
    # (1)
    padded = pad((signed.token,), question_bytes(len(recipients)))
    # (2)
    content_key = secrets.token_bytes(CONTENT_KEY_BYTES)
    body = AESGCM(content_key).encrypt(_NONCE, padded, _body_binding(query.federation, query.issuer, query.jti))
    # (3)
    copies = {}
    for member in query.recipients:
        key = recipients[member]
        sealed = seal(
            content_key,
            key,
            use="question",
            federation=query.federation,
            sender=query.issuer,
            recipient=member,
            jti=query.jti,
        )
        copies[member] = SealedCopy(kid=key.kid, sealed=sealed)
    return Envelope(id=query.jti, deadline_ms=deadline_ms, body=body, copies=copies)


def member_envelope(envelope: Envelope, member: str, sender: str) -> MemberEnvelope:
    """The part for one member; raises NotForUs when the asker made no copy for it."""
    copy = envelope.copies.get(member)
    if copy is None:
        raise NotForUs(f"no copy for {member}")
    return MemberEnvelope(
        id=envelope.id,
        deadline_ms=envelope.deadline_ms,
        body=envelope.body,
        copy=copy,
        sender=sender,
        encoded=envelope.encoded,
    )


def member_envelopes_json(envelope: Envelope, sender: str) -> Iterator[tuple[str, HashedBody]]:
    """For each copy, its member and `member_envelope(...).to_json()`, byte for byte.

    The body is most of it and the same for all: encoded and hashed once, it costs a hub a tenth.
    """
    shared = {
        "v": VERSION,
        "id": envelope.id,
        "deadline_ms": envelope.deadline_ms,
        "body": envelope.encoded or base64url.encode_text(envelope.body),
    }
    head = orjson.dumps(shared)[:-1] + b',"copy":'
    tail = b',"from":' + orjson.dumps(sender) + b"}"
    head_hash = hashlib.sha256(head)
    for member, copy in envelope.copies.items():
        rest = orjson.dumps(_copy_json(copy)) + tail
        whole_hash = head_hash.copy()
        whole_hash.update(rest)
        yield member, HashedBody(head + rest, whole_hash.hexdigest())


def open_query(envelope: MemberEnvelope, ring: SealingKeyRing, *, federation: str, me: str, now: float) -> bytes:
    """The question's compact JWS, for verify_query.

    (1) the sealing key that the copy names   (2) the content key   (3) the body   (4) the padding
    Raises NotForUs, OutOfTime (1), NotAuthentic (2, 3), MalformedMessage (2, 4).
    """
    # (1)
    key = ring.by_kid(envelope.copy.kid, now)
    # (2)
    content_key = open_sealed(
        envelope.copy.sealed,
        key,
        use="question",
        federation=federation,
        sender=envelope.sender,
        recipient=me,
        jti=envelope.id,
    )
    # (3)
    aad = _body_binding(federation, envelope.sender, envelope.id)
    try:
        padded = AESGCM(content_key).decrypt(_NONCE, envelope.body, aad)
    except InvalidTag:
        raise NotAuthentic("the question's body does not open") from None
    # (4)
    (token,) = unpad(padded, 1)
    return token


def _body_binding(federation: str, sender: str, jti: str) -> bytes:
    return binding("body", federation, sender, jti)


def _read(data: bytes, members: frozenset[str], max_bytes: int) -> Claims:
    content = read_claims(data, max_bytes=max_bytes)
    only(content, members)
    integer(content, "v", minimum=VERSION, maximum=VERSION)
    return content


def _copy(entry: Claims) -> SealedCopy:
    only(entry, _COPY)
    return SealedCopy(kid=text(entry, "kid"), sealed=raw(entry, "sealed", size=SEALED_COPY_BYTES))


def _copy_json(copy: SealedCopy) -> dict[str, Any]:
    return {"kid": copy.kid, "sealed": base64url.encode_text(copy.sealed)}
