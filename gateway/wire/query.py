"""The question, `typ: patchwork-query+jwt` (docs/wire.md, "Question").

SignedQuery is what a node asks, VerifiedQuery what another may answer: nothing but verify_query() makes one, so an
answer to an unchecked question is a type error. How a Query is written as claims is in query_claims.py.
"""

import hashlib
from dataclasses import dataclass, field
from typing import Final

from gateway.errors import FederationBehind, InputError, MalformedMessage, NotAuthentic, NotForUs, OutOfTime
from gateway.wire import jws
from gateway.wire.federation import Federation, Member
from gateway.wire.keys import SigningKey
from gateway.wire.limits import (
    MAX_TOKEN_BYTES,
    QUERY_LIFETIME_S,
    QUESTION_BASE_BYTES,
    QUESTION_BYTES_PER_RECIPIENT,
)
from gateway.wire.padding import LENGTH_BYTES
from gateway.wire.query_claims import query_json, read_query
from gateway.wire.question import AskingPractitioner, NameParts, Query, Subject
from gateway.wire.seal import HybridPublicKey

__all__ = [
    "AskingPractitioner",
    "NameParts",
    "Query",
    "SignedQuery",
    "Subject",
    "VerifiedQuery",
    "question_bytes",
    "sign_query",
    "verify_query",
]

TYP: Final = "patchwork-query+jwt"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedQuery:
    """The compact JWS, what it says, and its SHA-256 (hex)."""

    token: bytes = field(repr=False)
    query: Query
    sha256: str


_CHECKED: Final = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedQuery:
    """A question whose sender is proven, for this node, in time. Only verify_query() makes one."""

    query: Query
    sender: Member
    token: bytes = field(repr=False)
    sha256: str
    reply_to: HybridPublicKey = field(repr=False, compare=False)
    checked: object = field(repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.checked is not _CHECKED:
            raise TypeError("only verify_query() makes a VerifiedQuery")


def question_bytes(recipients: int) -> int:
    """Size of a padded question to so many members, a number that the hub knows anyway."""
    return QUESTION_BASE_BYTES + QUESTION_BYTES_PER_RECIPIENT * recipients


def sign_query(query: Query, key: SigningKey) -> SignedQuery:
    """Sign a question that every honest node can read; raises InputError for one that none would."""
    claims = query_json(query)
    try:
        read_query(claims)
    except MalformedMessage as error:
        raise InputError(f"the question cannot be asked: {error}") from None
    token = jws.sign(claims, typ=TYP, key=key).encode("ascii")
    if LENGTH_BYTES + len(token) > question_bytes(len(query.recipients)):
        raise InputError("the question is too long to be asked")
    return SignedQuery(token=token, query=query, sha256=hashlib.sha256(token).hexdigest())


def verify_query(
    token: bytes, *, me: str, sender_claimed: str, envelope_id: str, federation: Federation, now: float
) -> VerifiedQuery:
    """Check a question that was opened.

    (1) the sender that the hub names is an active member   (2) signed with one of its keys in force
    (3) claims   (4) iss is that sender, aud this federation   (5) time   (6) jti is the envelope's id
    (7) this node is a recipient   (8) the same federation document   (9) a reply key that can be sealed to
    That (iss, jti) is new is checked where the answer is logged, in the same transaction.
    Raises NotAuthentic (1, 2), MalformedMessage (2, 3, 9), NotForUs (4, 6, 7, 8), OutOfTime (5, 8),
    FederationBehind (2, 8).
    """
    # (1)
    sender = federation.member(sender_claimed)
    # (2)
    try:
        claims = jws.verify(token, typ=TYP, keys=sender.keys_at(now), max_bytes=MAX_TOKEN_BYTES)
    except NotAuthentic:
        _check_newer(token, federation)  # the sender's key may be listed in a document that we do not hold yet
        raise
    # (3)
    query = read_query(claims)
    # (4)
    if (query.issuer, query.federation) != (sender.id, federation.name):
        raise NotForUs("the question is from another member or federation than its envelope")
    # (5)
    jws.check_times(claims, now, QUERY_LIFETIME_S)
    # (6)
    if query.jti != envelope_id:
        raise NotForUs("the question is not the one that its envelope names")
    # (7)
    if me not in query.recipients:
        raise NotForUs("this node is not a recipient of the question")
    # (8)
    _check_document(query, federation)
    # (9)
    reply_to = HybridPublicKey(query.reply_key)
    return VerifiedQuery(
        query=query,
        sender=sender,
        token=token,
        sha256=hashlib.sha256(token).hexdigest(),
        reply_to=reply_to,
        checked=_CHECKED,
    )


def _check_newer(token: bytes, federation: Federation) -> None:
    """Nobody's word yet: it makes us fetch the document, as seldom as catch_up() allows, and verify again."""
    try:
        document = jws.peek(token, max_bytes=MAX_TOKEN_BYTES).get("fed")
    except MalformedMessage:
        return
    seq = document.get("seq") if isinstance(document, dict) else None
    if type(seq) is int and seq > federation.seq:
        raise FederationBehind(f"asked under federation document {seq}, {federation.seq} is held here", seq=seq)


def _check_document(query: Query, federation: Federation) -> None:
    if query.fed_seq > federation.seq:
        raise FederationBehind(
            f"asked under federation document {query.fed_seq}, {federation.seq} is held here", seq=query.fed_seq
        )
    if query.fed_seq < federation.seq:
        raise OutOfTime(f"asked under federation document {query.fed_seq}, {federation.seq} is in force")
    if query.fed_sha256 != federation.sha256:
        # A member's word only: it refuses this question, it does not stop the node as the hub's own would.
        raise NotForUs(f"asked under another federation document {query.fed_seq}")
