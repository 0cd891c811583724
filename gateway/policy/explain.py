"""Who may learn what under an agreement, for people: each rule by itself, and what all of them come to. Pure.

The summary is made from decide()'s own outcomes (policy/outcomes.py), so that denials, reviews and greater rules are
already weighed; what no line names is not disclosed.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from gateway.policy import words
from gateway.policy.agreement import Agreement, Effect, Rule
from gateway.policy.cells import Scope, cells, service_codes, universe
from gateway.policy.merging import merged
from gateway.policy.outcomes import Outcome, Outcomes
from gateway.policy.words import AS_WRITTEN, Wording
from mappings.vocabulary import Mode, Purpose


class Line(NamedTuple):
    """One line of either table, in words; `rules` are the ids of the rules behind it."""

    rules: tuple[str, ...]
    who: str
    why: str
    whom: str
    about: str
    most: str
    conditions: str
    objection: str


HEADINGS = Line(
    ("Rule",),
    "Who asks",
    "For what, on which basis",
    "Whom",
    "About which services",
    "At most what",
    "On which conditions",
    "If the person objects",
)


def by_rule(agreement: Agreement, wording: Wording = AS_WRITTEN) -> list[Line]:
    """One line for each rule, in file order, as the rule is written."""
    return [
        Line(
            rules=(rule.id,),
            who=words.recipients(rule.recipients, rule.except_recipients, wording=wording),
            why=f"{words.purposes(rule.purposes)}: {words.bases(rule.lawful_bases)}",
            whom=words.recipients(rule.ask, wording=wording) if rule.effect is not Effect.DENY else wording.anybody,
            about=f"{words.services(rule.services, wording=wording)}: {words.sensitivity(rule.sensitivity, wording)}",
            most=words.most(rule),
            conditions=_sentence(words.conditions(rule, wording)),
            objection=words.objection(rule),
        )
        for rule in agreement.rules
    ]


def summary(agreement: Agreement, types: Mapping[str, str] | None = None, wording: Wording = AS_WRITTEN) -> list[Line]:
    """What the rules come to together, most disclosed first; raises InputError for far too many cases."""
    outcomes = Outcomes(agreement)
    found: dict[tuple[Rule, ...], list[Scope]] = {}
    for cell in cells([agreement], types):
        rules = deciding(cell.rules[0], outcomes.of(cell, cell.rules[0]))
        found.setdefault(rules, []).append(cell.scope)
    everybody = universe([agreement], types)
    codes = service_codes(agreement.rules)
    lines = [
        (
            _width(rules),
            Line(
                rules=tuple(rule.id for rule in rules),
                who=words.parties(scope.askers, of=everybody, wording=wording),
                why=f"{words.purposes(scope.purposes)}: {words.bases(scope.bases)}",
                whom=words.parties(scope.asked, of=everybody, wording=wording),
                about=f"{words.services(scope.services, of=codes, wording=wording)}: "
                + words.sensitivity(scope.sensitivity, wording),
                most="; or ".join(dict.fromkeys(map(words.most, rules))),
                conditions="; or: ".join(dict.fromkeys(_sentence(words.conditions(rule, wording)) for rule in rules)),
                objection="; or: ".join(filter(None, dict.fromkeys(map(words.objection, rules)))),
            ),
        )
        for rules, scopes in found.items()
        for scope in merged(scopes)
    ]
    return [line for _, line in sorted(lines, key=lambda each: (-each[0][0], -each[0][1]))]


def clauses(agreement: Agreement, wording: Wording = AS_WRITTEN) -> Iterator[tuple[str, str]]:
    """What stands around the rules: (heading, text)."""
    yield "Address", agreement.uri
    yield "Version", agreement.version
    yield "Identifier", f"{agreement.identifier[1]} ({agreement.identifier[0]})"
    yield "In force", f"from {agreement.start_date} to {agreement.end_date}, both days included"
    yield "Contact", agreement.contact
    for party in agreement.parties:
        yield "Party", f"{party.name} ({', '.join(map(wording.name, party.members))})"
    yield "Purposes", words.purposes(agreement.purposes)
    for heading, texts in (
        ("Data", agreement.data),
        ("Permitted use", tuple(map(words.action, agreement.permitted_use))),
        ("Not allowed", tuple(map(words.action, agreement.restrictions))),
        ("Recipients must", agreement.responsibilities),
        ("Security", agreement.security_measures),
        ("Legal compliance", agreement.legal_compliance),
    ):
        for text in texts:
            yield heading, text


def footnotes(agreement: Agreement, wording: Wording = AS_WRITTEN) -> list[str]:
    """What holds for every line, and what the lines cannot say."""
    said = [
        "What no line allows is not disclosed. A denial beats a review, and a review beats what is permitted.",
        "Nobody gets more than they ask for, nor more than the service itself lets be known.",
        "Nothing is disclosed of a person whose record is restricted as a whole, nor of work that has ended.",
        "An objection counts against what it names: to the whole, to some askers, purposes or services, or from some"
        " degree of detail on.",
        "Whoever asks learns no more from a refusal than that nothing is shared.",
    ]
    if any(set(rule.sensitivity) - {"N"} for rule in agreement.rules if rule.effect is not Effect.DENY):
        said.append(
            f"A {wording.restricted} service that chose it is asked to call back, and learns who would like to talk;"
            " nothing is shown to the asker."
        )
    if Purpose.BREAK_GLASS in agreement.purposes:
        said.append(
            f"Break-glass reaches {wording.restricted} services without consent, where a rule for it lists them."
        )
    return said


def deciding(speaking: Sequence[Rule], found: Sequence[Outcome]) -> tuple[Rule, ...]:
    """The rules that decide in some circumstance, greatest first."""
    ids = {outcome.rule for outcome in found}
    return tuple(sorted((rule for rule in speaking if rule.id in ids), key=lambda rule: -rule.mode))


def _width(rules: Sequence[Rule]) -> tuple[int, Mode]:
    """For the order of lines: permits, reviews, denials, each from much to little."""
    order = {Effect.DENY: 0, Effect.REVIEW: 1, Effect.PERMIT: 2}
    return max((order[rule.effect], rule.mode) for rule in rules)


def _sentence(parts: Sequence[str]) -> str:
    return "; ".join(parts)
