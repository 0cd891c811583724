"""What a member of staff is told of answers that have left: about their own work, and what a report would show."""

from typing import Any

import pytest

from consent_ledger.kinds import KIND_CLASSES, EntryKind
from consent_ledger.read import Entry
from consent_ledger.record import LeafHeader
from gateway.node.answers_left import Left, answers_left
from mappings.vocabulary import Mode, Purpose

NOW = 1_790_000_000.0
HEADER = LeafHeader(KIND_CLASSES[EntryKind.ANSWERED], int(NOW) // 3600, "northshire")
MINE = {7: "meals"}
SHOWN = {"involvement": 7, "service": "meals", "effect": "permit", "mode": "practitioner", "rule": "r"}


def answered(*decisions: dict[str, Any], purpose: str = "COC", seq: int = 0, **body: Any) -> Entry:
    facts = {"kind": EntryKind.ANSWERED, "at": NOW - 60, "outcome": "teams", "purpose": purpose}
    facts |= {"asker": {"member": "housing", "name": "Alex Asker", "role": ""}, "decisions": list(decisions)}
    return Entry(seq=seq, leaf_hash="00" * 32, header=HEADER, body=facts | body)


def left(*entries: Entry) -> list[Left]:
    return answers_left(entries, MINE, now=NOW, hold_days=30)


def test_what_was_told_of_own_work_is_listed_and_nothing_of_other_work() -> None:
    other = {**SHOWN, "involvement": 8, "service": "CAMHS", "mode": "schedule"}
    assert left(answered(SHOWN, other)) == [Left(at=NOW - 60, member="housing", mode=Mode.PRACTITIONER)]
    assert left(answered(other)) == []
    assert left(answered({**SHOWN, "service": "CAMHS"})) == []  # the row's number is another's by now


@pytest.mark.parametrize("decision", [{**SHOWN, "mode": "callback"}, {**SHOWN, "effect": "deny", "reason": "no-rule"}])
def test_what_told_the_asker_nothing_has_not_left(decision: dict[str, Any]) -> None:
    assert left(answered(decision)) == []
    assert left(answered(SHOWN, outcome="nothing-to-disclose")) == []


@pytest.mark.parametrize("purpose", [Purpose.SAFEGUARDING, Purpose.BREAK_GLASS])
def test_what_a_report_would_hold_back_is_not_listed_either(purpose: Purpose) -> None:
    assert left(answered(SHOWN, purpose=purpose)) == []
    decision = {"kind": EntryKind.REPORT_DECISION, "at": NOW, "about": 0, "show": False, "until": "2099-01-01"}
    assert left(answered(SHOWN), Entry(seq=1, leaf_hash="00" * 32, header=HEADER, body=decision)) == []
