"""Codes of decisions, consents and questions as a client or an officer reads them. Plain English; British spelling."""

from collections.abc import Mapping
from typing import Final

from consent_ledger.consent import ConsentKind, Relation
from consent_ledger.entries import Correction
from gateway.policy.decide import Reason
from mappings.vocabulary import AuthMethod, BreakGlassReason, Finding, LawfulBasis, MatchGrade, Mode, Purpose

PURPOSES: Final[Mapping[str, str]] = {
    Purpose.COORDINATION: "to find out who else is working with you, so that care and support fit together",
    Purpose.TREATMENT: "to treat you",
    Purpose.EMERGENCY_TREATMENT: "to treat you in an emergency",
    Purpose.SAFEGUARDING: "to keep you or somebody else safe (safeguarding)",
    Purpose.BREAK_GLASS: "an emergency in which the usual limits were set aside",
    Purpose.SUBJECT_REQUEST: "because you asked for it",
}

BASES: Final[Mapping[str, str]] = {
    LawfulBasis.CONSENT: "consent",
    LawfulBasis.LEGAL_OBLIGATION: "a duty in law",
    LawfulBasis.PUBLIC_TASK: "a public task given to them by law",
    LawfulBasis.VITAL_INTERESTS: "to protect somebody's life",
    LawfulBasis.LEGITIMATE_INTERESTS: "a legitimate interest",
}

MODES: Final[Mapping[Mode, str]] = {
    Mode.NONE: "nothing",
    Mode.CALLBACK: "that a colleague would like a call",
    Mode.DUTY_CONTACT: "how to reach the team on duty",
    Mode.PRACTITIONER: "who works with you, and how to reach them",
    Mode.SCHEDULE: "who works with you, how to reach them, and the dates of the last contact and the next visit",
}

# Why nothing was shared, to follow "because".
REASONS: Final[Mapping[str, str]] = {
    Reason.GRADE_TOO_LOW: "we could not be sure enough that the question was about you",
    Reason.BREAK_GLASS_MISMATCH: "the emergency was not stated as it has to be",
    Reason.NOTHING_REQUESTED: "the question asked for nothing",
    Reason.NO_AGREEMENT: "no agreement with that agency was in force",
    Reason.OTHER_AGREEMENT: "the agreement with that agency is another one",
    Reason.NOT_IN_FORCE: "the agreement with that agency was not in force",
    Reason.PERSON_RESTRICTED: "your record is marked as one that we do not share",
    Reason.NOT_CURRENT: "no service of ours was working with you at the time",
    Reason.INVOLVEMENT_CLOSED: "the service concerned does not share this",
    Reason.NO_RULE: "the agreement does not allow it",
    Reason.AUTH_TOO_WEAK: "whoever asked had not proved well enough who they are",
    Reason.DENIED_BY_RULE: "the agreement forbids it",
    Reason.SHIELDED: "the service concerned needs your own agreement, and did not have it",
    Reason.NO_CONSENT: "you had not agreed to it",
    Reason.OBJECTION: "you had objected to it",
    "review": "a colleague here had to decide first",
    "callback": "the service concerned is told of the question, and decides whether to call",
    "permit": "there was nothing that could be shown",
}

# How a colleague ended it later: docs/policy.md, "Cases".
FOLLOWED: Final[Mapping[str, str]] = {
    "permit": "a colleague here looked at the question and decided that whoever asked may be told, by telephone",
    "refuse": "a colleague here looked at the question and decided that nothing is told",
    "called": "a colleague here called whoever asked",
    "not-called": "a colleague here decided not to call",
    Finding.JUSTIFIED: "the emergency access was looked into here, and found justified",
    Finding.TOO_MUCH: "the emergency access was looked into here: the reason was good, but less would have been enough",
    Finding.NOT_JUSTIFIED: "the emergency access was looked into here, and found not justified",
    Finding.MISUSE: "the emergency access was looked into here, and found to be misuse",
}

# What a page shows to a colleague here who works with the client.
LOOKED: Final = (
    "your name and birth date, which colleagues here work with you as far as they may know it, and how to reach them"
)

