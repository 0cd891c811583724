"""How the values of mappings.model become rows, one table for each: the SQL and the columns, no behaviour.

Every table begins with `id`, `source_id`, `federation`, `key` and `hash`; a reference is stored as the source's key and
as the id of the row that it means, which is NULL until that row is there (gateway/node/people.py fills it in).
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import uuid4

import orjson

from gateway.database.contract import Value
from gateway.matching.normalise import nhs_number
from mappings.model import Mapped, Person, type_names
from mappings.vocabulary import NHS_NUMBER_SYSTEM

HASH_BYTES = 16
LOOKUP_KEYS = 200  # keys of one look-up; a fixed number, so that the engine prepares one statement
_MANY = "(" + ", ".join("?" * LOOKUP_KEYS) + ")"

_ALWAYS = ("id", "source_id", "federation", "key", "hash")

# Kind and key of an object in its source.
At = tuple[str, str]
# Ids of the rows that references mean; absent while they wait.
Ids = dict[At, int]


@dataclass(frozen=True, slots=True)
class Reference:
    """`key_column` of a table names a row of `kind`; `id_column` holds its id."""

    key_column: str
    id_column: str
    kind: str


@dataclass(frozen=True, slots=True)
class Table:
    """One kind of object: its columns after those that all have, and how to fill them.

    `columns` say what the source says, `anew` where its latest version stands with us. `own_id` names a column that
    holds a new row's own id until something else is known.
    """

    kind: str
    columns: tuple[str, ...]
    values: Callable[[Any], tuple[Value, ...]]
    references: tuple[Reference, ...] = ()
    anew: tuple[str, ...] = ()
    values_anew: Callable[[], tuple[Value, ...]] = tuple
    own_id: tuple[str, ...] = ()

    @property
    def insert(self) -> str:
        """Make a row: id, source id, federation, key, hash, the columns, `anew`, ids of references, `own_id`."""
        return _insert(self.kind, (*_ALWAYS, *self._described, *self.own_id))

    @property
    def update(self) -> str:
        """Replace what another version of the object left: from the hash on as in `insert`, then the id."""
        return _update(self.kind, ("hash", *self._described))

    @property
    def _described(self) -> tuple[str, ...]:
        return (*self.columns, *self.anew, *(reference.id_column for reference in self.references))


@dataclass(frozen=True, slots=True)
class MappedRow:
    """One object on its way into its table: its columns with their hash, and what its references mean, if anything."""

    kind: str
    key: str
    hash: bytes
    values: tuple[Value, ...]
    refers: tuple[At | None, ...]


def json_text(value: object) -> str:
    """Model values as JSON; dataclasses become objects, enumerations their codes."""
    return orjson.dumps(value).decode() if value else "[]"


def nhs_numbers(person: Person) -> tuple[str | None, str | None]:
    """The NHS number by which this record may be joined to another, None if in doubt; and those that it protects.

    Only numbers with a right check digit; one that is given twice is protected if it is once. The protected ones are
    parted by blanks, None if there are none.
    """
    numbers: dict[str, bool] = {}
    for identifier in person.identifiers:
        number = nhs_number(identifier.value) if identifier.system == NHS_NUMBER_SYSTEM else None
        if number:
            numbers[number] = numbers.get(number, False) or identifier.protected
    guarded = [number for number, protected in numbers.items() if protected]
    return next(iter(numbers)) if len(numbers) == 1 and not guarded else None, " ".join(guarded) or None


PERSON = Reference("person_key", "person_id", "person")
OTHER = Reference("other_key", "other_id", "person")
PRACTITIONER = Reference("practitioner_key", "practitioner_id", "practitioner")
SERVICE = Reference("service_key", "service_id", "service")
ORGANISATION = Reference("organisation_key", "organisation_id", "organisation")
COVER = Reference("cover_key", "cover_id", "practitioner")

# In this order, so that what is referred to comes before what refers to it.
TABLES = (
    Table(
        "person",
        ("names", "birth_date", "addresses", "identifiers", "restricted", "nhs_number", "protected_numbers"),
        lambda o: (
            *(json_text(o.names), o.birth_date, json_text(o.addresses), json_text(o.identifiers)),
            *(int(o.restricted), *nhs_numbers(o)),
        ),
        anew=("indexed",),
        values_anew=lambda: (0,),
        own_id=("same_person",),
    ),
    Table(
        "organisation",
        ("name", "type", "identifiers", "duty_contact"),
        lambda o: (o.name, o.type, json_text(o.identifiers), json_text(o.duty_contact)),
    ),
    Table(
        "service",
        ("name", "code", "duty_contact", "description", "organisation_key"),
        lambda o: (o.name, o.code, json_text(o.duty_contact), o.description, o.organisation_key),
        (ORGANISATION,),
    ),
    Table(
        "practitioner",
        ("name", "role", "contact_points", "working_pattern", "away_until", "organisation_key", "cover_key"),
        lambda o: (
            *(json_text(o.name), o.role, json_text(o.contact_points), o.working_pattern, o.away_until),
            *(o.organisation_key, o.cover_key),
        ),
        (ORGANISATION, COVER),
    ),
    Table(
        "involvement",
        (
            *("role", "start_date", "end_date", "lead", "sensitivity", "max_mode", "last_confirmed"),
            *("person_key", "practitioner_key", "service_key"),
        ),
        lambda o: (
            *(o.role, o.start, o.end, int(o.lead), o.sensitivity, int(o.max_mode), o.last_confirmed),
            *(o.person_key, o.practitioner_key, o.service_key),
        ),
        (PERSON, PRACTITIONER, SERVICE),
    ),
    Table(
        "contact_event",
        ("kind", "date", "planned", "person_key", "practitioner_key"),
        lambda o: (o.kind, o.date, int(o.planned), o.person_key, o.practitioner_key),
        (PERSON, PRACTITIONER),
    ),
    Table(
        "person_link",
        ("kind", "person_key", "other_key"),
        lambda o: (o.kind, o.person_key, o.other_key),
        (PERSON, OTHER),
    ),
    Table(
        "consent",
        ("statement", "permit", "given_on", "person_key"),
        lambda o: (json_text(o), int(o.permit), o.given_on, o.person_key),
        (PERSON,),
        anew=("reference", "withdrawn", "recorded"),
        values_anew=lambda: (uuid4().hex, 0, 0),
    ),
)
NHS_NUMBERS_AT = slice(TABLES[0].columns.index("nhs_number"), None)  # in the values of a person

_TABLE_OF = {type_names[table.kind]: table for table in TABLES}


def row_of(item: Mapped) -> MappedRow:
    """The row that an object becomes."""
    table = _TABLE_OF[type(item)]
    values = table.values(item)
    digest = hashlib.blake2b(orjson.dumps(values), digest_size=HASH_BYTES).digest()
    keys = [(reference.kind, getattr(item, reference.key_column)) for reference in table.references]
    return MappedRow(table.kind, item.key, digest, values, tuple([at if at[1] else None for at in keys]))


# The statements below are made of the constants above and of nothing else.


@cache
def lookup(kind: str) -> str:
    """Rows of up to LOOKUP_KEYS keys of one source: key, id, hash."""
    return f"SELECT key, id, hash FROM {kind} WHERE source_id = ? AND key IN {_MANY}"  # noqa: S608 - constants


@cache
def select_in(columns_and_table: str, column: str) -> str:
    """Rows whose `column` is one of LOOKUP_KEYS values."""
    return f"SELECT {columns_and_table} WHERE {column} IN {_MANY}"


@cache
def resolve(kind: str, reference: Reference) -> str:
    """Fill in one reference of all of a source's rows that wait for it."""
    target = (
        f"SELECT t.id FROM {reference.kind} t WHERE t.source_id = {kind}.source_id "  # noqa: S608 - constants
        f"AND t.key = {kind}.{reference.key_column} AND t.hash IS NOT NULL"
    )
    return (
        f"UPDATE {kind} SET {reference.id_column} = ({target}) "  # noqa: S608 - constants
        f"WHERE source_id = ? AND {reference.id_column} IS NULL AND {reference.key_column} IS NOT NULL"
    )


