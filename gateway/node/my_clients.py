"""The people whom one practitioner works with, and what changed around each since they last looked."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

import orjson

from gateway.database.contract import Work
from gateway.fhir.bundle import Participation
from gateway.node.local_view import Client, LocalTeam, View, own_clients, own_team

MAX_CLIENTS: Final = 300  # of one practitioner that a page shows: ten times a usual caseload
WEEK: Final = timedelta(days=7)

_HALF = 8  # bytes of each of the two hashes that are kept of an involvement


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """What differs from the last look, counted: who joined, who left, of whom something else is new."""

    joined: int = 0
    left: int = 0
    details: int = 0

    def __bool__(self) -> bool:
        """Whether anything differs."""
        return bool(self.joined or self.left or self.details)


@dataclass(frozen=True, slots=True, kw_only=True)
class MyClient:
    """One client with the team as this practitioner sees it."""

    client: Client
    team: LocalTeam

    @property
    def last_confirmed(self) -> str | None:
        """When they last said that they work with this person, or their source did; None if never or not by name."""
        said = (each.last_confirmed for each in self.team.mine if each.by_name)
        return max((day for day in said if day), default=None)

    @property
    def start(self) -> str | None:
        """Since when, as far as known."""
        return min((each.shown.start for each in self.team.mine if each.shown.start), default=None)

    @property
    def next_visit(self) -> str | None:
        """The day of the nearest visit that they see, their own or somebody else's."""
        return min((each.next_visit.date for each in everybody(self.team) if each.next_visit), default=None)

    @property
    def last_contact(self) -> str | None:
        """The day of the newest contact that they see."""
        return max((each.last_contact.date for each in everybody(self.team) if each.last_contact), default=None)


def clients_of(view: View, *, limit: int = MAX_CLIENTS) -> Work[list[MyClient]]:
    """Whom they work with now, each once, in the order of their rows; more than `limit` are cut off.

    Read one more than can be shown to know whether some were left out.
    """
    rows = yield from own_clients(view)
    first: dict[int, int] = {}  # of two rows of theirs that are one person, the older
    for row_id in sorted(rows):
        first.setdefault(rows[row_id], row_id)
    found: list[MyClient] = []
    for same_person, row_id in list(first.items())[:limit]:
        team = yield from own_team(row_id, same_person, view)
        if team.client is not None:
            found.append(MyClient(client=team.client, team=team))
    return found


def everybody(team: LocalTeam) -> Iterable[Participation]:
    """All that is seen of a team, one's own work first."""
    return (*(each.shown for each in team.mine), *team.others)


def visits_ahead(clients: Iterable[MyClient], view: View) -> list[tuple[str, MyClient]]:
    """The practitioner's own visits of the seven days from today on, as (day, client), in order."""
    until = (view.today + WEEK).isoformat()
    days = [
        (each.shown.next_visit.date, found)
        for found in clients
        for each in found.team.mine
        if each.shown.next_visit is not None and each.shown.next_visit.date < until
    ]
    return sorted(days, key=lambda visit: visit[0])


def remembered(team: LocalTeam) -> bytes:
    """What is kept of a look: for each involvement two short hashes, of who it is and of all that is shown of it."""
    return b"".join(sorted(_who(each) + _hash(each) for each in everybody(team)))


def changed(before: bytes, team: LocalTeam) -> Changed:
    """What differs now from what was `remembered` then."""
    now = remembered(team)
    then = {before[at : at + _HALF]: before[at + _HALF : at + 2 * _HALF] for at in range(0, len(before), 2 * _HALF)}
    seen = {now[at : at + _HALF]: now[at + _HALF : at + 2 * _HALF] for at in range(0, len(now), 2 * _HALF)}
    return Changed(
        joined=len(seen.keys() - then.keys()),
        left=len(then.keys() - seen.keys()),
        details=sum(seen[who] != then[who] for who in seen.keys() & then.keys()),
    )


def _who(shown: Participation) -> bytes:
    """The same as long as this practitioner works for this service with the person."""
    keys = [each.key if each is not None else None for each in (shown.practitioner, shown.service, shown.organisation)]
    return _hash(keys)


def _hash(of: object) -> bytes:
    if isinstance(of, Participation):  # these change as days pass, and have columns of their own
        of = replace(of, last_contact=None, next_visit=None)
    return hashlib.blake2b(orjson.dumps(of), digest_size=_HALF).digest()
