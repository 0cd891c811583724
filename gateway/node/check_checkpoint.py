"""What the checkpoint in an evidence file shows: that its ledger is held to this tree, and by whom. Pure.

(6) the tree is the one that a signed checkpoint names
(7) whose cosignatures under it hold: these witnesses have seen this tree, and that it only grew in its epoch; from the
    second epoch on, which head went before, to whose entries nothing leads any more
"""

from collections.abc import Iterator

from consent_ledger.checkpoint import FIRST_EPOCH, Head, origin_of, parse, verify_by_any
from consent_ledger.note import NoteInvalid, read
from gateway.errors import FederationError, NotForUs, WireError
from gateway.node.cosignatures import Cosignatures, read_cosignatures
from gateway.node.evidence_file import Evidence
from gateway.node.findings import Finding, Verdict, false, when
from gateway.node.log_key import log_keys
from gateway.wire.federation import Federation, Member, verify_document
from gateway.wire.hand_over import OperatorKeys
from gateway.wire.keys import VerifyKey


def check_checkpoint(
    evidence: Evidence, federation: Federation, *, operator_key: VerifyKey | OperatorKeys
) -> Iterator[Finding]:
    """Both steps; `federation` is the document of the question, used unless the file has one of the checkpoint."""
    if evidence.checkpoint is None:
        yield Finding(
            Verdict.OPEN,
            f"that {evidence.member} has not rewritten its ledger since: no signed checkpoint covers these entries",
        )
        return
    try:
        federation = _document(evidence, federation, operator_key)
    except (WireError, FederationError) as error:
        yield false("the federation document of the checkpoint is the operator's", error)
        return
    member = federation.members.get(evidence.member)
    wrong = "the member is not in the federation document" if member is None else _wrong_note(evidence, member)
    if wrong:  # (6)
        yield Finding(Verdict.FALSE, f"{evidence.member} signed this tree: checkpoint: {wrong}")
        return
    yield Finding(Verdict.PROVEN, f"{evidence.member} signed a checkpoint of this tree of {evidence.tree_size} entries")
    after = _after(evidence.checkpoint)
    if after is not None:
        yield Finding(Verdict.OPEN, lost_words(after))
    log = origin_of(federation.name, evidence.member)
    yield from _witnesses(
        evidence, federation, read_cosignatures(evidence.checkpoint, federation, evidence.witness_keys, log=log)
    )


def lost_words(after: Head) -> str:
    """What it means that a checkpoint follows an earlier epoch's head."""
    return (
        f"this ledger lost or replaced entries: it followed a head of {after.size} entries (epoch {after.epoch}, root"
        f" {after.root.hex()}) that this file does not lead to, so what it had on record before may have been otherwise"
    )


def seen_words(epoch: int, at: str) -> str:
    """What a cosignature says: of a later epoch nothing about the entries of the one before."""
    if epoch == FIRST_EPOCH:
        return f"at {at} it held all that it had seen before"
    return f"at {at} it held all that it had seen of epoch {epoch}, and named the head before, without its entries"


def _after(note: str) -> Head | None:
    """The head that a verified note says it follows."""
    return parse(read(note).text).after


def _document(evidence: Evidence, federation: Federation, operator_key: VerifyKey | OperatorKeys) -> Federation:
    """The one whose keys count; raises WireError, FederationError."""
    if evidence.checkpoint_document is None:
        return federation
    document = verify_document(evidence.checkpoint_document, operator_key=operator_key, now=None)
    if document.name != federation.name:
        raise NotForUs("checkpoint_document: the document is another federation's")
    return document


def _wrong_note(evidence: Evidence, member: Member) -> str:
    """What does not fit, in words; empty if the note says exactly this tree, and its log's key signed it."""
    try:
        checkpoint, _ = verify_by_any(evidence.checkpoint or "", log_keys(evidence.federation, member))
        head = checkpoint.head
    except NoteInvalid:
        return "the log's own key has not signed it"
    return "" if (head.size, head.root) == (evidence.tree_size, evidence.tree_root) else "it names another size or root"


def _witnesses(evidence: Evidence, federation: Federation, found: Cosignatures) -> Iterator[Finding]:
    """(7)"""
    epoch = parse(read(evidence.checkpoint or "").text).head.epoch
    names = origin_of(federation.name, "")
    for name in found.forged:
        witness = name.removeprefix(names)
        yield Finding(Verdict.FALSE, f"{witness} vouches for this tree: checkpoint: its cosignature does not hold")
    for each in found.vouched:
        yield Finding(
            Verdict.PROVEN,
            f"{each.witness.removeprefix(names)} vouches for this tree: {seen_words(epoch, when(each.time))}",
        )
    if found.unknown:
        yield Finding(
            Verdict.OPEN,
            f"who else cosigned: {found.unknown} more, by keys to which the federation document does not lead",
        )
    if not found.vouched:
        yield Finding(
            Verdict.OPEN,
            f"that {evidence.member} had not rewritten its ledger before it signed: no witness vouches for this tree",
        )
