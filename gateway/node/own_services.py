"""Which services are somebody's own, and how confidential their work is as a rule.

A service is somebody's own if others say so: an administrator who linked the account to it, a source whose work for it
is theirs, or whoever typed them in. Work that they typed in, or were invited to, themselves makes no service their own:
else anybody could look up who works there, or open what is shielded there with a consent that names it.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

from gateway.database.contract import Row, Statement, Work
from gateway.node.local import LocalUser
from gateway.node.native import NATIVE
from gateway.node.rows import chunks, select_in
from mappings.vocabulary import Mode, Sensitivity

MAX_SERVICES: Final = 200  # that a list offers

STRICTNESS: Final = {Sensitivity.NORMAL: 0, Sensitivity.RESTRICTED: 1, Sensitivity.VERY_RESTRICTED: 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Usual:
    """How a service's involvements are mostly marked: what is typed in is no more open than what its system says."""

    sensitivity: Sensitivity
    max_mode: Mode


def vouched_services(user: LocalUser, today: str) -> Work[frozenset[int]]:
    """Rows of the services that are this user's own on somebody else's word, as of `today` (ISO 8601 date)."""
    found = set(user.service_ids)
    for row_id in sorted(user.practitioner_ids):
        found.update(row[0] for row in (yield Statement(_FROM_SOURCES, (row_id, NATIVE, today))))
        found.update(row[0] for row in (yield Statement(_TYPED_IN_FOR, (row_id,))))
    return frozenset(found)


def claimed_services(user: LocalUser) -> Work[frozenset[int]]:
    """Rows of all services for which this user's own work was ever entered, by whomever."""
    found: set[int] = set()
    for row_id in sorted(user.practitioner_ids):
        found.update(row[0] for row in (yield Statement(_EVER, (row_id, MAX_SERVICES))))
    return frozenset(found)


def names_of_services(service_ids: Collection[int]) -> Work[dict[int, str]]:
    """Names by row, in their order; at most MAX_SERVICES."""
    rows: list[Row] = []
    for part in chunks(sorted(service_ids)[:MAX_SERVICES]):
        rows += yield Statement(select_in("id, name FROM service", "id"), part)
    return dict(sorted(((row_id, name) for row_id, name in rows), key=lambda each: (each[1].casefold(), each[0])))


def codes_of_services(service_ids: Collection[int]) -> Work[frozenset[str]]:
    """Which codes these services have."""
    codes: set[str] = set()
    for part in chunks(sorted(service_ids)[:MAX_SERVICES]):
        codes.update(code for (code,) in (yield Statement(select_in("code FROM service", "id"), part)))
    return frozenset(codes)


def usual_of(service_id: int | None) -> Work[Usual]:
    """The most frequent marking of a service's involvements, of equals the stricter; of a service without any, none.

    Where a page says how confidential its work is, it is so at least (register.py).
    """
    rows: Collection[Row] = ()
    said = Sensitivity.NORMAL
    if service_id is not None:
        for (code,) in (
            yield Statement(
                "SELECT d.sensitivity FROM service_said d "
                "JOIN service v ON v.source_id = d.source_id AND v.key = d.key WHERE v.id = ?",
                (service_id,),
            )
        ):
            said = Sensitivity(code)
        rows = yield Statement(
            "SELECT sensitivity, max_mode, count(*) FROM involvement WHERE service_id = ? "
            "GROUP BY sensitivity, max_mode",
            (service_id,),
        )
    return usual_among(rows, said=said)


def usual_among(rows: Iterable[Row], *, said: Sensitivity = Sensitivity.NORMAL) -> Usual:
    """The same of rows of sensitivity, `max_mode` and how many are marked so; `said`: as confidential at least."""
    marked = [(count, STRICTNESS[Sensitivity(code)], -mode, Sensitivity(code)) for code, mode, count in rows]
    if not marked:
        return Usual(sensitivity=said, max_mode=Mode.SCHEDULE)
    _, _, mode, sensitivity = max(marked, key=lambda each: each[:3])
    return Usual(sensitivity=max(said, sensitivity, key=STRICTNESS.__getitem__), max_mode=Mode(-mode))


_FROM_SOURCES: Final = (
    "SELECT DISTINCT i.service_id FROM involvement i JOIN import_source s ON s.id = i.source_id "
    "WHERE i.practitioner_id = ? AND s.name <> ? AND i.service_id IS NOT NULL "
    "AND (i.end_date IS NULL OR i.end_date >= substr(?, 1, length(i.end_date)))"
)
_TYPED_IN_FOR: Final = (
    "SELECT v.id FROM practitioner_place d JOIN practitioner p ON p.source_id = d.source_id AND p.key = d.key "
    "JOIN service v ON v.source_id = d.source_id AND v.key = d.service_key WHERE d.left_on IS NULL AND p.id = ?"
)
_EVER: Final = (
    "SELECT DISTINCT service_id FROM involvement WHERE practitioner_id = ? AND service_id IS NOT NULL LIMIT ?"
)
