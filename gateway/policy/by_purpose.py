"""What an agreement lets whom learn for each purpose, in a sentence that can be read to a board. Pure.

Made from decide()'s own outcomes, as the summary (policy/explain.py), which says of whom, about which services and on
which conditions.
"""

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from gateway.policy import words
from gateway.policy.agreement import Agreement, Effect, Rule
from gateway.policy.cells import Who, cells, universe
from gateway.policy.explain import deciding
from gateway.policy.outcomes import Outcomes
from gateway.policy.words import AS_WRITTEN, Wording
from mappings.vocabulary import Mode, Purpose

TO: Final = {
    Purpose.COORDINATION: "To fit our help together",
    Purpose.TREATMENT: "To treat somebody",
    Purpose.EMERGENCY_TREATMENT: "To treat somebody in an emergency",
    Purpose.SAFEGUARDING: "To keep somebody safe",
    Purpose.BREAK_GLASS: "In an emergency, by breaking the glass",
    Purpose.SUBJECT_REQUEST: "Because the person asks",
}
LEARNT: Final = {
    Mode.NONE: "nothing",
    Mode.CALLBACK: "nothing, but the service is asked to call back",
    Mode.DUTY_CONTACT: "which agency works with the person, and its duty contact",
    Mode.PRACTITIONER: "who works with the person and how to reach them",
    Mode.SCHEDULE: "who works with the person, how to reach them and when they met or will meet",
}


class Most(NamedTuple):
    """The most that somebody can learn, ordered: of equals what is told at once, and without consent."""

    mode: Mode
    at_once: bool
    unasked: bool


def by_purpose(
    agreement: Agreement, types: Mapping[str, str] | None = None, wording: Wording = AS_WRITTEN
) -> list[str]:
    """One sentence for each purpose of the agreement; raises InputError for far too many cases."""
    outcomes = Outcomes(agreement)
    most: dict[Purpose, dict[Who, Most]] = {}
    for cell in cells([agreement], types):
        for rule in deciding(cell.rules[0], outcomes.of(cell, cell.rules[0])):
            for purpose in cell.scope.purposes if rule.effect is not Effect.DENY else ():
                of_purpose = most.setdefault(purpose, {})
                for who in cell.scope.askers:
                    of_purpose[who] = max(_most(rule), of_purpose.get(who, _most(rule)))
    everybody = universe([agreement], types)
    return [
        f"{TO[purpose]}: {'; '.join(_clauses(most.get(purpose, {}), everybody, wording)) or 'nobody learns anything'}."
        for purpose in Purpose
        if purpose in agreement.purposes
    ]


def _most(rule: Rule) -> Most:
    return Most(rule.mode, rule.effect is Effect.PERMIT, not rule.needs_consent)


def _clauses(found: Mapping[Who, Most], everybody: frozenset[Who], wording: Wording) -> Iterator[str]:
    """Who learns how much, from much to little."""
    for most in sorted(set(found.values()), reverse=True):
        who = _who(frozenset(each for each in found if found[each] == most), everybody, wording)
        limits = ("" if most.at_once else ", once somebody at the agency asked has decided so") + (
            "" if most.unasked else ", if the person agrees"
        )
        yield f"{who} may learn {LEARNT[most.mode]}{limits}"


def _who(group: frozenset[Who], everybody: frozenset[Who], wording: Wording) -> str:
    """By name where each party is of one kind; else by kinds, as nobody knows who is what."""
    members = {who.member for who in everybody}
    if len(members) < len(everybody):
        return words.parties(group, of=everybody, wording=wording)
    inside = {who.member for who in group}
    names, missing = (sorted(map(wording.name, each)) for each in (inside, members - inside))
    if not missing:
        return "every agency"
    return f"every agency but {words.listed(missing)}" if len(missing) < len(names) else words.listed(names)
