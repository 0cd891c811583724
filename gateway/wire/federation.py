"""The federation document, `typ: patchwork-federation+jwt` (docs/wire.md, "Federation document").

Signed by the operator, whose key is offline and pinned in every node; served by hubs, which cannot change it. What
other packages need of its types is imported from here.
"""

import hashlib
import re
from collections.abc import Collection, Mapping
from types import MappingProxyType

from gateway.errors import FederationStale, MalformedMessage, NotAuthentic, OutOfTime
from gateway.wire import base64url, jws
from gateway.wire.addresses import is_address
from gateway.wire.claims import (
    Claims,
    array,
    code,
    identifier,
    integer,
    moment,
    nested,
    only,
    pairs,
    pairs_json,
    raw,
    text,
)
from gateway.wire.hand_over import OPERATOR, HandOver, OperatorKeys, verify_hand_over
from gateway.wire.keys import SigningKey, VerifyKey, check_ledger_jwk, read_published
from gateway.wire.ledger_keys import WORD_BYTES, FormerLedgerKey, check_words
from gateway.wire.limits import (
    DOCUMENT_LIFETIME_S,
    MAX_AGREEMENT_BYTES,
    MAX_AGREEMENTS,
    MAX_DOCUMENT_BYTES,
    MAX_HUB_KEYS,
    MAX_IDENTIFIERS,
    MAX_KEYS_PER_MEMBER,
    MAX_MEMBERS,
    MAX_SIGNATURES,
    MAX_STATEMENT_BYTES,
    MAX_TELECOM,
    MAX_URI_CHARS,
)
from gateway.wire.member_names import member_name
from gateway.wire.membership import (
    ACTIVE,
    HUB,
    NO_MEMBERS_IDS,
    SUSPENDED,
    AgreementBytes,
    Federation,
    Member,
    MemberKey,
    Pairs,
)
from mappings.vocabulary import OrganisationType, Sector

__all__ = [
    "ACTIVE",
    "HUB",
    "NO_MEMBERS_IDS",
    "OPERATOR",
    "SUSPENDED",
    "AgreementBytes",
    "Federation",
    "Member",
    "MemberKey",
    "Pairs",
    "member_json",
    "read_member",
    "sign_document",
    "verify_document",
]

TYP = "patchwork-federation+jwt"

_CLAIMS = frozenset({"iss", "iat", "exp", "seq", "name", "members", "agreements", "hubs"})
_OPTIONAL_CLAIMS = frozenset({"hub_ends", "hand_over"})
_MEMBER = frozenset({"id", "identifier", "name", "type", "sector", "status", "keys", "ledger_key", "duty_contact"})
_OPTIONAL_MEMBER = frozenset({"endpoint", "ledger_until", "ledger_before"})
_KEY = frozenset({"jwk", "not_before", "not_after"})
_FORMER = frozenset({"jwk", "until", "word"})
_AGREEMENT = frozenset({"text", "signatures"})
_COMPACT = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+){2}")


def sign_document(
    *,
    operator: str,
    name: str,
    seq: int,
    members: tuple[Member, ...],
    agreements: tuple[AgreementBytes, ...],
    hub_keys: tuple[VerifyKey, ...],
    key: SigningKey,
    now: float,
    lifetime_s: int = DOCUMENT_LIFETIME_S,
    hub_ends: Mapping[str, int] | None = None,
    hand_over: str | None = None,
) -> Federation:
    """A new document, read back as every node will read it; raises MalformedMessage if one would refuse it."""
    claims: Claims = {
        "iss": operator,
        "iat": int(now),
        "exp": int(now) + lifetime_s,
        "seq": seq,
        "name": name,
        "members": [member_json(member) for member in members],
        "agreements": [
            {"text": base64url.encode_text(agreement.text), "signatures": list(agreement.signatures)}
            for agreement in agreements
        ],
        "hubs": [hub_key.jwk() for hub_key in hub_keys],
    }
    if hub_ends:
        claims["hub_ends"] = dict(hub_ends)
    if hand_over is not None:
        claims["hand_over"] = hand_over
    return verify_document(jws.sign(claims, typ=TYP, key=key), operator_key=key.verify_key(), now=now)


