"""Whether a C2SP checkpoint (c2sp.org/tlog-checkpoint) names a tree and is signed with a member's ledger key."""

import base64
import binascii
import hashlib
from collections.abc import Mapping

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway.wire import base64url

_MARK = "— "
_ED25519 = b"\x01"
_KEY_ID_BYTES = 4
_MAX_SIGNATURES = 64


def check_note(note: str, *, origin: str, size: int, root: bytes, ledger_key: Mapping[str, str] | None) -> str:
    """What does not fit, in words; empty if the note says exactly this tree, and its log's key signed it."""
    text, _, lines = note.rpartition("\n\n")
    said = text.split("\n")
    if said[:3] != [origin, str(size), base64.b64encode(root).decode()]:
        return "it names another log, size or root"
    if ledger_key is None:
        return "the member is not in the federation document"
    public = base64url.decode(ledger_key["x"].encode())
    key_id = hashlib.sha256(origin.encode() + b"\n" + _ED25519 + public).digest()[:_KEY_ID_BYTES]
    key = Ed25519PublicKey.from_public_bytes(public)
    signed = f"{text}\n".encode()
    for line in lines.split("\n")[:_MAX_SIGNATURES]:
        try:
            data = base64.b64decode(line.removeprefix(f"{_MARK}{origin} "), validate=True)
            if data[:_KEY_ID_BYTES] == key_id:
                key.verify(data[_KEY_ID_BYTES:], signed)
                return ""
        except (binascii.Error, ValueError, InvalidSignature):
            continue
    return "the log's own key has not signed it"
