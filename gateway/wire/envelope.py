"""The envelope in which a question travels (docs/wire.md, "Envelope")."""

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.wire.query import SignedQuery
from gateway.wire.seal import PublicSealingKey
from gateway.wire.sealing_keys import SealingKeyRing


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedCopy:
    """The content key, sealed (1,168 bytes) to one member's sealing key `kid`."""

    kid: str
    sealed: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """What the asking node sends to the hub."""

    id: str
    deadline_ms: int
    body: bytes
    copies: Mapping[str, SealedCopy]

    def to_json(self) -> bytes:
        raise NotImplementedError

    @classmethod
    def from_json(cls, data: bytes) -> "Envelope":
        raise NotImplementedError


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberEnvelope:
    """What the hub hands to one member: its own copy alone, and who sent it (`from` on the wire)."""

    id: str
    deadline_ms: int
    body: bytes
    copy: SealedCopy
    sender: str

    def to_json(self) -> bytes:
        raise NotImplementedError

    @classmethod
    def from_json(cls, data: bytes) -> "MemberEnvelope":
        raise NotImplementedError


def seal_query(signed: SignedQuery, recipients: Mapping[str, PublicSealingKey], *, deadline_ms: int) -> Envelope:
    raise NotImplementedError


def member_envelope(envelope: Envelope, member: str, sender: str) -> MemberEnvelope:
    """Raises NotForUs when there is no copy for `member`."""
    raise NotImplementedError


def open_query(envelope: MemberEnvelope, ring: SealingKeyRing, *, federation: str, me: str, now: float) -> bytes:
    """The question's compact JWS, for verify_query."""
    raise NotImplementedError
