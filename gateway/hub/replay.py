"""Remembers ids until they expire, in the hub's database: neither a restart nor a second process reopens a question."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Literal

from gateway.database.contract import Database, Row, Statement, Work
from gateway.errors import Replayed
from gateway.wire.limits import QUERY_LIFETIME_S, SKEW_S


class RequestReplayed(Replayed):
    """Whoever shows this request again need not be the member that signed it, and spends nothing of that member's."""


# A sealed question's own `exp` is not readable here; answering nodes keep it until exp + 10 min (docs/wire.md), and so
# does the hub, counted from the latest `exp` that it can have.
QUESTION_KEPT_S = QUERY_LIFETIME_S + 2 * SKEW_S + 600


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenId:
    """One id to be accepted once: of an authenticated `request`, or of a `question`'s envelope."""

    kind: Literal["request", "question"]
    issuer: str
    id: str
    expires_at: float


# What a hub put back from a backup does not know: by then the newest question that it can have seen has expired, and
# nodes refuse it by its own time; a request's token has ended sooner.
RESTORED_WAIT_S = QUERY_LIFETIME_S + 2 * SKEW_S


def keep_restored(now: float) -> Work[None]:
    """This database was put back from a backup: from now on wait until nothing that is missing in it is of use."""
    yield Statement(
        "INSERT INTO restored (one, waits_until) VALUES (1, ?) "
        "ON CONFLICT (one) DO UPDATE SET waits_until = excluded.waits_until",
        (now + RESTORED_WAIT_S,),
    )


def waits_until() -> Work[float]:
    """When a hub that was put back takes questions again, in epoch seconds; 0 for one that never was."""
    rows = yield Statement("SELECT waits_until FROM restored")
    return rows[0][0] if rows else 0.0


async def accept_once(
    database: Database, ids: Sequence[SeenId], *, now: float, counted: Work[None] | None = None
) -> None:
    """Keep all `ids` durably, or none; raises Replayed when one of them was kept before, StorageError.

    `counted` is done first, in the same transaction; what it raises keeps nothing.
    """
    await database.write(_keep(ids, now, counted))


def _keep(ids: Sequence[SeenId], now: float, counted: Work[None] | None) -> Work[None]:
    if counted is not None:
        yield from counted
    yield Statement("DELETE FROM seen_id WHERE expires_at < ?", (now,))
    for seen in ids:
        fresh = yield from _insert(seen)
        if not fresh and seen.kind == "request":
            raise RequestReplayed("this request has been used before")
        if not fresh:
            raise Replayed(f"this {seen.kind} id has been used before")


def _insert(seen: SeenId) -> Generator[Statement, list[Row], bool]:
    rows = yield Statement(
        "INSERT INTO seen_id (kind, issuer, id, expires_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING 1",
        (seen.kind, seen.issuer, seen.id, seen.expires_at),
    )
    return bool(rows)
