"""Names of agreements and what their clauses allow, as a client reads them."""

from collections.abc import Iterable, Mapping
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


def agreement_names(agreements: Iterable[Agreement]) -> Mapping[tuple[str, str], str]:
    """By (uri, version)."""
    return {(each.uri, each.version): f"{each.name}, version {each.version}" for each in agreements}


def clause_words(agreements: Iterable[Agreement]) -> Mapping[tuple[str, str, str], str]:
    """By (uri, version, rule): what a rule that permits lets whom learn for what."""
    return {(each.uri, each.version, rule.id): _clause(rule) for each in agreements for rule in each.rules}


def _clause(rule: Rule) -> str:
    who = words.recipients(rule.recipients, rule.except_recipients)
    about = "" if EVERYONE in rule.services else f" from {words.listed(map(service_words, sorted(rule.services)))}"
    what_for = words.listed(_PURPOSES.get(each, words.PURPOSES[each]) for each in rule.purposes)
    return f"{who} may learn{about}, for {what_for}, at most: {MODES[rule.mode]}"
