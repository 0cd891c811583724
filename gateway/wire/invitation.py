"""A join code: the operator's word that its bearer may ask to join, `typ: patchwork-invitation+jwt`.

One JWS holds all that a new node needs to know of its federation (docs/wire.md, "Invitation"). It admits nobody: that
the operator does, who compares fingerprints with a person. To a hub, which has the operator's public key, it says that
a request to join is not a stranger's.
"""

import re
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from gateway.errors import MalformedMessage, NotAuthentic, NotForUs
from gateway.settings.values import is_loopback
from gateway.wire import base64url, jws
from gateway.wire.addresses import is_address
from gateway.wire.claims import Claims, array, code, identifier, integer, moment, nested, only, text, uuid
from gateway.wire.federation import Federation
from gateway.wire.keys import SigningKey, VerifyKey, read_published
from gateway.wire.limits import INVITATION_LIFETIME_S, MAX_AUTHORITY_BYTES, MAX_INVITATION_BYTES, MAX_INVITATION_HUBS
from mappings.vocabulary import OrganisationType, Sector

TYP = "patchwork-invitation+jwt"
VERSION = 1

_CLAIMS = frozenset({"v", "iss", "aud", "iat", "exp", "jti", "operator", "hubs", "type", "sector"})
_OPTIONAL = frozenset({"name", "authorities"})
_JWK = frozenset({"kty", "crv", "x", "y"})
# Nothing that a terminal, a configuration file or a resolver could misread.
_LABEL = r"[A-Za-z0-9-]{1,63}"
_HUB = re.compile(rf"https?://(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9A-Fa-f:.]+\])(?::[0-9]{{1,5}})?(?:/[A-Za-z0-9._~-]+)*/?")
_MAX_HUB_CHARS = 200  # as in a node's settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """Verified. `operator` in words, `name` of whom it is meant for, or ""; `authorities`: X.509 in DER, for the hubs.

    `id` is a random UUID: one invitation brings one key. Times are epoch seconds.
    """

    id: str
    federation: str
    operator: str
    operator_key: VerifyKey
    hubs: tuple[str, ...]
    type: OrganisationType
    sector: Sector
    name: str
    authorities: tuple[bytes, ...]
    expires_at: int
    token: str = field(repr=False)


def sign_invitation(
    document: Federation,
    key: SigningKey,
    *,
    hubs: tuple[str, ...],
    organisation_type: OrganisationType,
    sector: Sector,
    name: str = "",
    authorities: tuple[bytes, ...] = (),
    now: float,
    lifetime_s: int,
) -> Invitation:
    """A new one, read back as others will read it; raises MalformedMessage, OutOfTime if they would refuse it."""
    claims: dict[str, Any] = {
        "v": VERSION,
        "iss": document.operator,
        "aud": document.name,
        "iat": int(now),
        "exp": int(now) + lifetime_s,
        "jti": str(uuid4()),
        "operator": {name: value for name, value in key.public_jwk().items() if name in _JWK},  # a line to be copied
        "hubs": list(hubs),
        "type": organisation_type.value,
        "sector": sector.value,
    }
    if name:
        claims["name"] = name
    if authorities:
        claims["authorities"] = [base64url.encode_text(each) for each in authorities]
    token = jws.sign(claims, typ=TYP, key=key)
    return verify_invitation(token, operator_key=key.verify_key(), federation=document.name, now=now)


def read_code(code_text: str, now: float) -> Invitation:
    """What a person was handed, perhaps broken into lines by a mail program; its own operator key is all there is.

    Whoever made it could have made it with any key: who that is, two people compare by telephone.
    Raises MalformedMessage, NotAuthentic, OutOfTime.
    """
    token = "".join(code_text.split())
    claimed = jws.peek(token, max_bytes=MAX_INVITATION_BYTES)
    key = read_published(nested(claimed, "operator"))
    return verify_invitation(token, operator_key=key, federation=None, now=now)


def verify_invitation(
    token: str | bytes, *, operator_key: VerifyKey, federation: str | None, now: float | None
) -> Invitation:
    """Check an invitation; `now` None reads one that was in time when a hub took it.

    (1) the operator's signature   (2) claims   (3) federation, if it is known   (4) time
    Raises MalformedMessage, NotAuthentic, NotForUs, OutOfTime.
    """
    # (1)
    claims = jws.verify(token, typ=TYP, keys={operator_key.kid: operator_key}, max_bytes=MAX_INVITATION_BYTES)
    # (2)
    if integer(claims, "v") != VERSION:
        raise MalformedMessage("an invitation of another version")
    only(claims, _CLAIMS, _OPTIONAL)
    if read_published(nested(claims, "operator")) != operator_key:
        raise NotAuthentic("an invitation that names another operator's key than it is signed with")
    invitation = Invitation(
        id=uuid(claims, "jti"),
        federation=identifier(claims, "aud"),
        operator=text(claims, "iss"),
        operator_key=operator_key,
        hubs=_hubs(claims),
        type=code(claims, "type", OrganisationType),
        sector=code(claims, "sector", Sector),
        name=text(claims, "name") if "name" in claims else "",
        authorities=_authorities(claims) if "authorities" in claims else (),
        expires_at=moment(claims, "exp"),
        token=token if isinstance(token, str) else token.decode("ascii"),
    )
    # (3)
    if federation is not None and invitation.federation != federation:
        raise NotForUs("an invitation to another federation")
    # (4)
    jws.check_times(claims, moment(claims, "iat") if now is None else now, INVITATION_LIFETIME_S)
    return invitation


def _hubs(claims: Claims) -> tuple[str, ...]:
    hubs = array(claims, "hubs", str, minimum=1, maximum=MAX_INVITATION_HUBS)
    for hub in hubs:
        if len(hub) > _MAX_HUB_CHARS or not _HUB.fullmatch(hub) or not is_address(hub):
            raise MalformedMessage("a hub's address is not an http(s) address without user, query and fragment")
        if not (hub.startswith("https:") or is_loopback(hub)):
            raise MalformedMessage("a hub's address is not https (plain HTTP only to this machine's own loopback)")
    if len({hub.rstrip("/") for hub in hubs}) != len(hubs):
        raise MalformedMessage("one hub twice")
    return tuple(hubs)


def _authorities(claims: Claims) -> tuple[bytes, ...]:
    """Certificates as bytes; whoever trusts them reads them."""
    found = array(claims, "authorities", str, minimum=1, maximum=MAX_INVITATION_HUBS)
    authorities = tuple(base64url.decode_text(each) for each in found)
    if any(len(each) > MAX_AUTHORITY_BYTES for each in authorities):
        raise MalformedMessage("a certificate that is too long")
    return authorities
