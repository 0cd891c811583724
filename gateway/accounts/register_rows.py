"""Which practitioners and services of this node's register an account is: found, linked and unlinked (work for web.db).

Whoever is linked to a practitioner sees that practitioner's clients; whoever is linked to a service sees those with
whom the service works and nobody is named. So both are on record (changes.py), and a practitioner that somebody else
is linked to already is told of before.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import orjson

from gateway.accounts.administer import has_other_administrators
from gateway.accounts.changes import What, note
from gateway.accounts.finding import holds, plain
from gateway.accounts.store import add_service, add_worker, remove_service, remove_worker
from gateway.database.contract import Row, Statement, Work
from gateway.node.names import spoken, stored_name

MAX_READ: Final = 20_000  # rows of the register that a search looks through
MAX_FOUND: Final = 20
MAX_LINKED: Final = 50  # rows of one account


class Kind(StrEnum):
    """Of which table of the register a row is."""

    WORKER = "practitioner"
    SERVICE = "service"


LINKED: Final = {Kind.WORKER: What.WORKER_LINKED, Kind.SERVICE: What.SERVICE_LINKED}
UNLINKED: Final = {Kind.WORKER: What.WORKER_UNLINKED, Kind.SERVICE: What.SERVICE_UNLINKED}


class Refused(StrEnum):
    """Why nothing was linked."""

    TOO_MANY = "too-many"
    OWN_ACCOUNT = "own-account"  # another administrator has to do it


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterRow:
    """A practitioner or service. `found` is False for a link whose row is not in the register at present.

    `name` is empty where it is protected. `others` are names of further enabled accounts that are this practitioner.
    """

    kind: Kind
    source: str
    key: str
    name: str
    about: str = ""
    emails: tuple[str, ...] = ()
    found: bool = True
    others: tuple[str, ...] = field(default=())


def search(kind: Kind, typed: str) -> Work[tuple[Sequence[RegisterRow], bool]]:
    """Rows whose name, role, key or address holds what was typed, in the order of their ids; and whether more do."""
    found = yield from _rows(kind, lambda row: holds(typed, (row.name, row.about, row.key, *row.emails)))
    return found[:MAX_FOUND], len(found) > MAX_FOUND


def suggested(name: str, email: str) -> Work[Sequence[RegisterRow]]:
    """Practitioners with this very address, or this very name."""
    who, where = plain(name), plain(email)

    def same(row: RegisterRow) -> bool:
        return bool(who and plain(row.name) == who) or bool(where and where in map(plain, row.emails))

    return (yield from _rows(Kind.WORKER, same))[:MAX_FOUND]


def linked(account_id: int) -> Work[Sequence[RegisterRow]]:
    """What an account is linked to, practitioners first."""
    workers = yield Statement(
        "SELECT w.source, w.key, p.name, p.role, p.contact_points FROM account_worker w "
        "LEFT JOIN import_source s ON s.name = w.source "
        "LEFT JOIN practitioner p ON p.source_id = s.id AND p.key = w.key WHERE w.account_id = ? LIMIT ?",
        (account_id, MAX_LINKED),
    )
    services = yield Statement(
        "SELECT w.source, w.key, v.name, '', NULL FROM account_service w "
        "LEFT JOIN import_source s ON s.name = w.source "
        "LEFT JOIN service v ON v.source_id = s.id AND v.key = w.key WHERE w.account_id = ? LIMIT ?",
        (account_id, MAX_LINKED),
    )
    found = []
    for row in workers:
        others = yield from _others(account_id, row[0], row[1])
        found.append(_row(Kind.WORKER, row, others=others))
    return [*found, *(_row(Kind.SERVICE, row) for row in services)]


def find(kind: Kind, source: str, key: str) -> Work[RegisterRow | None]:
    """One row of the register, if it is there."""
    rows = yield Statement(f"{_SELECT[kind]} WHERE s.name = ? AND r.key = ?", (source, key))
    return _row(kind, rows[0]) if rows else None


def link(
    account_id: int, public_id: str, row: RegisterRow, *, by: str, confirmed: bool, now: float
) -> Work[Refused | tuple[str, ...]]:
    """Say that this row, which find() found, is the account `account_id` (with that public id).

    Nobody links their own account where another administrator could. A practitioner whom other enabled accounts are
    already wants `confirmed`: without it nothing is done, and their names are returned. Nobody's names: it is done.
    """
    if by == public_id and (yield from has_other_administrators(account_id)):
        return Refused.OWN_ACCOUNT
    if (yield from count_linked(account_id)) >= MAX_LINKED:
        return Refused.TOO_MANY
    others = (yield from _others(account_id, row.source, row.key)) if row.kind is Kind.WORKER else ()
    if others and not confirmed:
        return others
    add = add_worker if row.kind is Kind.WORKER else add_service
    if (yield from add(account_id, row.source, row.key)):
        yield from note(account_id, by, LINKED[row.kind], now, f"{row.source}:{row.key}")
    return ()


def unlink(account_id: int, kind: Kind, source: str, key: str, *, by: str, now: float) -> Work[bool]:
    """Say that it is not; False if nobody had said so."""
    remove = remove_worker if kind is Kind.WORKER else remove_service
    if not (yield from remove(account_id, source, key)):
        return False
    yield from note(account_id, by, UNLINKED[kind], now, f"{source}:{key}")
    return True


_SELECT: Final = {
    Kind.WORKER: "SELECT s.name, r.key, r.name, r.role, r.contact_points FROM practitioner r "
    "JOIN import_source s ON s.id = r.source_id",
    Kind.SERVICE: "SELECT s.name, r.key, r.name, '', NULL FROM service r JOIN import_source s ON s.id = r.source_id",
}


def _rows(kind: Kind, wanted: Callable[[RegisterRow], bool]) -> Work[list[RegisterRow]]:
    """One more than MAX_FOUND at most."""
    rows = yield Statement(f"{_SELECT[kind]} ORDER BY r.id LIMIT ?", (MAX_READ,))
    found: list[RegisterRow] = []
    for row in rows:
        each = _row(kind, row)
        if wanted(each):
            found.append(each)
            if len(found) > MAX_FOUND:
                break
    return found


def count_linked(account_id: int) -> Work[int]:
    """To how many rows an account is linked."""
    rows = yield Statement(
        "SELECT (SELECT count(*) FROM account_worker WHERE account_id = ?) "
        "+ (SELECT count(*) FROM account_service WHERE account_id = ?)",
        (account_id, account_id),
    )
    return int(rows[0][0])


def _others(account_id: int, source: str, key: str) -> Work[tuple[str, ...]]:
    rows = yield Statement(
        "SELECT a.name FROM account_worker w JOIN account a ON a.id = w.account_id "
        "WHERE w.source = ? AND w.key = ? AND a.id <> ? AND a.disabled_at IS NULL ORDER BY a.id LIMIT ?",
        (source, key, account_id, MAX_FOUND),
    )
    return tuple(name for (name,) in rows)


def _row(kind: Kind, row: Row, *, others: Iterable[str] = ()) -> RegisterRow:
    source, key, name, about, points = row
    emails = [point["value"] for point in orjson.loads(points or "[]") if point["system"] == "email"]
    return RegisterRow(
        kind=kind,
        source=source,
        key=key,
        name=_name(kind, name),
        about=about or "",
        emails=tuple(emails),
        found=name is not None,
        others=tuple(others),
    )


def _name(kind: Kind, stored: str | None) -> str:
    if stored is None or kind is Kind.SERVICE:
        return stored or ""
    name = stored_name(orjson.loads(stored))
    return "" if name.protected else spoken(name)
