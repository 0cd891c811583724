"""What an access report holds, from entries alone: nothing withheld leaves a trace, nothing else is left out."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent_ledger.consent import ConsentEntry, ConsentKind, to_body
from consent_ledger.entries import Correction, CorrectionEntry
from consent_ledger.governance import ReleaseEntry, ReportDecision
from consent_ledger.kinds import KIND_CLASSES, EntryKind
from consent_ledger.read import Entry
from consent_ledger.record import LeafHeader
from consent_ledger.report import AccessReport, HeldBack, access_report, formerly_joined
from mappings.vocabulary import Mode

from .conftest import START, answered

NOW = datetime.fromtimestamp(START, UTC)
TODAY = NOW.date()
PERMIT = {"effect": "permit", "rule": "r1", "mode": "practitioner", "service": "meals", "against_objection": False}
OBJECTED = {"effect": "deny", "rule": "r1", "reason": "objection", "service": "meals"}


def entry(seq: int, kind: EntryKind, body: dict[str, Any], *, days_ago: float = 100) -> Entry:
    at = (NOW - timedelta(days=days_ago)).timestamp()
    header = LeafHeader(KIND_CLASSES[kind], int(at) // 3600, "northshire")
    return Entry(seq=seq, leaf_hash="00" * 32, header=header, body={**body, "kind": kind.value, "at": at})


def question(seq: int, purpose: str = "COC", *, days_ago: float = 100, decisions: tuple[Any, ...] = (PERMIT,)) -> Entry:
    outcome = "teams" if decisions == (PERMIT,) else "nothing-to-disclose"
    weighed = {"lawful_basis": "public-task", "agreement": ["https://example.org/a", "1"], "break_glass": None}
    body = answered(f"j{seq}", purpose=purpose, outcome=outcome, question=weighed, decisions=decisions).body()
    return entry(seq, EntryKind.ANSWERED, body, days_ago=days_ago)


def decision(seq: int, about: int, *, show: bool, until: str = "") -> Entry:
    body = ReportDecision(about=about, show=show, reason="refuge", by="officer", until=until).body()
    return entry(seq, EntryKind.REPORT_DECISION, body, days_ago=1)


def made(*entries: Entry, hold_days: int = 30) -> tuple[AccessReport, HeldBack]:
    return access_report(entries, now=NOW, today=TODAY, hold_days=hold_days)


def test_question_is_told_with_what_was_shared_and_by_which_rule() -> None:
    (told,) = made(question(0))[0].questions
    assert (told.member, told.name, told.purpose) == ("childrens-services", "Asker One", "COC")
    assert [(each.service, each.mode, each.rule) for each in told.shared] == [("meals", Mode.PRACTITIONER, "r1")]
    assert told.agreement == ("https://example.org/a", "1")
    assert not told.because


def test_refused_question_says_why_and_shares_nothing_even_if_one_involvement_was_permitted() -> None:
    (told,) = made(question(0, decisions=(OBJECTED, OBJECTED, PERMIT)))[0].questions
    assert told.shared == ()
    assert told.because == ("objection",)


@pytest.mark.parametrize("purpose", ["THREAT", "BTG"])
def test_new_question_about_a_risk_waits_for_an_officer(purpose: str) -> None:
    new, old = question(3, purpose, days_ago=29.9), question(2, purpose, days_ago=30.1)
    report, held = made(old, new)
    assert (len(report.questions), held.undecided, held.withheld) == (1, (3,), ())
    report, held = made(old, new, decision(4, 3, show=True))
    assert (len(report.questions), held) == (2, HeldBack())
    assert len(made(old, new, hold_days=0)[0].questions) == 2


def test_withheld_entry_is_as_if_it_had_never_been() -> None:
    whole = [question(0), question(1), question(5, "PATRQT")]
    without = made(whole[0], whole[2])[0]
    report, held = made(*whole, decision(6, 1, show=False, until=TODAY.isoformat()))
    assert report == without
    assert held.withheld == (1,)


def test_newest_decision_counts_and_withholding_ends() -> None:
    until = (TODAY - timedelta(days=1)).isoformat()
    assert len(made(question(0), decision(1, 0, show=False, until=until))[0].questions) == 1
    later = TODAY.isoformat()
    assert not made(question(0), decision(1, 0, show=True), decision(2, 0, show=False, until=later))[0].questions
    assert made(question(0), decision(1, 0, show=False, until=later), decision(2, 0, show=True))[0].questions
    # A risk that has been withheld and has ended is held back again while it is new.
    report, held = made(question(0, "THREAT", days_ago=3), decision(1, 0, show=False, until=until))
    assert (report.questions, held.undecided) == ((), (0,))


@given(st.permutations(list(EntryKind)))
def test_no_decision_about_reports_is_ever_in_one(kinds: list[EntryKind]) -> None:
    later = TODAY.isoformat()
    entries = [question(0), *(decision(seq + 1, seq, show=False, until=later) for seq, _ in enumerate(kinds))]
    assert made(*entries)[0] == made()[0]


def test_consents_corrections_and_earlier_reports_are_told_once_each() -> None:
    same = CorrectionEntry(person_id=7, other_id=8, correction=Correction.SAME, by="b", reason="r").body()
    refused = {**same, "correction": Correction.REFUSED.value}
    release = ReleaseEntry(by="b", to="Kit", relation="person", identity="seen", authority="", forms=("pdf",))
    report, _ = made(
        entry(0, EntryKind.OBJECTION, to_body(ConsentEntry(kind=ConsentKind.OBJECTION, recorded_by="desk"))),
        entry(1, EntryKind.CORRECTION, same),
        entry(2, EntryKind.CORRECTION, same),
        entry(3, EntryKind.CORRECTION, refused),
        entry(4, EntryKind.RELEASE, release.body()),
    )
    assert [each.entry.kind for each in report.statements] == [ConsentKind.OBJECTION]
    assert [each.correction for each in report.corrections] == [Correction.SAME]
    assert [each.to for each in report.releases] == ["Kit"]


def looked(seq: int, purpose: str = "COC", *, days_ago: float = 100) -> Entry:
    body = {"by": "0" * 32, "name": "Nour Own", "role": "Nurse", "purpose": purpose, "lawful_basis": "public-task"}
    return entry(seq, EntryKind.LOOKED, body, days_ago=days_ago)


def test_a_look_by_own_staff_is_told_withheld_and_held_back_like_a_question() -> None:
    (told,) = made(question(0), looked(1))[0].looks
    assert (told.name, told.role, told.purpose) == ("Nour Own", "Nurse", "COC")
    report, held = made(looked(1), decision(2, 1, show=False, until=TODAY.isoformat()))
    assert (report, held.withheld) == (made()[0], (1,))
    report, held = made(looked(1, "THREAT", days_ago=3))
    assert (report.looks, held.undecided) == ((), (1,))


@pytest.mark.parametrize("about", [1, 2])
def test_correction_that_stands_twice_is_withheld_whichever_entry_was_named(about: int) -> None:
    same = CorrectionEntry(person_id=7, other_id=8, correction=Correction.SAME, by="b", reason="r").body()
    both = [entry(seq, EntryKind.CORRECTION, same) for seq in (1, 2)]
    report, held = made(*both, decision(3, about, show=False, until=TODAY.isoformat()))
    assert report.corrections == ()
    assert held.withheld == (1, 2)


def test_emergency_is_a_question_and_its_review_and_a_call_are_told_with_it() -> None:
    broken = answered("j1", purpose="BTG", question={"break_glass": "life"}, decisions=(PERMIT,))
    closed = {"case": "break-glass-1", "step": "closed", "finding": "justified", "by": "W", "words": "w"}
    called = {"case": "call-back-2", "step": "decided", "decision": "called", "by": "W", "reason": "r"}
    told = {"case": "call-back-2", "step": "told", "to": "duty manager", "days": 7}
    asked = question(2, decisions=({**PERMIT, "mode": "callback"}, OBJECTED))
    entries = [
        entry(1, broken.kind, broken.body()),
        asked,
        entry(3, EntryKind.CASE, told),
        entry(4, EntryKind.FINDING, closed),
        entry(5, EntryKind.CASE, called),
    ]
    emergency, call = made(*entries)[0].questions
    assert emergency.break_glass
    assert emergency.shared
    assert [each.said for each in emergency.followed] == ["justified"]
    assert call.because == ("callback", "objection")
    assert [each.said for each in call.followed] == ["called"]
    # Withheld, it takes what followed along.
    withheld = made(*entries, decision(6, 2, show=False, until=TODAY.isoformat()))[0]
    assert withheld == made(*[each for each in entries if each.seq in {1, 4}])[0]


def test_records_once_joined_are_named_to_the_officer() -> None:
    same = CorrectionEntry(person_id=7, other_id=8, correction=Correction.SAME, by="b", reason="r").body()
    entries = [entry(1, EntryKind.CORRECTION, same)]
    assert formerly_joined(entries, [7]) == (8,)
    assert formerly_joined(entries, [7, 8]) == ()


def test_withholding_has_an_end() -> None:
    with pytest.raises(ValueError, match="until a day"):
        ReportDecision(about=1, show=False, reason="refuge", by="officer")
