"""Every error that Patchwork raises on purpose.

    PatchworkError
    |- ConfigurationError     a setting, key file or folder is missing, unreadable or wrong
    |- InputError             what a person typed or a source delivered cannot be used
    |- WireError              a message from another party is refused
    |  |- MalformedMessage    it does not have the form that docs/wire.md prescribes
    |  |- NotAuthentic        its signature or seal does not hold, or its key is unknown or revoked
    |  |- NotForUs            it is addressed, bound or sealed to somebody or something else
    |  |- OutOfTime           it is expired, from the future or lives too long
    |  |- Replayed            it has been seen before
    |  `- FederationBehind    its sender holds a newer federation document: refetch it, then verify again
    |- FederationError        the federation document cannot be relied on
    |  |- FederationStale     document or freshness statement has expired, or never arrived
    |  |- FederationRolledBack  its seq went back, or one seq has two contents
    |  `- ClockWrong          this machine's clock cannot be trusted
    |- LedgerDoubtful         this node's own record is behind what its witnesses hold, or does not hold together
    |- StorageError           a database cannot be read or written
    |  `- StorageDamaged      ... because the file itself is damaged: trying again will not help
    |- Overloaded             more was asked than can be served now
    |  |- Stopping            this process takes nothing new and ends what it has
    |  `- TooManyRequests     one party asked more than its share; says when to come back
    |- HubError               a hub refused or could not be reached; it may have what it was sent
    |  |- HubNotConnected     no connection could be made: nothing was sent
    |  `- HubRefused          it said no by its own word, before it passed anything on
    `- BrokenOff              work in a process of its own did not come to its end

`code` is stable and goes into logs and OperationOutcomes. Messages name what and where, and never a person: no name,
number, date of birth or body is ever put into one.
"""

import traceback
from pathlib import Path


class PatchworkError(Exception):
    """Base of the tree."""

    code = "error"


class ConfigurationError(PatchworkError):
    """A setting, key file or folder is missing, unreadable or wrong."""

    code = "configuration"


class InputError(PatchworkError):
    """What a person typed or a source delivered cannot be used; `field` is the one to mend, "" where it is no one's."""

    code = "input"

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class WireError(PatchworkError):
    """A message from another party is refused (docs/wire.md)."""

    code = "wire"


class MalformedMessage(WireError):
    """The message does not have the prescribed form."""

    code = "malformed"


class NotAuthentic(WireError):
    """A signature or seal does not hold, or its key is unknown or revoked."""

    code = "not-authentic"


class NotForUs(WireError):
    """The message is addressed, bound or sealed to somebody or something else."""

    code = "not-for-us"


class OutOfTime(WireError):
    """The message is expired, from the future or lives longer than allowed."""

    code = "out-of-time"


class Replayed(WireError):
    """The message has been seen before."""

    code = "replayed"


class FederationBehind(WireError):
    """The sender holds a newer federation document than this node: refetch it, then verify again."""

    code = "federation-behind"

    def __init__(self, message: str, *, seq: int) -> None:
        super().__init__(message)
        self.seq = seq


class FederationError(PatchworkError):
    """The federation document cannot be relied on, so nothing is asked or answered."""

    code = "federation"


class FederationStale(FederationError):
    """Document or freshness statement has expired, or none has arrived yet."""

    code = "federation-stale"


class FederationRolledBack(FederationError):
    """The document's seq went back, or one seq was served with two contents."""

    code = "federation-rolled-back"


class ClockWrong(FederationError):
    """This machine's clock is behind what it has seen, or far off the hub's."""

    code = "clock-wrong"


class LedgerDoubtful(PatchworkError):
    """This node's record is behind what its witnesses hold, or damaged: nothing is disclosed until an officer acts."""

    code = "ledger-doubtful"


class StorageError(PatchworkError):
    """A database cannot be read or written; nothing is disclosed meanwhile.

    `fault`: which file and what is wrong with it, in a few fixed words of ours, so that a log may have it whatever the
    message is; "" where no database has said so.
    """

    code = "storage"

    def __init__(self, message: str, *, fault: str = "") -> None:
        super().__init__(message)
        self.fault = fault

    def again(self) -> "StorageError":
        """The same for one more who hears of it: a raised exception collects its caller's traceback."""
        return type(self)(str(self), fault=self.fault)


class StorageDamaged(StorageError):
    """What a database file holds cannot be read as one; nothing but a backup helps."""


class Overloaded(PatchworkError):
    """More was asked than can be served now; `retry_after_s` says when to come back, if anybody knows."""

    code = "overloaded"

    def __init__(self, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Stopping(Overloaded):
    """This process takes nothing new and ends what it has; another may take it."""


class TooManyRequests(Overloaded):
    """One party asked more than its share; `retry_after_s` says when to come back."""

    code = "too-many-requests"

    retry_after_s: float

    def __init__(self, message: str, *, retry_after_s: float) -> None:
        super().__init__(message, retry_after_s=retry_after_s)


class HubError(PatchworkError):
    """A hub refused the request or could not be reached. Unless a subclass says otherwise, it may have the request."""

    code = "hub"


class HubNotConnected(HubError):
    """No connection to the hub could be made, so that nothing was sent to it."""


class HubRefused(HubError):
    """The hub itself said no before it passed anything on; `elsewhere`: another hub may be asked instead."""

    def __init__(self, message: str, *, elsewhere: bool) -> None:
        super().__init__(message)
        self.elsewhere = elsewhere


class BrokenOff(PatchworkError):
    """Work in a process of its own did not come to its end; `code` says why, as the error there did that was foreseen.

    "broken-off": it was ended from outside, so that nothing says that it would fail again.
    """

    code = "broken-off"

    def __init__(self, code: str) -> None:
        super().__init__(f"work in a process of its own did not come to its end: {code}")
        self.code = code


def origin(error: BaseException) -> str:
    """Class and line of an unforeseen error: enough to find it, and never its message, which may quote a value.

    Of a group's, the first.
    """
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    frames = traceback.extract_tb(error.__traceback__)
    place = f"@{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{place}"


def logged(error: BaseException) -> dict[str, str]:
    """What a log may have of an error: `code`, of an unforeseen one its place; and `reason` where a database failed."""
    told = {"code": error.code if isinstance(error, PatchworkError) else origin(error)}
    if isinstance(error, StorageError) and error.fault:
        told["reason"] = error.fault
    return told
