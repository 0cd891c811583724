"""What an evidence file proves, said in words; without any node, network, clock or secret (docs/wire.md, "Evidence").

(1) the federation document is the operator's
(2) the question was signed by its asker, with a key in force then, under that document
(3) each answer was signed by its member likewise, to this very question
(4) the bundle is the one that was signed
(5) each ledger entry is in the tree, and says what question and answers say
(6) the tree is the one that a signed checkpoint names, and (7) these witnesses vouch for it: check_checkpoint.py
A step that fails is FALSE and says what does not fit; what cannot be known from the file is OPEN. Nothing is raised for
what a file says, however hostile.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from consent_ledger.errors import LedgerCorrupt
from consent_ledger.kinds import ANSWERS, EntryKind
from consent_ledger.merkle import ProofInvalid, leaf_hash, verify_inclusion
from consent_ledger.record import open_with_key, read_leaf
from gateway.errors import FederationError, NotForUs, WireError
from gateway.node.check_checkpoint import check_checkpoint
from gateway.node.evidence_file import Evidence, ProvedEntry
from gateway.node.findings import Finding, Verdict, false, when
from gateway.settings import MEMBER_ID
from gateway.wire.archive import ArchivedAnswer, check_reply, read_archived_answer, read_archived_query
from gateway.wire.federation import Federation, verify_document
from gateway.wire.hand_over import OperatorKeys
from gateway.wire.keys import VerifyKey
from gateway.wire.packing import inflate
from gateway.wire.query import SignedQuery

_MAX_TIME = 2**53
_OUTCOMES = {"teams": "a team was shown", "nothing-to-disclose": "nothing was disclosed"}


@dataclass(slots=True)
class _Read:
    """What has been verified so far."""

    federation: Federation
    question: SignedQuery | None = None
    answers: dict[str, ArchivedAnswer] | None = None


def check(evidence: Evidence, *, operator_key: VerifyKey | OperatorKeys | None) -> Iterator[Finding]:
    """All findings, in the order above; `operator_key` None takes the file's own, which proves nothing about it."""
    try:  # (1)
        federation = verify_document(evidence.document, operator_key=operator_key or evidence.operator_key, now=None)
        if federation.name != evidence.federation:
            raise NotForUs("federation: the document is another federation's")
    except (WireError, FederationError) as error:
        yield false("the federation document is the operator's", error)
        return
    yield Finding(
        Verdict.PROVEN if operator_key else Verdict.OPEN,
        f"the operator of {federation.name} signed federation document {federation.seq}"
        + ("" if operator_key else ": checked with the file's own key alone, so name the operator's by --operator-key"),
    )
    read = _Read(federation)
    yield from _question(evidence, read)  # (2)
    yield from _answers(evidence, read)  # (3)
    yield from _bundle(evidence, read)  # (4)
    held = list(check_checkpoint(evidence, federation, operator_key=operator_key or evidence.operator_key))  # (6), (7)
    signed = bool(held) and held[0].verdict is Verdict.PROVEN
    for entry in evidence.entries:  # (5)
        yield from _entry(evidence, entry, read, signed=signed)
    yield from _elsewhere(evidence, read)
    yield from held


def _question(evidence: Evidence, read: _Read) -> Iterator[Finding]:
    if evidence.question is None:
        yield Finding(Verdict.OPEN, "what was asked: only the member that asked keeps the question")
        return
    try:
        signed = read_archived_query(evidence.question, read.federation)
        if (signed.query.jti, signed.query.issuer) != (evidence.jti, evidence.member):
            raise NotForUs("jti or member: another question than the file is about")
    except WireError as error:
        yield false("the question is its asker's", error)
        return
    read.question = signed
    yield Finding(
        Verdict.PROVEN,
        f"{signed.query.issuer} signed the question, with a key then in force, at {when(signed.query.issued_at)}",
    )


def _answers(evidence: Evidence, read: _Read) -> Iterator[Finding]:
    read.answers = {}
    for member, token in evidence.answers.items():
        try:
            answer = read_archived_answer(token, read.federation)
            if (answer.issuer, answer.in_reply_to) != (member, evidence.jti):
                raise NotForUs("iss or in_reply_to: another member's answer, or to another question")
            if read.question is not None:
                check_reply(answer, read.question)
        except WireError as error:
            yield false(f"the answer is one of {_known(member, read)} to this question", error)
            continue
        read.answers[member] = answer
        yield Finding(
            Verdict.PROVEN,
            f"{answer.issuer} answered {answer.reader}: {_OUTCOMES[answer.outcome.value]}, signed with a key then in"
            f" force, at {when(answer.issued_at)}",
        )
    if not evidence.answers:
        yield Finding(Verdict.OPEN, "what was answered: no signed answer is in the file")


def _bundle(evidence: Evidence, read: _Read) -> Iterator[Finding]:
    """(4) One bundle, of the member whose file it is; the asker has deleted those that it was shown."""
    answer = (read.answers or {}).get(evidence.member)
    if evidence.bundle is None:
        if any(each.bundle_sha256 for each in (read.answers or {}).values()):
            yield Finding(Verdict.OPEN, "which people were named: the file has the bundle's hash, not the bundle")
        return
    try:
        if answer is None or answer.bundle_sha256 is None:
            raise NotForUs("bundle: no answer in the file discloses one")
        if hashlib.sha256(inflate(evidence.bundle)).hexdigest() != answer.bundle_sha256:
            raise NotForUs("bundle_sha256: another bundle than the one that was signed")
    except WireError as error:
        yield false("the bundle is the one that was disclosed", error)
        return
    yield Finding(Verdict.PROVEN, "the bundle is exactly what that answer disclosed")


