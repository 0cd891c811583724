"""Who fits a question best, how surely, and whether that may be disclosed (docs/matching.md)."""

from dataclasses import dataclass

from mappings.vocabulary import MatchGrade


@dataclass(frozen=True, slots=True)
class FieldResult:
    """How one field compared: `field` is name, given, family, birth, postcode or nhs-number; `weight` is in bits."""

    field: str
    level: str
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """One person compared with the question. `explanation` holds levels only, nothing stored."""

    person_id: int
    grade: MatchGrade
    score: float
    explanation: tuple[FieldResult, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """The best person (or None), and how many `others` the question does not tell apart from them."""

    best: Scored | None
    others: int
    disclosable: bool


NOBODY = Match(best=None, others=0, disclosable=False)
