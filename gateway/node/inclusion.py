"""A proof that one entry stands in this node's ledger, in one JSON file that is checked with nothing but the
operator's public key: years later, without a node, by whoever holds the answer that names the entry (`ledger_leaf`).
"""

from dataclasses import dataclass
from typing import Any

import orjson

from consent_ledger import heads, proof
from consent_ledger.checkpoint import Cosigned, Head, verify_by_any, with_cosignatures
from consent_ledger.merkle import ProofInvalid, verify_inclusion
from consent_ledger.note import NoteInvalid
from gateway.database.contract import Database
from gateway.errors import InputError, MalformedMessage, WireError
from gateway.node.cosignatures import read_cosignatures
from gateway.node.log_key import log_keys
from gateway.wire import base64url
from gateway.wire.claims import array, identifier, integer, only, raw, read_claims, sha256, text
from gateway.wire.federation import HUB, Federation, verify_document
from gateway.wire.hand_over import OperatorKeys
from gateway.wire.keys import VerifyKey
from gateway.wire.limits import (
    KIB,
    MAX_DOCUMENT_BYTES,
    MAX_HUB_KEYS,
    MAX_NOTE_BYTES,
    MAX_PROOF_HASHES,
)

FORMAT = "patchwork-inclusion/1"
MAX_PROOF_FILE_BYTES = MAX_DOCUMENT_BYTES + 256 * KIB

_MEMBERS = frozenset(
    {"format", "member", "seq", "leaf_hash", "proof", "checkpoint", "federation_document", "witness_keys"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proven:
    """What a file proves: entry `seq` of `member` has this hash (hex) under `head`, for which these witnesses vouch.

    `after` is the head that the epoch before had reached: entries were lost or replaced there.
    """

    federation: str
    member: str
    seq: int
    leaf_hash: str
    head: Head
    after: Head | None
    vouched: tuple[Cosigned, ...]


async def prove(seq: int, *, database: Database, member: str, federation: Federation) -> bytes | None:
    """The file for one entry; None if no checkpoint covers it yet. Raises StorageError, LedgerCorrupt."""
    proved = await database.read(proof.prove([seq]))
    stored, path = proved.stored, proved.paths[seq]
    if stored is None:
        return None
    claims = {
        "format": FORMAT,
        "member": member,
        "seq": seq,
        "leaf_hash": path.leaf_hash.hex(),
        "proof": [base64url.encode_text(each) for each in path.hashes],
        "checkpoint": base64url.encode_text(with_cosignatures(stored.note, stored.cosignatures).encode()),
        "federation_document": federation.token.decode("ascii"),
        "witness_keys": await database.read(heads.key_statements(HUB)),
    }
    return orjson.dumps(claims, option=orjson.OPT_INDENT_2)


def check_proof(file: bytes, *, operator_key: VerifyKey | OperatorKeys) -> Proven:
    """Check a file; raises InputError, which says what does not hold.

    (1) form   (2) the operator's signature on the federation document in it   (3) the log's signature on the
    checkpoint, by the ledger key of that document   (4) the path from the entry to the checkpoint's root
    (5) each cosignature, by the keys that the document leads to: one that does not hold counts for nothing
    """
    try:
        claims = _read(file)  # (1)
        document = text(claims, "federation_document", max_chars=MAX_DOCUMENT_BYTES)
        federation = verify_document(document, operator_key=operator_key, now=None)  # (2)
        member = federation.members.get(identifier(claims, "member"))
        if member is None:
            raise InputError("the proof is of a member that its federation document does not list")
        note = raw(claims, "checkpoint", maximum=MAX_NOTE_BYTES).decode()
        checkpoint, log = verify_by_any(note, log_keys(federation.name, member))  # (3)
        head, seq, leaf = checkpoint.head, integer(claims, "seq"), sha256(claims, "leaf_hash")
        path = [base64url.decode_text(each) for each in array(claims, "proof", str, maximum=MAX_PROOF_HASHES)]
        verify_inclusion(bytes.fromhex(leaf), seq, head.size, path, head.root)  # (4)
        statements = array(claims, "witness_keys", str, maximum=MAX_HUB_KEYS)
        vouched = read_cosignatures(note, federation, statements, log=log.name).vouched  # (5)
    except (WireError, NoteInvalid, ProofInvalid, UnicodeDecodeError) as error:
        raise InputError(f"the proof does not hold: {error}") from error
    return Proven(
        federation=federation.name,
        member=member.id,
        seq=seq,
        leaf_hash=leaf,
        head=head,
        after=checkpoint.after,
        vouched=vouched,
    )


def _read(file: bytes) -> dict[str, Any]:
    claims = read_claims(file, max_bytes=MAX_PROOF_FILE_BYTES)
    only(claims, _MEMBERS)
    if claims["format"] != FORMAT:
        raise MalformedMessage(f"not a {FORMAT}")
    return claims
