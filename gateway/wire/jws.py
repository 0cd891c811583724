"""JWS compact (RFC 7515), ES256 only, behind a strict door (docs/wire.md, "Signatures").

PyJWT checks the signature. By itself it accepts a wrong `typ`, `jku`, `jwk`, `crit`, members named twice,
NaN, a string `exp`, a list `aud` and trailing `=`; so form and header are checked before, and the claims are read by
our own reader after. Verify bytes, then parse: what was signed is never rebuilt from what was read.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from jwt.algorithms import ECAlgorithm

from gateway.errors import MalformedMessage, NotAuthentic, OutOfTime
from gateway.wire import base64url
from gateway.wire.claims import Claims, moment, read_claims
from gateway.wire.keys import SigningKey, VerifyKey
from gateway.wire.limits import SKEW_S

_ES256 = ECAlgorithm(ECAlgorithm.SHA256, SECP256R1)
_ECDSA = ECDSA(SHA256())
_SIGNATURE_BYTES = 64
_MAX_HEADER_BYTES = 512  # of JSON; ours have some 100
_KID = re.compile(r"[A-Za-z0-9_-]{43}")  # base64url of a SHA-256


def sign(claims: Mapping[str, Any], *, typ: str, key: SigningKey) -> str:
    """The compact serialisation. `claims` must be JSON values."""
    signing_input = _header_segment(typ, key.kid) + b"." + base64url.encode(orjson.dumps(claims))
    # Without PyJWT, which takes a third longer: a hub signs one token for each member that it asks.
    r, s = decode_dss_signature(key.private.sign(signing_input, _ECDSA))
    signature = r.to_bytes(_SIGNATURE_BYTES // 2, "big") + s.to_bytes(_SIGNATURE_BYTES // 2, "big")
    return (signing_input + b"." + base64url.encode(signature)).decode("ascii")


def verify(token: str | bytes, *, typ: str, keys: Mapping[str, VerifyKey], max_bytes: int) -> Claims:
    """The claims of an authentic token; `keys` are those that may sign it, by kid.

    (1) bounded ASCII   (2) three parts   (3) header exactly alg, kid, typ, as expected   (4) a known key
    (5) the signature   (6) the claims, strictly
    Raises MalformedMessage for (1), (2), (3), (6) and NotAuthentic for (4), (5).
    """
    # (1)-(2)
    header, payload, signature, signing_input = split(token, max_bytes=max_bytes)
    # (3)
    kid = _header_kid(header, typ)
    # (4)
    key = keys.get(kid)
    if key is None:
        raise NotAuthentic("signed with a key that is unknown, revoked or not in force")
    # (5)
    check_signature(signing_input, signature, key)
    # (6)
    return read_claims(base64url.decode(payload), max_bytes=max_bytes)


def split(token: str | bytes, *, max_bytes: int) -> tuple[bytes, bytes, bytes, bytes]:
    """Header, payload and signature as encoded, and the signing input; raises MalformedMessage."""
    if len(token) > max_bytes:
        raise MalformedMessage(f"a token of {len(token)} bytes, at most {max_bytes} allowed")
    if isinstance(token, str):
        try:
            token = token.encode("ascii")
        except UnicodeEncodeError:
            raise MalformedMessage("a token that is not ASCII") from None
    signing_input, _, signature = token.rpartition(b".")
    header, _, payload = signing_input.partition(b".")
    if not (header and payload and signature) or b"." in payload:
        raise MalformedMessage("not three parts")
    return header, payload, signature, signing_input


def check_signature(signing_input: bytes, signature: bytes, key: VerifyKey) -> None:
    """Raises MalformedMessage for a signature that is not 64 bytes, NotAuthentic for one that does not hold."""
    decoded = base64url.decode(signature)
    if len(decoded) != _SIGNATURE_BYTES:
        raise MalformedMessage("an ES256 signature has 64 bytes")
    if not _ES256.verify(signing_input, key.public, decoded):
        raise NotAuthentic("the signature does not hold")


def peek(token: str | bytes, *, max_bytes: int) -> Claims:
    """UNVERIFIED claims, only to learn whose keys to verify with; trust nothing of them before `verify`."""
    _, payload, _, _ = split(token, max_bytes=max_bytes)
    return read_claims(base64url.decode(payload), max_bytes=max_bytes)


def signer(token: str | bytes, *, typ: str, max_bytes: int) -> str:
    """UNVERIFIED `kid` of a well-formed header, only to choose the key to verify with."""
    return _header_kid(split(token, max_bytes=max_bytes)[0], typ)


def check_times(claims: Mapping[str, Any], now: float, max_lifetime_s: int, skew_s: int = SKEW_S) -> None:
    """`iat` and `exp` in epoch seconds; raises OutOfTime, MalformedMessage if they are not integers."""
    issued, expires = moment(claims, "iat"), moment(claims, "exp")
    if not 0 < expires - issued <= max_lifetime_s:
        raise OutOfTime(f"lives {expires - issued} s, at most {max_lifetime_s} s allowed")
    if issued > now + skew_s:
        raise OutOfTime("issued in the future")
    if expires <= now - skew_s:
        raise OutOfTime("expired")


@lru_cache(maxsize=256)
def _header_segment(typ: str, kid: str) -> bytes:
    return base64url.encode(orjson.dumps({"alg": "ES256", "kid": kid, "typ": typ}))


@lru_cache(maxsize=4_096)  # headers repeat: a member's differs only by typ and key
def _header_kid(segment: bytes, typ: str) -> str:
    """Raises MalformedMessage, which is not cached, unless the header is exactly what `typ` demands."""
    if len(segment) > _MAX_HEADER_BYTES * 4 // 3:
        raise MalformedMessage("a header longer than any of ours")
    header = read_claims(base64url.decode(segment), max_bytes=_MAX_HEADER_BYTES)
    if header.keys() != {"alg", "kid", "typ"}:
        raise MalformedMessage("the header must have exactly alg, kid and typ")
    if header["alg"] != "ES256":
        raise MalformedMessage("alg is not ES256")
    if header["typ"] != typ:
        raise MalformedMessage(f"typ is not {typ}")
    kid = header["kid"]
    if type(kid) is not str or not _KID.fullmatch(kid):
        raise MalformedMessage("kid is not a JWK thumbprint")
    return kid
