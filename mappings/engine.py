"""Applies a mapping to one record: plain fields in, model objects and issues out. Pure.

    objects, issues = apply(spec, record.kind, record.fields)

An issue on a required attribute rejects the record (`objects` is empty, an issue has `rejects`); on any other it keeps
the record without that value. Where leaving a value out would disclose more than the source says, the cautious value
takes its place: a person's bar that cannot be read is a bar, a sensitivity is very restricted, a cap on disclosure is
none, a protected name stays protected. Reasons name the attribute and what is wrong, and never the value.

`spec.fixed` holds the objects that no record carries (the agency itself, its services): an importer stores them first.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from mappings.compound import Compound
from mappings.convert import Unusable
from mappings.fields import Issue, Record, Rejected
from mappings.model import Involvement, Mapped, type_names
from mappings.rules import ATTRIBUTES, MAX_OBJECTS, Attribute, Key, MappingSpec, NameRule, ObjectRule, Rule, Value
from mappings.toml_table import SpecError, Table
from mappings.vocabulary import Mode, OrganisationType, PersonLinkKind, Purpose, Sensitivity


@dataclass(frozen=True, slots=True)
class MappingIssue:
    """Something in a record could not be mapped: the field of the source, and why. `rejects`: the record is refused."""

    field: str
    reason: str
    rejects: bool = False


_CAUTIOUS: Mapping[str, object] = {
    "restricted": True,
    "sensitivity": Sensitivity.VERY_RESTRICTED,
    "max_mode": Mode.NONE,
}
_CODE_TYPES: Mapping[str, Any] = {
    "organisation": OrganisationType,
    "sensitivity": Sensitivity,
    "mode": Mode.from_code,
    "purpose": Purpose,
    "person_link": PersonLinkKind,
}


def apply(spec: MappingSpec, kind: str, fields: Mapping[str, Any]) -> tuple[list[Mapped], list[MappingIssue]]:
    """Map one record of `kind`; raises SpecError when the mapping knows no such kind."""
    rules = spec.objects.get(kind)
    if rules is None:
        raise SpecError(f"{spec.system}: no [[map]] is from {kind!r}")
    objects: list[Mapped] = []
    issues: list[MappingIssue] = []
    whole = Record(fields, fields, spec.missing)
    for rule in rules:
        made, found, rejected = _objects(rule, whole)
        issues += found
        if rejected:
            return [], issues
        objects += made
    return objects, issues


def fixed_objects(rules: Iterable[ObjectRule], table: Table) -> list[Mapped]:
    """Make the objects that no record carries; raises SpecError, because whoever wrote them is at hand."""
    objects: list[Mapped] = []
    for rule in rules:
        made, issues, _ = _objects(rule, Record({}, {}, frozenset()))
        if issues:
            table.fail(f"fixed {rule.type}: {issues[0].reason}")
        objects += made
    return objects


def _objects(rule: ObjectRule, whole: Record) -> tuple[list[Mapped], list[MappingIssue], bool]:
    """Make the objects of one rule; True at the end when the record must be refused."""
    parts = [whole.without_issues()] if rule.each is None else whole.parts(rule.each)
    if len(parts) > MAX_OBJECTS:
        label = rule.each.label if rule.each else ""
        return [], [MappingIssue(label, f"{rule.type}: more than {MAX_OBJECTS} in one record", rejects=True)], True
    objects: list[Mapped] = []
    issues: list[MappingIssue] = []
    for record in parts:
        if not _wanted(rule, record):
            continue
        try:
            objects.append(_object(rule, record))
        except Rejected as rejected:
            record.issues.append(rejected.issue)
            issues += _reported(rule, record.issues[:-1], rejects=False)
            issues += _reported(rule, record.issues[-1:], rejects=not rule.optional)
            if not rule.optional:
                return [], issues, True
            continue
        issues += _reported(rule, record.issues, rejects=False)
    return objects, issues, False


def _reported(rule: ObjectRule, found: Iterable[Issue], *, rejects: bool) -> list[MappingIssue]:
    return [MappingIssue(issue.field, f"{rule.type}.{issue.attribute}: {issue.reason}", rejects) for issue in found]


def _wanted(rule: ObjectRule, record: Record) -> bool:
    """Whether the rule's conditions want an object of this record at all."""
    if not record.has(rule.needs):
        return False
    if rule.when and record.compared(rule.when.path) not in rule.when.values:
        return False
    return not (rule.unless and record.compared(rule.unless.path) in rule.unless.values)


def _object(rule: ObjectRule, record: Record) -> Mapped:
    """Make one object; raises Rejected."""
    values: dict[str, Any] = {}
    attributes = ATTRIBUTES[rule.type]
    for name, said in rule.attributes.items():
        attribute = attributes[name]
        value = _attribute(name, attribute, said, record)
        if value not in (None, "", ()):
            values[name] = value
        elif attribute.required or (isinstance(said, Value) and said.required):
            raise Rejected(Issue(_blame(said), name, "required, but empty"))
    preferred = values.pop("preferred_contact", None)
    if preferred and "contact_points" in values:
        values["contact_points"] = Compound.reorder(values["contact_points"], preferred)
    if "organisation_type" in values:
        values["type"] = values.pop("organisation_type")
    made = cast(Mapped, type_names[rule.type](**values))
    if isinstance(made, Involvement) and made.practitioner_key is None and made.service_key is None:
        raise Rejected(Issue("", "practitioner_key", "names neither a practitioner nor a service"))
    return made


def _attribute(name: str, attribute: Attribute, said: Rule, record: Record) -> Any:
    """Read one attribute. An issue is noted and costs the value, or raises Rejected where the attribute is strict."""
    if not isinstance(said, (Value, Key)):
        return _compound(name, attribute, said, record)
    try:
        return record.key(said) if isinstance(said, Key) else _scalar(attribute, said, record)
    except Unusable as problem:
        issue = Issue(_blame(said), name, str(problem))
        if attribute.required or attribute.strict or attribute.shape == "key":
            raise Rejected(issue) from None
        if isinstance(said, Value) and said.required:
            raise Rejected(issue) from None
        record.issues.append(issue)
        return _CAUTIOUS.get(name)


def _scalar(attribute: Attribute, value: Value, record: Record) -> Any:
    match attribute.shape:
        case "flag":
            return record.flag(value)
        case "date":
            return record.date(value)
        case "codes":
            codes = dict.fromkeys(record.codes(value))
            convert = _CODE_TYPES.get(attribute.target, str)
            return tuple(convert(code) for code in codes)
        case "code":
            code = record.code(value)
            return _CODE_TYPES.get(attribute.target, str)(code) if code else None
        case _:
            return record.code(value) if value.value_set else record.text(value, free=attribute.shape == "free_text")


def _compound(name: str, attribute: Attribute, said: Any, record: Record) -> Any:
    compound = Compound(name, record)
    match attribute.shape:
        case "name":
            return next(iter(compound.names((said,))), None)
        case "names":
            return compound.names(said)
        case "addresses":
            return compound.addresses(said)
        case "identifiers":
            return compound.identifiers(said)
        case _:
            return compound.contact_points(said)


def _blame(said: Rule) -> str:
    """The field to look at when an attribute could not be read."""
    match said:
        case Value(path=path):
            return path.label if path else ""
        case Key(values=values):
            return " + ".join(value.path.label for value in values if value.path)
        case NameRule():
            parts = (said.whole, said.family, *said.given)
            return " + ".join(part.path.label for part in parts if part and part.path)
        case _:
            first = said[0] if said else None
            return _blame(first) if isinstance(first, NameRule) else ""
