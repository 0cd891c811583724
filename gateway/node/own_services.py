"""Which services are somebody's own, and how confidential their work is as a rule."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

from gateway.database.contract import Row, Statement, Work
from gateway.node.local import LocalUser
from mappings.vocabulary import Mode, Sensitivity

MAX_SERVICES: Final = 200  # that a list offers

STRICTNESS: Final = {Sensitivity.NORMAL: 0, Sensitivity.RESTRICTED: 1, Sensitivity.VERY_RESTRICTED: 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Usual:
    """How a service's involvements are mostly marked: what is typed in is no more open than what its system says."""

    sensitivity: Sensitivity
    max_mode: Mode


def services_for(user: LocalUser) -> Work[dict[int, str]]:
    """Names by row id: of the services that they or their clients' records name."""
    own: dict[int, str] = {}
    for row_id in sorted(user.service_ids):
        own.update((yield Statement("SELECT id, name FROM service WHERE id = ?", (row_id,))))
    for row_id in sorted(user.practitioner_ids):
        own.update(
            (
                yield Statement(
                    "SELECT DISTINCT s.id, s.name FROM involvement i JOIN service s ON s.id = i.service_id "
                    "WHERE i.practitioner_id = ? LIMIT ?",
                    (row_id, MAX_SERVICES),
                )
            )
        )
    return dict(sorted(own.items(), key=lambda each: (each[1].casefold(), each[0])))


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
