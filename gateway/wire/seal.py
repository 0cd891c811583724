"""Sealing (docs/wire.md, "Sealing"): HPKE base mode (RFC 9180) with MLKEM768-X25519, HKDF-SHA256 and AES-256-GCM.

The hybrid keeps what is recorded today closed to a quantum computer. `info` binds a sealed message to its use,
federation, sender, recipient and jti, because the one-shot call takes no associated data. The suite belongs to the
recipient's key, never to the message.
"""

import hashlib
from dataclasses import dataclass, field
from typing import Literal

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import (
    AEAD,
    KDF,
    KEM,
    MLKEM768X25519PrivateKey,
    MLKEM768X25519PublicKey,
    Suite,
)

from gateway.errors import MalformedMessage, NotAuthentic
from gateway.wire import base64url
from gateway.wire.limits import SEALING_PUBLIC_BYTES

Use = Literal["question", "answer", "notice"]

_SUITE = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
_PROTOCOL = "patchwork/1"
_MLKEM_PUBLIC_BYTES = 1_184
_MLKEM_SEED_BYTES = 64
_X25519_BYTES = 32
PRIVATE_BYTES = _MLKEM_SEED_BYTES + _X25519_BYTES
# Points of small order give every sender the same shared secret, so X25519 refuses them when something is sealed: too
# late, for by then one member's key would cost a whole question. Little-endian u-coordinates, the top bit ignored
# (RFC 7748, section 5): 0, 1, the two of order 8, and p-1, p, p+1.
_SMALL_ORDER = frozenset(
    bytes.fromhex(point)
    for point in (
        "00" * 32,
        "01" + "00" * 31,
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ec" + "ff" * 30 + "7f",
        "ed" + "ff" * 30 + "7f",
        "ee" + "ff" * 30 + "7f",
    )
)


class HybridPublicKey:
    """1,184 bytes of ML-KEM-768 and 32 of X25519, checked and ready for use; raises MalformedMessage."""

    __slots__ = ("handle", "raw")

    def __init__(self, raw: bytes) -> None:
        if len(raw) != SEALING_PUBLIC_BYTES:
            raise MalformedMessage(f"a sealing key has {SEALING_PUBLIC_BYTES} bytes")
        try:
            self.handle = MLKEM768X25519PublicKey(
                MLKEM768PublicKey.from_public_bytes(raw[:_MLKEM_PUBLIC_BYTES]),
                X25519PublicKey.from_public_bytes(raw[_MLKEM_PUBLIC_BYTES:]),
            )
        except ValueError:
            raise MalformedMessage("not an ML-KEM-768 and X25519 public key") from None
        if raw[_MLKEM_PUBLIC_BYTES:-1] + bytes((raw[-1] & 0x7F,)) in _SMALL_ORDER:
            raise MalformedMessage("an X25519 public key to which nothing can be sealed")
        self.raw = raw

    @property
    def kid(self) -> str:
        """SHA-256 of the raw bytes, base64url."""
        return base64url.encode_text(hashlib.sha256(self.raw).digest())

    def __repr__(self) -> str:
        return f"HybridPublicKey({self.kid})"


class HybridPrivateKey:
    """Both private halves; `public` is what may be shown."""

    __slots__ = ("_seed", "handle", "public")

    def __init__(self, seed: bytes) -> None:
        mlkem = MLKEM768PrivateKey.from_seed_bytes(seed[:_MLKEM_SEED_BYTES])
        x25519 = X25519PrivateKey.from_private_bytes(seed[_MLKEM_SEED_BYTES:])
        self._seed = seed
        self.handle = MLKEM768X25519PrivateKey(mlkem, x25519)
        self.public = HybridPublicKey(mlkem.public_key().public_bytes_raw() + x25519.public_key().public_bytes_raw())

    @classmethod
    def generate(cls) -> "HybridPrivateKey":
        """A new pair from the system's random numbers."""
        mlkem, x25519 = MLKEM768PrivateKey.generate(), X25519PrivateKey.generate()
        return cls(mlkem.private_bytes_raw() + x25519.private_bytes_raw())

    def private_bytes(self) -> bytes:
        """ML-KEM seed and X25519 key, 96 bytes, for the key file alone."""
        return self._seed

    def __repr__(self) -> str:
        return f"HybridPrivateKey({self.public.kid})"


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicSealingKey:
    """A member's published sealing key; in force from `not_before` until `expires`, epoch seconds."""

    key: HybridPublicKey = field(repr=False, compare=False)
    kid: str
    not_before: int
    expires: int

    @property
    def raw(self) -> bytes:
        """The 1,216 bytes that are published."""
        return self.key.raw


@dataclass(frozen=True, slots=True, kw_only=True)
class SealingKey:
    """The private half of a published sealing key."""

    private: HybridPrivateKey = field(repr=False, compare=False)
    public: PublicSealingKey

    @property
    def kid(self) -> str:
        """The name under which its public half is published."""
        return self.public.kid


class ReplyKey:
    """One-time pair for the answers to one question: never written anywhere, gone with the question."""

    __slots__ = ("private",)

    def __init__(self) -> None:
        self.private = HybridPrivateKey.generate()

    @classmethod
    def generate(cls) -> "ReplyKey":
        """A new pair."""
        return cls()

    @property
    def public(self) -> bytes:
        """The 1,216 bytes that go into the question."""
        return self.private.public.raw


def seal(
    plaintext: bytes,
    to: PublicSealingKey | HybridPublicKey,
    *,
    use: Use,
    federation: str,
    sender: str,
    recipient: str,
    jti: str,
) -> bytes:
    """Key share, ciphertext and tag: HPKE_OVERHEAD_BYTES more than `plaintext`. Raises MalformedMessage."""
    key = to.key if isinstance(to, PublicSealingKey) else to
    try:
        return _SUITE.encrypt(plaintext, key.handle, info=_info(use, federation, sender, recipient, jti))
    except ValueError:  # an X25519 share of small order
        raise MalformedMessage("nothing can be sealed to this key") from None


def open_sealed(
    sealed: bytes, key: SealingKey | ReplyKey, *, use: Use, federation: str, sender: str, recipient: str, jti: str
) -> bytes:
    """The plaintext; raises NotAuthentic if it was altered, or sealed to another key, use, party or message."""
    try:
        return _SUITE.decrypt(sealed, key.private.handle, info=_info(use, federation, sender, recipient, jti))
    except (InvalidTag, ValueError):
        raise NotAuthentic(f"the sealed {use} does not open") from None


def binding(*parts: str) -> bytes:
    """The protocol's name and `parts`, each with its length before it (u16, big-endian), so that none can run over."""
    encoded = [part.encode() for part in (_PROTOCOL, *parts)]
    return b"".join(len(part).to_bytes(2, "big") + part for part in encoded)


def _info(use: Use, federation: str, sender: str, recipient: str, jti: str) -> bytes:
    return binding(use, federation, sender, recipient, jti)
