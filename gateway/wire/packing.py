"""The answer's plaintext: always ANSWER_BYTES, whatever its outcome (docs/wire.md, "Answer")."""

import zlib
from dataclasses import dataclass, field

from gateway.errors import InputError, MalformedMessage
from gateway.wire.limits import ANSWER_BYTES, ANSWER_TOKEN_BYTES, MAX_INFLATED_BYTES
from gateway.wire.padding import LENGTH_BYTES, pad, unpad

_RAW_DEFLATE = -zlib.MAX_WBITS  # no zlib or gzip wrapper (RFC 1951)
_LEVEL = 6
_STORED_HEADER_BYTES = 5
_ROOM = ANSWER_BYTES - 2 * LENGTH_BYTES - ANSWER_TOKEN_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedAnswer:
    """The compact JWS, and the bundle that it binds (empty without disclosure).

    `deflated` is what `deflate_to_fit` made of the bundle, where its maker has it.
    """

    jws: bytes = field(repr=False)
    bundle: bytes = field(repr=False)
    deflated: bytes | None = field(default=None, repr=False, compare=False)


def deflate_to_fit(bundle: bytes) -> bytes | None:
    """`bundle` as an answer carries it; None if none can, and the caller discloses less."""
    if len(bundle) > MAX_INFLATED_BYTES:
        return None
    deflated = _deflate(bundle, _ROOM)
    return deflated if len(deflated) <= _ROOM else None


def pack(signed: SignedAnswer) -> bytes:
    """Exactly ANSWER_BYTES; raises InputError for a bundle that was not made to fit."""
    deflated = signed.deflated
    if deflated is None:
        deflated = _deflate(signed.bundle, ANSWER_BYTES - 2 * LENGTH_BYTES - len(signed.jws))
    try:
        return pad((signed.jws, deflated), ANSWER_BYTES)
    except MalformedMessage:
        raise InputError("the bundle does not fit into an answer") from None


def unpack(packed: bytes) -> SignedAnswer:
    """The inverse of `pack`, for another member's bytes; raises MalformedMessage, and never inflates without bound."""
    if len(packed) != ANSWER_BYTES:
        raise MalformedMessage(f"an answer has {ANSWER_BYTES} bytes")
    token, deflated = unpad(packed, 2)
    return SignedAnswer(jws=token, bundle=inflate(deflated))


def _deflate(bundle: bytes, room: int) -> bytes:
    """Raw DEFLATE; what fits as it is becomes one stored block (RFC 1951, 3.2.4): padding hides the size anyway."""
    if not bundle:
        return b""
    if _STORED_HEADER_BYTES + len(bundle) <= room:
        size = len(bundle)
        return b"\x01" + size.to_bytes(2, "little") + (size ^ 0xFFFF).to_bytes(2, "little") + bundle
    deflater = zlib.compressobj(_LEVEL, zlib.DEFLATED, _RAW_DEFLATE)
    return deflater.compress(bundle) + deflater.flush()


def inflate(deflated: bytes) -> bytes:
    """A bundle from raw DEFLATE, at most MAX_INFLATED_BYTES; empty from nothing. Raises MalformedMessage."""
    if not deflated:
        return b""
    inflater = zlib.decompressobj(_RAW_DEFLATE)
    try:
        bundle = inflater.decompress(deflated, MAX_INFLATED_BYTES + 1)
    except zlib.error:
        raise MalformedMessage("the bundle is not raw DEFLATE") from None
    if len(bundle) > MAX_INFLATED_BYTES:
        raise MalformedMessage(f"the bundle is larger than {MAX_INFLATED_BYTES} bytes")
    if not inflater.eof:
        raise MalformedMessage("the bundle is cut off")
    if inflater.unused_data or not bundle:
        raise MalformedMessage("something follows the bundle, or it is empty")
    return bundle
