"""Signing keys: ES256 for requests and content, Ed25519 for ledger checkpoints (docs/wire.md, "Keys").

A key is named by its JWK thumbprint (RFC 7638), which is its `kid`. Private halves are PKCS #8 files of mode 0600;
no `repr` shows them. Reading a published key raises MalformedMessage, reading a file ConfigurationError.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from gateway.errors import ConfigurationError, MalformedMessage
from gateway.wire import base64url
from gateway.wire.claims import array, only, raw
from gateway.wire.key_files import read_private, write_private

Jwk = Mapping[str, Any]

_COORDINATE_BYTES = 32
_OPTIONAL = frozenset({"kid", "use", "alg", "key_ops"})
_EC_MEMBERS = frozenset({"kty", "crv", "x", "y"})
_OKP_MEMBERS = frozenset({"kty", "crv", "x"})


def _thumbprint(required: Mapping[str, str]) -> bytes:
    """RFC 7638, section 3: the required members alone, sorted, without white space."""
    return hashlib.sha256(orjson.dumps(required, option=orjson.OPT_SORT_KEYS)).digest()


def _check_purpose(jwk: Jwk, alg: str) -> None:
    if jwk.get("use", "sig") != "sig":
        raise MalformedMessage("the key's use is not sig")
    if "key_ops" in jwk and "verify" not in array(jwk, "key_ops", str, maximum=8):
        raise MalformedMessage("the key's key_ops do not allow verify")
    if jwk.get("alg", alg) != alg:
        raise MalformedMessage(f"the key's alg is not {alg}")


class VerifyKey:
    """A public ES256 key; two with the same `kid` are equal."""

    __slots__ = ("_jwk", "kid", "public")

    def __init__(self, public: ec.EllipticCurvePublicKey) -> None:
        numbers = public.public_numbers()
        required = {
            "crv": "P-256",
            "kty": "EC",
            "x": base64url.encode_text(numbers.x.to_bytes(_COORDINATE_BYTES, "big")),
            "y": base64url.encode_text(numbers.y.to_bytes(_COORDINATE_BYTES, "big")),
        }
        self.public = public
        self.kid = base64url.encode_text(_thumbprint(required))
        self._jwk = required

    @classmethod
    def from_jwk(cls, jwk: Jwk) -> "VerifyKey":
        """Check kty, crv, use, key_ops and alg, and that the point lies on the curve; raises MalformedMessage."""
        only(jwk, _EC_MEMBERS, _OPTIONAL)
        if (jwk["kty"], jwk["crv"]) != ("EC", "P-256"):
            raise MalformedMessage("the key is not of kty EC, crv P-256")
        _check_purpose(jwk, "ES256")
        x, y = (int.from_bytes(raw(jwk, name, size=_COORDINATE_BYTES), "big") for name in ("x", "y"))
        try:
            return cls(ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key())
        except ValueError:
            raise MalformedMessage("the key is no point of the curve") from None

    def jwk(self) -> dict[str, str]:
        """The key as it is published."""
        return {**self._jwk, "kid": self.kid, "use": "sig", "alg": "ES256"}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, VerifyKey) and other.kid == self.kid

    def __hash__(self) -> int:
        return hash(self.kid)

    def __repr__(self) -> str:
        return f"VerifyKey({self.kid})"


def read_published(jwk: Jwk) -> VerifyKey:
    """A published signing key, whose `kid` must be its thumbprint; raises MalformedMessage."""
    key = VerifyKey.from_jwk(jwk)
    if jwk.get("kid", key.kid) != key.kid:
        raise MalformedMessage("a key's kid is not its thumbprint")
    return key


class SigningKey:
    """A private ES256 key."""

    __slots__ = ("_verify_key", "kid", "private")

    def __init__(self, private: ec.EllipticCurvePrivateKey) -> None:
        self.private = private
        self._verify_key = VerifyKey(private.public_key())
        self.kid = self._verify_key.kid

    @classmethod
    def generate(cls) -> "SigningKey":
        """A new key from the system's random numbers."""
        return cls(ec.generate_private_key(ec.SECP256R1()))

    @classmethod
    def load(cls, path: Path) -> "SigningKey":
        """Read a key file; raises ConfigurationError when it is missing, open to others or no P-256 key."""
        private = _load_pkcs8(path)
        if not isinstance(private, ec.EllipticCurvePrivateKey) or not isinstance(private.curve, ec.SECP256R1):
            raise ConfigurationError(f"{path}: not a P-256 private key")
        return cls(private)

    def save(self, path: Path) -> None:
        """Write a new file of mode 0600; raises ConfigurationError, also when `path` exists."""
        write_private(path, _pkcs8(self.private))

    def verify_key(self) -> VerifyKey:
        """The public half."""
        return self._verify_key

    def public_jwk(self) -> dict[str, str]:
        """The public half as it is published."""
        return self._verify_key.jwk()

    def __repr__(self) -> str:
        return f"SigningKey({self.kid})"