def _entry(evidence: Evidence, entry: ProvedEntry, read: _Read, *, signed: bool) -> Iterator[Finding]:
    """(5) Anybody can make a leaf and a tree around it: an entry is the member's if the member has signed that tree, or
    an answer that names this very leaf.
    """
    what = f"entry {entry.seq} of the ledger of {evidence.member}"
    try:
        leaf = leaf_hash(entry.leaf)
        if read_leaf(entry.leaf).header.federation != evidence.federation:
            raise NotForUs("leaf: an entry of another federation")
        verify_inclusion(leaf, entry.seq, evidence.tree_size, entry.proof, evidence.tree_root)
        body = open_with_key(entry.leaf, entry.key)
        _check_body(evidence, body, leaf.hex(), read)
    except ProofInvalid as error:
        yield Finding(Verdict.FALSE, f"{what} is in the tree: proof: {error}")
        return
    except (LedgerCorrupt, WireError) as error:
        yield Finding(Verdict.FALSE, f"{what} says the same: {error}")
        return
    answer = (read.answers or {}).get(evidence.member)
    if signed or (answer is not None and answer.ledger_leaf == leaf.hex()):
        yield Finding(
            Verdict.PROVEN,
            f"{what} records the question as `{body['kind']}`, and is in a tree of this root: {_told(body)}",
        )
    else:
        yield Finding(
            Verdict.OPEN, f"{what}: nothing that {evidence.member} signed shows this entry, which says: {_told(body)}"
        )
    if body["kind"] in ANSWERS and answer is None:
        yield Finding(
            Verdict.OPEN,
            f"that this is about the question that you mean: compare its asker and hash with the question that"
            f" {_asker(body)} has, for two members may ask under one id",
        )


def _check_body(evidence: Evidence, body: dict[str, Any], leaf: str, read: _Read) -> None:
    """An entry says what question and answers say; raises NotForUs naming what differs."""
    if body.get("jti") != evidence.jti:
        raise NotForUs("leaf: an entry about another question")
    if read.question is not None and body["kind"] in ANSWERS:
        if _asker(body) != read.question.query.issuer:
            raise NotForUs("asker: the entry is about another member's question")
        if body.get("query_sha256") != read.question.sha256:
            raise NotForUs("query_sha256: the entry is about other bytes than the question in the file")
    match body["kind"]:
        case EntryKind.ASKED:
            same = {"query": body.get("query") == evidence.question}
        case EntryKind.RECEIVED:
            same = {"answers": body.get("answers") == evidence.answers}
        case EntryKind.ANSWERED | EntryKind.BREAK_GLASS:
            same = _same_answer((read.answers or {}).get(evidence.member), body, leaf)
        case _:
            raise NotForUs("leaf: an entry that records neither question nor answer")
    different = [name for name, is_same in same.items() if not is_same]
    if different:
        raise NotForUs(f"{different[0]}: the entry and the signed message differ")


def _same_answer(answer: ArchivedAnswer | None, body: dict[str, Any], leaf: str) -> dict[str, bool]:
    if answer is None:  # a refusal, of which the entry is all that is kept; (3) has named an answer that does not hold
        return {}
    asker = body.get("asker")
    return {
        "ledger_leaf": answer.ledger_leaf == leaf,
        "query_sha256": answer.query_sha256 == body.get("query_sha256"),
        "aud": isinstance(asker, dict) and asker.get("member") == answer.reader,
        "outcome": answer.outcome.value == body.get("outcome"),
        "bundle_sha256": answer.bundle_sha256 == body.get("bundle_sha256"),
    }


def _asker(body: dict[str, Any]) -> str:
    """The member that asked, if the entry says so in our form; it goes to a terminal."""
    asker = body.get("asker")
    member = asker.get("member") if isinstance(asker, dict) else None
    return member if isinstance(member, str) and re.fullmatch(MEMBER_ID, member) else "nobody named"


def _told(body: dict[str, Any]) -> str:
    """Who asked, what came of it, when, and the hash of the question, of an entry that may be anybody's."""
    at = body.get("at")
    said = [when(int(at)) if isinstance(at, int | float) and abs(at) < _MAX_TIME else "at no time"]
    if body["kind"] != EntryKind.RECEIVED:
        said.append(f"{_asker(body)} asked")
    if body["kind"] in ANSWERS:
        said.append(_OUTCOMES.get(str(body.get("outcome")), "an outcome that does not exist"))
    hashed = body.get("query_sha256")
    if isinstance(hashed, str) and re.fullmatch("[0-9a-f]{64}", hashed):
        said.append(f"the question's hash is {hashed}")
    return ", ".join(said)


def _elsewhere(evidence: Evidence, read: _Read) -> Iterator[Finding]:
    for answer in (read.answers or {}).values():
        if answer.issuer != evidence.member:
            yield Finding(
                Verdict.OPEN,
                f"that {answer.issuer} has its answer on record: ask it for its evidence, whose entry must have the"
                f" hash {answer.ledger_leaf}",
            )


def _known(member: str, read: _Read) -> str:
    """A name from the file only if the document has it."""
    return member if member in read.federation.members else "a member"
