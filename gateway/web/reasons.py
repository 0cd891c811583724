"""Why are you asking: the purposes and lawful bases that the agreements let this agency ask under, as sentences."""

from collections.abc import Container, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final

from gateway.node.agreements import NobodyToAsk
from gateway.node.membership import View
from gateway.web.words import N_
from mappings.vocabulary import AuthMethod, LawfulBasis, Mode, Purpose

# To follow "Why are you asking?"
PURPOSES: Final = {
    Purpose.COORDINATION: N_("To find out who else works with this person, so that our help fits together"),
    Purpose.TREATMENT: N_("To treat this person"),
    Purpose.EMERGENCY_TREATMENT: N_("To treat this person in an emergency"),
    Purpose.SAFEGUARDING: N_("To keep this person or somebody else safe (safeguarding)"),
    Purpose.BREAK_GLASS: N_("Because of an emergency in which the usual limits have to be set aside"),
    Purpose.SUBJECT_REQUEST: N_("Because this person asked us to find out"),
}
BASES: Final = {
    LawfulBasis.CONSENT: N_("They have agreed to it"),
    LawfulBasis.LEGAL_OBLIGATION: N_("The law obliges us to"),
    LawfulBasis.PUBLIC_TASK: N_("It is part of our public task"),
    LawfulBasis.VITAL_INTERESTS: N_("Somebody's life may be at risk"),
    LawfulBasis.LEGITIMATE_INTERESTS: N_("Our organisation has a legitimate interest"),
}
# To follow "You are told at most:".
TOLD: Final = {
    Mode.CALLBACK: N_("nothing, but somebody is asked to call you back"),
    Mode.DUTY_CONTACT: N_("the agency and its duty contact"),
    Mode.PRACTITIONER: N_("who works with the person, and how to reach them"),
    Mode.SCHEDULE: N_("who works with the person, how to reach them, and when they met or will meet"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """A purpose on a basis under which somebody can be asked.

    `members` are asked, by id, and tell `most` at most. `too_weak`: nobody may answer to such a sign-in.
    """

    purpose: Purpose
    basis: LawfulBasis
    agreement: str
    members: tuple[str, ...]
    most: Mode
    too_weak: bool

    @property
    def value(self) -> str:
        """As the form sends it."""
        return f"{self.purpose.value}:{self.basis.value}"


def reasons(
    view: View, *, accepted: Container[str], today: date, method: AuthMethod, purposes: Iterable[Purpose] | None = None
) -> dict[str, Reason]:
    """All of them by value, in the vocabulary's order; without `purposes` all but breaking the glass."""
    wanted = [each for each in Purpose if each is not Purpose.BREAK_GLASS] if purposes is None else purposes
    found = (
        _reason(view, purpose, basis, accepted=accepted, today=today, method=method)
        for purpose in wanted
        for basis in LawfulBasis
    )
    return {reason.value: reason for reason in found if reason is not None}


def _reason(
    view: View, purpose: Purpose, basis: LawfulBasis, *, accepted: Container[str], today: date, method: AuthMethod
) -> Reason | None:
    try:
        agreement, members = view.agreements.to_ask(purpose, basis, accepted=accepted, today=today)
    except NobodyToAsk:
        return None
    return Reason(
        purpose=purpose,
        basis=basis,
        agreement=agreement.name,
        members=members,
        most=view.agreements.most_told(agreement, members, purpose=purpose, basis=basis),
        too_weak=view.agreements.wants_stronger_sign_in(agreement, method, purpose=purpose, basis=basis),
    )