class LedgerKey:
    """A private Ed25519 key, for ledger checkpoints and nothing else."""

    __slots__ = ("_jwk", "_private", "kid")

    def __init__(self, private: ed25519.Ed25519PrivateKey) -> None:
        self._private = private
        required = {
            "crv": "Ed25519",
            "kty": "OKP",
            "x": base64url.encode_text(private.public_key().public_bytes_raw()),
        }
        self.kid = base64url.encode_text(_thumbprint(required))
        self._jwk = {**required, "kid": self.kid, "use": "sig", "alg": "EdDSA"}

    @classmethod
    def generate(cls) -> "LedgerKey":
        """A new key from the system's random numbers."""
        return cls(ed25519.Ed25519PrivateKey.generate())

    @classmethod
    def load(cls, path: Path) -> "LedgerKey":
        """Read a key file; raises ConfigurationError when it is missing, open to others or no Ed25519 key."""
        private = _load_pkcs8(path)
        if not isinstance(private, ed25519.Ed25519PrivateKey):
            raise ConfigurationError(f"{path}: not an Ed25519 private key")
        return cls(private)

    def save(self, path: Path) -> None:
        """Write a new file of mode 0600; raises ConfigurationError, also when `path` exists."""
        write_private(path, _pkcs8(self._private))

    def public_jwk(self) -> dict[str, str]:
        """The public half as it is published."""
        return dict(self._jwk)

    def sign(self, data: bytes) -> bytes:
        """A raw Ed25519 signature, 64 bytes."""
        return self._private.sign(data)

    def __repr__(self) -> str:
        return f"LedgerKey({self.kid})"


def check_ledger_jwk(jwk: Jwk) -> dict[str, str]:
    """A published Ed25519 key, in the one form that is kept; raises MalformedMessage."""
    only(jwk, _OKP_MEMBERS, _OPTIONAL)
    if (jwk["kty"], jwk["crv"]) != ("OKP", "Ed25519"):
        raise MalformedMessage("the ledger key is not of kty OKP, crv Ed25519")
    _check_purpose(jwk, "EdDSA")
    x = raw(jwk, "x", size=_COORDINATE_BYTES)
    required = {"crv": "Ed25519", "kty": "OKP", "x": base64url.encode_text(x)}
    kid = base64url.encode_text(_thumbprint(required))
    if jwk.get("kid", kid) != kid:
        raise MalformedMessage("the ledger key's kid is not its thumbprint")
    return {**required, "kid": kid, "use": "sig", "alg": "EdDSA"}


def ledger_public(jwk: Jwk) -> bytes:
    """The 32 bytes of a public Ed25519 key that check_ledger_jwk() has passed."""
    return base64url.decode_text(jwk["x"])


def fingerprint(jwk: Jwk) -> str:
    """The key's SHA-256 thumbprint as 16 groups of four hex digits, for two people to compare aloud."""
    members = _EC_MEMBERS if jwk.get("kty") == "EC" else _OKP_MEMBERS
    return _grouped(_thumbprint({name: jwk[name] for name in members}))


def fingerprint_of(kid: str) -> str:
    """The same of a key whose `kid` alone is at hand; raises MalformedMessage."""
    return _grouped(base64url.decode_text(kid))


def _grouped(digest: bytes) -> str:
    digits = digest.hex()
    return " ".join(digits[start : start + 4] for start in range(0, len(digits), 4))


def _pkcs8(private: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey) -> bytes:
    return private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _load_pkcs8(path: Path) -> object:
    try:
        return serialization.load_pem_private_key(read_private(path), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ConfigurationError(f"{path}: not an unencrypted PKCS #8 private key") from None
