"""Turns what a mapping says of one attribute into a function that reads it of a record. Pure.

A mapping is applied to millions of records, so all that depends on the mapping alone is decided here, once.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from mappings.compound import Compound
from mappings.convert import Unusable
from mappings.fields import Issue, Record, Rejected
from mappings.rules import Attribute, Key, NameRule, Rule, Value
from mappings.vocabulary import Mode, OrganisationType, PersonLinkKind, Purpose, Sensitivity

# Reads one attribute of a record: None or empty if it is absent. Raises Rejected; notes issues with the record.
Reader = Callable[[Record], Any]

AnyRule = TypeVar("AnyRule", Key, Value)

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


def is_constant(said: Rule) -> bool:
    """Whether a rule says the same of every record."""
    match said:
        case Value(path=path):
            return path is None
        case Key(values=values):
            return all(value.path is None for value in values)
        case _:
            return False


def is_required(attribute: Attribute, said: Rule) -> bool:
    """Whether an object without this attribute is refused."""
    return attribute.required or (isinstance(said, Value) and said.required)


def reader(name: str, attribute: Attribute, said: Rule) -> Reader:
    """How to read one attribute. An issue is noted and costs the value, or rejects where the attribute is strict."""
    if isinstance(said, Key):
        if len(said.values) == 1 and not said.fold:
            return _noting(name, attribute, said.values[0], Record.text)
        return _noting(name, attribute, said, Record.key)
    if isinstance(said, Value):
        return _noting(name, attribute, said, _scalar(attribute, said))
    return _compound(Compound(name), attribute, said)


def blame(said: Rule) -> str:
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
            return blame(first) if isinstance(first, NameRule) else ""


def _noting(name: str, attribute: Attribute, said: AnyRule, read: Callable[[Record, AnyRule], Any]) -> Reader:
    refuses = is_required(attribute, said) or attribute.strict or attribute.shape == "key"
    field, cautious = blame(said), _CAUTIOUS.get(name)

    def noting(record: Record) -> Any:
        try:
            return read(record, said)
        except Unusable as problem:
            issue = Issue(field, name, str(problem))
            if refuses:
                raise Rejected(issue) from None
            record.issues.append(issue)
            return cautious

    return noting


def _scalar(attribute: Attribute, said: Value) -> Callable[[Record, Value], Any]:
    convert = _CODE_TYPES.get(attribute.target, str)
    match attribute.shape:
        case "flag":
            return Record.flag
        case "date":
            return Record.date
        case "codes":
            return lambda record, value: tuple([convert(code) for code in dict.fromkeys(record.codes(value))])
        case "code":
            return lambda record, value: convert(code) if (code := record.code(value)) else None
        case _ if said.value_set:
            return Record.code
        case shape:
            return Record.free_text if shape == "free_text" else Record.text


def _compound(compound: Compound, attribute: Attribute, said: Any) -> Reader:
    match attribute.shape:
        case "name":
            return lambda record: next(iter(compound.names((said,), record)), None)
        case "names":
            return lambda record: compound.names(said, record)
        case "addresses":
            return lambda record: compound.addresses(said, record)
        case "identifiers":
            return lambda record: compound.identifiers(said, record)
        case _:
            return lambda record: compound.contact_points(said, record)
