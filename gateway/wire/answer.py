"""The answer, `typ: patchwork-answer+jwt` (docs/wire.md, "Answer").

Signing demands a Disclosure or NOTHING_TO_DISCLOSE, and the VerifiedQuery that it answers. `nothing-to-disclose`
carries no policy, bundle, detail or hint, so unknown, refused, shielded and under review are one.
"""

import hashlib
import uuid as uuids
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, NamedTuple

from gateway.errors import InputError, MalformedMessage, NotForUs, OutOfTime
from gateway.wire import jws
from gateway.wire.claims import Claims, boolean, code, identifier, integer, nested, only, sha256, text, uuid
from gateway.wire.federation import Federation, Member
from gateway.wire.keys import SigningKey
from gateway.wire.limits import (
    ANSWER_LIFETIME_S,
    ANSWER_TOKEN_BYTES,
    DISPLAY_S,
    MAX_RULE_CHARS,
    MAX_URI_CHARS,
    MAX_VERSION_CHARS,
    SEALED_ANSWER_BYTES,
)
from gateway.wire.packing import SignedAnswer, deflate_to_fit, pack, unpack
from gateway.wire.query import SignedQuery, VerifiedQuery
from gateway.wire.seal import ReplyKey, open_sealed, seal

__all__ = [
    "NOTHING_TO_DISCLOSE",
    "Disclosure",
    "NothingToDisclose",
    "Outcome",
    "SignedAnswer",
    "VerifiedAnswer",
    "deflate_to_fit",
    "open_answer",
    "pack",
    "seal_answer",
    "sign_answer",
]

TYP: Final = "patchwork-answer+jwt"

CLAIMS = frozenset(
    {
        *("iss", "aud", "iat", "exp", "jti", "in_reply_to", "query_sha256", "fed", "outcome", "ledger_leaf"),
        "display_until",
    }
)
TEAMS_CLAIMS = CLAIMS | {"policy", "bundle_sha256", "truncated"}
_FED = frozenset({"seq", "sha256"})
_POLICY = frozenset({"uri", "version", "rule"})


class Outcome(StrEnum):
    """All that an asker learns when no team is disclosed."""

    TEAMS = "teams"
    NOTHING_TO_DISCLOSE = "nothing-to-disclose"


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosure:
    """What policy lets leave: a FHIR Bundle as JSON, and the rule that allowed it. `truncated`: not all fitted.

    `deflated` is what deflate_to_fit() made of `bundle`, so that it is not done twice.
    """

    policy_uri: str
    policy_version: str
    rule: str
    bundle: bytes = field(repr=False)
    truncated: bool = False
    deflated: bytes | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class NothingToDisclose:
    """Unknown, refused, shielded, ambiguous or under review: on the wire they are the same."""


NOTHING_TO_DISCLOSE: Final = NothingToDisclose()

