"""The frozen rules that a mapping is made of, and which attributes each model type has."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from functools import cache
from typing import Any, Literal

from mappings.model import Mapped

Shape = Literal[
    "key",
    "text",
    "free_text",
    "date",
    "flag",
    "code",
    "codes",
    "name",
    "names",
    "addresses",
    "identifiers",
    "contact_points",
    "preference",
]

FIXED = ""  # the kind of the objects that no record carries
MAX_ITEMS = 50  # names, addresses, identifiers or contact points of one object
MAX_OBJECTS = 1000  # objects that one `each` makes of one record


@dataclass(frozen=True, slots=True, eq=False)
class Path:
    """Where a value stands in a record: `Name/Family`, `@id`, `#text`; a leading slash starts at the record itself.

    Compared by identity, which is fast, because `path()` makes each one once.
    """

    label: str
    parts: tuple[str, ...]
    from_record: bool


@cache
def path(label: str, *, from_record: bool) -> Path:
    """The one path of this label; how many there are depends on the mappings alone."""
    return Path(label=label, parts=tuple(label.split("/")), from_record=from_record)


@dataclass(frozen=True, slots=True)
class ValueSet:
    """Local codes (case folded) and what they mean."""

    name: str
    target: str
    codes: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """One value: of a field, or constant. What else applies depends on the attribute's shape."""

    path: Path | None = None
    constant: str | bool | None = None
    value_set: ValueSet | None = None
    dates: tuple[str, ...] = ()
    yes: frozenset[str] = frozenset()
    no: frozenset[str] = frozenset()
    split: str = ""
    required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A key made of one or more values; `fold` ignores case."""

    values: tuple[Value, ...]
    fold: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NameRule:
    """A name in parts (`family`, `given`) or in one piece (`whole`, `order`)."""

    each: Path | None
    needs: tuple[Path, ...]
    family: Value | None
    given: tuple[Value, ...]
    whole: Value | None
    order: str
    use: Value
    protected: Value | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressRule:
    """An address in parts, or in one piece (`whole`) with a postcode of its own or at its end."""

    each: Path | None
    needs: tuple[Path, ...]
    whole: Value | None
    lines: tuple[Value, ...]
    city: Value | None
    postcode: Value | None
    use: Value
    protected: Value | None


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentifierRule:
    """An identifier of one system; NHS numbers and ODS codes are checked."""

    each: Path | None
    needs: tuple[Path, ...]
    system: str
    value: Value
    protected: Value | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactRule:
    """A way to reach somebody. Without `use`, numbers of mobile phones become `mobile`, all else `work`."""

    each: Path | None
    needs: tuple[Path, ...]
    system: Value
    value: Value
    use: Value | None
    preferred: Value | None


Rule = (
    Value
    | Key
    | NameRule
    | tuple[NameRule, ...]
    | tuple[AddressRule, ...]
    | tuple[IdentifierRule, ...]
    | tuple[ContactRule, ...]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A field has one of these values (cleaned, case folded)."""

    path: Path
    values: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectRule:
    """How one kind of record becomes one type of object, once or for `each` of its parts."""

    kind: str
    type: str
    each: Path | None
    needs: tuple[Path, ...]
    when: Condition | None
    unless: Condition | None
    optional: bool
    attributes: Mapping[str, Rule]


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingSpec:
    """A mapping, ready to apply.

    `connector` and `options` are the `[source]` table: what to hand to `connectors.registry.build`, after overlaying
    the node's own options (a path or a URL). `columns` has, for each kind of record, the fields that must be there.
    `fixed` are the objects that no record carries: the agency itself, its services. `missing` are the texts that mean
    "not known" (case folded), `objects` the rules by kind of record.
    """

    system: str
    title: str
    connector: str
    options: Mapping[str, Any]
    columns: Mapping[str, frozenset[str]]
    fixed: tuple[Mapped, ...]
    missing: frozenset[str]
    objects: Mapping[str, tuple[ObjectRule, ...]] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Attribute:
    """What a mapping may say of one attribute of the model.

    `required`: an object without it is refused. `strict`: so is one whose value cannot be read, because to leave it out
    would disclose more than the source says (the end of an involvement, any limit of a consent).
    """

    shape: Shape
    target: str = ""
    required: bool = False
    strict: bool = False


