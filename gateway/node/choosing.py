"""Whom a list may offer by name, to stand in or to be invited: who is in the directory, and colleagues of one service.

The directory alone (directory.py) would keep a shielded team from naming its own people to each other. So whoever works
for the viewer's own service is named too, however shielded; own_services.py says which that is.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from gateway.database.contract import Statement, Work
from gateway.node.directory import Named, listed, practitioners
from gateway.node.local_view import View
from gateway.node.own_services import vouched_services
from gateway.node.rows import chunks, select_in
from gateway.node.team import cover_of

MAX_OFFERED: Final = 1000  # more than one list can be searched by eye

_NOT_OVER: Final = "(i.end_date IS NULL OR i.end_date >= substr(?, 1, length(i.end_date)))"


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Who may be named to somebody, by row of the register; `near`: those who work for one of these own `services`."""

    people: dict[int, Named]
    near: frozenset[int]
    services: frozenset[int]


def may_be_named(view: View) -> Work[Known]:
    """Everybody whom this viewer may be offered; their own rows too, and no protected name."""
    everybody = yield from practitioners()
    found, _ = yield from listed(view)
    today = view.today.isoformat()
    services = yield from vouched_services(view.user, today)
    near = yield from _working_for(services, today)
    for row_id in sorted(view.user.practitioner_ids):
        cover = yield from cover_of(row_id)  # who stands in for them now is no news to them
        if cover is not None:
            near.add(cover)
    return Known(
        people={row_id: each for row_id, each in everybody.items() if row_id in found or row_id in near},
        near=frozenset(near),
        services=services,
    )


def colleagues_of(view: View) -> Work[dict[int, str]]:
    """Names with roles by row, in the order of family names, without the viewer; the nearest if there are too many."""
    known = yield from may_be_named(view)
    others = {row_id: each for row_id, each in known.people.items() if row_id not in view.user.practitioner_ids}
    kept = sorted(others, key=lambda row_id: (row_id not in known.near, others[row_id], row_id))[:MAX_OFFERED]
    kept.sort(key=lambda row_id: (others[row_id], row_id))
    return {row_id: ", ".join(filter(None, (others[row_id].name, others[row_id].role))) for row_id in kept}


def _working_for(services: Collection[int], today: str) -> Work[set[int]]:
    """Rows of all who work for these services now, or were typed in for them."""
    found: set[int] = set()
    for part in chunks(sorted(services)):
        where = f"i.practitioner_id IS NOT NULL AND {_NOT_OVER} AND i.service_id"
        found.update(
            row_id
            for (row_id,) in (
                yield Statement(select_in("DISTINCT i.practitioner_id FROM involvement i", where), (today, *part))
            )
        )
    found.update(row_id for service_id, row_id in (yield Statement(_PLACED)) if service_id in services)
    return found


_PLACED: Final = (
    "SELECT v.id, p.id FROM practitioner_place d JOIN practitioner p ON p.source_id = d.source_id AND p.key = d.key "
    "JOIN service v ON v.source_id = d.source_id AND v.key = d.service_key WHERE d.left_on IS NULL"
)
