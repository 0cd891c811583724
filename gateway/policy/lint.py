"""What an officer should know of an agreement before signing: rules that never act, rules that collide, gaps. Pure.

Whether a rule acts is asked of decide() itself, in every cell and circumstance (policy/outcomes.py), so nothing here
can differ from what a node would do. What is merely missing or unusual stands in policy/gaps.py.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from gateway.policy.agreement import EVERYONE, Agreement, Effect, Rule
from gateway.policy.cells import Cell, Scope, cells, service_codes, universe
from gateway.policy.decide import Reason
from gateway.policy.findings import Finding, Severity
from gateway.policy.gaps import gaps
from gateway.policy.merging import merged
from gateway.policy.outcomes import CIRCUMSTANCES, SILENT, Outcome, Outcomes
from gateway.policy.words import kind, listed, parties, purposes, services
from mappings.vocabulary import OrganisationType

MAX_OVERLAPS: Final = 3  # described in one finding; the rest are counted

_TYPES = frozenset(code.value for code in OrganisationType)
_TAKING: Final = (
    (Effect.DENY, ("denies it", "deny it")),
    (Effect.REVIEW, ("sends it to a review", "send it to a review")),
    (Effect.PERMIT, ("stands before it", "stand before it")),
)


def lint(
    agreement: Agreement,
    *,
    types: Mapping[str, str] | None = None,
    known_services: Collection[str] = (),
    today: date | None = None,
) -> list[Finding]:
    """All findings, worst first, each kind in file order.

    `types` are the members of the federation and their types, where they are known; `known_services` the service
    codes that nodes use. Raises InputError for an agreement with far too many cases.
    """
    found = [
        *_names(agreement, types, known_services),
        *_rules(agreement, types),
        *gaps(agreement, today=today),
    ]
    return sorted(found, key=lambda finding: list(Severity).index(finding.severity))


@dataclass(slots=True)
class _Fate:
    """What becomes of one rule over all cells: in how many it speaks and decides, and what decides in the others."""

    cells: int = 0
    decides: int = 0
    opposes: int = 0  # of a denial: cells in which something would be permitted
    before: dict[str, list[Scope]] = field(default_factory=dict)  # rule id: where
    hidden: dict[str, list[Scope]] = field(default_factory=dict)  # rule id: where consent is missing only because of it


def _rules(agreement: Agreement, types: Mapping[str, str] | None) -> Iterator[Finding]:
    """Unreachable rules and contradictions."""
    outcomes = Outcomes(agreement)
    fates = {rule.id: _Fate() for rule in agreement.rules}
    for cell in cells([agreement], types):
        _follow(cell, fates, outcomes)
    for rule in agreement.rules:
        fate = fates[rule.id]
        if not fate.cells:
            yield _nobody(rule, agreement, types)
        elif not fate.decides:
            yield _never(rule, fate, agreement)
        elif rule.effect is Effect.DENY and not fate.opposes:
            said = "It denies what no rule permits. If it was to take something away, it names others than meant."
            yield Finding(Severity.WARNING, (rule.id,), said)
    for rule in agreement.rules:
        yield from _overlaps(rule, fates, agreement, types)


def _follow(cell: Cell, fates: dict[str, _Fate], outcomes: Outcomes) -> None:
    """Note what each rule that speaks in this cell comes to."""
    (speaking,) = cell.rules
    found = outcomes.of(cell, speaking)
    deciding = {outcome.rule for outcome in found if outcome.rule is not None}
    opposed = any(rule.effect is not Effect.DENY for rule in speaking)
    for rule in speaking:
        fate = fates[rule.id]
        fate.cells += 1
        fate.opposes += opposed
        fate.decides += rule.id in deciding
        for other in deciding if rule.id not in deciding else ():
            fate.before.setdefault(other, []).append(cell.scope)
    for rule_id, other in _hidden(speaking, found):
        fates[rule_id].hidden.setdefault(other, []).append(cell.scope)


def _hidden(speaking: tuple[Rule, ...], found: tuple[Outcome, ...]) -> set[tuple[str, str]]:
    """(rule, other): it needs no consent and would disclose, but the other decides and finds no consent."""
    return {
        (rule.id, outcome.rule)
        for circumstance, outcome in zip(CIRCUMSTANCES, found, strict=True)
        if circumstance.said == SILENT and outcome.reason is Reason.NO_CONSENT and outcome.rule is not None
        for rule in speaking
        if rule.effect is Effect.PERMIT and not rule.needs_consent
        if circumstance.grade.rank >= rule.min_grade.rank and circumstance.auth.rank >= rule.min_auth.rank
    }


def _nobody(rule: Rule, agreement: Agreement, types: Mapping[str, str] | None) -> Finding:
    """No cell at all: somebody is missing, or the two sides are one party."""
    everybody = universe([agreement], types)
    where = "among the parties" if types is None else "among the parties in the federation document"
    if not any(rule.receives(*who) for who in everybody):
        said = f"nobody {where} is {listed(rule.recipients, last='or')}"
        if any({EVERYONE, *who} & set(rule.recipients) for who in everybody):
            said = "its exceptions leave nobody who may ask"
    elif rule.effect is not Effect.DENY and not any(rule.asks(*who) for who in everybody):
        said = f"nobody {where} is {listed(rule.ask, last='or')}, whom it lets be asked"
    else:
        said = "the only party that may ask under it is the only one that may be asked"
    return Finding(Severity.ERROR, (rule.id,), f"It never acts: {said}.")


def _never(rule: Rule, fate: _Fate, agreement: Agreement) -> Finding:
    others = [other for other in agreement.rules if other.id in fate.before]
    if rule.effect is Effect.DENY:
        said = f"It adds nothing: {_named(others)} already {_plural(others, 'denies', 'deny')} all of it."
        return Finding(Severity.NOTE, (rule.id,), said)
    how = listed(
        (
            f"{_named(some)} {_plural(some, *verbs)}"
            for effect, verbs in _TAKING
            if (some := [other for other in others if other.effect is effect])
        ),
        last="or",
    )
    # What a greater permit takes is still disclosed; what a denial or review takes is not what the rule says.
    outdone = all(other.effect is Effect.PERMIT for other in others)
    severity = Severity.WARNING if outdone else Severity.ERROR
    return Finding(severity, (rule.id,), f"It never acts: wherever it applies, {how}.")


def _overlaps(
    rule: Rule, fates: Mapping[str, _Fate], agreement: Agreement, types: Mapping[str, str] | None
) -> Iterator[Finding]:
    """What this rule takes away from others that act elsewhere: as a denial, a review, or by needing consent."""
    taken = [
        other
        for other in agreement.rules
        if rule.id in fates[other.id].before and fates[other.id].decides and other.effect is not Effect.DENY
    ]
    if taken and rule.effect is not Effect.PERMIT:
        verb = "denies" if rule.effect is Effect.DENY else "sends to a review"
        where = merged(scope for other in taken for scope in fates[other.id].before[rule.id])
        of_whom = rule.effect is Effect.REVIEW
        described = _described(where, agreement, types, of_whom=of_whom)
        said = f"It {verb} part of what {_named(taken)} would allow: {described}."
        yield Finding(Severity.NOTE, (rule.id,), said)
    for other in agreement.rules:
        if where := merged(fates[other.id].hidden.get(rule.id, ())):
            said = (
                f"It discloses more, and so decides, but needs consent: where there is none, nothing is disclosed,"
                f" though {other.id} alone would need none: {_described(where, agreement, types)}."
            )
            yield Finding(Severity.WARNING, (rule.id,), said)


def _described(
    scopes: list[Scope], agreement: Agreement, types: Mapping[str, str] | None, *, of_whom: bool = False
) -> str:
    """Who asks about what for what, and `of_whom`; each once."""
    everybody = universe([agreement], types)
    of = service_codes(agreement.rules)
    said = list(
        dict.fromkeys(
            f"{parties(scope.askers, of=everybody)}"
            + (f", asking {parties(scope.asked, of=everybody)}," if of_whom else "")
            + f" about {services(scope.services, of=of)} for {purposes(scope.purposes)}"
            for scope in scopes
        )
    )
    more = len(said) - MAX_OVERLAPS
    return "; ".join(said[:MAX_OVERLAPS]) + (f"; and {more} more" if more > 0 else "")


def _names(agreement: Agreement, types: Mapping[str, str] | None, known_services: Collection[str]) -> Iterator[Finding]:
    """Words that can never match, which weigh most where they were to keep somebody out."""
    for rule in agreement.rules:
        known = _TYPES | agreement.members
        keeps_out = rule.effect is Effect.DENY
        for code in sorted(set(rule.recipients) - known - {EVERYONE}):
            severity = Severity.ERROR if keeps_out else Severity.WARNING
            yield Finding(severity, (rule.id,), f"recipients: {code} is neither a party nor a kind of organisation.")
        for code in sorted(set(rule.except_recipients) - known):
            said = (
                "an asterisk excepts nobody: name whom you mean"
                if code == EVERYONE
                else f"{code} is neither a party nor a kind of organisation, so it excepts nobody"
            )
            yield Finding(Severity.WARNING if keeps_out else Severity.ERROR, (rule.id,), f"except_recipients: {said}.")
        for code in sorted(set(rule.ask) - known - {EVERYONE}):
            yield Finding(Severity.WARNING, (rule.id,), f"ask: {code} is neither a party nor a kind of organisation.")
        for code in sorted(set(rule.services) - {EVERYONE} - set(known_services)) if known_services else ():
            severity = Severity.ERROR if keeps_out else Severity.WARNING
            yield Finding(severity, (rule.id,), f"services: {code} is not a service code that nodes use.")
    if types is not None:
        yield from _absent(agreement, types)


def _absent(agreement: Agreement, types: Mapping[str, str]) -> Iterator[Finding]:
    """Who is named and is not in the federation: a party, or any party of a kind."""
    for member in sorted(agreement.members - set(types)):
        yield Finding(Severity.WARNING, (), f"{member} is a party, but not an active member of the federation.")
    there = {types[member] for member in agreement.members if member in types}
    for code in sorted(_TYPES - there):
        rules = tuple(rule.id for rule in agreement.rules if code in {*rule.recipients, *rule.ask})
        if rules:
            yield Finding(Severity.NOTE, rules, f"No party is a {kind(code)} now; one that joins would come under it.")


def _named(rules: list[Rule]) -> str:
    return listed(rule.id for rule in rules)


def _plural(rules: list[Rule], one: str, several: str) -> str:
    return one if len(rules) == 1 else several
