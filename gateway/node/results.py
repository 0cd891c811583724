"""What a question comes to, as ask.py yields it: asked, one result for each member, and the end."""

from dataclasses import dataclass
from enum import StrEnum

from gateway.node.merge import TeamRow
from gateway.wire.federation import Member

NO_SEALING_KEY = "no-sealing-key"  # a member's reason for NOT_TRIED: nothing could be sealed to it


class MemberOutcome(StrEnum):
    """What a person is told about one member that was to be asked."""

    TEAMS = "teams"
    NOTHING_TO_DISCLOSE = "nothing-to-disclose"
    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"
    NOT_TRIED = "not-tried"
    OVERLOADED = "overloaded"
    INVALID_ANSWER = "invalid-answer"

    @property
    def answered(self) -> bool:
        """Whether this member itself has spoken: `nothing` from it differs from no answer."""
        return self in (MemberOutcome.TEAMS, MemberOutcome.NOTHING_TO_DISCLOSE)


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberResult:
    """One member's part: rows and the verified Bundle (JSON) for `teams` only, `answer` the signed JWS of whoever has
    spoken; `reason` is an error code or empty.
    """

    member: Member
    outcome: MemberOutcome
    rows: tuple[TeamRow, ...] = ()
    bundle: bytes | None = None
    answer: str | None = None
    display_until: int | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The question is signed and on its way: who is asked under which agreement, and which members it leaves out.

    `sign_in_too_weak` says that no rule lets anything be answered to somebody who signed in as this asker did.
    """

    jti: str
    agreement: str
    members: tuple[Member, ...]
    left_out: tuple[Member, ...] = ()
    sign_in_too_weak: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """The end of the stream; `coverage_agrees` False says that the hub's claim differs from what arrived."""

    jti: str
    results: tuple[MemberResult, ...]
    coverage_agrees: bool

    @property
    def answered(self) -> tuple[MemberResult, ...]:
        """Results of members that have spoken."""
        return tuple(result for result in self.results if result.outcome.answered)
