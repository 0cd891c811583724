"""Gathers what this node has about one question into a file that anybody can check (docs/ledger.md, "Evidence").

(1) the entries about it
(2) if no witness has cosigned a checkpoint that covers them: have the head signed and cosigned now
(3) question, answers, bundle, and the federation document that they name
(4) the entries' place in the tree of that checkpoint
(5) the federation document by whose keys the signatures under that checkpoint can be checked
"""

from collections.abc import Awaitable, Callable, Sequence

from consent_ledger import heads
from consent_ledger.checkpoint import verify_by_any, with_cosignatures
from consent_ledger.errors import LedgerCorrupt, LedgerError
from consent_ledger.heads import Stored
from consent_ledger.kinds import EntryKind
from consent_ledger.merkle import leaf_hash
from consent_ledger.note import NoteInvalid
from consent_ledger.proof import FoundEntry, Proved
from gateway.errors import FederationError, InputError, WireError
from gateway.node.cosignatures import read_cosignatures
from gateway.node.document_archive import document_of, documents_since
from gateway.node.evidence_file import Evidence, ProvedEntry
from gateway.node.log_key import log_keys
from gateway.node.parts import NodeParts
from gateway.node.storage_fault import storage_fault
from gateway.wire import jws
from gateway.wire.federation import HUB, Federation, verify_document
from gateway.wire.federation import TYP as DOCUMENT
from gateway.wire.hand_over import OperatorKeys
from gateway.wire.keys import VerifyKey
from gateway.wire.limits import MAX_DOCUMENT_BYTES

NOTHING_FOUND = (
    "nothing about such a question of this agency's own is on record here, or what is has been erased; for one that"
    " another member asked, name it: --asked-by MEMBER"
)
NOTHING_FOUND_OF_THEIRS = "nothing about this question is on record here, or what is has been erased"


async def evidence_of(
    jti: str,
    *,
    node: NodeParts,
    operator_key: VerifyKey | OperatorKeys,
    asked_by: str | None = None,
    since_hour: int = 0,
    before: int | None = None,
    sign: Callable[[], Awaitable[object]] | None = None,
) -> Evidence:
    """Our question and its answers, or our answer to `asked_by`, as far as they are kept.

    With the federation documents, our entries with their proofs, and the checkpoint with its cosignatures; `sign` makes
    one where none is cosigned yet. Entries from hour `since_hour` on and before entry `before` are looked at. Raises
    InputError if nothing about the question can be found, LedgerCorrupt if what is stored does not fit together,
    StorageError.
    """
    ledger, me = node.ledger, node.me
    try:
        entries = await ledger.question(jti, asked_by=asked_by, since_hour=since_hour, before=before)  # (1)
        if not entries:
            raise InputError(NOTHING_FOUND if asked_by is None else NOTHING_FOUND_OF_THEIRS)
        if sign is not None:  # (2)
            covering = await node.database.read(heads.covering(entries[-1].seq))
            if covering is None or not covering.cosignatures:
                await sign()
        question, answers, bundle = await _exchanged(entries, node)  # (3)
        token = question or next(iter(answers.values()), None)
        document = await node.database.read(document_of(token, entries[0].body["at"]))
        proved = await ledger.prove([entry.seq for entry in entries])  # (4)
    except LedgerCorrupt:
        raise
    except LedgerError as error:
        raise storage_fault(error) from error
    note, checkpoint_document, statements = await _checkpoint(proved.stored, document, node, operator_key)  # (5)
    return Evidence(
        federation=me.federation,
        member=me.member,
        jti=jti,
        written_at=int(node.clock.now()),
        operator_key=_signer(document, operator_key),
        document=document,
        question=question,
        answers=answers,
        bundle=bundle,
        entries=tuple(_proved(entry, proved) for entry in entries),
        tree_size=proved.size,
        tree_root=proved.root,
        checkpoint=note,
        checkpoint_document=checkpoint_document,
        witness_keys=statements,
    )


def _signer(document: str, operator_key: VerifyKey | OperatorKeys) -> VerifyKey:
    """The operator's key that signed an archived document; the newest if it is none of these, as checking will say."""
    operators = OperatorKeys.of(operator_key)
    kid = jws.signer(document, typ=DOCUMENT, max_bytes=MAX_DOCUMENT_BYTES)
    return operators.keys.get(kid, operators.newest)


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


def _proved(entry: FoundEntry, proved: Proved) -> ProvedEntry:
    path = proved.paths[entry.seq]
    if leaf_hash(entry.leaf) != path.leaf_hash:
        raise LedgerCorrupt(f"entry {entry.seq} does not have its hash")
    return ProvedEntry(seq=entry.seq, leaf=entry.leaf, key=entry.key, proof=path.hashes)


async def _checkpoint(
    stored: Stored | None, document: str, node: NodeParts, operator_key: VerifyKey | OperatorKeys
) -> tuple[str | None, str | None, Sequence[str]]:
    """The note with its cosignatures, the document for it unless `document` serves, and the hub's statements.

    Ledger keys change seldom, and the document of the question mostly leads to all of them. Where it does not, the one
    that was held when the checkpoint was signed does, or the newest, if a witness with a new key cosigned later.
    """
    if stored is None:
        return None, None, ()
    note = with_cosignatures(stored.note, stored.cosignatures)
    statements = await node.database.read(heads.key_statements(HUB))
    signed_at = await node.database.read(heads.signed_at(stored.checkpoint.head))
    best: tuple[int, str | None] = (-1, None)
    checked = False
    for token in (document, *await node.database.read(documents_since(signed_at))):
        try:
            federation = verify_document(token, operator_key=operator_key, now=None)
        except (WireError, FederationError):
            continue  # of an operator's key that has been replaced: the file's reader is told
        checked = True
        held = _signatures(note, federation, node.me.member, statements)
        if held > best[0]:
            best = (held, token if token != document else None)
    if checked and best[0] < 0:
        raise LedgerCorrupt(
            f"no ledger key of this agency has signed the stored checkpoint of {stored.checkpoint.head.size} entries"
        )
    return note, best[1], statements


def _signatures(note: str, federation: Federation, member: str, statements: Sequence[str]) -> int:
    """How many witnesses' cosignatures hold by this document's keys; -1 if not even the log's own signature does."""
    listed = federation.members.get(member)
    if listed is None:
        return -1
    try:
        _, log = verify_by_any(note, log_keys(federation.name, listed))
        return len(read_cosignatures(note, federation, statements, log=log.name).vouched)
    except NoteInvalid:
        return -1
