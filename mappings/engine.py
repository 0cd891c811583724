"""Applies a mapping to records: plain fields in, model objects and issues out. No input or output.

    mapper = Mapper(spec)
    objects, issues = mapper.apply(record.kind, record.fields)

An issue on a required attribute rejects the record (`objects` is empty, an issue has `rejects`); on any other it keeps
the record without that value. Where leaving a value out would disclose more than the source says, the cautious value
takes its place: a person's bar that cannot be read is a bar, a sensitivity is very restricted, a cap on disclosure is
none, a protected name stays protected. Reasons name the attribute and what is wrong, and never the value.

`spec.fixed` holds the objects that no record carries (the agency itself, its services): an importer stores them first.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

from mappings.attributes import Reader, blame, is_constant, is_required, reader
from mappings.compound import Compound
from mappings.fields import Issue, Record, Rejected
from mappings.model import ConsentStatement, Involvement, Mapped, type_names
from mappings.rules import ATTRIBUTES, MAX_OBJECTS, MappingSpec, ObjectRule, paths_in
from mappings.toml_table import SpecError, Table
from mappings.vocabulary import MAX_SCOPE, Mode

RECURRING = frozenset({"practitioner", "service", "organisation"})  # types that many records of an export repeat
_REMEMBERED = 4096  # made objects of one rule: more than an agency has workers
_NOTHING = Record({}, {}, frozenset())


@dataclass(frozen=True, slots=True)
class MappingIssue:
    """Something in a record could not be mapped: the field of the source, and why. `rejects`: the record is refused."""

    field: str
    reason: str
    rejects: bool = False


class Mapper:
    """Applies one mapping to one record after another; remembers, up to a bound, objects that recur."""

    def __init__(self, spec: MappingSpec) -> None:
        self._spec = spec
        self._makers = {kind: tuple(_Maker(rule) for rule in rules) for kind, rules in spec.objects.items()}

    def apply(self, kind: str, fields: Mapping[str, Any]) -> tuple[list[Mapped], list[MappingIssue]]:
        """Map one record of `kind`; raises SpecError when the mapping knows no such kind."""
        makers = self._makers.get(kind)
        if makers is None:
            raise SpecError(f"{self._spec.system}: no [[map]] is from {kind!r}")
        objects: list[Mapped] = []
        issues: list[MappingIssue] = []
        record = Record(fields, fields, self._spec.missing)
        for maker in makers:
            made = maker.make(record)
            issues += made.issues
            if made.rejected:
                return [], issues
            objects += made.objects
        return objects, issues


def apply(spec: MappingSpec, kind: str, fields: Mapping[str, Any]) -> tuple[list[Mapped], list[MappingIssue]]:
    """Map a single record; for many, make one Mapper. Raises SpecError when the mapping knows no such kind."""
    return Mapper(spec).apply(kind, fields)


def fixed_objects(rules: Iterable[ObjectRule], table: Table) -> list[Mapped]:
    """Make the objects that no record carries; raises SpecError, because whoever wrote them is at hand."""
    objects: list[Mapped] = []
    for rule in rules:
        made = _Maker(rule).make(Record({}, {}, frozenset()))
        if made.issues:
            table.fail(f"fixed {rule.type}: {made.issues[0].reason}")
        objects += made.objects
    return objects


def _check_consent(made: ConsentStatement, rule: ObjectRule) -> None:
    """Refuse what no ledger can hold: a permission of nothing, or lists without end; raises Rejected."""
    for name in ("purposes", "recipients", "except_recipients", "services", "modes"):
        if len(getattr(made, name)) > MAX_SCOPE:
            raise Rejected(Issue(blame(rule.attributes[name]), name, f"more than {MAX_SCOPE} codes"))
    if made.permit and made.modes and max(made.modes) is Mode.NONE:
        raise Rejected(Issue(blame(rule.attributes["modes"]), "modes", "a permission of nothing"))


class _Made(NamedTuple):
    """What one rule made of one record; `rejected`: the record must be refused."""

    objects: tuple[Mapped, ...]
    issues: tuple[MappingIssue, ...] = ()
    rejected: bool = False


_NOT_WANTED = _Made(())


class _Maker:
    """One rule, ready: what it says of every record is read already."""

    def __init__(self, rule: ObjectRule) -> None:
        self._rule = rule
        attributes = ATTRIBUTES[rule.type]
        self._constants: dict[str, Any] = {}
        self._readers: list[tuple[str, bool, Reader]] = []
        for name, said in rule.attributes.items():
            read = reader(name, attributes[name], said)
            if is_constant(said):
                self._constants[name] = read(_NOTHING)
            else:
                self._readers.append((name, is_required(attributes[name], said), read))
        # By all that the rule looks at. A rule with `each` makes many objects of lists that hardly recur as a whole.
        self._made: dict[tuple[object, ...], _Made] | None = {} if rule.type in RECURRING and not rule.each else None
        self._labels = tuple(dict.fromkeys(label for path in paths_in(rule) for label in (path.label, path.parts[0])))

    def make(self, whole: Record) -> _Made:
        """Make the objects of this rule."""
        if self._made is None:
            return self._make(whole)
        seen = whole.plain(self._labels)
        if seen is None:
            return self._make(whole)
        made = self._made.get(seen)
        if made is None:
            if len(self._made) >= _REMEMBERED:
                self._made.clear()
            made = self._made[seen] = self._make(whole)
        return made

    def _make(self, whole: Record) -> _Made:
        rule = self._rule
        if rule.each is None:
            if not self._wanted(whole):
                return _NOT_WANTED
            whole.issues = []  # of this object alone
            return self._one(whole)
        parts = whole.parts(rule.each)
        if len(parts) > MAX_OBJECTS:
            reason = f"{rule.type}: more than {MAX_OBJECTS} in one record"
            return _Made((), (MappingIssue(rule.each.label, reason, rejects=True),), rejected=True)
        objects: list[Mapped] = []
        issues: list[MappingIssue] = []
        for part in parts:
            if self._wanted(part):
                made = self._one(part)
                issues += made.issues
                if made.rejected:
                    return _Made((), tuple(issues), rejected=True)
                objects += made.objects
        return _Made(tuple(objects), tuple(issues))

    def _wanted(self, record: Record) -> bool:
        """Whether the rule's conditions want an object of this record at all."""
        rule = self._rule
        if rule.needs and not record.has(rule.needs):
            return False
        if rule.when and record.compared(rule.when.path) not in rule.when.values:
            return False
        return not (rule.unless and record.compared(rule.unless.path) in rule.unless.values)

    def _one(self, record: Record) -> _Made:
        """One object, or none and the reason."""
        try:
            made = self._object(record)
        except Rejected as rejected:
            refused = not self._rule.optional
            issues = (*self._reported(record.issues, rejects=False), *self._reported([rejected.issue], rejects=refused))
            return _Made((), issues, refused)
        return _Made((made,), self._reported(record.issues, rejects=False) if record.issues else ())

    def _object(self, record: Record) -> Mapped:
        """Make one object; raises Rejected."""
        rule = self._rule
        values = self._constants.copy()
        for name, required, read in self._readers:
            value = read(record)
            if value or value is False or value is Mode.NONE:
                values[name] = value
            elif required:
                raise Rejected(Issue(blame(rule.attributes[name]), name, "required, but empty"))
        if rule.type == "practitioner":
            preferred = values.pop("preferred_contact", None)
            if preferred and "contact_points" in values:
                values["contact_points"] = Compound.reorder(values["contact_points"], preferred)
        elif "organisation_type" in values:
            values["type"] = values.pop("organisation_type")
        made = cast(Mapped, type_names[rule.type](**values))
        if isinstance(made, ConsentStatement):
            _check_consent(made, rule)
        elif isinstance(made, Involvement) and made.practitioner_key is None and made.service_key is None:
            raise Rejected(Issue("", "practitioner_key", "names neither a practitioner nor a service"))
        return made

    def _reported(self, found: Iterable[Issue], *, rejects: bool) -> tuple[MappingIssue, ...]:
        return tuple(
            MappingIssue(issue.field, f"{self._rule.type}.{issue.attribute}: {issue.reason}", rejects)
            for issue in found
        )
