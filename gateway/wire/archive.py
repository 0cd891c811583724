"""Questions and answers read again, years later (docs/wire.md, "Evidence").

Held against the federation document that was in force, not against the time: whose keys, which question, which ledger
entry. What only mattered while they were fresh (that they came in time, were new, and to whom they were sealed) is not
asked again.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.errors import NotForUs, OutOfTime
from gateway.wire import jws
from gateway.wire.answer import CLAIMS, TEAMS_CLAIMS, Outcome
from gateway.wire.answer import TYP as ANSWER_TYP
from gateway.wire.claims import Claims, code, identifier, integer, moment, nested, only, sha256, uuid
from gateway.wire.federation import Federation
from gateway.wire.keys import VerifyKey
from gateway.wire.limits import (
    ANSWER_LIFETIME_S,
    ANSWER_TOKEN_BYTES,
    MAX_TOKEN_BYTES,
    QUERY_LIFETIME_S,
    SKEW_S,
)
from gateway.wire.query import TYP as QUERY_TYP
from gateway.wire.query import Query, SignedQuery
from gateway.wire.query_claims import read_query

_FED = frozenset({"seq", "sha256"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivedAnswer:
    """An answer that its member signed. `bundle_sha256` is None for `nothing-to-disclose`."""

    issuer: str
    reader: str
    issued_at: int
    in_reply_to: str
    query_sha256: str
    outcome: Outcome
    ledger_leaf: str
    bundle_sha256: str | None
    token: str = field(repr=False)


def named_document(token: str | bytes, *, max_bytes: int = MAX_TOKEN_BYTES) -> str:
    """UNVERIFIED: the hash of the federation document that a question or answer names, only to find it."""
    return sha256(nested(jws.peek(token, max_bytes=max_bytes), "fed"), "sha256")


def read_archived_query(token: str, federation: Federation) -> SignedQuery:
    """A question of long ago.

    (1) signed with a key that its member had in force then   (2) claims   (3) `fed` is this document, and `aud` its
    federation   (4) this document was in force then. Raises WireError.
    """
    # (1)
    claims = jws.verify(
        token, typ=QUERY_TYP, keys=_keys_then(token, federation, MAX_TOKEN_BYTES), max_bytes=MAX_TOKEN_BYTES
    )
    # (2)
    query: Query = read_query(claims)
    jws.check_times(claims, query.issued_at, QUERY_LIFETIME_S)
    # (3)
    if query.federation != federation.name:
        raise NotForUs("a question of another federation")
    _check_document(claims, federation)
    # (4)
    _check_in_force(query.issued_at, federation)
    signed = token.encode("ascii")
    return SignedQuery(token=signed, query=query, sha256=hashlib.sha256(signed).hexdigest())


def read_archived_answer(token: str, federation: Federation) -> ArchivedAnswer:
    """An answer of long ago; the steps are those of a question."""
    # (1)
    claims = jws.verify(
        token, typ=ANSWER_TYP, keys=_keys_then(token, federation, ANSWER_TOKEN_BYTES), max_bytes=ANSWER_TOKEN_BYTES
    )
    # (2)
    outcome = code(claims, "outcome", Outcome)
    only(claims, TEAMS_CLAIMS if outcome is Outcome.TEAMS else CLAIMS)
    issued_at = moment(claims, "iat")
    jws.check_times(claims, issued_at, ANSWER_LIFETIME_S)
    # (3)
    _check_document(claims, federation)
    # (4)
    _check_in_force(issued_at, federation)
    return ArchivedAnswer(
        issuer=identifier(claims, "iss"),
        reader=identifier(claims, "aud"),
        issued_at=issued_at,
        in_reply_to=uuid(claims, "in_reply_to"),
        query_sha256=sha256(claims, "query_sha256"),
        outcome=outcome,
        ledger_leaf=sha256(claims, "ledger_leaf"),
        bundle_sha256=sha256(claims, "bundle_sha256") if outcome is Outcome.TEAMS else None,
        token=token,
    )


def check_reply(answer: ArchivedAnswer, signed: SignedQuery) -> None:
    """That an answer is to this very question, by one of its recipients, while it lived; raises NotForUs, OutOfTime."""
    query = signed.query
    if answer.issuer not in query.recipients or answer.reader != query.issuer:
        raise NotForUs("iss or aud: an answer of a member that was not asked, or to another asker")
    if answer.in_reply_to != query.jti:
        raise NotForUs("in_reply_to: an answer to another question")
    if answer.query_sha256 != signed.sha256:
        raise NotForUs("query_sha256: an answer to other bytes than these")
    if not query.issued_at - SKEW_S <= answer.issued_at <= query.expires_at + SKEW_S:
        raise OutOfTime("iat: an answer from before or long after its question")


def _keys_then(token: str, federation: Federation, max_bytes: int) -> Mapping[str, VerifyKey]:
    """The issuer and its time are believed only because those very keys alone are tried."""
    claims = jws.peek(token, max_bytes=max_bytes)
    return federation.keys_of(identifier(claims, "iss"), moment(claims, "iat"))


def _check_document(claims: Claims, federation: Federation) -> None:
    fed = nested(claims, "fed")
    only(fed, _FED)
    if (integer(fed, "seq"), sha256(fed, "sha256")) != (federation.seq, federation.sha256):
        raise NotForUs("fed: made under another federation document")


def _check_in_force(at: int, federation: Federation) -> None:
    if not federation.issued_at - SKEW_S <= at < federation.expires_at + SKEW_S:
        raise OutOfTime("iat: the federation document was not in force then")
