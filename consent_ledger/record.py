"""The format of one ledger entry, for good: what is hashed into the tree, what is hidden in it, and under which key.

A leaf is seven fields, each a u32 length (big-endian) and its bytes:

    version (1 byte) | kind class | hour (u64, hours since the epoch) | federation id | nonce (32) | commitment (32) |
    ciphertext

Its hash is RFC 9162's SHA-256(0x00 || leaf). Person, actor, exact kind and time are in the ciphertext alone:
AES-256-GCM over the body (canonical JSON, padded with blanks to a multiple of 256 bytes so that its length tells
little), with the first four fields as associated data. Every entry has a key of its own: keyed BLAKE2b (RFC 7693) of
the nonce under the secret gives 32 bytes of key and 32 of commitment. AES-GCM alone would let a forger make one
ciphertext that opens under two keys to two bodies; the commitment in the leaf fixes the key. The secret belongs to one
person, or to one month (of governance: to one year) for what concerns nobody known here; destroying it erases the
bodies and leaves the tree.
"""

import hashlib
import hmac
import os
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from consent_ledger.errors import LedgerCorrupt
from consent_ledger.kinds import KIND_CLASSES, EntryKind, KindClass

VERSION = 1
SECRET_BYTES = 32
MAX_BODY_BYTES = 2 * 1024 * 1024  # 1,024 answers with the longest tokens that docs/wire.md allows

_NONCE_BYTES = 32
_KEY_BYTES = 32
_IV_BYTES = 12
_PAD = 256
_FIELDS = 7
_REST = struct.Struct(f">I{_NONCE_BYTES}xI{_KEY_BYTES}xI")  # lengths of nonce, commitment and ciphertext
_LABEL = b"pw/ledger/entry1"  # BLAKE2b's personalisation, 16 bytes


class LeafHeader(NamedTuple):
    """What a leaf shows to whoever has no key."""

    kind_class: KindClass
    hour: int
    federation: str


@dataclass(frozen=True, slots=True)
class Leaf:
    """A leaf taken apart; `associated` are the bytes of its header fields."""

    header: LeafHeader
    associated: bytes
    nonce: bytes
    commitment: bytes
    ciphertext: bytes


