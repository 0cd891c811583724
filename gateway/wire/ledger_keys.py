"""A ledger's key and those before it, each with its word for the next (docs/wire.md, "Rotation").

The word is an Ed25519 signature of the old key over names and keys. What it signs is no checkpoint and no cosignature,
which begin otherwise, so none of the three passes for another.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway.errors import NotAuthentic
from gateway.wire.keys import Jwk, LedgerKey, ledger_public

WORD_BYTES = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class FormerLedgerKey:
    """A ledger key that another has followed: accepted of new checkpoints until `until` (epoch seconds).

    `word` is its signature by which it names the one that followed it.
    """

    jwk: Jwk
    until: int
    word: bytes


def sign_word(new: Jwk, old: LedgerKey, *, member: str, federation: str) -> bytes:
    """By which an old ledger key names the next."""
    return old.sign(_text(old.public_jwk(), new, member, federation))


def check_words(before: Sequence[FormerLedgerKey], current: Jwk, *, member: str, federation: str) -> None:
    """Each of the former keys, the oldest first, has named the one after it; raises NotAuthentic."""
    following = [*(former.jwk for former in before), current][1:]
    for former, new in zip(before, following, strict=True):
        try:
            Ed25519PublicKey.from_public_bytes(ledger_public(former.jwk)).verify(
                former.word, _text(former.jwk, new, member, federation)
            )
        except (InvalidSignature, ValueError):
            raise NotAuthentic("a former ledger key has not named the one that follows it") from None


def _text(old: Jwk, new: Jwk, member: str, federation: str) -> bytes:
    lines = ("patchwork-ledger-key-rotation/1", federation, member, old["x"], new["x"])
    return "".join(f"{line}\n" for line in lines).encode("ascii")
