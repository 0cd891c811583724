"""Secrets in the key store: found, made durable before their first use, destroyed for good. SQL of the keys schema."""

import os
from collections.abc import Iterable
from dataclasses import dataclass, field

from consent_ledger.record import SECRET_BYTES
from consent_ledger.storage import Work

KEY_ID_BYTES = 16

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


def destroy(owner: Owner, federation: str) -> Work[bool]:
    """Delete a secret; False if there was none."""
    found = yield from find([owner], federation)
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