def signer_of(token: str | bytes, operators: OperatorKeys) -> VerifyKey:
    """Which of the operator's keys a verified document is signed with."""
    return operators.keys[jws.signer(token, typ=TYP, max_bytes=MAX_DOCUMENT_BYTES)]


def verify_document(token: str | bytes, *, operator_key: VerifyKey | OperatorKeys, now: float | None) -> Federation:
    """Read a document; `now` None reads an archived one, whose time is over.

    (1) the signature of the pinned operator's key, or of one that follows it   (2) claims   (3) time, also of a key
    that was handed over   (4) members and keys unique
    (5) each former ledger key has named the next, so that a rotated one is no other ledger
    Raises MalformedMessage, NotAuthentic; FederationStale when it is expired, from the future or lives too long.
    """
    # (1)
    operators = OperatorKeys.of(operator_key)
    claims = jws.verify(token, typ=TYP, keys=operators.keys, max_bytes=MAX_DOCUMENT_BYTES)
    signer = signer_of(token, operators)
    # (2)
    only(claims, _CLAIMS, _OPTIONAL_CLAIMS)
    issued_at = moment(claims, "iat")
    members = [read_member(entry) for entry in array(claims, "members", dict, maximum=MAX_MEMBERS)]
    hub_keys = [read_published(entry) for entry in array(claims, "hubs", dict, minimum=1, maximum=MAX_HUB_KEYS)]
    hub_ends = _hub_ends(claims, {key.kid for key in hub_keys})
    hand_over = _hand_over(claims, signer) if "hand_over" in claims else None
    agreements = [_agreement(entry) for entry in array(claims, "agreements", dict, maximum=MAX_AGREEMENTS)]
    # (3)
    try:
        jws.check_times(claims, issued_at if now is None else now, DOCUMENT_LIFETIME_S)
    except OutOfTime as error:
        raise FederationStale(f"the federation document is not in force: {error}") from error
    if issued_at > operators.ends.get(signer.kid, issued_at):
        raise NotAuthentic("signed with an operator's key that had been handed over")
    # (4)
    kids = [key.key.kid for member in members for key in member.keys] + [key.kid for key in hub_keys]
    if len({member.id for member in members}) != len(members):
        raise MalformedMessage("two members with one id")
    if len(set(kids)) != len(kids):
        raise MalformedMessage("one key listed twice")
    # (5)
    for member in members:
        check_words(member.ledger_before, member.ledger_key, member=member.id, federation=text(claims, "name"))
    signed = token.encode("ascii") if isinstance(token, str) else token
    return Federation(
        name=identifier(claims, "name"),
        operator=text(claims, "iss"),
        seq=integer(claims, "seq", minimum=1),
        sha256=hashlib.sha256(signed).hexdigest(),
        issued_at=issued_at,
        expires_at=moment(claims, "exp"),
        members=MappingProxyType({member.id: member for member in members}),
        agreements=tuple(agreements),
        hub_keys=MappingProxyType({key.kid: key for key in hub_keys}),
        hub_ends=MappingProxyType(hub_ends),
        hand_over=hand_over,
        token=signed,
    )


def _hand_over(claims: Claims, signer: VerifyKey) -> HandOver:
    """The signer's own word for its successor, whom nobody need believe yet; raises WireError."""
    said = verify_hand_over(text(claims, "hand_over", max_chars=MAX_STATEMENT_BYTES), signer)
    if said.federation != identifier(claims, "name"):
        raise MalformedMessage("hand_over: of another federation")
    return said


def _hub_ends(claims: Claims, listed: Collection[str]) -> dict[str, int]:
    """When hubs' keys end, of those that do; raises MalformedMessage for one of a key that is not listed."""
    ends = nested(claims, "hub_ends") if "hub_ends" in claims else {}
    if not ends.keys() <= set(listed):
        raise MalformedMessage("hub_ends: of a key that hubs does not list")
    return {kid: moment(ends, kid) for kid in ends}


