"""What a question came to, in words: one wording for the terminal and the pages.

The English text is the message id of its translation: N_ marks it, and who shows it hands in a translation. Pure.
"""

from collections.abc import Callable, Mapping
from typing import Final

from gateway.node.results import NO_SEALING_KEY, Asked, MemberOutcome, MemberResult
from gateway.wire.query import Subject
from mappings.vocabulary import MatchGrade

Translate = Callable[[str], str]


def N_(text: str) -> str:
    """`text` itself, to be translated where it is shown."""
    return text


_OUTCOMES: Final[Mapping[MemberOutcome, str]] = {
    MemberOutcome.TEAMS: N_("works with this person"),
    MemberOutcome.NOTHING_TO_DISCLOSE: N_("has nothing to share"),
    MemberOutcome.TIMEOUT: N_("did not answer in time"),
    MemberOutcome.UNREACHABLE: N_("could not be reached"),
    MemberOutcome.NOT_TRIED: N_("was not asked: it has not been reachable for a while"),
    MemberOutcome.OVERLOADED: N_("is too busy to answer now"),
    MemberOutcome.INVALID_ANSWER: N_("sent an answer that is not valid: tell the federation's operator"),
}
_PROBABLE: Final = N_("probably works with this person: check before you share")
PROBABLY: Final = "probably this person: check"  # in the terminal's table; the pages have a heading for it
_NOT_JOINED: Final = N_("was not asked: it has not published its keys yet")
NOTHING_FOUND: Final = N_("No agency has anything to share.")
NO_PROOF: Final = N_(
    "That is no proof that nobody works with this person: an agency may not know them by these details,"
    " or may not be allowed to say."
)
HUB_DIFFERS: Final = N_("The hub's own account differs from what arrived: tell the federation's operator.")
_LEFT_OUT: Final = N_("Not asked, because the agreement (%(agreement)s) does not let you for this purpose: %(names)s")


def outcome(result: MemberResult, _: Translate = N_) -> str:
    """What one agency did, to follow its name."""
    if result.reason == NO_SEALING_KEY:
        return _(_NOT_JOINED)
    return _(_PROBABLE if is_only_probable(result) else _OUTCOMES[result.outcome])


def is_only_probable(result: MemberResult) -> bool:
    """Whether an agency sent a team, but is nowhere certain whom the question means."""
    return bool(result.rows) and all(row.grade is not MatchGrade.CERTAIN for row in result.rows)


def left_out(asked: Asked, _: Translate = N_) -> str:
    """Which members the agreement keeps from being asked, "" if none: no answer would show it."""
    names = ", ".join(member.name for member in asked.left_out)
    return _(_LEFT_OUT) % {"agreement": asked.agreement, "names": names} if names else ""


def typed(subject: Subject, _: Translate = N_) -> str:
    """What was typed, so that it stands beside what was found."""
    parts = [name.text for name in subject.names]
    if subject.birth_date:
        parts.append(_(N_("born %(date)s")) % {"date": subject.birth_date})
    if subject.age is not None:
        parts.append(_(N_("aged %(age)s")) % {"age": subject.age})
    if subject.postcode:
        parts.append(subject.postcode)
    parts += [_(N_("NHS number %(number)s")) % {"number": value} for _system, value in subject.identifiers]
    return ", ".join(parts)
