"""The answer (docs/wire.md, "Answer")."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from gateway.wire.federation import Federation, Member
from gateway.wire.keys import SigningKey
from gateway.wire.limits import DISPLAY_S
from gateway.wire.query import SignedQuery, VerifiedQuery
from gateway.wire.seal import ReplyKey


class Outcome(StrEnum):
    TEAMS = "teams"
    NOTHING_TO_DISCLOSE = "nothing-to-disclose"


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosure:
    """What policy lets leave: a FHIR Bundle as JSON bytes, and the rule that allowed it."""

    policy_uri: str
    policy_version: str
    rule: str
    bundle: bytes
    truncated: bool = False


@dataclass(frozen=True, slots=True)
class NothingToDisclose:
    """Unknown, refused, shielded, ambiguous, under review: all the same."""


NOTHING_TO_DISCLOSE: Final = NothingToDisclose()


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedAnswer:
    """The compact JWS, and the bundle that it binds (empty without disclosure)."""

    jws: bytes
    bundle: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedAnswer:
    """An answer proven to be this member's, to this question. Only open_answer() makes one."""

    member: Member
    outcome: Outcome
    bundle: bytes | None
    policy_uri: str | None
    policy_version: str | None
    rule: str | None
    truncated: bool
    ledger_leaf: str
    display_until: int
    jws: bytes


def sign_answer(
    what: Disclosure | NothingToDisclose,
    *,
    to: VerifiedQuery,
    me: str,
    federation: Federation,
    ledger_leaf: str,
    now: float,
    key: SigningKey,
    display_s: int = DISPLAY_S,
) -> SignedAnswer:
    raise NotImplementedError


def fits(bundle: bytes) -> bool:
    """Whether a bundle's answer fits into ANSWER_BYTES."""
    raise NotImplementedError


def pack(signed: SignedAnswer) -> bytes:
    """Exactly ANSWER_BYTES."""
    raise NotImplementedError


def seal_answer(packed: bytes, *, to: VerifiedQuery, me: str) -> bytes:
    """Exactly SEALED_ANSWER_BYTES, to the question's reply key."""
    raise NotImplementedError


def open_answer(
    sealed: bytes, *, reply_key: ReplyKey, signed: SignedQuery, member: Member, federation: Federation, now: float
) -> VerifiedAnswer:
    """Raises WireError; the member then counts as `invalid-answer`."""
    raise NotImplementedError
