"""An agency's directory of its own people, as one of them may see it: who works for which service, how to reach them.

That somebody works for a shielded service is nobody's business who could not see that work. So a service is listed, and
a practitioner for it, only if some current work of theirs there is ordinary and the agreement would show it to this
viewer about a client who has agreed to sharing in general; and no service whose work is mostly restricted. Whoever has
no such work is not in here, nor counted: rows that are hidden change nothing that is shown.

Names are found by their first letters or their sound, in any script and without accents (matching/normalise.py).
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import orjson

from consent_ledger.consent import ConsentEntry, ConsentKind, Provision
from gateway.database.contract import Row, Statement, Work
from gateway.fhir.bundle import Participation
from gateway.fhir.text import plain
from gateway.matching.normalise import name_tokens, skeleton
from gateway.node.local import visible_team
from gateway.node.local_view import View
from gateway.node.own_services import MAX_SERVICES, usual_among
from gateway.node.rows import chunks, select_in
from gateway.node.team import Team, TeamMember, cover_of, practitioner_alone, service_alone
from mappings.model import HumanName, Involvement, Practitioner
from mappings.vocabulary import Mode, Sensitivity

MAX_PRACTITIONERS: Final = 20_000  # rows that are looked through
MAX_WORDS: Final = 6  # of what is typed
MIN_LETTERS: Final = 2  # of all that is typed
_SOUNDS_FROM: Final = 4  # letters of a word that is compared by its sound, too
_NOBODY: Final = 0


# What a client has said who agrees to sharing in general: it names no service, so it opens no shielded one.
_AGREED: Final = ConsentEntry(kind=ConsentKind.CONSENT, provisions=(Provision(permit=True, mode=Mode.SCHEDULE),))
_SOMEBODY: Final = Practitioner(key="", name=HumanName(family="Somebody"))


class Named(NamedTuple):
    """A practitioner: the family name to sort by, name and role."""

    family: str
    name: str
    role: str


# Whoever typed in a service says how confidential it is (register.py), before there is any work to tell it from.
_TYPED_AS_OPEN: Final = (
    "SELECT v.id FROM service_said d JOIN service v ON v.source_id = d.source_id AND v.key = d.key "
    "WHERE d.sensitivity = 'N' AND NOT EXISTS (SELECT 1 FROM involvement i WHERE i.service_id = v.id)"
)


class _Service(NamedTuple):
    """A service that may be listed: its duty contact, and at which `max_mode` of its work practitioners are named."""

    desk: Participation
    naming: frozenset[Mode]


class _Place(NamedTuple):
    """What one practitioner does for one service (None: for none in particular), and how far it may be shown."""

    service_id: int | None
    max_mode: Mode


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of what was found; `more` if there is another after it."""

    people: tuple[tuple[Participation, ...], ...]  # one inner tuple for each practitioner: one for each service
    services: tuple[Participation, ...]
    more: bool


def words_of(typed: str) -> tuple[str, ...]:
    """What is searched for, folded; empty if it is too little."""
    words = tuple(dict.fromkeys(token for word in typed.split() for token in name_tokens(word)))[:MAX_WORDS]
    return words if sum(map(len, words)) >= MIN_LETTERS else ()


def answers_to(text: str, words: Iterable[str]) -> bool:
    """Whether each word begins, or sounds like, some word of a text."""
    tokens = [token for word in text.split() for token in name_tokens(word)]
    return all(any(_is_like(word, token) for token in tokens) for word in words)


def directory(words: Collection[str], view: View, *, start: int, size: int) -> Work[Page]:
    """The services whose names answer to all words, and a page of people who do by name, role or service.

    Without words all services, and nobody.
    """
    services = yield from _services(view)
    desks = {row_id: each.desk for row_id, each in services.items()}
    listed = sorted(
        (each for each in desks.values() if each.service is not None and answers_to(_service_name(each), words)),
        key=lambda each: _service_name(each).casefold(),
    )
    if not words:
        return Page(people=(), services=tuple(listed), more=False)
    # What is part of no service's name has to be part of a practitioner's name or role.
    own_words = [word for word in words if not any(answers_to(_service_name(each), (word,)) for each in desks.values())]
    named = yield from practitioners(own_words)
    places = yield from _places(named, services, view)
    found = [
        row_id
        for row_id, theirs in places.items()
        if answers_to(
            " ".join([named[row_id].name, named[row_id].role, *(_service_name(desks.get(each)) for each, _ in theirs)]),
            words,
        )
    ]
    found.sort(key=lambda row_id: (named[row_id], row_id))
    people: dict[int, tuple[Participation, ...]] = {}
    for row_id in found[start : start + size]:
        people[row_id] = yield from _cards(row_id, places[row_id], services, view)
    return Page(people=tuple(people.values()), services=tuple(listed), more=len(found) > start + size)


def listed(view: View) -> Work[tuple[set[int], dict[int, str]]]:
    """The rows of all practitioners who can be found here by this viewer, and all services by row, by name."""
    services = yield from _services(view)
    places = yield from _places((yield from practitioners()), services, view)
    names = {row_id: _service_name(each.desk) for row_id, each in services.items() if row_id is not None}
    return set(places), dict(sorted(names.items(), key=lambda each: (each[1].casefold(), each[0])))


def _is_like(word: str, token: str) -> bool:
    if token.startswith(word):
        return True
    return len(word) >= _SOUNDS_FROM and len(token) >= _SOUNDS_FROM and skeleton(word) == skeleton(token)