def read_member(entry: Claims) -> Member:
    """One member as the document and a join request write it; raises MalformedMessage."""
    only(entry, _MEMBER, _OPTIONAL_MEMBER)
    member_id = identifier(entry, "id")
    if member_id in NO_MEMBERS_IDS:
        raise MalformedMessage("no member may be called hub or operator")
    if entry["status"] not in (ACTIVE, SUSPENDED):
        raise MalformedMessage("status is neither active nor suspended")
    return Member(
        id=member_id,
        identifier=pairs(entry, "identifier", maximum=MAX_IDENTIFIERS),
        name=member_name(entry, "name"),
        type=code(entry, "type", OrganisationType),
        sector=code(entry, "sector", Sector),
        status=entry["status"],
        keys=tuple(_key(key) for key in array(entry, "keys", dict, minimum=1, maximum=MAX_KEYS_PER_MEMBER)),
        ledger_key=check_ledger_jwk(nested(entry, "ledger_key")),
        endpoint=_endpoint(entry) if "endpoint" in entry else None,
        duty_contact=pairs(entry, "duty_contact", maximum=MAX_TELECOM),
        ledger_until=moment(entry, "ledger_until") if "ledger_until" in entry else None,
        ledger_before=_ledger_before(entry) if "ledger_before" in entry else (),
    )


def member_json(member: Member) -> Claims:
    """The inverse of `read_member`."""
    entry: Claims = {
        "id": member.id,
        "identifier": pairs_json(member.identifier),
        "name": member.name,
        "type": member.type.value,
        "sector": member.sector.value,
        "status": member.status,
        "keys": [_key_json(key) for key in member.keys],
        "ledger_key": dict(member.ledger_key),
        "duty_contact": pairs_json(member.duty_contact),
    }
    if member.endpoint is not None:
        entry["endpoint"] = member.endpoint
    if member.ledger_until is not None:
        entry["ledger_until"] = member.ledger_until
    if member.ledger_before:
        entry["ledger_before"] = [_former_json(former) for former in member.ledger_before]
    return entry


def _ledger_before(entry: Claims) -> tuple[FormerLedgerKey, ...]:
    return tuple(
        _former(former) for former in array(entry, "ledger_before", dict, minimum=1, maximum=MAX_KEYS_PER_MEMBER - 1)
    )


def _former(entry: Claims) -> FormerLedgerKey:
    only(entry, _FORMER)
    return FormerLedgerKey(
        jwk=check_ledger_jwk(nested(entry, "jwk")),
        until=moment(entry, "until"),
        word=raw(entry, "word", size=WORD_BYTES),
    )


def _former_json(former: FormerLedgerKey) -> Claims:
    return {"jwk": dict(former.jwk), "until": former.until, "word": base64url.encode_text(former.word)}


def _key(entry: Claims) -> MemberKey:
    only(entry, _KEY, frozenset({"rotation"}))
    not_before, not_after = moment(entry, "not_before"), moment(entry, "not_after")
    if not_before >= not_after:
        raise MalformedMessage("a key that ends before it begins")
    return MemberKey(
        key=read_published(nested(entry, "jwk")),
        not_before=not_before,
        not_after=not_after,
        rotation=text(entry, "rotation", max_chars=MAX_STATEMENT_BYTES) if "rotation" in entry else None,
    )


def _key_json(key: MemberKey) -> Claims:
    entry: Claims = {"jwk": key.key.jwk(), "not_before": key.not_before, "not_after": key.not_after}
    if key.rotation is not None:
        entry["rotation"] = key.rotation
    return entry


def _agreement(entry: Claims) -> AgreementBytes:
    only(entry, _AGREEMENT)
    signatures = array(entry, "signatures", str, maximum=MAX_SIGNATURES)
    if any(len(signature) > MAX_STATEMENT_BYTES or not _COMPACT.fullmatch(signature) for signature in signatures):
        raise MalformedMessage("an agreement's signature is no compact JWS")
    return AgreementBytes(text=raw(entry, "text", maximum=MAX_AGREEMENT_BYTES), signatures=tuple(signatures))


def _endpoint(entry: Claims) -> str:
    """Scheme, host and port, perhaps a path; whether plain HTTP is allowed is each hub's setting."""
    endpoint = text(entry, "endpoint", max_chars=MAX_URI_CHARS)
    if not is_address(endpoint):
        raise MalformedMessage("endpoint is not an http(s) address without user, query and fragment")
    return endpoint
