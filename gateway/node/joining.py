"""Joining somebody else's work with a client: the newcomer's involvement is of the same service, and no less shielded.

Whoever may see the newcomer could see the one who invited them: an invitation into a shielded service's work tells
nobody more than that work itself.
"""

from dataclasses import dataclass
from typing import Final

from gateway.database.contract import Row, Statement, Work
from gateway.node.local import LocalUser
from gateway.node.native import native_source, references_to, remove, store
from gateway.node.own_services import STRICTNESS
from mappings.model import Involvement
from mappings.vocabulary import Mode, Sensitivity

_CURRENT: Final = (
    "SELECT i.service_id, i.sensitivity, i.max_mode FROM person asked "
    "JOIN person c ON c.same_person = asked.same_person JOIN involvement i ON i.person_id = c.id "
    "WHERE asked.id = ? AND c.hash IS NOT NULL "
    "AND (i.end_date IS NULL OR i.end_date >= substr(?, 1, length(i.end_date)))"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenTo:
    """Whose work it is (a row, if any service's) and what may be told of it."""

    service_id: int | None
    sensitivity: Sensitivity
    max_mode: Mode


def work_of(person_id: int, user: LocalUser, today: str) -> Work[OpenTo | None]:
    """What somebody does for a client now, by the strictest of their involvements; None if they do nothing."""
    rows: list[Row] = []
    for row_id in sorted(user.practitioner_ids):
        rows += yield Statement(f"{_CURRENT} AND i.practitioner_id = ?", (person_id, today, row_id))
    for row_id in sorted(user.service_ids):
        condition = "AND i.practitioner_id IS NULL AND i.service_id = ?"
        rows += yield Statement(f"{_CURRENT} {condition}", (person_id, today, row_id))
    if not rows:
        return None
    service_id, sensitivity, _ = max(rows, key=lambda row: STRICTNESS[Sensitivity(row[1])])
    return OpenTo(
        service_id=service_id, sensitivity=Sensitivity(sensitivity), max_mode=Mode(min(mode for *_, mode in rows))
    )


def join(
    federation: str, key: str, person_id: int, practitioner_id: int, of: OpenTo, role: str, today: str
) -> Work[bool]:
    """Put a practitioner (a row) to work with a client from `today` on; done twice under one key it is done once.

    False if the client's or the practitioner's row has gone.
    """
    people = yield from references_to("person", [person_id])
    workers = yield from references_to("practitioner", [practitioner_id])
    services = yield from references_to("service", [] if of.service_id is None else [of.service_id])
    if not people or not workers:
        return False
    source = yield from native_source(federation)
    yield from store(
        source,
        Involvement(
            key=key,
            person_key=people[person_id],
            practitioner_key=workers[practitioner_id],
            service_key=next(iter(services.values()), None),
            role=role,
            start=today,
            sensitivity=of.sensitivity,
            max_mode=of.max_mode,
            last_confirmed=today,
        ),
    )
    return True


def take_out(federation: str, key: str) -> Work[None]:
    """Undo `join`, where it was not to be after all."""
    source = yield from native_source(federation)
    yield from remove(source, "involvement", [key])
