"""The file that proves one question and its answers offline (docs/wire.md, "Evidence"): one JSON object.

Written by `patchwork ledger evidence`, read by `patchwork ledger check-evidence`, which trusts nothing of it: strict
JSON, bounded before anything is computed. Whoever has it reads whom the question was about.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import orjson

from consent_ledger.record import MAX_BODY_BYTES
from gateway.errors import MalformedMessage
from gateway.wire import base64url
from gateway.wire.claims import Claims, array, identifier, integer, nested, only, raw, read_claims, sha256, text, uuid
from gateway.wire.keys import VerifyKey
from gateway.wire.limits import (
    ANSWER_BYTES,
    ANSWER_TOKEN_BYTES,
    KIB,
    MAX_DOCUMENT_BYTES,
    MAX_HUB_KEYS,
    MAX_NOTE_BYTES,
    MAX_RECIPIENTS,
    MAX_STATEMENT_BYTES,
    MAX_TOKEN_BYTES,
)

FORMAT: Final = "patchwork-evidence/1"
MAX_EVIDENCE_BYTES: Final = 2 * MAX_DOCUMENT_BYTES + 8 * 1024 * KIB  # two entries of the longest, and all answers again

MAX_ENTRIES = 2  # a question is asked and received, or answered
MAX_PROOF_HASHES = 63
_MAX_LEAF_BYTES = MAX_BODY_BYTES + KIB
_KEY_BYTES = 32

_REQUIRED = frozenset(
    {"format", "federation", "member", "jti", "written_at", "operator_key", "document", "answers", "entries", "tree"}
)
_OPTIONAL = frozenset({"question", "bundle", "checkpoint", "checkpoint_document", "witness_keys"})
_ENTRY = frozenset({"seq", "leaf", "key", "proof"})
_TREE = frozenset({"size", "root"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvedEntry:
    """One ledger entry: its index, the exact leaf, the key of this entry alone, and its inclusion proof."""

    seq: int
    leaf: bytes = field(repr=False)
    key: bytes = field(repr=False)
    proof: Sequence[bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What `member` has about question `jti`. `question`: the asker has it; `bundle` (raw DEFLATE): who disclosed it.

    `operator_key` is what the writer took for the operator's: no proof of anything. `checkpoint` is the signed note of
    the tree with its cosignatures; `checkpoint_document` the federation document with the keys under it, None if that
    is `document`; `witness_keys` the hub's statements of the keys with which it cosigns.
    """

    federation: str
    member: str
    jti: str
    written_at: int
    operator_key: VerifyKey
    document: str = field(repr=False)
    question: str | None = field(repr=False)
    answers: Mapping[str, str] = field(repr=False)
    bundle: bytes | None = field(repr=False)
    entries: tuple[ProvedEntry, ...]
    tree_size: int
    tree_root: bytes
    checkpoint: str | None
    checkpoint_document: str | None = field(repr=False)
    witness_keys: Sequence[str]


def write(evidence: Evidence) -> bytes:
    """The file's bytes."""
    content: Claims = {
        "format": FORMAT,
        "federation": evidence.federation,
        "member": evidence.member,
        "jti": evidence.jti,
        "written_at": evidence.written_at,
        "operator_key": evidence.operator_key.jwk(),
        "document": evidence.document,
        "answers": dict(sorted(evidence.answers.items())),
        "entries": [
            {
                "seq": entry.seq,
                "leaf": base64url.encode_text(entry.leaf),
                "key": base64url.encode_text(entry.key),
                "proof": [each.hex() for each in entry.proof],
            }
            for entry in evidence.entries
        ],
        "tree": {"size": evidence.tree_size, "root": evidence.tree_root.hex()},
    }
    if evidence.question is not None:
        content["question"] = evidence.question
    if evidence.bundle is not None:
        content["bundle"] = base64url.encode_text(evidence.bundle)
    if evidence.checkpoint is not None:
        content["checkpoint"] = base64url.encode_text(evidence.checkpoint.encode())
        content["witness_keys"] = list(evidence.witness_keys)
    if evidence.checkpoint_document is not None:
        content["checkpoint_document"] = evidence.checkpoint_document
    return orjson.dumps(content)


def read(data: bytes) -> Evidence:
    """A file of anybody's; raises MalformedMessage naming the field."""
    content = read_claims(data, max_bytes=MAX_EVIDENCE_BYTES)
    if content.get("format") != FORMAT:
        raise MalformedMessage(f"format is not {FORMAT}")
    only(content, _REQUIRED, _OPTIONAL)
    tree = nested(content, "tree")
    only(tree, _TREE)
    answers = nested(content, "answers")
    if len(answers) > MAX_RECIPIENTS:
        raise MalformedMessage(f"answers: more than {MAX_RECIPIENTS}")
    return Evidence(
        federation=identifier(content, "federation"),
        member=identifier(content, "member"),
        jti=uuid(content, "jti"),
        written_at=integer(content, "written_at"),
        operator_key=VerifyKey.from_jwk(nested(content, "operator_key")),
        document=text(content, "document", max_chars=MAX_DOCUMENT_BYTES),
        question=text(content, "question", max_chars=MAX_TOKEN_BYTES) if "question" in content else None,
        answers={
            identifier({"answers": member}, "answers"): text(
                {"answers": token}, "answers", max_chars=ANSWER_TOKEN_BYTES
            )
            for member, token in answers.items()
        },
        bundle=raw(content, "bundle", maximum=ANSWER_BYTES) if "bundle" in content else None,
        entries=tuple(_entry(entry) for entry in array(content, "entries", dict, minimum=1, maximum=MAX_ENTRIES)),
        tree_size=integer(tree, "size", minimum=1),
        tree_root=bytes.fromhex(sha256(tree, "root")),
        checkpoint=_note(content) if "checkpoint" in content else None,
        checkpoint_document=text(content, "checkpoint_document", max_chars=MAX_DOCUMENT_BYTES)
        if "checkpoint_document" in content
        else None,
        witness_keys=_statements(content) if "witness_keys" in content else (),
    )


def _entry(entry: Claims) -> ProvedEntry:
    only(entry, _ENTRY)
    proof = array(entry, "proof", str, maximum=MAX_PROOF_HASHES)
    return ProvedEntry(
        seq=integer(entry, "seq"),
        leaf=raw(entry, "leaf", maximum=_MAX_LEAF_BYTES),
        key=raw(entry, "key", size=_KEY_BYTES),
        proof=tuple(bytes.fromhex(sha256({"proof": each}, "proof")) for each in proof),
    )


def _statements(content: Claims) -> tuple[str, ...]:
    statements = array(content, "witness_keys", str, maximum=MAX_HUB_KEYS)
    if any(len(each) > MAX_STATEMENT_BYTES for each in statements):
        raise MalformedMessage("witness_keys: a statement is too long")
    return tuple(statements)


def _note(content: Claims) -> str:
    try:
        return raw(content, "checkpoint", maximum=MAX_NOTE_BYTES).decode("utf-8")
    except UnicodeDecodeError:
        raise MalformedMessage("checkpoint is not UTF-8") from None
