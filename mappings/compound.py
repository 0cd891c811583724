"""Makes names, addresses, identifiers and contact points of one record. Pure.

What cannot be read is noted as an issue and left out; a `protected` that cannot be read protects.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

from mappings import convert
from mappings.convert import MOBILE, Unusable
from mappings.fields import Issue, Record, Rejected
from mappings.model import Address, ContactPoint, HumanName, Identifier
from mappings.rules import MAX_ITEMS, AddressRule, ContactRule, IdentifierRule, NameRule, Value
from mappings.vocabulary import NHS_NUMBER_SYSTEM, ODS_SYSTEM

T = TypeVar("T")
AnyRule = TypeVar("AnyRule", NameRule, AddressRule, IdentifierRule, ContactRule)

_CHECKED_SYSTEMS: dict[str, Callable[[str], str]] = {
    NHS_NUMBER_SYSTEM: convert.nhs_number,
    ODS_SYSTEM: convert.ods_code,
}


class Compound:
    """Reads one compound attribute of one record after another."""

    def __init__(self, attribute: str) -> None:
        self._attribute = attribute

    def names(self, rules: Sequence[NameRule], record: Record) -> tuple[HumanName, ...]:
        """Names; a nickname in brackets becomes a name of its own."""
        return self._all(rules, self._name, record)

    def addresses(self, rules: Sequence[AddressRule], record: Record) -> tuple[Address, ...]:
        """Addresses, as far as they can be read."""
        return self._all(rules, self._address, record)

    def identifiers(self, rules: Sequence[IdentifierRule], record: Record) -> tuple[Identifier, ...]:
        """Identifiers; those with a known form are checked."""
        return self._all(rules, self._identifier, record)

    def contact_points(self, rules: Sequence[ContactRule], record: Record) -> tuple[ContactPoint, ...]:
        """Contact points ranked from 1: those marked as preferred first, else in the mapping's order."""
        found = dict(self._all(rules, self._contact, record))  # one number given twice counts once, at its first place
        return _ranked(sorted(found, key=lambda point: not found[point]))

    @staticmethod
    def reorder(points: tuple[ContactPoint, ...], preferred: str) -> tuple[ContactPoint, ...]:
        """Put first what a person prefers: phone (not mobile), mobile, email or sms."""

        def is_preferred(point: ContactPoint) -> bool:
            if preferred == "mobile":
                return point.use == "mobile"
            return point.system == preferred and point.use != "mobile"

        return _ranked(sorted(points, key=lambda point: not is_preferred(point)))

    def _all(
        self, rules: Sequence[AnyRule], make: Callable[[AnyRule, Record], list[T]], record: Record
    ) -> tuple[T, ...]:
        made: list[T] = []
        for rule in rules:
            parts = [record] if rule.each is None else record.parts(rule.each)
            if len(made) + len(parts) > MAX_ITEMS:
                raise Rejected(Issue(rule.each.label if rule.each else "", self._attribute, f"more than {MAX_ITEMS}"))
            for part in parts:
                if not rule.needs or part.has(rule.needs):
                    part.issues = record.issues
                    made += make(rule, part)
        return tuple(made)

    def _name(self, rule: NameRule, part: Record) -> list[HumanName]:
        nickname = ""
        if rule.whole is not None:
            text = self._try(rule.whole, Record.text, part) or ""
            family, given, nickname = convert.split_name(text, rule.order)
        else:
            family = (self._try(rule.family, Record.text, part) if rule.family else None) or ""
            words = (self._try(value, Record.texts, part) or () for value in rule.given)
            given = tuple(word for texts in words for text in texts for word in text.split())
        if not (family or given):
            return []
        use = self._use(rule.use, part) or "official"
        protected = self._protected(rule.protected, part)
        names = [HumanName(family=family, given=given, use=use, protected=protected)]
        if nickname:
            names.append(HumanName(family=family, given=(nickname,), use="nickname", protected=protected))
        return names

    def _address(self, rule: AddressRule, part: Record) -> list[Address]:
        lines: tuple[str, ...]
        lines, city, code = (), "", ""
        if rule.whole is not None:
            lines, city, code = convert.split_address(self._try(rule.whole, Record.lines, part) or "")
        else:
            texts = (self._try(value, Record.texts, part) or () for value in rule.lines)
            lines = tuple(text for found in texts for text in found)
            city = (self._try(rule.city, Record.text, part) if rule.city else None) or ""
        if rule.postcode is not None:
            code = self._try(rule.postcode, Record.text, part, convert.postcode) or code
        if not (lines or city or code):
            return []
        use = self._use(rule.use, part) or "home"
        protected = self._protected(rule.protected, part)
        return [Address(lines=lines, city=city, postcode=code, use=use, protected=protected)]

    def _identifier(self, rule: IdentifierRule, part: Record) -> list[Identifier]:
        value = self._try(rule.value, Record.text, part, _CHECKED_SYSTEMS.get(rule.system))
        if not value:
            return []
        return [Identifier(system=rule.system, value=value, protected=self._protected(rule.protected, part))]

    def _contact(self, rule: ContactRule, part: Record) -> list[tuple[ContactPoint, bool]]:
        system = self._use(rule.system, part)
        value = self._try(rule.value, Record.text, part, convert.email if system == "email" else convert.phone)
        if not (system and value):
            return []
        use = self._use(rule.use, part) if rule.use else None
        if use is None:
            use = "mobile" if MOBILE.fullmatch(value.replace(" ", "")) else "work"
        preferred = bool(self._try(rule.preferred, Record.flag, part)) if rule.preferred else False
        return [(ContactPoint(system=system, value=value, use=use), preferred)]

    def _use(self, rule: Value, part: Record) -> str | None:
        """A code that mostly is constant."""
        return str(rule.constant) if rule.path is None else self._try(rule, Record.code, part)

    def _protected(self, rule: Value | None, part: Record) -> bool:
        """Whether something is protected: yes, too, when the flag cannot be read."""
        if rule is None:
            return False
        try:
            return bool(part.flag(rule))
        except Unusable as problem:
            self._note(rule, part, problem)
            return True

    def _try(
        self,
        rule: Value,
        read: Callable[[Record, Value], T | None],
        part: Record,
        convert_to: Callable[[T], T] | None = None,
    ) -> T | None:
        """Read and convert; note an issue and return None if that fails."""
        try:
            found = read(part, rule)
            return convert_to(found) if convert_to and found else found
        except Unusable as problem:
            self._note(rule, part, problem)
            return None

    def _note(self, rule: Value, part: Record, problem: Unusable) -> None:
        part.issues.append(Issue(rule.path.label if rule.path else "", self._attribute, str(problem)))


def _ranked(points: Sequence[ContactPoint]) -> tuple[ContactPoint, ...]:
    return tuple(
        ContactPoint(system=point.system, value=point.value, use=point.use, rank=rank)
        for rank, point in enumerate(points, 1)
    )
