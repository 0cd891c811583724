"""Every code that a report may meet has words, and no text from elsewhere is read as markup."""

from dataclasses import replace
from datetime import UTC

import pytest

from consent_ledger.consent import ConsentEntry, ConsentKind, Provision, Relation
from consent_ledger.entries import Correction
from consent_ledger.report import AccessReport, QuestionAsked, Release, Shared, Statement
from gateway.node.cases import Ruling
from gateway.policy.decide import Reason
from gateway.reports.access import ALWAYS_SAID, ERASED_SAID, IN_DOUBT, RESTORED, Setting, access_document
from gateway.reports.as_html import as_html
from gateway.reports.as_pdf import as_pdf
from gateway.reports.as_text import as_text
from gateway.reports.clauses import agreement_names, clause_words
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
    SERVICES,
    SIGN_IN,
    STATEMENTS,
    service_words,
)
from mappings.value_sets import shared as value_set
from mappings.vocabulary import AuthMethod, Finding, LawfulBasis, MatchGrade, Mode, Purpose
from tests.agreement_texts import agreed, rule

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
    assert set(FOLLOWED) == {*Ruling, *Finding}
    assert set(STATEMENTS) == set(ConsentKind)
    assert set(RELATIONS) == set(Relation)
    assert set(CORRECTIONS) == {*Correction} - {Correction.REFUSED}
    assert set(GRADES) == set(MatchGrade)
    assert set(SIGN_IN) == set(AuthMethod)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("CAMHS", "child and adolescent mental health services (CAMHS)"),
        ("end-of-life-care", "end of life care"),
        ("NEW-day-centre", "NEW day centre"),
        ("", "a service"),
    ],
)
def test_service_codes_read_as_words(code: str, words: str) -> None:
    assert service_words(code) == words


def test_only_codes_that_exist_are_spelt_out() -> None:
    codes = value_set("service")
    assert codes is not None
    assert set(SERVICES) <= set(codes.codes.values())


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


def test_every_report_has_the_same_words_on_what_may_be_missing_and_an_empty_one_claims_nothing() -> None:
    text = " ".join(as_text(access_document(report(), SETTING)).split())
    assert ALWAYS_SAID in text
    assert ERASED_SAID in text
    assert "There is no question to show here." in text
    assert "There is nothing to show here." in text
    assert "recorded here" not in text  # for it may have been, and have been erased or withheld


def test_a_clause_about_several_services_names_those_alone_that_were_shared() -> None:
    agreement = agreed(rule("everyday", services=["CAMHS", "YOS", "health-visiting"]))
    shown = replace(SETTING, clauses=clause_words([agreement]))
    question = asked(
        agreement=(agreement.uri, agreement.version),
        shared=(Shared("health-visiting", Mode.SCHEDULE, "everyday", False),),
    )
    clause = as_text(access_document(report(questions=(question,)), shown)).partition("Clause that allowed it:")[2]
    assert "from health visiting" in " ".join(clause.split())
    assert "CAMHS" not in clause
    assert "mental health" not in clause


def test_doubt_about_the_record_stands_out_in_every_form() -> None:
    document = access_document(report(), replace(SETTING, in_doubt=True, restored=(1_777_800_000,)))
    text, page = as_text(document), as_html(document).decode()
    for said in (IN_DOUBT, RESTORED.format(day="3 May 2026")):
        assert f"*** {said} ***" in " ".join(text.split())
        assert f'<p class="mark warning">{said}</p>' in page
    assert text.index("***") < text.index("This report lists")
    assert len(as_pdf(document)) > len(as_pdf(access_document(report(), SETTING)))
    assert "in doubt" not in as_text(access_document(report(), SETTING))


def test_a_clause_is_told_in_words_where_the_agreement_is_at_hand_and_times_with_their_zone() -> None:
    agreement = agreed(rule("everyday"))
    at_hand = replace(SETTING, agreements=agreement_names([agreement]), clauses=clause_words([agreement]))
    question = asked(
        agreement=(agreement.uri, agreement.version), shared=(Shared("CAMHS", Mode.SCHEDULE, "everyday", False),)
    )
    text = " ".join(as_text(access_document(report(questions=(question,)), at_hand)).split())
    assert f"Data sharing agreement: {agreement.name}, version {agreement.version}" in text
    assert f'at most: {MODES[agreement.rules[0].mode]} (there called "everyday")' in text
    assert " from " not in text.partition("Clause that allowed it:")[2].partition("(there called")[0]
    assert "1. 1 January 1970, 00:00 UTC" in text
    without = " ".join(as_text(access_document(report(questions=(question,)), SETTING)).split())
    assert 'Clause that allowed it: "everyday"' in without
    assert f"Data sharing agreement: {agreement.uri}, version {agreement.version}" in without
