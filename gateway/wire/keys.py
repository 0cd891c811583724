"""Signing keys: ES256 for requests and content, Ed25519 for ledger checkpoints (docs/wire.md, "Keys").

A key is named by its JWK thumbprint (RFC 7638), which is its `kid`. Private halves live in files of mode 0600.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

Jwk = Mapping[str, Any]


class SigningKey:
    """A private ES256 key. Raises ConfigurationError when its file is missing, malformed or open to others."""

    kid: str

    @classmethod
    def generate(cls) -> "SigningKey":
        raise NotImplementedError

    @classmethod
    def load(cls, path: Path) -> "SigningKey":
        raise NotImplementedError

    def save(self, path: Path) -> None:
        raise NotImplementedError

    def public_jwk(self) -> dict[str, str]:
        raise NotImplementedError

    def verify_key(self) -> "VerifyKey":
        raise NotImplementedError


class VerifyKey:
    """A public ES256 key."""

    kid: str

    @classmethod
    def from_jwk(cls, jwk: Jwk) -> "VerifyKey":
        raise NotImplementedError

    def jwk(self) -> dict[str, str]:
        raise NotImplementedError


class LedgerKey:
    """A private Ed25519 key for checkpoints."""

    kid: str

    @classmethod
    def generate(cls) -> "LedgerKey":
        raise NotImplementedError

    @classmethod
    def load(cls, path: Path) -> "LedgerKey":
        raise NotImplementedError

    def save(self, path: Path) -> None:
        raise NotImplementedError

    def public_jwk(self) -> dict[str, str]:
        raise NotImplementedError

    def sign(self, data: bytes) -> bytes:
        raise NotImplementedError


def fingerprint(jwk: Jwk) -> str:
    """SHA-256 thumbprint in groups of four hex digits, for two people to compare aloud."""
    raise NotImplementedError
