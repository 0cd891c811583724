"""Becoming a member and changing one's signing key (docs/wire.md, "Joining" and "Rotation")."""

from dataclasses import dataclass

from gateway.days import DAY_S
from gateway.errors import MalformedMessage, NotForUs
from gateway.wire import jws
from gateway.wire.claims import Claims, moment, nested, only
from gateway.wire.federation import Member, member_json, read_member
from gateway.wire.keys import SigningKey, VerifyKey, read_published
from gateway.wire.limits import JOIN_LIFETIME_S, MAX_JOIN_BYTES, MAX_STATEMENT_BYTES

JOIN_TYP = "patchwork-join+jwt"
ROTATION_TYP = "patchwork-rotation+jwt"
KEY_YEARS_S = 2 * 365 * DAY_S  # how long a signing key asks to be good; rotate it before

_JOIN = frozenset({"iss", "aud", "iat", "exp", "member"})
_ROTATION = frozenset({"iss", "aud", "iat", "jwk"})


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinRequest:
    """What a future member asks to be listed as; it has proven that it holds the one key of `member`.

    It proves nothing about who it is: the operator compares fingerprints with a person there.
    """

    federation: str
    member: Member
    issued_at: int
    expires_at: int


def sign_join(member: Member, key: SigningKey, *, federation: str, now: float) -> str:
    """`member` as it wishes to be listed, with `key` as its one signing key."""
    claims = {
        "iss": member.id,
        "aud": federation,
        "iat": int(now),
        "exp": int(now) + JOIN_LIFETIME_S,
        "member": member_json(member),
    }
    return jws.sign(claims, typ=JOIN_TYP, key=key)


def verify_join(token: str | bytes, *, federation: str, now: float) -> JoinRequest:
    """Check a join request.

    (1) the one key that it asks to list, still unverified   (2) its signature, with that key   (3) claims   (4) time
    Raises MalformedMessage, NotAuthentic, NotForUs, OutOfTime.
    """
    # (1)
    proposed = read_member(nested(jws.peek(token, max_bytes=MAX_JOIN_BYTES), "member"))
    if len(proposed.keys) != 1 or not proposed.active:
        raise MalformedMessage("a join request lists one key and asks to be active")
    key = proposed.keys[0].key
    # (2)
    claims = jws.verify(token, typ=JOIN_TYP, keys={key.kid: key}, max_bytes=MAX_JOIN_BYTES)
    # (3)
    only(claims, _JOIN)
    member = read_member(nested(claims, "member"))
    if claims["iss"] != member.id:
        raise MalformedMessage("iss is not the member's id")
    if claims["aud"] != federation:
        raise NotForUs("a request to join another federation")
    # (4)
    jws.check_times(claims, now, JOIN_LIFETIME_S)
    return JoinRequest(
        federation=federation, member=member, issued_at=moment(claims, "iat"), expires_at=moment(claims, "exp")
    )


def sign_rotation(new: VerifyKey, old_key: SigningKey, *, member: str, federation: str, now: float) -> str:
    """The old key's word for its successor; the document carries a member's as long as it lists the new key."""
    claims = {"iss": member, "aud": federation, "iat": int(now), "jwk": new.jwk()}
    return jws.sign(claims, typ=ROTATION_TYP, key=old_key)


def read_jwk_claim(claims: Claims) -> VerifyKey:
    """The key that a rotation names; raises MalformedMessage."""
    return read_published(nested(claims, "jwk"))


def verify_rotation(token: str | bytes, *, new: VerifyKey, old: VerifyKey, member: str, federation: str) -> int:
    """When `old` named `new`, epoch seconds; raises MalformedMessage, NotAuthentic, NotForUs."""
    claims = jws.verify(token, typ=ROTATION_TYP, keys={old.kid: old}, max_bytes=MAX_STATEMENT_BYTES)
    only(claims, _ROTATION)
    if (claims["iss"], claims["aud"]) != (member, federation) or read_jwk_claim(claims) != new:
        raise NotForUs("a rotation to another key, or of another member")
    return moment(claims, "iat")
