"""All the cases that the rules of an agreement tell apart: who asks whom, why, about what. Pure.

A cell is one combination of (asker, purpose, basis, asked, service, sensitivity). Values that no rule tells apart are
one value here, so an agreement of ordinary size has some hundred cells and each can be decided by decide() itself.
Several versions can be laid over each other, to compare them.

Who is of which type is known from a federation document (`types`); without it every party may be of any type.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final, NamedTuple, TypeVar

from gateway.errors import InputError
from gateway.policy.agreement import EVERYONE, Agreement, Effect, Rule
from mappings.vocabulary import LawfulBasis, OrganisationType, Purpose, Sensitivity

MAX_CELLS: Final = 20_000  # looked at in a second; an agreement that people can read has hundreds
MAX_MATCHES: Final = 1_000_000  # of parties with rules: 1,000 members and 100 rules
OTHER_SERVICES: Final = ""  # every service that no rule names, and one without a code

TOO_MANY: Final = "the rules tell too many cases apart to look at all of them"

T = TypeVar("T", str, "Who")


class Who(NamedTuple):
    """A party in one of its possible types."""

    member: str
    type: str


class Scope(NamedTuple):
    """Cells of which the same is true: every combination of its values."""

    askers: frozenset[Who]
    purposes: frozenset[Purpose]
    bases: frozenset[LawfulBasis]
    asked: frozenset[Who]
    services: frozenset[str]
    sensitivity: frozenset[Sensitivity]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One case: its scope (one purpose, basis and sensitivity), and for each version the rules that speak there.

    A permit or review speaks only where it lets the asked party be asked.
    """

    scope: Scope
    rules: tuple[tuple[Rule, ...], ...]

    @property
    def pair(self) -> tuple[Who, Who]:
        """Two different parties that stand for the askers and the asked."""
        return next((one, two) for one, two in product(self.scope.askers, self.scope.asked) if one.member != two.member)


def universe(versions: Sequence[Agreement], types: Mapping[str, str] | None) -> frozenset[Who]:
    """Everybody who can ask or be asked under any of these versions."""
    members = frozenset().union(*(version.members for version in versions))
    if types is not None:
        return frozenset(Who(member, types[member]) for member in members if member in types)
    return frozenset(Who(member, kind.value) for member in members for kind in OrganisationType)


def cells(versions: Sequence[Agreement], types: Mapping[str, str] | None = None) -> Iterator[Cell]:
    """Every cell in which a rule of some version speaks; raises InputError if there are far too many."""
    numbered = [(version, rule) for version in versions for rule in version.rules]
    everybody = universe(versions, types)
    bits = {id(rule): 1 << number for number, (_, rule) in enumerate(numbered)}
    if len(everybody) * len(numbered) > MAX_MATCHES:
        raise InputError(TOO_MANY)
    askers = _alike(
        everybody,
        lambda who: _mask(who.member in version.members and rule.receives(*who) for version, rule in numbered),
    )
    # A denial speaks whoever is asked.
    asked = _alike(
        everybody,
        lambda who: _mask(
            who.member in version.members and (rule.effect is Effect.DENY or rule.asks(*who))
            for version, rule in numbered
        ),
    )
    services = _alike(
        service_codes(rule for _, rule in numbered), lambda code: _mask(rule.about(code) for _, rule in numbered)
    )
    seen = 0
    for purpose, basis, sensitivity in product(Purpose, LawfulBasis, Sensitivity):
        here = _mask(
            purpose in rule.purposes and basis in rule.lawful_bases and sensitivity in rule.sensitivity
            for _, rule in numbered
        )
        for (receiving, group), (about, codes) in product(askers.items(), services.items()) if here else ():
            speaking = here & receiving & about
            for asking, others in asked.items() if speaking else ():
                seen += 1
                if seen > MAX_CELLS:
                    raise InputError(TOO_MANY)
                holding = speaking & asking
                if holding and _two_parties(group, others):
                    yield Cell(
                        scope=Scope(
                            askers=group,
                            purposes=frozenset((purpose,)),
                            bases=frozenset((basis,)),
                            asked=others,
                            services=codes,
                            sensitivity=frozenset((sensitivity,)),
                        ),
                        rules=tuple(
                            tuple(rule for rule in version.rules if bits[id(rule)] & holding) for version in versions
                        ),
                    )


def _alike(values: Iterable[T], rules_of: Callable[[T], int]) -> dict[int, frozenset[T]]:
    """Values by the rules that hold for them, in a stable order; what no rule holds for is left out."""
    found: dict[int, set[T]] = {}
    for value in sorted(values):
        if holding := rules_of(value):
            found.setdefault(holding, set()).add(value)
    return {holding: frozenset(group) for holding, group in found.items()}


def _mask(holds: Iterable[bool]) -> int:
    """One bit for each rule, in order."""
    return sum(1 << number for number, each in enumerate(holds) if each)


def service_codes(rules: Iterable[Rule]) -> set[str]:
    """All services that rules tell apart; OTHER_SERVICES stands for the rest."""
    return {code for rule in rules for code in rule.services if code != EVERYONE} | {OTHER_SERVICES}


def _two_parties(askers: frozenset[Who], asked: frozenset[Who]) -> bool:
    """Nobody asks themselves."""
    members = {who.member for who in askers}
    return len(members | {who.member for who in asked}) > 1
