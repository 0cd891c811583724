"""One involvement in this agency's own register, as a card shows it. Pure; text of sources is made plain here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from gateway.fhir.bundle import Participation
from gateway.fhir.text import plain
from gateway.web.contact_links import Way, ways
from gateway.web.words import N_
from gateway.web.words import gettext as _
from mappings.model import ContactEvent, ContactPoint, HumanName, Practitioner

# The codes of value set contact-kind; another source's word stays as it is.
_KINDS: Final[Mapping[str, str]] = {
    "home-visit": N_("home visit"),
    "office": N_("at the office"),
    "clinic": N_("clinic"),
    "school": N_("at school"),
    "phone": N_("phone"),
    "video": N_("video call"),
    "group": N_("group"),
    "meeting": N_("meeting of professionals"),
    "delivery": N_("delivery"),
    "other": "",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Meeting:
    """A contact or visit: its ISO day, and what kind, "" if there is nothing to say."""

    day: str
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Colleague:
    """A card. `name` is "" for a duty contact, whose `ways` are then its service's or organisation's."""

    name: str
    role: str
    service: str
    organisation: str
    lead: bool
    ways: tuple[Way, ...]
    working_pattern: str
    away_until: str | None
    cover: str
    cover_ways: tuple[Way, ...]
    since: str | None
    last_confirmed: str | None
    last_contact: Meeting | None
    next_visit: Meeting | None


def colleague(shown: Participation) -> Colleague:
    """The card of what may be shown."""
    who = shown.practitioner
    return Colleague(
        name="" if who is None else name_of(who.name),
        role=plain(shown.role) or ("" if who is None else plain(who.role)),
        service="" if shown.service is None else plain(shown.service.name),
        organisation="" if shown.organisation is None else plain(shown.organisation.name),
        lead=shown.lead,
        ways=_ways(_points(shown)),
        working_pattern="" if who is None else plain(who.working_pattern),
        away_until=shown.away_until,
        cover="" if shown.cover is None else name_of(shown.cover.name),
        cover_ways=() if shown.cover is None else _ways(_of(shown.cover)),
        since=shown.start,
        last_confirmed=shown.last_confirmed,
        last_contact=_meeting(shown.last_contact),
        next_visit=_meeting(shown.next_visit),
    )


def name_of(name: HumanName) -> str:
    """As people say it; "" if none of it can be shown."""
    return " ".join(part for part in (*map(plain, name.given), plain(name.family)) if part)


def client_name(names: Sequence[HumanName]) -> str:
    """The name by which a page calls a client."""
    order = {"usual": 0, "official": 1}
    found = sorted(names, key=lambda name: order.get(name.use, len(order)))
    return next((text for text in map(name_of, found) if text), _("Name not recorded"))


def other_names(names: Sequence[HumanName]) -> list[str]:
    """What else the record has them called, each once."""
    said = dict.fromkeys(map(name_of, names))
    return [text for text in said if text and text != client_name(names)]


def _points(shown: Participation) -> tuple[ContactPoint, ...]:
    if shown.practitioner is not None:
        return _of(shown.practitioner)
    if shown.service is not None and shown.service.duty_contact:
        return shown.service.duty_contact
    return () if shown.organisation is None else shown.organisation.duty_contact


def _of(practitioner: Practitioner) -> tuple[ContactPoint, ...]:
    return tuple(sorted(practitioner.contact_points, key=lambda point: point.rank))


def _ways(points: Sequence[ContactPoint]) -> tuple[Way, ...]:
    return ways(tuple(ContactPoint(system=each.system, value=plain(each.value)) for each in points))


def _meeting(event: ContactEvent | None) -> Meeting | None:
    if event is None:
        return None
    return Meeting(day=event.date, kind=kind_words(event.kind))


def kind_words(code: str) -> str:
    """A kind of contact as people say it; "" if there is nothing to say."""
    return _(_KINDS.get(code, plain(code)))
