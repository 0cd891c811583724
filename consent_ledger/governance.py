"""What officers do about the record itself, as frozen types and their bodies: decide what a report shows, release one,
erase, let time limits take effect.
"""

from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from consent_ledger.kinds import EntryKind


class GovernanceEntry(Protocol):
    """An act on record: its kind, and its body as plain data."""

    kind: ClassVar[EntryKind]

    def body(self) -> dict[str, Any]:
        """Plain data for the ledger."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportDecision:
    """Whether access reports show entry `about`, as an officer (`by`) decided; the newest decision counts.

    `until` is the last day (ISO 8601) on which the entry is withheld, "" if it is shown.
    """

    kind: ClassVar[EntryKind] = EntryKind.REPORT_DECISION

    about: int
    show: bool
    reason: str
    by: str
    until: str = ""

    def __post_init__(self) -> None:
        """A risk is looked at again: raises ValueError for withholding without an end."""
        if self.show is bool(self.until):
            raise ValueError("an entry is withheld until a day, and shown without one")

    def body(self) -> dict[str, Any]:
        """Plain data for the ledger."""
        return {"about": self.about, "show": self.show, "reason": self.reason, "by": self.by, "until": self.until}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseEntry:
    """An access report given out: by whom, to whom (`relation`: the person, or who acts for them), after which checks.

    `authority` says what shows that a representative may act; "" for the person. `forms` are text, html, pdf.
    """

    kind: ClassVar[EntryKind] = EntryKind.RELEASE

    by: str
    to: str
    relation: str
    identity: str
    authority: str
    forms: tuple[str, ...]

    def body(self) -> dict[str, Any]:
        """Plain data for the ledger."""
        return {
            "by": self.by,
            "to": self.to,
            "relation": self.relation,
            "identity": self.identity,
            "authority": self.authority,
            "forms": list(self.forms),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureEntry:
    """Secrets of one person about to be destroyed. Names nobody: `keys` are random ids (hex), which stand beside the
    entries that can be read no more, and led to a person only through the secrets.
    """

    kind: ClassVar[EntryKind] = EntryKind.ERASURE

    by: str
    reason: str
    keys: tuple[str, ...]

    def body(self) -> dict[str, Any]:
        """Plain data for the ledger."""
        return {"by": self.by, "reason": self.reason, "keys": list(self.keys)}


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionEntry:
    """Secrets of months and years (`periods`, by key id in hex) about to be destroyed, because their time is over."""

    kind: ClassVar[EntryKind] = EntryKind.RETENTION

    periods: dict[str, str]

    def body(self) -> dict[str, Any]:
        """Plain data for the ledger."""
        return {"periods": dict(self.periods)}