_CHECKED: Final = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedAnswer:
    """An answer proven to be this member's, to this question. Only open_answer() makes one.

    `bundle` and the policy are None for `nothing-to-disclose`; after `display_until` (epoch seconds) it is deleted.
    """

    member: Member
    outcome: Outcome
    bundle: bytes | None = field(repr=False)
    policy_uri: str | None
    policy_version: str | None
    rule: str | None
    truncated: bool
    ledger_leaf: str
    display_until: int
    jws: bytes = field(repr=False)
    checked: object = field(repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.checked is not _CHECKED:
            raise TypeError("only open_answer() makes a VerifiedAnswer")


def sign_answer(
    what: Disclosure | NothingToDisclose,
    *,
    to: VerifiedQuery,
    me: str,
    ledger_leaf: str,
    now: float,
    key: SigningKey,
    display_s: int = DISPLAY_S,
) -> SignedAnswer:
    """Sign an answer, bound to its question. `ledger_leaf`: SHA-256 (hex) of the entry that is already durable.

    Raises InputError for a policy that names itself at such length that no asker would read it.
    """
    issued_at = int(now)
    claims: Claims = {
        "iss": me,
        "aud": to.query.issuer,
        "iat": issued_at,
        "exp": issued_at + ANSWER_LIFETIME_S,
        "jti": str(uuids.uuid4()),
        "in_reply_to": to.query.jti,
        "query_sha256": to.sha256,
        "fed": {"seq": to.query.fed_seq, "sha256": to.query.fed_sha256},
        "outcome": Outcome.NOTHING_TO_DISCLOSE.value,
        "ledger_leaf": ledger_leaf,
        "display_until": issued_at + min(display_s, DISPLAY_S),
    }
    bundle, deflated = b"", None
    if isinstance(what, Disclosure):
        bundle, deflated = what.bundle, what.deflated
        claims["outcome"] = Outcome.TEAMS.value
        claims["policy"] = {"uri": what.policy_uri, "version": what.policy_version, "rule": what.rule}
        claims["bundle_sha256"] = hashlib.sha256(bundle).hexdigest()
        claims["truncated"] = what.truncated
    token = jws.sign(claims, typ=TYP, key=key).encode("ascii")
    if len(token) > ANSWER_TOKEN_BYTES:
        raise InputError("the agreement's uri, version or rule is too long for an answer")
    return SignedAnswer(jws=token, bundle=bundle, deflated=deflated)


def seal_answer(packed: bytes, *, to: VerifiedQuery, me: str) -> bytes:
    """Exactly SEALED_ANSWER_BYTES, to the question's one-time reply key."""
    query = to.query
    return seal(
        packed,
        to.reply_to,
        use="answer",
        federation=query.federation,
        sender=me,
        recipient=query.issuer,
        jti=query.jti,
    )


def open_answer(
    sealed: bytes, *, reply_key: ReplyKey, signed: SignedQuery, member: Member, federation: Federation, now: float
) -> VerifiedAnswer:
    """Check the answer that a hub says is `member`'s.

    (1) size, and a member that was asked   (2) opens with this question's reply key   (3) padding, lengths, inflating
    (4) signed with a key in force of that member   (5) claims   (6) from it, to us, to this very question
    (7) the federation document of the question   (8) time   (9) the bundle that was signed
    Raises WireError; the member is then shown as `invalid-answer`.
    """
    query = signed.query
    # (1)
    if len(sealed) != SEALED_ANSWER_BYTES:
        raise MalformedMessage(f"a sealed answer has {SEALED_ANSWER_BYTES} bytes")
    if member.id not in query.recipients:
        raise NotForUs(f"{member.id} was not asked")
    # (2)
    packed = open_sealed(
        sealed,
        reply_key,
        use="answer",
        federation=query.federation,
        sender=member.id,
        recipient=query.issuer,
        jti=query.jti,
    )
    # (3)
    answer = unpack(packed)
    # (4)
    keys = federation.keys_of(member.id, now)
    claims = jws.verify(answer.jws, typ=TYP, keys=keys, max_bytes=ANSWER_TOKEN_BYTES)
    # (5)
    outcome = code(claims, "outcome", Outcome)
    only(claims, TEAMS_CLAIMS if outcome is Outcome.TEAMS else CLAIMS)
    uuid(claims, "jti")
    # (6)
    if (identifier(claims, "iss"), identifier(claims, "aud")) != (member.id, query.issuer):
        raise NotForUs("an answer from or to somebody else")
    if (uuid(claims, "in_reply_to"), sha256(claims, "query_sha256")) != (query.jti, signed.sha256):
        raise NotForUs("an answer to another question")
    # (7)
    fed = nested(claims, "fed")
    only(fed, _FED)
    if (integer(fed, "seq"), sha256(fed, "sha256")) != (query.fed_seq, query.fed_sha256):
        raise NotForUs("an answer under another federation document")
    # (8)
    jws.check_times(claims, now, ANSWER_LIFETIME_S)
    display_until = integer(claims, "display_until")
    if not 0 <= display_until - claims["iat"] <= DISPLAY_S:
        raise OutOfTime(f"shown for more than {DISPLAY_S} s")
    # (9)
    if bool(answer.bundle) is not (outcome is Outcome.TEAMS):
        raise MalformedMessage("a bundle where nothing is disclosed, or none where teams are")
    policy = _policy(claims, answer.bundle) if outcome is Outcome.TEAMS else _NO_POLICY
    return VerifiedAnswer(
        member=member,
        outcome=outcome,
        bundle=answer.bundle or None,
        policy_uri=policy.uri,
        policy_version=policy.version,
        rule=policy.rule,
        truncated=policy.truncated,
        ledger_leaf=sha256(claims, "ledger_leaf"),
        display_until=display_until,
        jws=answer.jws,
        checked=_CHECKED,
    )


class _Policy(NamedTuple):
    uri: str | None = None
    version: str | None = None
    rule: str | None = None
    truncated: bool = False


_NO_POLICY = _Policy()


def _policy(claims: Claims, bundle: bytes) -> _Policy:
    if sha256(claims, "bundle_sha256") != hashlib.sha256(bundle).hexdigest():
        raise NotForUs("the bundle is not the one that was signed")
    policy = nested(claims, "policy")
    only(policy, _POLICY)
    return _Policy(
        uri=text(policy, "uri", max_chars=MAX_URI_CHARS),
        version=text(policy, "version", max_chars=MAX_VERSION_CHARS),
        rule=text(policy, "rule", max_chars=MAX_RULE_CHARS),
        truncated=boolean(claims, "truncated"),
    )
