"""`patchwork ledger why` has words for whatever an entry is."""

import pytest

from consent_ledger.kinds import ANSWERS, EntryKind
from gateway.fhir.audit_event import Auditor, audit_events
from gateway.reports.as_text import as_text
from gateway.reports.why import entry_words, why_document

BODY = {"at": 1_795_000_000.0}


@pytest.mark.parametrize("kind", [kind for kind in EntryKind if kind not in ANSWERS])
def test_an_entry_of_every_kind_is_told_in_words(kind: EntryKind) -> None:
    body = {**BODY, "kind": kind.value}
    text = as_text(why_document(17, "ab" * 32, body))
    assert "What it is" in text
    assert entry_words(body).split(",")[0] in text


def test_an_export_passes_over_a_filler_and_nothing_else_without_a_subject() -> None:
    auditor = Auditor(me="housing", federation="northshire", hub="hub", members={})
    assert list(audit_events(1, "ab" * 32, {**BODY, "kind": EntryKind.FILLER.value}, auditor)) == []
