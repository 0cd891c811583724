"""C2SP signed notes (c2sp.org/signed-note): a text, an empty line, and signature lines of named Ed25519 keys. Pure.

    text, every line ended by a line feed
    (empty line)
    — <name of the key> <base64 of: 4 bytes of key id, then the signature>

A key's id is SHA-256(name || LF || type || public key)[:4]; the type keeps a log's own signatures (0x01) apart from
witnesses' (0x04, checkpoint.py). Notes come from strangers: bounded, exactly one form, else NoteInvalid, which quotes
nothing of them.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

ED25519 = b"\x01"
COSIGNATURE = b"\x04"

MAX_NOTE_BYTES = 16 * 1024  # one of ours has some 300 bytes, and 170 for each witness
MAX_SIGNATURES = 64
MAX_NAME_CHARS = 120
MAX_SIGNATURE_BYTES = 128  # of any type: those that we do not know are passed over

_KEY_ID_BYTES = 4
_MARK = "— "
_NAME = re.compile(rf"[!-*,-~]{{1,{MAX_NAME_CHARS}}}")  # visible ASCII but the plus sign; the format allows more


class NoteInvalid(Exception):
    """A note, checkpoint or signature is not what it should be; the message quotes nothing of it."""


class Signer(Protocol):
    """A private Ed25519 key."""

    def sign(self, data: bytes) -> bytes:
        """A raw signature, 64 bytes."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteKey:
    """A public Ed25519 key (32 bytes) under the name by which notes know it."""

    name: str
    public: bytes

    def id(self, kind: bytes) -> bytes:
        """The four bytes that precede this key's signatures of a kind."""
        return hashlib.sha256(self.name.encode() + b"\n" + kind + self.public).digest()[:_KEY_ID_BYTES]

    def holds(self, signature: bytes, message: bytes) -> bool:
        """Whether a raw signature over a message is this key's."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line, not yet believed."""

    name: str
    key_id: bytes
    data: bytes

    def line(self) -> str:
        """As it stands in a note, with its line feed."""
        return f"{_MARK}{self.name} {base64.b64encode(self.key_id + self.data).decode()}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A note taken apart; `text` ends with its line feed."""

    text: str
    signatures: tuple[Signature, ...]

    def by(self, key: NoteKey, kind: bytes) -> list[bytes]:
        """What stands under this key's name and id, as raw bytes, not yet verified."""
        wanted = (key.name, key.id(kind))
        return [each.data for each in self.signatures if (each.name, each.key_id) == wanted]


def write(text: str, signatures: Sequence[Signature]) -> str:
    """A note, or a longer one of the same text."""
    return f"{text}\n{''.join(each.line() for each in signatures)}"


def signed(text: str, key: NoteKey, signer: Signer) -> str:
    """A note with the one signature of a log's own key."""
    return write(text, [Signature(key.name, key.id(ED25519), signer.sign(text.encode()))])


def read(note: str) -> Note:
    """Take a note apart; raises NoteInvalid."""
    if len(note) > MAX_NOTE_BYTES:
        raise NoteInvalid(f"a note is longer than {MAX_NOTE_BYTES} bytes")
    text, empty, lines = note.rpartition("\n\n")
    if not empty or not lines.endswith("\n") or not text:
        raise NoteInvalid("a note is not a text, an empty line and signatures")
    written = lines[:-1].split("\n")
    if len(written) > MAX_SIGNATURES:
        raise NoteInvalid(f"a note has more than {MAX_SIGNATURES} signatures")
    text += "\n"
    if any(ord(character) < ord(" ") and character != "\n" for character in text):
        raise NoteInvalid("a note holds control characters")
    return Note(text, tuple(read_line(line) for line in written))


def read_line(line: str) -> Signature:
    """One signature line without its line feed; raises NoteInvalid."""
    name, blank, encoded = line.removeprefix(_MARK).partition(" ")
    if not line.startswith(_MARK) or not blank or not is_name(name):
        raise NoteInvalid("a signature line has another form")
    data = from_base64(encoded, maximum=_KEY_ID_BYTES + MAX_SIGNATURE_BYTES)
    if len(data) <= _KEY_ID_BYTES:
        raise NoteInvalid("a signature line has no signature")
    return Signature(name, data[:_KEY_ID_BYTES], data[_KEY_ID_BYTES:])


def is_name(name: str) -> bool:
    """Whether a key or a log may be called so."""
    return _NAME.fullmatch(name) is not None


def from_base64(text: str, *, maximum: int) -> bytes:
    """Standard base64 with padding, in its one canonical form; raises NoteInvalid."""
    if len(text) > -(-maximum // 3) * 4:
        raise NoteInvalid("a value is too long")
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise NoteInvalid("a value is not base64") from None
    if base64.b64encode(data).decode() != text:
        raise NoteInvalid("a value is not in the one form of base64")
    return data