# And to the officer who makes a report like the one in which this stands.
LOOKED_TO_REPORT: Final = "your name and birth date, and what was on record about you for a report like this one"

STATEMENTS: Final[Mapping[ConsentKind, str]] = {
    ConsentKind.CONSENT: "Consent to share",
    ConsentKind.WITHDRAWAL: "Consent taken back",
    ConsentKind.OBJECTION: "Objection to sharing",
}

RELATIONS: Final[Mapping[Relation, str]] = {
    Relation.PERSON: "you",
    Relation.PARENT: "a parent",
    Relation.GUARDIAN: "a guardian",
    Relation.ATTORNEY: "an attorney",
}

CORRECTIONS: Final[Mapping[Correction, str]] = {
    Correction.SAME: "We decided that two of our records are both about you.",
    Correction.NOT_SAME: "We decided that another record is not about you.",
    Correction.SAME_TAKEN_BACK: "We took back a decision that two of our records are both about you.",
    Correction.NOT_SAME_TAKEN_BACK: "We took back a decision that another record is not about you.",
}

GRADES: Final[Mapping[str, str]] = {
    MatchGrade.CERTAIN: "certain that it was this person",
    MatchGrade.PROBABLE: "nearly certain that it was this person",
    MatchGrade.POSSIBLE: "possibly this person",
    MatchGrade.CERTAINLY_NOT: "not this person",
}

# What of somebody is compared.
FIELDS: Final[Mapping[str, str]] = {
    "given": "given name",
    "family": "family name",
    "middle": "middle name",
    "birth": "birth date",
    "postcode": "postcode",
    "nhs-number": "NHS number",
}

DANGERS: Final[Mapping[str, str]] = {
    BreakGlassReason.RISK_TO_LIFE: "somebody's life is at risk",
    BreakGlassReason.IMMEDIATE_DANGER: "somebody is in immediate danger",
    BreakGlassReason.CHILD_AT_RISK: "a child is at risk of serious harm",
    BreakGlassReason.ADULT_AT_RISK: "an adult who cannot protect themselves is at risk of serious harm",
    BreakGlassReason.MISSING_PERSON: "somebody is missing",
}

# Those of the agreements that come with the product; others are free to name their own.
OBLIGATIONS: Final[Mapping[str, str]] = {
    "delete-after-24-hours": "what was told is deleted after 24 hours",
    "inform-subject-unless-risk": "the person is told, unless that would put somebody at risk",
    "tell-the-person": "the person is told",
}

SIGN_IN: Final[Mapping[str, str]] = {
    AuthMethod.OPERATING_SYSTEM: "with an account on their agency's machine",
    AuthMethod.PASSWORD: "with a password",
    AuthMethod.MFA: "with a password and a second proof",
}


# MAIS service codes that do not say their name when their hyphens are blanks (mappings/value_sets/service.toml).
SERVICES: Final[Mapping[str, str]] = {
    "CAMHS": "child and adolescent mental health services (CAMHS)",
    "youth-offending": "the youth offending team",
    "SEN-primary-school": "a primary school with special educational needs services",
    "SEN-high-school": "a high school with special educational needs services",
    "alternative-provision-school": "a school of alternative provision",
    "home-support-domiciliary": "home support (domiciliary care)",
    "direct-payment": "direct payments for care",
    "shared-lives": "Shared Lives",
    "social-worker-support": "a social worker's support",
    "other-professional-support": "other professional support",
    "learning-education-employment": "support with learning, education or employment",
    "carer-respite": "respite for unpaid carers",
    "carer-sitting-service": "a sitting service for unpaid carers",
    "carer-universal-services": "services for all unpaid carers",
    "other-carer-support": "other support for unpaid carers",
}


def service_words(code: str) -> str:
    """A MAIS service code as words; abbreviations that are not listed stay as they are."""
    plain = " ".join(part if part.isupper() else part.lower() for part in code.split("-"))
    return SERVICES.get(code, plain) or "a service"
