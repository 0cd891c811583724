"""Names of agreements and what their clauses allow, as a client reads them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from gateway.policy import words
from gateway.policy.agreement import EVERYONE, Agreement, Rule
from gateway.reports.words import MODES, service_words
from mappings.vocabulary import Purpose

_PURPOSES: Final[Mapping[Purpose, str]] = {
    Purpose.BREAK_GLASS: "an emergency in which the usual limits are set aside",
    Purpose.SAFEGUARDING: "keeping somebody safe",
    Purpose.SUBJECT_REQUEST: "your own request",
}


@dataclass(frozen=True, slots=True)
class Clause:
    """What a rule that permits lets whom learn for what; `some_services`: it is not about all that an agency has."""

    who: str
    what_for: str
    most: str
    some_services: bool

    def told(self, services: Iterable[str]) -> str:
        """In words, with those services alone that were shared: what else it covers is not this client's matter."""
        about = f" from {words.listed(map(service_words, sorted(services)))}" if self.some_services else ""
        return f"{self.who} may learn{about}, for {self.what_for}, at most: {self.most}"


def agreement_names(agreements: Iterable[Agreement]) -> Mapping[tuple[str, str], str]:
    """By (uri, version)."""
    return {(each.uri, each.version): f"{each.name}, version {each.version}" for each in agreements}


def clause_words(agreements: Iterable[Agreement]) -> Mapping[tuple[str, str, str], Clause]:
    """By (uri, version, rule)."""
    return {(each.uri, each.version, rule.id): _clause(rule) for each in agreements for rule in each.rules}


def _clause(rule: Rule) -> Clause:
    return Clause(
        who=words.recipients(rule.recipients, rule.except_recipients),
        what_for=words.listed(_PURPOSES.get(each, words.PURPOSES[each]) for each in rule.purposes),
        most=MODES[rule.mode],
        some_services=EVERYONE not in rule.services,
    )
