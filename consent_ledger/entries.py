"""What is written about questions and corrections, as frozen types and their bodies.

A question that matched nobody is on record without its subject: who asked, why, and that nothing was disclosed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from consent_ledger.append import Guard
from consent_ledger.budget import Spend
from consent_ledger.kinds import EntryKind
from mappings.vocabulary import Purpose


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """The practitioner as the question names them, and their member."""

    member: str
    practitioner: str
    name: str
    role: str
    organisation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AnsweredEntry:
    """One question answered here, whatever the outcome.

    `question` is what `decide()` took from the question (no subject), `decisions` one record for each involvement.
    `consent_head` and `agreement_sha256` are those that the decision rests on; `expires_at` is the question's, in epoch
    seconds; `bundle_sha256` (hex) is that of what was disclosed. `person_ids` are all ids of a person who is known by
    several: a consent under any of them counts. With `person_id` None there are no decisions and no consent head;
    raises ValueError otherwise. `withheld`: nothing was decided, because a budget of this kind is used up; `spend` is
    what the question counts towards.
    """

    issuer: str
    jti: str
    expires_at: int
    query_sha256: str
    asker: Asker
    purpose: str
    outcome: str
    person_id: int | None = None
    person_ids: tuple[int, ...] = ()
    consent_head: int | None = None
    agreement_sha256: str | None = None
    bundle_sha256: str | None = None
    question: Mapping[str, Any] | None = None
    decisions: Sequence[Mapping[str, Any]] = ()
    withheld: str | None = None
    spend: Spend | None = None

    def __post_init__(self) -> None:
        """A question without a match leaves nothing about a subject; one with a match names the consents it saw."""
        if self.person_id is None and (self.decisions or self.question or self.consent_head is not None):
            raise ValueError("a question that matched nobody is logged without decisions")
        if self.person_id is not None and self.consent_head is None:
            raise ValueError("a decision about a person rests on a consent head")

    def guard(self) -> Guard:
        """What must still hold when this is written."""
        return Guard(
            issuer=self.issuer,
            jti=self.jti,
            expires_at=self.expires_at,
            persons=() if self.person_id is None else (self.person_id, *self.person_ids),
            consent_head=self.consent_head,
            agreement_sha256=self.agreement_sha256,
            spend=self.spend,
        )

    @property
    def kind(self) -> EntryKind:
        """`break-glass` if somebody known here was asked about so, whatever came of it; else `answered`."""
        broken = self.person_id is not None and self.purpose == Purpose.BREAK_GLASS.value
        return EntryKind.BREAK_GLASS if broken else EntryKind.ANSWERED

    def body(self) -> dict[str, Any]:
        """Plain data for the ledger."""
        body: dict[str, Any] = {
            "jti": self.jti,
            "query_sha256": self.query_sha256,
            "asker": _asker(self.asker),
            "purpose": self.purpose,
            "outcome": self.outcome,
            "expires_at": self.expires_at,
        }
        if self.bundle_sha256 is not None:
            body["bundle_sha256"] = self.bundle_sha256
        if self.withheld is not None:
            body["withheld"] = self.withheld
        if self.person_id is not None:
            body |= {"person_id": self.person_id, "consent_head": self.consent_head, "question": self.question}
            body |= {"agreement_sha256": self.agreement_sha256, "decisions": list(self.decisions)}
        return body


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenGlass:
    """Why the glass was broken: the code that the question carries, and words that never leave this node."""

    code: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedEntry:
    """One question that this node asks: the exact signed question, which only the asker keeps."""

    jti: str
    query: str
    query_sha256: str
    asker: Asker
    purpose: str
    recipients: tuple[str, ...]
    break_glass: BrokenGlass | None = None

    def body(self) -> dict[str, Any]:
        """Plain data for the ledger."""
        body: dict[str, Any] = {
            "jti": self.jti,
            "query": self.query,
            "query_sha256": self.query_sha256,
            "asker": _asker(self.asker),
            "purpose": self.purpose,
            "recipients": list(self.recipients),
        }
        if self.break_glass is not None:
            body["break_glass"] = {"code": self.break_glass.code, "words": self.break_glass.words}
        return body


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedEntry:
    """What came back for a question: an outcome for each member asked, and the exact signed answers."""

    jti: str
    outcomes: Mapping[str, str]
    answers: Mapping[str, str]

    def body(self) -> dict[str, Any]:
        """Plain data for the ledger."""
        return {
            "jti": self.jti,
            "outcomes": dict(self.outcomes),
            "answers": dict(self.answers),
        }


class Correction(StrEnum):
    """What became of a decision about two records; `refused` is an attempt that had no effect."""

    SAME = "same"
    NOT_SAME = "not-same"
    SAME_TAKEN_BACK = "same-taken-back"
    NOT_SAME_TAKEN_BACK = "not-same-taken-back"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectionEntry:
    """Whether two ids are one person, as an officer (`by`) decided, and why; it stands with each of them."""

    person_id: int
    other_id: int
    correction: Correction
    by: str
    reason: str

    def body(self) -> dict[str, Any]:
        """Plain data for the ledger."""
        return {
            "person_id": self.person_id,
            "other_id": self.other_id,
            "correction": self.correction.value,
            "by": self.by,
            "reason": self.reason,
        }


def _asker(asker: Asker) -> dict[str, str]:
    return {
        "member": asker.member,
        "practitioner": asker.practitioner,
        "name": asker.name,
        "role": asker.role,
        "organisation": asker.organisation,
    }
