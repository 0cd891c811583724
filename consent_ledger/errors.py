"""What the ledger raises."""


class LedgerError(Exception):
    """Base of what the ledger raises; no message names a person."""


class LedgerUnavailable(LedgerError):
    """The entry is not on record (disk full, read-only, closed, too busy): nothing may be disclosed."""


class ReplayedError(LedgerError):
    """This issuer's jti has been answered before."""


class HeadMoved(LedgerError):
    """The person's consents or the accepted agreement changed since the decision: decide again."""


class ClockBehind(LedgerError):
    """The clock is behind the highest time on record: nothing is answered until somebody has looked."""


class CaseRefused(LedgerError):
    """This step of a governance case may not be taken, or not any more; the message names the case."""


class LedgerCorrupt(LedgerError):
    """An entry, hash or key does not fit the others; the message names its seq."""
