"""The words that every part of Patchwork shares. Standard library only; imported by all packages.

Codes follow HL7 v3 (ActReason, Confidentiality), FHIR R4 and the MAIS safeguarding vocabularies. They are
compared exactly, never by subsumption (docs/policy.md).
"""

from enum import IntEnum, StrEnum

NHS_NUMBER_SYSTEM = "https://fhir.nhs.uk/Id/nhs-number"
ODS_SYSTEM = "https://fhir.nhs.uk/Id/ods-organization-code"
MAX_SCOPE = 200  # codes in one list of a consent


class Purpose(StrEnum):
    """Why a question is asked: v3 ActReason codes."""

    COORDINATION = "COC"
    TREATMENT = "TREAT"
    EMERGENCY_TREATMENT = "ETREAT"
    SAFEGUARDING = "THREAT"
    BREAK_GLASS = "BTG"
    SUBJECT_REQUEST = "PATRQT"

    @property
    def word(self) -> str:
        """As people type and read it: `coordination`, `emergency-treatment`."""
        return self.name.lower().replace("_", "-")


class LawfulBasis(StrEnum):
    """The asker's basis under UK GDPR article 6."""

    CONSENT = "consent"
    LEGAL_OBLIGATION = "legal-obligation"
    PUBLIC_TASK = "public-task"
    VITAL_INTERESTS = "vital-interests"
    LEGITIMATE_INTERESTS = "legitimate-interests"


class Mode(IntEnum):
    """How much one involvement discloses; ordered, so that caps are a `min()`."""

    NONE = 0
    CALLBACK = 1
    DUTY_CONTACT = 2
    PRACTITIONER = 3
    SCHEDULE = 4

    @property
    def code(self) -> str:
        """The code on the wire and in agreements, as in `duty-contact`."""
        return self.name.lower().replace("_", "-")

    @classmethod
    def from_code(cls, code: str) -> "Mode":
        """Read a wire code; raises ValueError for any other text."""
        try:
            return _MODES[code]
        except KeyError:
            raise ValueError(f"unknown mode {code[:20]!r}") from None


_MODES = {mode.code: mode for mode in Mode}


class Sensitivity(StrEnum):
    """v3 Confidentiality of one involvement."""

    NORMAL = "N"
    RESTRICTED = "R"
    VERY_RESTRICTED = "V"


class MatchGrade(StrEnum):
    """FHIR match grades (http://terminology.hl7.org/CodeSystem/match-grade)."""

    CERTAIN = "certain"
    PROBABLE = "probable"
    POSSIBLE = "possible"
    CERTAINLY_NOT = "certainly-not"

    @property
    def rank(self) -> int:
        """0 (certainly-not) to 3 (certain), for comparing with a minimum grade."""
        return _GRADE_RANKS[self]


_GRADE_RANKS = {
    MatchGrade.CERTAINLY_NOT: 0,
    MatchGrade.POSSIBLE: 1,
    MatchGrade.PROBABLE: 2,
    MatchGrade.CERTAIN: 3,
}


class AuthMethod(StrEnum):
    """How the asking practitioner proved who they are, weakest first."""

    OPERATING_SYSTEM = "operating-system"
    PASSWORD = "password"  # noqa: S105 - the name of a method
    MFA = "mfa"

    @property
    def rank(self) -> int:
        """0 to 2, for comparing with an agreement's `min_auth`."""
        return _AUTH_RANKS[self]


_AUTH_RANKS = {AuthMethod.OPERATING_SYSTEM: 0, AuthMethod.PASSWORD: 1, AuthMethod.MFA: 2}


class BreakGlassReason(StrEnum):
    """Why the glass is broken, as the question says it; the words that go with it never leave the asker."""

    RISK_TO_LIFE = "risk-to-life"
    IMMEDIATE_DANGER = "immediate-danger"
    CHILD_AT_RISK = "child-at-risk"
    ADULT_AT_RISK = "adult-at-risk"
    MISSING_PERSON = "missing-person"


class Finding(StrEnum):
    """What an officer found who looked into a broken glass."""

    JUSTIFIED = "justified"
    TOO_MUCH = "more-than-needed"  # the reason was good, and less would have done
    NOT_JUSTIFIED = "not-justified"
    MISUSE = "misuse"


class Sector(StrEnum):
    """Which part of the team around a person a member belongs to."""

    STATUTORY = "statutory"
    VOLUNTARY = "voluntary"


class OrganisationType(StrEnum):
    """MAIS organisation codes, and ours where the draft standard has none yet."""

    LOCAL_AUTHORITY = "local-authority"
    NHS_TRUST = "nhs-trust"
    POLICE = "police-force"
    # Not in the MAIS draft (docs/decisions/vocabularies.md):
    SCHOOL = "school"
    HOUSING = "housing-provider"
    FIRE = "fire-and-rescue"
    VOLUNTARY = "voluntary-organisation"


class PersonLinkKind(StrEnum):
    """Why two people are shown together."""

    HOUSEHOLD = "household"
    FAMILY = "family"