def _service_name(desk: Participation | None) -> str:
    return desk.service.name if desk is not None and desk.service is not None else ""


def practitioners(words: Collection[str] = ()) -> Work[dict[int, Named]]:
    """All practitioners who can be named, and whose names and roles answer to the words, by row."""
    rows = yield Statement("SELECT id, name, role FROM practitioner ORDER BY id LIMIT ?", (MAX_PRACTITIONERS,))
    found: dict[int, Named] = {}
    for row_id, stored, role in rows:
        name = orjson.loads(stored)
        parts = [*name["given"], name["family"]]
        said = " ".join(filter(None, parts))
        if not name["protected"] and any(map(plain, parts)) and answers_to(f"{said} {role}", words):
            found[row_id] = Named(name["family"].casefold(), said, role)
    return found


def _services(view: View) -> Work[dict[int | None, _Service]]:
    """Those that may be listed, by row; None is work for no service in particular."""
    nowhere = TeamMember(involvement_id=0, involvement=Involvement(key="", person_key=""))
    found: dict[int | None, _Service] = {None: _Service(Participation(), _naming(nowhere, list(Mode), view))}
    # One pass over all work: service by service, by their index, takes ten times as long.
    marked: dict[int, list[Row]] = defaultdict(list)
    current: dict[int, list[Mode]] = defaultdict(list)
    for service_id, *marking, now in (
        yield Statement(
            "SELECT service_id, sensitivity, max_mode, count(*), "
            "sum(end_date IS NULL OR end_date >= substr(?, 1, length(end_date))) "
            "FROM involvement NOT INDEXED WHERE service_id IS NOT NULL GROUP BY service_id, sensitivity, max_mode",
            (view.today.isoformat(),),
        )
    ):
        marked[service_id].append(tuple(marking))
        if now and marking[0] == Sensitivity.NORMAL:
            current[service_id].append(Mode(marking[1]))
    for (row_id,) in (yield Statement(_TYPED_AS_OPEN)):
        current[row_id].append(Mode.SCHEDULE)
    for row_id, modes in sorted(current.items()):
        if len(found) > MAX_SERVICES or usual_among(marked[row_id]).sensitivity is not Sensitivity.NORMAL:
            continue
        alone = yield from service_alone(row_id)
        if alone is not None and any(_seen(alone, mode, view) for mode in modes):
            desk = Participation(organisation=alone.organisation, service=alone.service)
            found[row_id] = _Service(desk, _naming(alone, modes, view))
    return found


def _naming(alone: TeamMember, modes: Iterable[Mode], view: View) -> frozenset[Mode]:
    """At which `max_mode` of a service's work the viewer is told who does it."""
    somebody = replace(alone, practitioner_id=_NOBODY, practitioner=_SOMEBODY)
    return frozenset(mode for mode in modes if any(each.practitioner for each in _seen(somebody, mode, view)))


def _places(
    wanted: Collection[int], services: Mapping[int | None, _Service], view: View
) -> Work[dict[int, list[_Place]]]:
    """Where each of these practitioners does ordinary work that may be shown; those who do none are left out."""
    found: dict[int, list[_Place]] = defaultdict(list)
    for part in chunks(sorted(wanted)):
        rows = yield Statement(
            select_in(
                "DISTINCT practitioner_id, service_id, max_mode FROM involvement",
                "sensitivity = 'N' AND (end_date IS NULL OR end_date >= substr(?, 1, length(end_date))) "
                "AND practitioner_id",
            ),
            (view.today.isoformat(), *part),
        )
        for row_id, service_id, mode in sorted(rows, key=lambda row: (row[0], row[1] or _NOBODY, -row[2])):
            service = services.get(service_id)
            known = any(each.service_id == service_id for each in found.get(row_id, ()))
            if service is not None and not known and Mode(mode) in service.naming:
                found[row_id].append(_Place(service_id, Mode(mode)))
    return found


def _cards(
    row_id: int, places: Iterable[_Place], services: Mapping[int | None, _Service], view: View
) -> Work[tuple[Participation, ...]]:
    """One practitioner as the viewer may see them, once for each service; no cover who could not be found here."""
    alone = yield from practitioner_alone(row_id, today=view.today.isoformat())
    if alone is None:
        return ()
    cover = yield from cover_of(row_id)
    if alone.cover is not None and cover is not None and not (yield from _places([cover], services, view)):
        alone = replace(alone, cover=None)
    found: list[Participation] = []
    for place in places:
        desk = services[place.service_id].desk
        there = replace(
            alone,
            service_id=place.service_id,
            service=desk.service,
            organisation=desk.organisation or alone.organisation,
        )
        found += _seen(there, place.max_mode, view)
    return tuple(found)


def _seen(member: TeamMember | None, max_mode: Mode, view: View) -> tuple[Participation, ...]:
    """What the viewer would see of such work with a client who has agreed to sharing in general."""
    if member is None or view.agreements is None:
        return ()
    involvement = Involvement(
        key="", person_key="", role=member.practitioner.role if member.practitioner else "", max_mode=max_mode
    )
    team = Team(
        person_id=_NOBODY,
        person_ids=(_NOBODY,),
        restricted=False,
        involvements=(replace(member, involvement=involvement),),
    )
    return visible_team(
        team,
        view.user,
        view.need,
        consents=(_AGREED,),
        agreements=view.agreements,
        accepted=view.accepted,
        today=view.today,
    )