def body_bytes(kind: EntryKind, at: float, body: Mapping[str, Any]) -> bytes:
    """Canonical, padded JSON of a body; raises ValueError if it is too long or cannot be JSON."""
    try:
        text = orjson.dumps({**body, "kind": kind, "at": at}, option=orjson.OPT_SORT_KEYS)
    except TypeError as error:
        raise ValueError(f"the body of a {kind} entry is not plain data") from error
    if len(text) > MAX_BODY_BYTES:
        raise ValueError(f"the body of a {kind} entry is longer than {MAX_BODY_BYTES} bytes")
    return text.ljust(-(-len(text) // _PAD) * _PAD)


def seal_leaf(header: LeafHeader, body: bytes, secret: bytes) -> bytes:
    """The bytes of a leaf over `body` under a person's or month's secret."""
    associated = _associated(header)
    nonce = os.urandom(_NONCE_BYTES)
    key, commitment = _derive(secret, nonce)
    ciphertext = AESGCM(key).encrypt(nonce[:_IV_BYTES], body, associated)
    return associated + _pack(nonce, commitment, ciphertext)


def open_leaf(leaf: bytes, secret: bytes) -> dict[str, Any]:
    """The body of a leaf; raises LedgerCorrupt if it was not sealed so under this secret."""
    parts = read_leaf(leaf)
    return _body(parts, _open(parts, secret))


def open_bytes(leaf: bytes, secret: bytes) -> bytes:
    """What was sealed in the form of a leaf under this secret, whatever it is; raises LedgerCorrupt."""
    return _open(read_leaf(leaf), secret)


def _open(parts: Leaf, secret: bytes) -> bytes:
    key, commitment = _derive(secret, parts.nonce)
    if not hmac.compare_digest(commitment, parts.commitment):
        raise LedgerCorrupt("an entry was not sealed under the key on record")
    return _decrypt(parts, key)


def entry_key(leaf: Leaf, secret: bytes) -> bytes:
    """The key of this entry alone, from which nothing follows about the secret (and so about any other entry)."""
    return _derive(secret, leaf.nonce)[0]


def open_with_key(leaf: bytes, key: bytes) -> dict[str, Any]:
    """The body of a leaf for somebody who has its key and not the secret, so cannot check the commitment to it.

    Raises LedgerCorrupt also for a body that is not in the one form in which we write it: whoever made a ciphertext
    that opens under two keys would have to meet it twice.
    """
    parts = read_leaf(leaf)
    if len(key) != _KEY_BYTES:
        raise LedgerCorrupt("an entry's key has another length")
    text = _decrypt(parts, key)
    try:
        body = _body(parts, text)
        written = orjson.dumps(body, option=orjson.OPT_SORT_KEYS)
    except (ValueError, KeyError, TypeError):
        raise LedgerCorrupt("an entry does not say anything in our form") from None
    if written.ljust(-(-len(written) // _PAD) * _PAD) != text:
        raise LedgerCorrupt("an entry is not written in the one form")
    return body


def _decrypt(parts: Leaf, key: bytes) -> bytes:
    try:
        return AESGCM(key).decrypt(parts.nonce[:_IV_BYTES], parts.ciphertext, parts.associated)
    except InvalidTag:
        raise LedgerCorrupt("an entry's ciphertext or header was changed") from None


def _body(parts: Leaf, text: bytes) -> dict[str, Any]:
    body: dict[str, Any] = orjson.loads(text)
    if KIND_CLASSES[EntryKind(body["kind"])] is not parts.header.kind_class:
        raise LedgerCorrupt("an entry's kind is not of the class that its leaf shows")
    return body


def read_leaf(leaf: bytes) -> Leaf:
    """Take a leaf apart without any key; raises LedgerCorrupt if it has another form."""
    fields: list[bytes] = []
    offset = associated = 0
    while offset < len(leaf):
        start = offset + 4
        offset = start + int.from_bytes(leaf[offset:start], "big")
        fields.append(leaf[start:offset])
        if len(fields) == _FIELDS - 3:
            associated = offset
    if offset != len(leaf) or len(fields) != _FIELDS or fields[0] != bytes((VERSION,)):
        raise LedgerCorrupt("an entry does not have the form of a leaf")
    try:
        header = LeafHeader(
            kind_class=KindClass(fields[1].decode()),
            hour=int.from_bytes(fields[2], "big"),
            federation=fields[3].decode(),
        )
    except ValueError:
        raise LedgerCorrupt("an entry's header cannot be read") from None
    return Leaf(header, leaf[:associated], *fields[4:])


class HeaderReader:
    """What read_leaf() says of a leaf's header, and as strictly, for whoever walks a million of them.

    Leaves of one hour and class begin with the same bytes: where those are as in the leaf before, only the lengths
    behind them are looked at.
    """

    def __init__(self) -> None:
        self._before: Leaf | None = None

    def read(self, leaf: bytes) -> LeafHeader:
        """Raises LedgerCorrupt."""
        before = self._before
        if before is not None and leaf.startswith(before.associated):
            start = len(before.associated)
            if len(leaf) >= start + _REST.size:
                nonce, commitment, text = _REST.unpack_from(leaf, start)
                if nonce == commitment == _NONCE_BYTES and start + _REST.size + text == len(leaf):
                    return before.header
        self._before = parts = read_leaf(leaf)
        return parts.header


@lru_cache(maxsize=64)  # all entries of an hour share a few
def _associated(header: LeafHeader) -> bytes:
    return _pack(
        bytes((VERSION,)), header.kind_class.encode(), header.hour.to_bytes(8, "big"), header.federation.encode()
    )


def _derive(secret: bytes, nonce: bytes) -> tuple[bytes, bytes]:
    derived = hashlib.blake2b(nonce, key=secret, digest_size=2 * _KEY_BYTES, person=_LABEL).digest()
    return derived[:_KEY_BYTES], derived[_KEY_BYTES:]


def _pack(*fields: bytes) -> bytes:
    return b"".join([len(field).to_bytes(4, "big") + field for field in fields])
