"""What an agency without a case system types in: itself, its services, its volunteers and staff. Rows of NATIVE alone.

Nobody sees other sources' services or people through this: a source may hold services that must stay hidden from most
of the agency. All functions are work for the register's database.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import orjson

from gateway.database.contract import Statement, Work
from gateway.errors import InputError
from gateway.node.names import spoken, stored_name, typed_name
from gateway.node.native import NATIVE, UPLOADED, native_source, remove, store
from gateway.node.overlays import Said, leave
from gateway.node.own_services import STRICTNESS
from mappings.model import ContactPoint, Organisation, Practitioner, Service
from mappings.vocabulary import Sensitivity

OWN_KEY: Final = "own"  # of the agency's own row
MAX_ROWS: Final = 500  # of each kind: a page shows all of them


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedService:
    """A service; `used`: work with somebody is for it, so that it cannot be removed."""

    key: str
    name: str
    code: str
    duty_contact: tuple[ContactPoint, ...]
    sensitivity: Sensitivity
    used: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedWorker:
    """A volunteer or member of staff, for which service they mostly work, and since when they no longer do."""

    key: str
    name: str
    role: str
    contact_points: tuple[ContactPoint, ...]
    working_pattern: str
    service_key: str = ""
    left_on: str = ""


def own_organisation() -> Work[Organisation | None]:
    """The agency as it was typed in."""
    rows = yield Statement(
        "SELECT o.name, o.duty_contact FROM organisation o JOIN import_source s ON s.id = o.source_id "
        "WHERE s.name = ? AND o.key = ?",
        (NATIVE, OWN_KEY),
    )
    for name, duty in rows:
        return Organisation(key=OWN_KEY, name=name, duty_contact=_points(duty))
    return None


def save_organisation(federation: str, name: str, duty: Sequence[ContactPoint]) -> Work[None]:
    """Say what the agency is called, and its duty contact."""
    source = yield from native_source(federation)
    yield from store(source, Organisation(key=OWN_KEY, name=name, duty_contact=tuple(duty)))


def typed_services() -> Work[list[TypedService]]:
    """All of them, by name."""
    rows = yield Statement(
        "SELECT v.key, v.name, v.code, v.duty_contact, coalesce(d.sensitivity, 'N'), "
        "EXISTS (SELECT 1 FROM involvement i WHERE i.service_id = v.id) "
        "FROM service v JOIN import_source s ON s.id = v.source_id "
        "LEFT JOIN service_said d ON d.source_id = v.source_id AND d.key = v.key "
        "WHERE s.name = ? ORDER BY v.name COLLATE NOCASE, v.key LIMIT ?",
        (NATIVE, MAX_ROWS),
    )
    return [
        TypedService(
            key=key,
            name=name,
            code=code,
            duty_contact=_points(duty),
            sensitivity=Sensitivity(sensitivity),
            used=bool(used),
        )
        for key, name, code, duty, sensitivity, used in rows
    ]


def typed_service_ids() -> Work[dict[int, str]]:
    """Their names by row id, which holds within one read alone."""
    rows = yield Statement(
        "SELECT v.id, v.name FROM service v JOIN import_source s ON s.id = v.source_id WHERE s.name = ? "
        "ORDER BY v.name COLLATE NOCASE, v.key LIMIT ?",
        (NATIVE, MAX_ROWS),
    )
    return dict(rows)


def save_service(federation: str, service: TypedService) -> Work[None]:
    """Insert or replace one. Work that is stored already becomes as confidential as the service, and never less so.

    Raises InputError if there are too many.
    """
    source = yield from native_source(federation)
    yield from _room("service", service.key)
    ids = yield from store(
        source,
        Service(
            key=service.key,
            name=service.name,
            code=service.code,
            organisation_key=OWN_KEY,
            duty_contact=service.duty_contact,
        ),
    )
    yield Statement(
        "INSERT INTO service_said (source_id, key, sensitivity) VALUES (?, ?, ?) "
        "ON CONFLICT (source_id, key) DO UPDATE SET sensitivity = excluded.sensitivity",
        (source.id, service.key, service.sensitivity.value),
    )
    for each in Sensitivity:
        if STRICTNESS[each] < STRICTNESS[service.sensitivity]:
            yield Statement(
                "UPDATE involvement SET sensitivity = ? WHERE service_id = ? AND sensitivity = ?",
                (service.sensitivity.value, ids["service", service.key], each.value),
            )


def remove_service(federation: str, key: str) -> Work[bool]:
    """Remove one that no work is for; False if there is some, or no such service."""
    service = next((each for each in (yield from typed_services()) if each.key == key), None)
    if service is None or service.used:
        return False
    source = yield from native_source(federation)
    yield from remove(source, "service", [key])
    yield Statement("DELETE FROM service_said WHERE source_id = ? AND key = ?", (source.id, key))
    yield Statement(
        "UPDATE practitioner_place SET service_key = NULL WHERE source_id = ? AND service_key = ?", (source.id, key)
    )
    return True


def typed_workers() -> Work[list[TypedWorker]]:
    """All of them, those who have left last, by name."""
    rows = yield Statement(
        "SELECT p.key, p.name, p.role, p.contact_points, p.working_pattern, coalesce(d.service_key, ''), "
        "coalesce(d.left_on, '') FROM practitioner p JOIN import_source s ON s.id = p.source_id "
        "LEFT JOIN practitioner_place d ON d.source_id = p.source_id AND d.key = p.key "
        "WHERE s.name = ? ORDER BY p.id LIMIT ?",
        (NATIVE, MAX_ROWS),
    )
    workers = [
        TypedWorker(
            key=key,
            name=spoken(stored_name(orjson.loads(name))),
            role=role,
            contact_points=_points(points),
            working_pattern=pattern,
            service_key=service_key,
            left_on=left_on,
        )
        for key, name, role, points, pattern, service_key, left_on in rows
    ]
    return sorted(workers, key=lambda each: (bool(each.left_on), each.name.casefold(), each.key))


def workers_rows() -> Work[frozenset[int]]:
    """Rows of all who were typed in, by coordinators or by themselves, or came with an uploaded list."""
    rows = yield Statement(
        "SELECT p.id FROM practitioner p JOIN import_source s ON s.id = p.source_id "
        "WHERE s.name = ? OR substr(s.name, 1, ?) = ?",
        (NATIVE, len(UPLOADED), UPLOADED),
    )
    return frozenset(row_id for (row_id,) in rows)


def save_worker(federation: str, worker: TypedWorker) -> Work[None]:
    """Insert or replace one; whoever had left is here again. Raises InputError if there are too many."""
    source = yield from native_source(federation)
    yield from _room("practitioner", worker.key)
    yield from store(
        source,
        Practitioner(
            key=worker.key,
            name=typed_name(worker.name),
            role=worker.role,
            contact_points=worker.contact_points,
            working_pattern=worker.working_pattern,
            organisation_key=OWN_KEY,
        ),
    )
    yield Statement(
        "INSERT INTO practitioner_place (source_id, key, service_key, left_on) VALUES (?, ?, ?, NULL) "
        "ON CONFLICT (source_id, key) DO UPDATE SET service_key = excluded.service_key, left_on = NULL",
        (source.id, worker.key, worker.service_key or None),
    )


def has_left(federation: str, key: str, *, today: date, said: Said) -> Work[bool]:
    """Somebody no longer works here: all their work with people ends today. False if there is nobody of that key."""
    source = yield from native_source(federation)
    rows = yield Statement("SELECT id FROM practitioner WHERE source_id = ? AND key = ?", (source.id, key))
    for (row_id,) in rows:
        clients = yield Statement(
            "SELECT DISTINCT person_id FROM involvement WHERE practitioner_id = ? AND person_id IS NOT NULL", (row_id,)
        )
        for (person_id,) in clients:
            yield from leave(person_id, [row_id], today=today, said=said)
        yield Statement(
            "INSERT INTO practitioner_place (source_id, key, left_on) VALUES (?, ?, ?) "
            "ON CONFLICT (source_id, key) DO UPDATE SET left_on = excluded.left_on",
            (source.id, key, today.isoformat()),
        )
    return bool(rows)


def _room(kind: str, key: str) -> Work[None]:
    ((others,),) = yield Statement(
        f"SELECT count(*) FROM {kind} t JOIN import_source s ON s.id = t.source_id "  # noqa: S608 - constants
        "WHERE s.name = ? AND t.key <> ?",
        (NATIVE, key),
    )
    if others >= MAX_ROWS:
        raise InputError(f"there are {MAX_ROWS} already")


def _points(text: str) -> tuple[ContactPoint, ...]:
    found: list[dict[str, Any]] = orjson.loads(text)
    return tuple(ContactPoint(**each) for each in found)
