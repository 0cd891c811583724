"""Governance cases: which entries open one, what may become of it, and its row. Pure (docs/ledger.md, "Cases").

A case is opened by an entry about a question, in the same transaction, and lives through an officer's entries:
acknowledged, and then ended - a review or call-back by a decision, break-glass by a finding. Its row is recomputed from
those entries; append.py and case_rebuild.py both do it by what stands here. Whom the node itself told, and when, is
marked in the row alone: an entry within a minute of a question would tell whoever sees the ledger's size that somebody
is known.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, NamedTuple

from consent_ledger.errors import CaseRefused
from consent_ledger.kinds import ANSWERS, EntryKind

CALL_BACK_HOURS = 7 * 24  # docs/policy.md, "Cases": one call-back per practitioner and person
REMINDED_EVERY_HOURS = 24

_CALLER_LABEL = b"pw/case/caller01"  # BLAKE2b's personalisation, 16 bytes
_MAX_SEQ_DIGITS = 18  # fits SQL's integers


class CaseKind(StrEnum):
    """Why somebody of this agency has to look at a question."""

    BREAK_GLASS = "break-glass"
    OUR_BREAK_GLASS = "our-break-glass"  # asked from this agency
    REVIEW = "review"
    CALL_BACK = "call-back"


class Step(StrEnum):
    """What an officer does about a case; the last two end it."""

    ACKNOWLEDGED = "acknowledged"
    DECIDED = "decided"
    CLOSED = "closed"


class Mark(StrEnum):
    """What the node did by itself."""

    TOLD = "told"
    REMINDED = "reminded"


_ENDED_BY = {
    CaseKind.BREAK_GLASS: Step.CLOSED,
    CaseKind.OUR_BREAK_GLASS: Step.CLOSED,
    CaseKind.REVIEW: Step.DECIDED,
    CaseKind.CALL_BACK: Step.DECIDED,
}


class CaseId(NamedTuple):
    """The entry that opened a case, and its kind: one question may open several. Written `review-17`."""

    opened_seq: int
    kind: CaseKind

    def __str__(self) -> str:
        """As people type it."""
        return f"{self.kind}-{self.opened_seq}"

    @classmethod
    def read(cls, text: str) -> "CaseId":
        """The inverse; raises ValueError."""
        kind, _, seq = text.rpartition("-")
        if not (seq.isascii() and seq.isdecimal() and len(seq) <= _MAX_SEQ_DIGITS):
            raise ValueError("not the id of a case")
        return cls(int(seq), CaseKind(kind))


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRow:
    """A case as projected: numbers of entries and whole hours since 1970, no person and no words."""

    id: CaseId
    federation: str
    key_id: bytes
    opened_hour: int
    applied_seq: int
    caller: bytes | None = None
    told_to: str | None = None
    told_hour: int | None = None
    reminded_hour: int | None = None
    acknowledged_seq: int | None = None
    ended_seq: int | None = None

    def marked(self, mark: Mark, *, to: str, hour: int) -> "CaseRow":
        """The row once `to` was told or reminded; raises CaseRefused where that may not be (now)."""
        if self.ended_seq is not None:
            raise CaseRefused(f"{self.id} has been ended already")
        if mark is Mark.TOLD and self.told_hour is None:
            return replace(self, told_to=to, told_hour=hour)
        if mark is Mark.REMINDED and (self.reminded_hour is None or hour - self.reminded_hour >= REMINDED_EVERY_HOURS):
            return replace(self, reminded_hour=hour)
        raise CaseRefused(f"{self.id} has been {mark} already")

    def after(self, step: Step, *, seq: int) -> "CaseRow":
        """The row once entry `seq` stands; raises CaseRefused for a step that may not be taken (now)."""
        if self.ended_seq is not None:
            raise CaseRefused(f"{self.id} has been ended already")
        moved = replace(self, applied_seq=seq)
        match step:
            case Step.ACKNOWLEDGED if self.acknowledged_seq is None:
                return replace(moved, acknowledged_seq=seq)
            case Step.DECIDED | Step.CLOSED if step is _ENDED_BY[self.id.kind]:
                return replace(moved, ended_seq=seq)
            case Step.DECIDED:
                raise CaseRefused(f"{self.id} is not decided: it is closed with a finding")
            case Step.CLOSED:
                raise CaseRefused(f"{self.id} is not closed with a finding: it is decided")
            case _:
                raise CaseRefused(f"{self.id} has been {step} already")


def opened_by(kind: EntryKind, body: Mapping[str, Any]) -> tuple[CaseKind, ...]:
    """The cases that an entry opens. One about nobody known here opens none: there is nobody to protect."""
    if kind is EntryKind.ASKED:
        return (CaseKind.OUR_BREAK_GLASS,) if "break_glass" in body else ()
    if kind not in ANSWERS or "decisions" not in body:
        return ()
    effects = {(each.get("effect"), each.get("mode")) for each in body["decisions"]}
    found = [CaseKind.BREAK_GLASS] if kind is EntryKind.BREAK_GLASS else []
    if any(effect == "review" for effect, _ in effects):
        found.append(CaseKind.REVIEW)
    if ("permit", "callback") in effects:
        found.append(CaseKind.CALL_BACK)
    return tuple(found)


def caller_of(body: Mapping[str, Any], secret: bytes) -> bytes:
    """Who asks, about the person whose secret it is: equal for the same two, and nothing without that secret."""
    asker = body["asker"]
    said = f"{asker['member']}\0{asker['practitioner']}".encode()
    return hashlib.blake2b(said, key=secret, digest_size=32, person=_CALLER_LABEL).digest()
