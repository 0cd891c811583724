"""What an entry records, and how much of that its leaf shows."""

from enum import StrEnum


class EntryKind(StrEnum):
    """What an entry records. `break-glass` is an `answered` to such a question, about somebody known here."""

    CONSENT = "consent"
    WITHDRAWAL = "withdrawal"
    OBJECTION = "objection"
    ANSWERED = "answered"
    ASKED = "asked"
    RECEIVED = "received"
    BREAK_GLASS = "break-glass"
    FINDING = "finding"
    CASE = "case"
    AGREEMENT = "agreement"
    CORRECTION = "correction"
    LOOKED = "looked"
    REPORT_DECISION = "report-decision"
    RELEASE = "release"
    ERASURE = "erasure"
    RETENTION = "retention"
    EPOCH = "epoch"
    FILLER = "filler"


# A question answered here, in both exact kinds: whoever reads one reads the other.
ANSWERS = frozenset((EntryKind.ANSWERED, EntryKind.BREAK_GLASS))


class KindClass(StrEnum):
    """All that a leaf shows of its kind."""

    CONSENT = "consent"
    DISCLOSURE = "disclosure"
    GOVERNANCE = "governance"


KIND_CLASSES = {
    EntryKind.CONSENT: KindClass.CONSENT,
    EntryKind.WITHDRAWAL: KindClass.CONSENT,
    EntryKind.OBJECTION: KindClass.CONSENT,
    EntryKind.ANSWERED: KindClass.DISCLOSURE,
    EntryKind.ASKED: KindClass.DISCLOSURE,
    EntryKind.RECEIVED: KindClass.DISCLOSURE,
    EntryKind.BREAK_GLASS: KindClass.DISCLOSURE,  # a leaf must not show that its question was about somebody known
    EntryKind.LOOKED: KindClass.DISCLOSURE,
    EntryKind.FINDING: KindClass.GOVERNANCE,
    EntryKind.CASE: KindClass.GOVERNANCE,
    EntryKind.AGREEMENT: KindClass.GOVERNANCE,
    EntryKind.CORRECTION: KindClass.GOVERNANCE,
    EntryKind.REPORT_DECISION: KindClass.GOVERNANCE,
    EntryKind.RELEASE: KindClass.GOVERNANCE,
    EntryKind.ERASURE: KindClass.GOVERNANCE,
    EntryKind.RETENTION: KindClass.GOVERNANCE,
    EntryKind.EPOCH: KindClass.GOVERNANCE,
    EntryKind.FILLER: KindClass.GOVERNANCE,
}
