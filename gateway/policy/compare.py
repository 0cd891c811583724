"""What changes between two versions of an agreement: in words, and who learns more or less. Pure.

More and less are those of decide(): every case that either version tells apart is decided under both, in every
circumstance that a rule can distinguish (policy/outcomes.py). Dates and parties count by themselves: the cases say what
holds while each version is in force.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import date
from functools import lru_cache
from typing import Any, Final, NamedTuple

from gateway.policy import words
from gateway.policy.agreement import Agreement, Rule
from gateway.policy.cells import Cell, Scope, cells, service_codes, universe
from gateway.policy.merging import merged
from gateway.policy.outcomes import CIRCUMSTANCES, CONSENTS, NAMES, SAID, Circumstance, Outcomes
from mappings.vocabulary import AuthMethod, MatchGrade, Mode

_LISTS: Final = {
    "purposes": "purpose",
    "data": "data",
    "permitted_use": "permitted use",
    "restrictions": "restriction",
    "responsibilities": "what recipients must do",
    "security_measures": "security",
    "legal_compliance": "legal compliance",
}
_TEXTS: Final = {"uri": "address", "version": "version", "name": "name", "contact": "contact"}


class Change(NamedTuple):
    """Cases that widen or narrow: who asks, why, whom, about what; what each version discloses; in which situations."""

    who: str
    why: str
    whom: str
    about: str
    before: str
    after: str
    when: str


class Comparison(NamedTuple):
    """All that differs. `said` are sentences about the text; a case can both widen and narrow, by circumstance."""

    said: list[str]
    wider: list[Change]
    narrower: list[Change]


class _Situations(NamedTuple):
    """Circumstances: every combination of these."""

    said: frozenset[str]
    grades: frozenset[MatchGrade]
    auths: frozenset[AuthMethod]


class _Difference(NamedTuple):
    """How two versions differ in one cell, in the circumstances named."""

    before: tuple[int, Mode]
    after: tuple[int, Mode]
    when: str


def compare(old: Agreement, new: Agreement, types: Mapping[str, str] | None = None) -> Comparison:
    """Compare two agreements; raises InputError for far too many cases."""
    found: dict[_Difference, list[Scope]] = {}
    outcomes = (Outcomes(old), Outcomes(new))
    for cell in cells([old, new], types):
        for difference in _differences(cell, outcomes):
            found.setdefault(difference, []).append(cell.scope)
    everybody = universe([old, new], types)
    codes = service_codes([*old.rules, *new.rules])
    changes = [
        (
            difference,
            Change(
                who=words.parties(scope.askers, of=everybody),
                why=f"{words.purposes(scope.purposes)}: {words.bases(scope.bases)}",
                whom=words.parties(scope.asked, of=everybody),
                about=f"{words.services(scope.services, of=codes)}: {words.sensitivity(scope.sensitivity)}",
                before=_learnt(difference.before),
                after=_learnt(difference.after),
                when=difference.when,
            ),
        )
        for difference, scopes in found.items()
        for scope in merged(scopes)
    ]
    return Comparison(
        said=[*_clauses(old, new), *_rules(old, new)],
        wider=[change for difference, change in changes if difference.after > difference.before],
        narrower=[change for difference, change in changes if difference.after < difference.before],
    )


def _differences(cell: Cell, outcomes: Sequence[Outcomes]) -> Iterator[_Difference]:
    """One for each pair of outcomes that differ, with the circumstances in which they do."""
    before, after = (each.of(cell, rules) for each, rules in zip(outcomes, cell.rules, strict=True))
    found: dict[tuple[tuple[int, Mode], tuple[int, Mode]], list[Circumstance]] = {}
    for circumstance, old, new in zip(CIRCUMSTANCES, before, after, strict=True):
        if (old.disclosed, old.mode) != (new.disclosed, new.mode):
            found.setdefault(((old.disclosed, old.mode), (new.disclosed, new.mode)), []).append(circumstance)
    for (old_width, new_width), circumstances in found.items():
        yield _Difference(old_width, new_width, _when(tuple(circumstances)))


def _learnt(width: tuple[int, Mode]) -> str:
    disclosed, mode = width
    return {0: "nothing", 1: f"after a review: {words.MODES[mode]}", 2: words.MODES[mode]}[disclosed]


@lru_cache(1_000)
def _when(circumstances: tuple[Circumstance, ...]) -> str:
    """The situations in words; empty where it is so in all. Few differ, in however many cells."""
    rows = merged(_Situations(*map(_only, each)) for each in circumstances)
    return "; or ".join(filter(None, map(_situation, rows)))


def _only(value: Any) -> frozenset[Any]:
    return frozenset((value,))


def _situation(row: _Situations) -> str:
    """What is particular to it: a dimension in which it has every value is not mentioned."""
    parts = [
        _said(row.said),
        words.listed(f"match {each.value}" for each in row.grades) if len(row.grades) == 1 else "",
        f"signed in by {words.listed((words.METHODS[each] for each in AuthMethod if each in row.auths), last='or')}"
        if len(row.auths) < len(AuthMethod)
        else "",
    ]
    return ", ".join(filter(None, parts))


def _said(there: frozenset[str]) -> str:
    missing = [each for each in SAID if each not in there]
    if len(missing) == 1:
        return f"unless {missing[0]}"
    if {CONSENTS, NAMES} <= there:  # whether the service is named makes no difference then
        there = there - {NAMES}
    return words.listed((each for each in SAID if each in there), last="or") if missing else ""


def _clauses(old: Agreement, new: Agreement) -> Iterator[str]:
    """What changes around the rules."""
    for name, heading in _TEXTS.items():
        before, after = getattr(old, name), getattr(new, name)
        if before != after:
            yield f"The {heading} changes from {before} to {after}."
    if old.identifier != new.identifier:
        yield f"The identifier changes from {old.identifier[1]} to {new.identifier[1]}."
    yield from _dates("begins", old.start_date, new.start_date, earlier="wider")
    yield from _dates("ends", old.end_date, new.end_date, earlier="narrower")
    for member in sorted(new.members - old.members):
        yield f"{member} joins as a party."
    for member in sorted(old.members - new.members):
        yield f"{member} is no longer a party."
    if {party.name for party in old.parties} != {party.name for party in new.parties}:
        yield f"The parties are now named {words.listed(party.name for party in new.parties)}."
    for name, heading in _LISTS.items():
        before, after = getattr(old, name), getattr(new, name)
        yield from (f"Added to {heading}: {text}" for text in after if text not in before)
        yield from (f"Removed from {heading}: {text}" for text in before if text not in after)


def _dates(verb: str, before: date, after: date, *, earlier: str) -> Iterator[str]:
    if before == after:
        return
    longer = (after < before) == (earlier == "wider")
    yield f"It {verb} on {after} instead of {before}: it is in force for {'longer' if longer else 'less long'}."


def _rules(old: Agreement, new: Agreement) -> Iterator[str]:
    """Rules that come, go and change, and those that change places."""
    before, after = ({rule.id: rule for rule in agreement.rules} for agreement in (old, new))
    yield from (f"New rule {rule.id} ({rule.effect})." for rule in new.rules if rule.id not in before)
    yield from (f"Rule {rule.id} ({rule.effect}) is gone." for rule in old.rules if rule.id not in after)
    for rule_id in after:
        if rule_id in before:
            yield from _fields(before[rule_id], after[rule_id])
    if [each for each in before if each in after] != [each for each in after if each in before]:
        yield "Rules stand in another order, which decides between permits that disclose the same."


def _fields(old: Rule, new: Rule) -> Iterator[str]:
    for name in (field.name for field in fields(Rule)):
        before, after = getattr(old, name), getattr(new, name)
        if before == after:
            continue
        if isinstance(before, tuple) and set(before) == set(after):
            continue  # the order within a list decides nothing
        yield f"Rule {new.id}: {name} changes from {_value(before)} to {_value(after)}."


def _value(value: object) -> str:
    match value:
        case tuple():
            return words.listed(map(str, value)) or "none"
        case Mode():
            return value.code
        case bool():
            return "true" if value else "false"
    return str(value or "none")
