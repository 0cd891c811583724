"""The token that authorises one HTTP request, `Authorization: Patchwork <JWS>` (docs/wire.md, "Requests")."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from gateway.errors import MalformedMessage, NotForUs
from gateway.wire import jws
from gateway.wire.claims import identifier, integer, only, sha256, text, uuid
from gateway.wire.keys import SigningKey, VerifyKey
from gateway.wire.limits import MAX_REQUEST_TOKEN_BYTES, MAX_URI_CHARS, REQUEST_LIFETIME_S

TYP = "patchwork-request+jwt"
SCHEME = "Patchwork "

KeysOf = Callable[[str], Mapping[str, VerifyKey]]

_CLAIMS = frozenset({"iss", "aud", "iat", "exp", "jti", "method", "path", "body_sha256"})


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestClaims:
    """Who asks; the caller remembers (`issuer`, `jti`) until `expires_at` + SKEW_S so that a token works once."""

    issuer: str
    jti: str
    expires_at: int


@dataclass(frozen=True, slots=True)
class HashedBody:
    """A body with its SHA-256 (hex), for whoever can have it more cheaply than by hashing all of it.

    `traceparent` goes beside it, in a header (docs/wire.md, "Traces"); empty: none does.
    """

    data: bytes = field(repr=False)
    sha256: str
    traceparent: str = ""

    @classmethod
    def of(cls, data: bytes) -> "HashedBody":
        """`data` with its own hash."""
        return cls(data, hashlib.sha256(data).hexdigest())


def nobody(_issuer: str, _issued_at: int) -> None:
    """Who does not want to know."""


def sign_request(
    key: SigningKey, *, iss: str, aud: str, method: str, path: str, body: bytes | HashedBody, now: float, jti: str
) -> str:
    """The header's whole value. `aud`: the federation's name for a hub, a member's id for a node; `path` with query."""
    claims = {
        "iss": iss,
        "aud": aud,
        "iat": int(now),
        "exp": int(now) + REQUEST_LIFETIME_S,
        "jti": jti,
        "method": method,
        "path": path,
        "body_sha256": (body if isinstance(body, HashedBody) else HashedBody.of(body)).sha256,
    }
    return SCHEME + jws.sign(claims, typ=TYP, key=key)


def signed_with(header: str) -> str:
    """The `kid` of a header that verify_header() has passed; of any other it says nothing."""
    return jws.signer(header.removeprefix(SCHEME), typ=TYP, max_bytes=MAX_REQUEST_TOKEN_BYTES)


@dataclass(frozen=True, slots=True)
class VerifiedHeader:
    """A header that is in order, of a request whose body has not been seen: only with that does it say who asks."""

    _claims: RequestClaims
    _body_sha256: str

    @property
    def signer(self) -> str:
        """Whose limits count while the body is read, and no more: another may show this header with other bytes."""
        return self._claims.issuer

    @property
    def jti(self) -> str:
        """Of one that was accepted, with its body, nothing more need be seen to refuse it."""
        return self._claims.jti

    def with_body(self, body: bytes) -> RequestClaims:
        """Step (7): raises NotForUs for another body than the one that was signed."""
        if self._body_sha256 != hashlib.sha256(body).hexdigest():
            raise NotForUs("the token is for another body")
        return self._claims


def verify_header(
    header: str,
    keys_of: KeysOf,
    *,
    method: str,
    path: str,
    aud: str,
    now: float,
    signed_at: Callable[[str, int], None] = nobody,
) -> VerifiedHeader:
    """Check the header of one request before its body is read; `keys_of(issuer)` gives an issuer's keys in force.

    `signed_at` is told who signed this very request and at what time, whether or not it is the right time: what was
    signed for somebody else tells nothing of when it was sent here.

    (1) scheme   (2) whose keys   (3) signature   (4) claims   (5) time   (6) audience, method and path
    and with_body() of the result (7) the body.
    Raises MalformedMessage, NotAuthentic, NotForUs, OutOfTime. That it is new is the caller's to check.
    """
    # (1)
    if not header.startswith(SCHEME):
        raise MalformedMessage("Authorization is not of scheme Patchwork")
    token = header.removeprefix(SCHEME)
    # (2) The issuer is believed only because its own keys alone are tried in (3).
    issuer = identifier(jws.peek(token, max_bytes=MAX_REQUEST_TOKEN_BYTES), "iss")
    # (3)
    claims = jws.verify(token, typ=TYP, keys=keys_of(issuer), max_bytes=MAX_REQUEST_TOKEN_BYTES)
    # (4)
    only(claims, _CLAIMS)
    request = RequestClaims(issuer=issuer, jti=uuid(claims, "jti"), expires_at=integer(claims, "exp"))
    is_for_us = identifier(claims, "aud") == aud
    is_this = (text(claims, "method"), text(claims, "path", max_chars=MAX_URI_CHARS)) == (method, path)
    if is_for_us and is_this:
        signed_at(request.issuer, integer(claims, "iat"))
    # (5)
    jws.check_times(claims, now, REQUEST_LIFETIME_S)
    # (6)
    if not is_for_us:
        raise NotForUs("the request is addressed to somebody else")
    if not is_this:
        raise NotForUs("the token is for another request")
    return VerifiedHeader(request, sha256(claims, "body_sha256"))
