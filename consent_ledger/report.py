"""What an access report holds: entries about one person in, a model of the report out. Pure.

(1) the newest decision of an officer says of each entry whether reports show it
(2) without one, break-glass and safeguarding questions, and looks for such a reason, are held back while they are new:
    the person may live with whoever is asked about
(3) what is withheld leaves nothing behind: no number, no count, no gap
(4) officers' decisions about reports, and refused attempts to join two records, are nobody's business but theirs
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

from consent_ledger.case import CaseId, Step
from consent_ledger.consent import ConsentEntry, ConsentKind, from_body
from consent_ledger.entries import Correction
from consent_ledger.kinds import ANSWERS, EntryKind
from consent_ledger.read import Entry
from mappings.vocabulary import Mode, Purpose

HELD_PURPOSES = (Purpose.BREAK_GLASS, Purpose.SAFEGUARDING)


@dataclass(frozen=True, slots=True)
class Shared:
    """One involvement that left: a service code (may be empty), how much, by which rule."""

    service: str
    mode: Mode
    rule: str
    against_objection: bool


@dataclass(frozen=True, slots=True)
class Followed:
    """How a case that the question opened ended, as coded: permit, refuse, called, not-called; or a Finding."""

    at: float
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionAsked:
    """One question about the person. `at` in epoch seconds; `agreement` is (uri, version), None if none was weighed.

    `because`: if nothing was shared, why (reasons as coded; `review`, `callback`: a colleague was told);
    empty where no service of this agency was with the person.
    """

    at: float
    member: str
    name: str
    role: str
    purpose: str
    break_glass: bool
    lawful_basis: str
    agreement: tuple[str, str] | None
    shared: tuple[Shared, ...]
    because: tuple[str, ...]
    followed: tuple[Followed, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A day on which one of this agency's own staff opened the person's page here, and why as they stated it."""

    at: float
    name: str
    role: str
    purpose: str
    lawful_basis: str


@dataclass(frozen=True, slots=True)
class Statement:
    """A consent, withdrawal or objection, and when it was recorded."""

    at: float
    entry: ConsentEntry


@dataclass(frozen=True, slots=True)
class CorrectionMade:
    """An officer's decision that two of this agency's records are about the person, or are not."""

    at: float
    correction: Correction


