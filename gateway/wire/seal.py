"""Sealing: HPKE base mode, MLKEM768-X25519, HKDF-SHA256, AES-256-GCM."""

from typing import Literal

Use = Literal["question", "answer", "notice"]


class PublicSealingKey:
    """Raw public bytes (1,216), kid, validity."""

    kid: str
    raw: bytes
    not_before: int
    expires: int


class SealingKey:
    """The private half; `public` is what is published."""

    kid: str
    public: PublicSealingKey


class ReplyKey:
    """One-time key for the answers to one question, in memory only."""

    public: bytes

    @classmethod
    def generate(cls) -> "ReplyKey":
        raise NotImplementedError


def seal(
    plaintext: bytes, to: PublicSealingKey | bytes, *, use: Use, federation: str, sender: str, recipient: str, jti: str
) -> bytes:
    raise NotImplementedError


def open_sealed(
    sealed: bytes, key: SealingKey | ReplyKey, *, use: Use, federation: str, sender: str, recipient: str, jti: str
) -> bytes:
    raise NotImplementedError
