"""What a notice says, put together when it is shown; names come from whoever may be named then."""

from collections.abc import Mapping
from typing import Final

from gateway.accounts.attention import Phrase
from gateway.accounts.feedback import State as FeedbackState
from gateway.accounts.invitations import Decline, Invitation, RoleCode, State
from gateway.accounts.notices import NEW, Kind, Notice
from gateway.accounts.problems import Outcome, Problem
from gateway.web.words import N_
from gateway.web.words import gettext as _

PHRASES: Final[Mapping[Phrase, str]] = {
    Phrase.CALL_ME: N_("Please call me about this person"),
    Phrase.CLOSING: N_("I am about to close the case"),
    Phrase.NEW_WORKER: N_("I am the new worker in this team"),
}

INVITED_AS: Final[Mapping[RoleCode, str]] = {
    RoleCode.OWN: N_("In their own job role"),
    RoleCode.KEY_WORKER: N_("Key worker"),
    RoleCode.SUPPORT: N_("Support worker"),
    RoleCode.SPECIALIST: N_("Specialist advice"),
    RoleCode.COVER: N_("Cover for a colleague"),
    RoleCode.SUPERVISOR: N_("Supervisor"),
}

DECLINED: Final[Mapping[Decline, str]] = {
    Decline.NO_TIME: N_("I have no time for another client"),
    Decline.NOT_MINE: N_("This is not for me or my team"),
    Decline.TOO_CLOSE: N_("I know somebody involved"),
    Decline.TALK_FIRST: N_("Let us talk first"),
}

BECAME: Final[Mapping[State, str]] = {
    State.SENT: N_("Not answered yet"),
    State.ACCEPTED: N_("Accepted"),
    State.DECLINED: N_("Declined"),
    State.WITHDRAWN: N_("Withdrawn"),
    State.EXPIRED: N_("Not answered in 14 days"),
}

PROBLEMS: Final[Mapping[Problem, str]] = {
    Problem.WRONG_NUMBER: N_("A wrong number or address of a colleague"),
    Problem.HAS_LEFT: N_("A colleague has left"),
    Problem.NOT_MY_CLIENT: N_("Not my client"),
    Problem.WRONG_PERSON: N_("Details of another person are here"),
    Problem.DUPLICATE: N_("The same person is here twice"),
}

OUTCOMES: Final[Mapping[Outcome, str]] = {
    Outcome.CORRECTED: N_("Corrected"),
    Outcome.PASSED_ON: N_("Passed on to whoever looks after the source"),
    Outcome.NOTHING_WRONG: N_("Nothing was wrong"),
}

FEEDBACK_STATES: Final[Mapping[FeedbackState, str]] = {
    FeedbackState.RECEIVED: N_("Received"),
    FeedbackState.PLANNED: N_("Planned"),
    FeedbackState.DONE: N_("Done"),
    FeedbackState.NOT_PLANNED: N_("Not planned"),
}

_NEW: Final = {
    Kind.PROBLEM: N_("A colleague reported that something is wrong in a record."),
    Kind.FEEDBACK: N_("Somebody told us what they think of a page."),
}

_CHANGES: Final = {
    "joined": N_("Somebody joined the team"),
    "left": N_("Somebody is no longer shown in the team"),
    "details": N_("How to reach somebody has changed"),
}

_CASES: Final = {
    "told break-glass": N_("Another agency broke the glass here. A case waits for a decision"),
    "told our-break-glass": N_("A colleague broke the glass. A case waits for a decision"),
    "told review": N_("A question waits for a decision"),
    "told call-back": N_("An agency waits to be called back"),
    "reminded break-glass": N_("A case in which another agency broke the glass is overdue"),
    "reminded our-break-glass": N_("A case in which a colleague broke the glass is overdue"),
    "reminded review": N_("A question has waited too long for a decision"),
    "reminded call-back": N_("An agency has waited too long to be called back"),
}


def role_words(invitation: Invitation) -> str:
    """As what somebody is invited, or joins: their own job role, or the one that was chosen."""
    own = invitation.role_code is RoleCode.OWN
    return invitation.to_role if own else _(INVITED_AS[invitation.role_code])


def notice_words(notice: Notice, invitation: Invitation | None) -> str:
    """What a notice says, without names of clients; `invitation` is the one that it is about."""
    code = notice.code
    if code == NEW:
        return _(_NEW[notice.kind])
    if notice.kind is Kind.INVITATION:
        return _outcome(State(code), invitation)
    if notice.kind is Kind.CHANGED:
        return ". ".join(_(_CHANGES[each]) for each in code.split()) + "."
    said = {
        Kind.ATTENTION: lambda: _(PHRASES[Phrase(code)]),
        Kind.CONFIRM: lambda: _("Are you still working with them?"),
        Kind.CASE: lambda: _(_CASES[code]) + ".",
        Kind.PROBLEM: lambda: _problem(notice.item, _(OUTCOMES[Outcome(code)])),
        Kind.FEEDBACK: lambda: _("Your feedback: %(state)s") % {"state": _(FEEDBACK_STATES[FeedbackState(code)])},
    }
    return said[notice.kind]()


def _problem(code: str, outcome: str) -> str:
    """What became of a report; older notices do not say what it was about."""
    if code not in set(Problem):
        return _("What you reported as wrong: %(outcome)s") % {"outcome": outcome}
    return _("You reported “%(what)s”: %(outcome)s") % {"what": _(PROBLEMS[Problem(code)]), "outcome": outcome}


def _outcome(state: State, invitation: Invitation | None) -> str:
    who = invitation.to_name if invitation else _("A colleague")
    if state is State.ACCEPTED:
        return _("%(who)s accepted your invitation and is in the team.") % {"who": who}
    if state is State.DECLINED:
        why = _(DECLINED[invitation.reason]) if invitation and invitation.reason else ""
        return _("%(who)s declined your invitation: %(why)s.") % {"who": who, "why": why}
    return _("%(who)s did not answer your invitation within 14 days.") % {"who": who}