@dataclass(frozen=True, slots=True)
class Release:
    """A report that was given out before."""

    at: float
    to: str
    relation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessReport:
    """Everything in ledger order; numbers in a rendering are its own."""

    questions: tuple[QuestionAsked, ...]
    looks: tuple[Look, ...] = ()
    statements: tuple[Statement, ...]
    corrections: tuple[CorrectionMade, ...]
    releases: tuple[Release, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldBack:
    """For the officer alone: seqs left out by a decision, and those that wait for one."""

    withheld: tuple[int, ...] = ()
    undecided: tuple[int, ...] = ()


def access_report(
    entries: Iterable[Entry], *, now: datetime, today: date, hold_days: int
) -> tuple[AccessReport, HeldBack]:
    """The report on one person's entries (under all their ids, in ledger order), and what it leaves out.

    `today` is the officer's calendar day, by which withholding ends; entries whose key is gone are not there.
    """
    opened = [(entry.seq, entry.body) for entry in entries if entry.body is not None]
    decided = {body["about"]: body for _, body in opened if body["kind"] == EntryKind.REPORT_DECISION}  # (1)
    for seq, other in _twins(opened):
        if other in decided:
            decided.setdefault(seq, decided[other])
    held_since = (now - timedelta(days=hold_days)).timestamp()
    withheld: list[int] = []
    undecided: list[int] = []
    shown: list[tuple[int, Mapping[str, Any]]] = []
    for seq, body in opened:
        decision = decided.get(seq)
        if decision is not None and not decision["show"] and today <= date.fromisoformat(decision["until"]):
            withheld.append(seq)
        elif _is_new_and_risky(body, held_since) and not (decision is not None and decision["show"]):  # (2)
            undecided.append(seq)
        else:
            shown.append((seq, body))  # (3)
    followed = _followed(body for _, body in shown)
    report = AccessReport(
        questions=tuple(
            _question(body, tuple(followed.get(seq, ()))) for seq, body in shown if body["kind"] in ANSWERS
        ),
        looks=tuple(_look(body) for _, body in shown if body["kind"] == EntryKind.LOOKED),
        statements=tuple(_statements(shown)),
        corrections=tuple(_corrections(body for _, body in shown)),
        releases=tuple(
            Release(body["at"], body["to"], body["relation"]) for _, body in shown if body["kind"] == EntryKind.RELEASE
        ),
    )
    return report, HeldBack(withheld=tuple(withheld), undecided=tuple(undecided))


def formerly_joined(entries: Iterable[Entry], person_ids: Iterable[int]) -> tuple[int, ...]:
    """Ids that officers once made one person with these, and that no longer are: entries of then stand with them."""
    joined: set[int] = set()
    for entry in entries:
        if entry.body is not None and entry.body.get("correction") == Correction.SAME:
            joined |= {entry.body["person_id"], entry.body["other_id"]}
    return tuple(sorted(joined - set(person_ids)))


def _twins(opened: list[tuple[int, Mapping[str, Any]]]) -> Iterable[tuple[int, int]]:
    """A correction stands with both records; if both are this person's, what is decided of one entry holds for both."""
    for (seq, body), (other, beside) in pairwise(opened):
        if other == seq + 1 and body["kind"] == beside["kind"] == EntryKind.CORRECTION and _same(body, beside):
            yield from ((seq, other), (other, seq))


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return all(one[field] == other[field] for field in ("person_id", "other_id", "correction"))


def _is_new_and_risky(body: Mapping[str, Any], held_since: float) -> bool:
    about_them = body["kind"] in ANSWERS or body["kind"] == EntryKind.LOOKED
    return about_them and body["purpose"] in HELD_PURPOSES and body["at"] > held_since


def _followed(bodies: Iterable[Mapping[str, Any]]) -> dict[int, list[Followed]]:
    """By the entry of the question: how its cases ended."""
    found: dict[int, list[Followed]] = defaultdict(list)
    for body in bodies:
        if body["kind"] in (EntryKind.CASE, EntryKind.FINDING) and body["step"] in (Step.DECIDED, Step.CLOSED):
            said = body["decision"] if body["step"] == Step.DECIDED else body["finding"]
            found[CaseId.read(body["case"]).opened_seq].append(Followed(body["at"], said))
    return found


def _question(body: Mapping[str, Any], followed: tuple[Followed, ...]) -> QuestionAsked:
    weighed = body.get("question") or {}
    decisions = body.get("decisions") or ()
    permits = [decision for decision in decisions if shows(decision)]
    left = body["outcome"] == "teams"
    return QuestionAsked(
        at=body["at"],
        member=body["asker"]["member"],
        name=body["asker"]["name"],
        role=body["asker"]["role"],
        purpose=body["purpose"],
        break_glass=body["purpose"] == Purpose.BREAK_GLASS or bool(weighed.get("break_glass")),
        lawful_basis=weighed.get("lawful_basis", ""),
        agreement=tuple(weighed["agreement"]) if weighed.get("agreement") else None,
        shared=tuple(map(_shared, permits)) if left else (),
        because=() if left else _because(decisions),
        followed=followed,
    )


def _look(body: Mapping[str, Any]) -> Look:
    return Look(
        at=body["at"],
        name=body["name"],
        role=body["role"],
        purpose=body["purpose"],
        lawful_basis=body["lawful_basis"],
    )


def shows(decision: Mapping[str, Any]) -> bool:
    """Whether a decision let anything be seen: a call-back tells the service, and the asker nothing."""
    return decision.get("effect") == "permit" and Mode.from_code(decision["mode"]) >= Mode.DUTY_CONTACT


def _because(decisions: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """Reasons of refusals; `permit` only if there was none: then what was permitted showed nothing."""
    said = tuple(dict.fromkeys(_why_not(decision) for decision in decisions))
    return tuple(each for each in said if each != "permit") or said


def _why_not(decision: Mapping[str, Any]) -> str:
    if decision["effect"] == "permit" and decision["mode"] == Mode.CALLBACK.code:
        return "callback"
    return str(decision.get("reason") or decision["effect"])


def _shared(decision: Mapping[str, Any]) -> Shared:
    return Shared(
        decision.get("service", ""),
        Mode.from_code(decision["mode"]),
        decision["rule"],
        bool(decision.get("against_objection")),
    )


def _statements(shown: Iterable[tuple[int, Mapping[str, Any]]]) -> Iterable[Statement]:
    kinds = frozenset(ConsentKind)
    for seq, body in shown:
        if body["kind"] in kinds:
            yield Statement(body["at"], from_body(seq, ConsentKind(body["kind"]), body))


def _corrections(bodies: Iterable[Mapping[str, Any]]) -> Iterable[CorrectionMade]:
    """Each once, though it stands with both records, which may both be the person's by now."""
    last: Mapping[str, Any] | None = None
    for body in bodies:
        if body["kind"] != EntryKind.CORRECTION or body["correction"] == Correction.REFUSED:  # (4)
            continue
        if last is None or not _same(last, body):
            yield CorrectionMade(body["at"], Correction(body["correction"]))
        last = body
