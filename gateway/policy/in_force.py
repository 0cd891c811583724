"""Whom an agreement binds: who signed it, between whom it is in force, and whom it lets a member ask.

Signatures are JWS of type `patchwork-agreement+jwt` (claims `iss`, `iat`, `federation`, `agreement` {uri, version,
sha256}) over the hash of the exact text (policy/agreement.py).
"""

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date

from gateway.errors import ConfigurationError, WireError
from gateway.policy.agreement import Agreement, read_agreement
from gateway.wire import jws
from gateway.wire.federation import Federation, Member
from gateway.wire.keys import SigningKey, VerifyKey
from mappings.vocabulary import LawfulBasis, Purpose

SIGNATURE_TYPE = "patchwork-agreement+jwt"
MAX_SIGNATURE_BYTES = 2048


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedAgreement:
    """An agreement from the federation document, and the members whose signatures of its hash hold."""

    agreement: Agreement
    signed_by: frozenset[str]


def sign_agreement(agreement: Agreement, *, member: str, federation: str, key: SigningKey, now: float) -> str:
    """`member`'s signature of exactly this version."""
    claims = {"iss": member, "iat": int(now), "federation": federation, "agreement": _reference(agreement)}
    return jws.sign(claims, typ=SIGNATURE_TYPE, key=key)


def publish(federation: Federation) -> Mapping[tuple[str, str], PublishedAgreement]:
    """All agreements of a verified federation document by (uri, version), with their signatures checked once.

    One that cannot be read, or a second one of the same uri and version, is left out: nothing is disclosed under it.
    """
    found: dict[tuple[str, str], PublishedAgreement] = {}
    ambiguous: set[tuple[str, str]] = set()
    for carried in federation.agreements:
        try:
            agreement = read_agreement(carried.text, "an agreement of the federation document")
        except ConfigurationError:
            continue  # another version of this program may read more; here it is as if it were not there
        name = (agreement.uri, agreement.version)
        if name in found and found[name].agreement.sha256 != agreement.sha256:
            ambiguous.add(name)
        found[name] = PublishedAgreement(
            agreement=agreement, signed_by=signers(agreement, carried.signatures, federation)
        )
    return {name: published for name, published in found.items() if name not in ambiguous}


def no_longer_signed(federation: Federation, changed: Member) -> list[Agreement]:
    """What a member's signature would carry no longer if the document listed it as `changed`: it ends for that member.

    A signature stands and falls with its key, as long as that is listed.
    """
    after = publish(replace(federation, members={**federation.members, changed.id: changed}))
    return [
        held.agreement
        for name, held in publish(federation).items()
        if changed.id in held.signed_by - after[name].signed_by
    ]


def signers(agreement: Agreement, signatures: Iterable[str], federation: Federation) -> frozenset[str]:
    """The members of whom a signing key signed this agreement's hash while that key was in force."""
    # A signature stays good after its key has ended, so all keys that the document still lists are tried.
    listed = {key.key.kid: key.key for member in federation.members.values() for key in member.keys}
    found = (_signer(agreement, signature, federation, listed) for signature in signatures)
    return frozenset(member for member in found if member is not None)


def _signer(
    agreement: Agreement, signature: str, federation: Federation, listed: Mapping[str, VerifyKey]
) -> str | None:
    try:
        # (1) a listed key signed it, so its claims may be read
        claims = jws.verify(signature, typ=SIGNATURE_TYPE, keys=listed, max_bytes=MAX_SIGNATURE_BYTES)
        issuer, issued_at = claims.get("iss"), claims.get("iat")
        if claims.get("agreement") != _reference(agreement) or claims.get("federation") != federation.name:
            return None
        if not isinstance(issuer, str) or not isinstance(issued_at, int) or issuer not in federation.members:
            return None
        # (2) that key is the issuer's own, and was in force then
        keys = federation.members[issuer].keys
        current = {key.key.kid: key.key for key in keys if key.not_before <= issued_at < key.not_after}
        jws.verify(signature, typ=SIGNATURE_TYPE, keys=current, max_bytes=MAX_SIGNATURE_BYTES)
    except WireError:
        return None
    return issuer


def in_force(
    published: PublishedAgreement,
    one: str,
    other: str,
    *,
    federation: Federation,
    accepted_locally: Container[str],
    today: date,
) -> bool:
    """Whether two members may rely on it today: parties, active, both signed, and this node accepted its hash.

    `accepted_locally` holds the hashes (hex) that this node's officer accepted; the other member sees to its own.
    """
    agreement = published.agreement
    return (
        {one, other} <= agreement.members
        and {one, other} <= published.signed_by
        and all(member in federation.members and federation.members[member].active for member in (one, other))
        and agreement.sha256 in accepted_locally
        and agreement.start_date <= today <= agreement.end_date
    )


def recipients_to_ask(
    agreement: Agreement, *, asker: str, purpose: Purpose, basis: LawfulBasis, federation: Federation
) -> tuple[str, ...]:
    """Sorted ids of the active parties that some rule lets `asker` ask for this purpose on this basis."""
    if asker not in federation.members:
        return ()
    asker_type = federation.members[asker].type
    rules = [
        rule
        for rule in agreement.rules
        if purpose in rule.purposes and basis in rule.lawful_bases and rule.receives(asker, asker_type)
    ]
    return tuple(
        sorted(
            member.id
            for member in federation.members.values()
            if member.active and member.id != asker and member.id in agreement.members
            if any(rule.asks(member.id, member.type) for rule in rules)
        )
    )


def _reference(agreement: Agreement) -> dict[str, str]:
    return {"uri": agreement.uri, "version": agreement.version, "sha256": agreement.sha256}