_KEY = Attribute("key", required=True)
_REFERENCE = Attribute("key")
_FLAG = Attribute("flag")
_DATE = Attribute("date")
_TEXT = Attribute("text")

# The attribute `type` of an organisation is written `organisation_type`, because `type` names the object.
ATTRIBUTES: Mapping[str, Mapping[str, Attribute]] = {
    "person": {
        "key": _KEY,
        "names": Attribute("names", required=True),
        "birth_date": _DATE,
        "addresses": Attribute("addresses"),
        "identifiers": Attribute("identifiers"),
        "restricted": _FLAG,
    },
    "organisation": {
        "key": _KEY,
        "name": Attribute("text", required=True),
        "organisation_type": Attribute("code", "organisation"),
        "identifiers": Attribute("identifiers"),
        "duty_contact": Attribute("contact_points"),
    },
    "service": {
        "key": _KEY,
        "name": Attribute("text", required=True),
        "code": Attribute("code", "service"),
        "organisation_key": _REFERENCE,
        "duty_contact": Attribute("contact_points"),
        "description": Attribute("free_text"),
    },
    "practitioner": {
        "key": _KEY,
        "name": Attribute("name", required=True),
        "role": _TEXT,
        "contact_points": Attribute("contact_points"),
        "preferred_contact": Attribute("preference", "contact_preference"),
        "working_pattern": Attribute("free_text"),
        "organisation_key": _REFERENCE,
        "away_until": _DATE,
        "cover_key": _REFERENCE,
    },
    "involvement": {
        "key": _KEY,
        "person_key": _KEY,
        "practitioner_key": _REFERENCE,
        "service_key": _REFERENCE,
        "role": _TEXT,
        "start": _DATE,
        "end": Attribute("date", strict=True),
        "lead": _FLAG,
        "sensitivity": Attribute("code", "sensitivity"),
        "max_mode": Attribute("code", "mode"),
        "last_confirmed": _DATE,
    },
    "contact_event": {
        "key": _KEY,
        "person_key": _KEY,
        "kind": Attribute("code", "contact_kind", required=True),
        "date": Attribute("date", required=True),
        "practitioner_key": _REFERENCE,
        "planned": Attribute("flag", strict=True),
    },
    "person_link": {
        "key": _KEY,
        "person_key": _KEY,
        "other_key": _KEY,
        "kind": Attribute("code", "person_link", required=True),
    },
    "consent": {
        "key": _KEY,
        "person_key": _KEY,
        "permit": Attribute("flag", required=True),
        "given_on": Attribute("date", strict=True),
        "until": Attribute("date", strict=True),
        "purposes": Attribute("codes", "purpose", strict=True),
        "recipients": Attribute("codes", strict=True),
        "except_recipients": Attribute("codes", strict=True),
        "services": Attribute("codes", "service", strict=True),
        "modes": Attribute("codes", "mode", strict=True),
    },
}


def fold(text: str) -> str:
    """How codes and conditions are compared: without case, white space collapsed."""
    return " ".join(text.split()).casefold()


def paths_in(rule: object) -> Iterator[Path]:
    """Everything that a rule, or a part of one, looks at."""
    if isinstance(rule, Path):
        yield rule
    elif isinstance(rule, tuple):
        for each in rule:
            yield from paths_in(each)
    elif isinstance(rule, Mapping):
        yield from paths_in(tuple(rule.values()))
    elif is_dataclass(rule):
        for each in fields(rule):
            yield from paths_in(getattr(rule, each.name))