@cache
def waiting(kind: str, reference: Reference) -> str:
    """Places in the source of the rows that still wait: source id, kind, most rows."""
    return (
        f"SELECT DISTINCT r.place FROM {kind} t "  # noqa: S608 - constants
        "JOIN record_yield y ON y.row_id = t.id AND y.kind = ? JOIN source_record r ON r.id = y.record_id "
        f"WHERE t.source_id = ? AND t.{reference.id_column} IS NULL AND t.{reference.key_column} IS NOT NULL "
        "ORDER BY r.id LIMIT ?"
    )


@cache
def waiting_keys(kind: str, reference: Reference) -> str:
    """What the rows of a source refer to that is not there: source id."""
    return (
        f"SELECT DISTINCT {reference.key_column} FROM {kind} "  # noqa: S608 - constants
        f"WHERE source_id = ? AND {reference.id_column} IS NULL AND {reference.key_column} IS NOT NULL"
    )


@cache
def fill_in(kind: str, reference: Reference) -> str:
    """Say which row is meant by one key, where a source's rows wait for it: row id, source id, key."""
    return (
        f"UPDATE {kind} SET {reference.id_column} = ? "  # noqa: S608 - constants
        f"WHERE source_id = ? AND {reference.id_column} IS NULL AND {reference.key_column} = ?"
    )


