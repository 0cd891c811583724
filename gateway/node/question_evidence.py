"""Gathers what this node has about one question into a file that anybody can check (docs/ledger.md, "Evidence")."""

from collections.abc import Sequence

from consent_ledger.errors import LedgerError
from consent_ledger.kinds import EntryKind
from consent_ledger.proof import FoundEntry
from gateway.database.contract import Statement, Work
from gateway.errors import InputError, StorageError
from gateway.node.evidence_file import Evidence, ProvedEntry
from gateway.node.parts import NodeParts
from gateway.wire.archive import named_document
from gateway.wire.keys import VerifyKey


async def evidence_of(
    jti: str, *, node: NodeParts, operator_key: VerifyKey, asked_by: str | None = None, since_hour: int = 0
) -> Evidence:
    """Our question and its answers, or our answer to `asked_by`, as far as they are kept.

    With the federation document, and our entries with their proofs.
    Raises InputError if nothing about the question can be found, StorageError.
    """
    ledger, me = node.ledger, node.me
    try:
        entries = await ledger.question(jti, asked_by=asked_by, since_hour=since_hour)
        if not entries:
            raise InputError("nothing about this question is on record here, or what is has been erased")
        question, answers, bundle = await _exchanged(entries, node)
        proved = await ledger.prove([entry.seq for entry in entries])
    except LedgerError as error:
        raise StorageError(str(error)) from error
    document = await node.database.read(
        _document(question or next(iter(answers.values()), None), entries[0].body["at"])
    )
    return Evidence(
        federation=me.federation,
        member=me.member,
        jti=jti,
        written_at=int(node.clock.now()),
        operator_key=operator_key,
        document=document,
        question=question,
        answers=answers,
        bundle=bundle,
        entries=tuple(
            ProvedEntry(seq=entry.seq, leaf=entry.leaf, key=entry.key, proof=proved.proofs[entry.seq])
            for entry in entries
        ),
        tree_size=proved.head.size,
        tree_root=bytes.fromhex(proved.head.root),
        checkpoint=proved.checkpoint,
    )


async def _exchanged(entries: Sequence[FoundEntry], node: NodeParts) -> tuple[str | None, dict[str, str], bytes | None]:
    """Our question and the answers to it, or our own answer with its bundle."""
    question: str | None = None
    answers: dict[str, str] = {}
    bundle: bytes | None = None
    for entry in entries:
        match entry.body["kind"]:
            case EntryKind.ASKED:
                question = entry.body["query"]
            case EntryKind.RECEIVED:
                answers = dict(entry.body["answers"])
            case EntryKind.ANSWERED | EntryKind.BREAK_GLASS:
                sent = await node.ledger.sent(entry)
                if sent is not None:
                    answers, bundle = {node.me.member: sent[0]}, sent[1]
    return question, answers, bundle


def _document(token: str | None, at: float) -> Work[str]:
    """The federation document that a question or answer names; without either, the one that was held at that time."""
    if token is not None:
        rows = yield Statement("SELECT token FROM federation_document WHERE sha256 = ?", (named_document(token),))
    else:
        rows = yield Statement(
            "SELECT token FROM federation_document WHERE received_at <= ? ORDER BY received_at DESC, seq DESC LIMIT 1",
            (int(at),),
        )
    if not rows:
        raise InputError("the federation document of that time is not archived here")
    token_bytes: bytes = rows[0][0]
    return token_bytes.decode("ascii")
