"""Every code that a report may meet has words, and no text from elsewhere is read as markup."""

from datetime import UTC

import pytest

from consent_ledger.consent import ConsentEntry, ConsentKind, Provision, Relation
from consent_ledger.entries import Correction
from consent_ledger.report import CLOSED, AccessReport, QuestionAsked, Release, Shared, Statement
from gateway.node.cases import Ruling
from gateway.policy.decide import Reason
from gateway.reports.access import ALWAYS_SAID, Setting, access_document
from gateway.reports.as_html import as_html
from gateway.reports.as_pdf import as_pdf
from gateway.reports.as_text import as_text
from gateway.reports.document import Document
from gateway.reports.words import (
    BASES,
    CORRECTIONS,
    FOLLOWED,
    GRADES,
    MODES,
    PURPOSES,
    REASONS,
    RELATIONS,
    SIGN_IN,
    STATEMENTS,
    service_words,
)
from mappings.vocabulary import AuthMethod, LawfulBasis, MatchGrade, Mode, Purpose

HOSTILE = "<b>#eval(read(\"/etc/passwd\"))</b> *x* $y$ [z] \\u{1f} \x1b[31m\u202e& 'q'"
SETTING = Setting(agency="Orchard Homes", about="the person with the number T1", made_at=0.0, by_role=False, zone=UTC)


def report(**changes: object) -> AccessReport:
    facts = {"questions": (), "statements": (), "corrections": (), "releases": ()}
    return AccessReport(**(facts | changes))  # type: ignore[arg-type]  # fields by name


def asked(**changes: object) -> QuestionAsked:
    facts = {
        "at": 0.0,
        "member": "m",
        "name": "Alex Asker",
        "role": "Social worker",
        "purpose": "COC",
        "break_glass": False,
        "lawful_basis": "public-task",
        "agreement": ("https://example.org/a", "1"),
        "shared": (),
        "because": (),
    }
    return QuestionAsked(**(facts | changes))  # type: ignore[arg-type]  # fields by name


def test_every_code_has_words() -> None:
    assert set(PURPOSES) == set(Purpose)
    assert set(BASES) == set(LawfulBasis)
    assert set(MODES) == set(Mode)
    assert set(REASONS) == {*Reason, "review", "callback", "permit"}
    assert set(FOLLOWED) == {*Ruling, CLOSED}
    assert set(STATEMENTS) == set(ConsentKind)
    assert set(RELATIONS) == set(Relation)
    assert set(CORRECTIONS) == {*Correction} - {Correction.REFUSED}
    assert set(GRADES) == set(MatchGrade)
    assert set(SIGN_IN) == set(AuthMethod)


@pytest.mark.parametrize(
    ("code", "words"), [("CAMHS", "CAMHS"), ("SEN-high-school", "SEN high school"), ("", "a service")]
)
def test_service_codes_read_as_words(code: str, words: str) -> None:
    assert service_words(code) == words


def hostile() -> Document:
    """Every text that others can choose, at its worst."""
    line = Provision(permit=True, mode=Mode.SCHEDULE, recipients=(HOSTILE,), services=(HOSTILE,))
    said = ConsentEntry(kind=ConsentKind.CONSENT, provisions=(line,), method=HOSTILE, recorded_by=HOSTILE)
    question = asked(
        name=HOSTILE,
        role=HOSTILE,
        member=HOSTILE,
        agreement=(HOSTILE, HOSTILE),
        shared=(Shared(HOSTILE, Mode.SCHEDULE, HOSTILE, False),),
    )
    return access_document(
        report(questions=(question,), statements=(Statement(0.0, said),), releases=(Release(0.0, HOSTILE, "parent"),)),
        SETTING,
    )


def test_text_from_elsewhere_is_text_in_every_form() -> None:
    document = hostile()
    page = as_html(document).decode()
    assert "<b>" not in page
    assert "&lt;b&gt;#eval(" in page
    text = as_text(document)
    assert "\x1b" not in text + page
    assert "\u202e" not in text + page
    assert "<b>#eval(" in text
    assert b"pdfuaid:part>1<" in as_pdf(document)  # had it been read as markup, Typst would have failed


def test_emergency_access_is_marked_in_every_form() -> None:
    document = access_document(report(questions=(asked(purpose="BTG", break_glass=True),)), SETTING)
    for form in (as_text(document), as_html(document).decode()):
        assert "Emergency access: the usual limits were set aside" in form


def test_refusal_to_show_more_names_where_it_begins() -> None:
    objection = ConsentEntry(
        kind=ConsentKind.OBJECTION, provisions=(Provision(permit=False, mode=Mode.SCHEDULE, recipients=("police",)),)
    )
    text = " ".join(as_text(access_document(report(statements=(Statement(0.0, objection),)), SETTING)).split())
    assert "the dates of the last contact and the next visit, and anything more; for police" in text


def test_every_report_has_the_same_word_on_what_may_be_missing_and_an_empty_one_says_that_it_is() -> None:
    text = " ".join(as_text(access_document(report(), SETTING)).split())
    assert ALWAYS_SAID in text
    assert "There is no question to show." in text
    assert "Nothing has been recorded here." in text