@cache
def source_and_key(kind: str) -> str:
    """By which a row is known for good: its source's name and its key there, of an id."""
    return f"SELECT s.name, t.key FROM {kind} t JOIN import_source s ON s.id = t.source_id WHERE t.id = ?"  # noqa: S608 - constants


@cache
def delete_unyielded(kind: str) -> str:
    """Delete a row unless some record still yields it: id."""
    return (
        f"DELETE FROM {kind} WHERE id = ? AND NOT EXISTS "  # noqa: S608 - constants
        f"(SELECT 1 FROM record_yield WHERE row_id = {kind}.id AND kind = '{kind}')"
    )


@cache
def _insert(kind: str, columns: tuple[str, ...]) -> str:
    return f"INSERT INTO {kind} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"  # noqa: S608 - constants


@cache
def _update(kind: str, columns: tuple[str, ...]) -> str:
    return f"UPDATE {kind} SET {', '.join(f'{column} = ?' for column in columns)} WHERE id = ?"  # noqa: S608 - constants


@cache
def last_id(table: str) -> str:
    """The highest id that a table has, 0 if it is empty."""
    return f"SELECT COALESCE(max(id), 0) FROM {table}"  # noqa: S608 - constants


@cache
def update_in(change: str, column: str) -> str:
    """Change the rows whose `column` is one of LOOKUP_KEYS values."""
    return f"UPDATE {change} AND {column} IN {_MANY}"


def chunks(values: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Parameters for look-ups: LOOKUP_KEYS values each, the last one repeated to fill up."""
    return [
        tuple(part) + (part[-1],) * (LOOKUP_KEYS - len(part))
        for part in (values[at : at + LOOKUP_KEYS] for at in range(0, len(values), LOOKUP_KEYS))
    ]


@cache
def lookup_records() -> str:
    """Records of up to LOOKUP_KEYS keys of one source and kind: key, id, hash, seen_run."""
    return f"SELECT key, id, hash, seen_run FROM source_record WHERE source_id = ? AND kind = ? AND key IN {_MANY}"  # noqa: S608 - constants
