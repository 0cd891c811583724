"""Secrets in the key store: found, made durable before their first use, destroyed for good. SQL of the keys schema."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from consent_ledger.record import SECRET_BYTES
from consent_ledger.storage import Value, Work

KEY_ID_BYTES = 16
_IDS_PER_STATEMENT = 500

Owner = int | str  # a person's id; or a month such as `2026-11`, or of governance a year such as `2026`


@dataclass(frozen=True, slots=True)
class Key:
    """One secret by its random id; the id alone goes into the ledger's database."""

    id: bytes
    secret: bytes = field(repr=False)


def find(owners: Iterable[Owner], federation: str) -> Work[dict[Owner, Key]]:
    """The keys that exist."""
    found: dict[Owner, Key] = {}
    for owner in owners:
        if isinstance(owner, int):
            rows = yield "SELECT key_id, secret FROM person_key WHERE person_id = ?", (owner,)
        else:
            rows = yield "SELECT key_id, secret FROM month_key WHERE federation = ? AND month = ?", (federation, owner)
        if rows:
            found[owner] = Key(*rows[0])
    return found


def make(owners: Iterable[Owner], federation: str) -> Work[dict[Owner, Key]]:
    """Make keys for those that have none; another process may have been first, so what is stored counts."""
    owners = list(owners)
    for owner in owners:
        fresh = (os.urandom(KEY_ID_BYTES), os.urandom(SECRET_BYTES))
        if isinstance(owner, int):
            yield (
                "INSERT INTO person_key (person_id, federation, key_id, secret) VALUES (?, ?, ?, ?)"
                " ON CONFLICT DO NOTHING",
                (owner, federation, *fresh),
            )
        else:
            yield (
                "INSERT INTO month_key (federation, month, key_id, secret) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
                (federation, owner, *fresh),
            )
    return (yield from find(owners, federation))


@dataclass(frozen=True, slots=True, kw_only=True)
class Destroyed:
    """When a secret was destroyed: the ledger's size, how many entries stood under it, and the hour (since 1970)."""

    entries: int
    size: int
    hour: int


def destroy(owner: Owner, federation: str, stood: Mapping[bytes, Destroyed]) -> Work[bool]:
    """Delete a secret, and note of its id what stood under it; False if there was none."""
    found = yield from find([owner], federation)
    gone = {key.id for key in found.values()}
    yield from note_destroyed({key_id: under for key_id, under in stood.items() if key_id in gone}, federation)
    if isinstance(owner, int):
        yield "DELETE FROM person_key WHERE person_id = ?", (owner,)
    else:
        yield "DELETE FROM month_key WHERE federation = ? AND month = ?", (federation, owner)
    return bool(found)


def key_ids(person_ids: Iterable[int]) -> Work[list[bytes]]:
    """Ids of the secrets that these people have."""
    found: list[bytes] = []
    for person_id in person_ids:
        found += [row[0] for row in (yield "SELECT key_id FROM person_key WHERE person_id = ?", (person_id,))]
    return found


def person_of(key_id: bytes) -> Work[int | None]:
    """Whose secret this is; None if it is a month's or a year's, or has been destroyed."""
    rows = yield "SELECT person_id FROM person_key WHERE key_id = ?", (key_id,)
    return rows[0][0] if rows else None


def periods(federation: str) -> Work[list[tuple[str, str]]]:
    """The months and years that have a secret, with its id (hex), oldest first."""
    rows = yield "SELECT month, key_id FROM month_key WHERE federation = ? ORDER BY month", (federation,)
    return [(month, key_id.hex()) for month, key_id in rows]


def secrets_by_id(key_ids: Iterable[bytes]) -> Work[dict[bytes, bytes]]:
    """Secrets by key id; those destroyed are missing."""
    found: dict[bytes, bytes] = {}
    for key_id in key_ids:
        rows = yield (
            "SELECT secret FROM person_key WHERE key_id = ? UNION ALL SELECT secret FROM month_key WHERE key_id = ?",
            (key_id, key_id),
        )
        if rows:
            found[key_id] = rows[0][0]
    return found


def note_destroyed(keys: Mapping[bytes, Destroyed], federation: str) -> Work[None]:
    """Note that these secrets are no more."""
    rows: list[tuple[Value, ...]] = [
        (key_id, federation, when.entries, when.size, when.hour) for key_id, when in keys.items()
    ]
    yield (
        "INSERT INTO destroyed_key (key_id, federation, entries, size, hour) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT DO NOTHING",
        rows,
    )


@dataclass(frozen=True, slots=True)
class Held:
    """Whose secret this is; a month's or year's has no person."""

    secret: bytes = field(repr=False)
    person_id: int | None


def held_by_id(key_ids: Iterable[bytes]) -> Work[dict[bytes, Held | Destroyed]]:
    """What the key store knows of each id; those of which it knows nothing are missing."""
    known: dict[bytes, Held | Destroyed] = {}
    for key_id in key_ids:
        rows = yield (
            "SELECT secret, person_id FROM person_key WHERE key_id = ?"
            " UNION ALL SELECT secret, NULL FROM month_key WHERE key_id = ?",
            (key_id, key_id),
        )
        if rows:
            known[key_id] = Held(*rows[0])
            continue
        rows = yield "SELECT entries, size, hour FROM destroyed_key WHERE key_id = ?", (key_id,)
        if rows:
            entries, size, hour = rows[0]
            known[key_id] = Destroyed(entries=entries, size=size, hour=hour)
    return known


def unknown_of(key_ids: Sequence[bytes]) -> Work[int]:
    """How many of these ids are neither a person's nor those of a secret that was destroyed."""
    known: set[bytes] = set()
    for start in range(0, len(key_ids), _IDS_PER_STATEMENT):
        some = key_ids[start : start + _IDS_PER_STATEMENT]
        marks = ",".join("?" * len(some))
        for table in ("person_key", "destroyed_key"):
            rows = yield f"SELECT key_id FROM {table} WHERE key_id IN ({marks})", tuple(some)  # noqa: S608 - constants
            known.update(key_id for (key_id,) in rows)
    return len(set(key_ids) - known)


def count_consents(appended: Iterable[tuple[int, int]]) -> Work[None]:
    """Count consents, as (person id, seq), that have just been appended."""
    rows: list[tuple[Value, ...]] = [(seq, seq, person_id) for person_id, seq in appended]
    yield (
        "UPDATE person_key SET consents = consents + 1,"
        " consent_head = CASE WHEN consent_head < ? THEN ? ELSE consent_head END WHERE person_id = ?",
        rows,
    )


def recount_consents(counted: Iterable[tuple[bytes, int, int]]) -> Work[None]:
    """Hold people to these counts instead, as (key id, how many, the newest): those not among them have none."""
    rows: list[tuple[Value, ...]] = [(count, head, key_id) for key_id, count, head in counted]
    yield "UPDATE person_key SET consents = 0, consent_head = -1", ()
    yield "UPDATE person_key SET consents = ?, consent_head = ? WHERE key_id = ?", rows
