"""Whether an ID token says what its provider signed, to us, now, for this sign-in (OpenID Connect Core, 3.1.3.7).

Pure: keys and times are handed in. Only signatures of public keys are taken: with `none` anybody could write a token,
and with HS256 anybody who has the public key.
"""

import hashlib
import hmac
import math
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from gateway.accounts.oidc_fetch import DirectoryFailed

LEEWAY_S = 60.0  # between the provider's clock and ours
MAX_TOKEN = 64 * 1024  # characters; a directory may put hundreds of groups into one
MAX_KEYS = 100
_MAX_MODULUS = 1_400  # characters: RSA of 8,192 bits
_LEAST_RSA_BITS = 2_048
_MAX_SUBJECT = 255  # characters (Core, section 2)

# By algorithm: kind of key, its curve, and the hash of `at_hash`.
_ALGORITHMS = {
    "RS256": ("RSA", None, "sha256"),
    "PS256": ("RSA", None, "sha256"),
    "ES256": ("EC", "P-256", "sha256"),
    "EdDSA": ("OKP", "Ed25519", "sha512"),
}

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a token must have been made for."""

    issuer: str
    client_id: str
    nonce: str
    access_token: str | None


@dataclass(frozen=True, slots=True)
class Header:
    """How a token says that it is signed: `alg` is one that is taken."""

    alg: str
    kid: str | None


def read_header(token: str) -> Header:
    """The header, believed only as to which key to try; raises DirectoryFailed."""
    if len(token) > MAX_TOKEN:
        raise DirectoryFailed("token-too-large")
    try:
        header = jwt.get_unverified_header(token)
    except (jwt.PyJWTError, ValueError, RecursionError):
        raise DirectoryFailed("token-malformed") from None
    alg, kid = header.get("alg"), header.get("kid")
    if alg not in _ALGORITHMS or "crit" in header or not (kid is None or isinstance(kid, str)):
        raise DirectoryFailed("token-algorithm")
    return Header(str(alg), kid)


def pick_key(keys: Sequence[object], header: Header) -> jwt.PyJWK | None:
    """The provider's key for a token; without a `kid` only where there is one that it can be."""
    fit = [each for each in keys[:MAX_KEYS] if isinstance(each, dict) and _fits(each, header)]
    if len(fit) != 1:
        return None
    try:
        key = jwt.PyJWK(fit[0], algorithm=header.alg)
    except (jwt.PyJWTError, ValueError, TypeError):
        return None
    weak = isinstance(key.key, RSAPublicKey) and key.key.key_size < _LEAST_RSA_BITS
    return None if weak else key


def verify(token: str, header: Header, key: jwt.PyJWK, expected: Expected, now: float) -> Json:
    """The token's claims; raises DirectoryFailed naming the check that failed."""
    try:
        claims: Json = jwt.decode(
            token,
            key.key,
            algorithms=[header.alg],
            audience=expected.client_id,
            issuer=expected.issuer,
            options={
                "require": ["iss", "sub", "aud", "exp", "iat"],
                "verify_exp": False,  # below, by our own clock
                "verify_iat": False,
                "verify_nbf": False,
            },
        )
    except jwt.InvalidAudienceError:
        raise DirectoryFailed("token-audience") from None
    except jwt.InvalidIssuerError:
        raise DirectoryFailed("token-issuer") from None
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
        raise DirectoryFailed("token-signature") from None
    _check_party(claims, expected.client_id)
    _check_times(claims, now)
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or not hmac.compare_digest(nonce.encode(), expected.nonce.encode()):
        raise DirectoryFailed("token-nonce")
    if "at_hash" in claims and not _is_hash_of(claims["at_hash"], expected.access_token, header.alg):
        raise DirectoryFailed("token-at-hash")
    subject = claims["sub"]
    if not isinstance(subject, str) or not 0 < len(subject) <= _MAX_SUBJECT:
        raise DirectoryFailed("token-subject")
    return claims


def time_in(claims: Json, name: str) -> float | None:
    """A claim that is a time in seconds since the epoch; None if it is not there. Raises DirectoryFailed."""
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < math.inf:
        raise DirectoryFailed("token-time")
    return float(value)


def _fits(key: Json, header: Header) -> bool:
    kind, curve, _ = _ALGORITHMS[header.alg]
    return (
        key.get("kty") == kind
        and key.get("use", "sig") == "sig"
        and key.get("alg", header.alg) == header.alg
        and (curve is None or key.get("crv") == curve)
        and len(str(key.get("n", ""))) <= _MAX_MODULUS
        and (header.kid is None or key.get("kid") == header.kid)
    )


def _check_party(claims: Json, client_id: str) -> None:
    several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    party = claims.get("azp")
    if (several and party is None) or (party is not None and party != client_id):
        raise DirectoryFailed("token-party")


def _check_times(claims: Json, now: float) -> None:
    expires, issued, begins = (time_in(claims, name) for name in ("exp", "iat", "nbf"))
    if expires is None or issued is None or now >= expires + LEEWAY_S:
        raise DirectoryFailed("token-expired")
    if issued > now + LEEWAY_S or (begins is not None and begins > now + LEEWAY_S):
        raise DirectoryFailed("token-from-the-future")


def _is_hash_of(said: object, access_token: str | None, alg: str) -> bool:
    """Core, section 3.1.3.6: the left half of the access token's hash."""
    if not isinstance(said, str) or access_token is None:
        return False
    digest = hashlib.new(_ALGORITHMS[alg][2], access_token.encode()).digest()
    half = urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=")
    return hmac.compare_digest(half, said.encode())
