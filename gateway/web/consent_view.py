"""What is on record of a client's consent, as far as whoever works with them may know it.

(1) LocalTeam.consents holds what stands under rows at which the viewer sees something, and nothing of other rows
(2) of those, lines that name services are shown for the viewer's own services alone, or not at all
(3) who recorded an entry, and words that were typed with it, are shown to whoever typed them: they could name a service
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from consent_ledger.consent import ConsentEntry, ConsentKind, effective
from consent_ledger.errors import LedgerError
from consent_ledger.kinds import EntryKind
from consent_ledger.read import Entry
from gateway.database.contract import Work
from gateway.days import DAY_S, day_of
from gateway.fhir.text import plain
from gateway.node.answers_left import Left, answers_left
from gateway.node.consent_glance import Glance, glance
from gateway.node.own_services import codes_of_services, vouched_services
from gateway.node.storage_fault import storage_fault
from gateway.web.consent_words import SAID, SAID_TO_THEM, Line, Names, lines_of
from gateway.web.looking import Opened
from gateway.web.signed_in import SignedIn
from gateway.web.site import Site
from gateway.web.words import N_
from gateway.web.words import gettext as _
from mappings.vocabulary import Mode, Purpose

MAX_LISTED: Final = 50  # newest first, of statements and of answers; an officer's report has them all

GLANCES: Final = {
    Glance.AGREED: ("yes", N_("They agree that other agencies are told who works with them")),
    Glance.LIMITED: ("limits", N_("They agree with limits: not everybody is told, or not everything")),
    Glance.OBJECTED: ("no", N_("They object to other agencies being told who works with them")),
    Glance.NOTHING: ("none", N_("No agreement about sharing is on record")),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One entry in words; `at` in epoch seconds, `day` its day (UTC), `mine`: the viewer has recorded it."""

    kind: ConsentKind
    said: str
    at: float
    day: date
    lines: list[Line]
    mine: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OnRecord:
    """All of it, newest first; `today`: how many statements the viewer has recorded of this client since a day ago."""

    statements: list[Statement]
    left: list[Left]
    today: int


def objects_to_all(opened: Opened, site: Site) -> bool:
    """Whether an objection stands to anybody's being told anything of the viewer's own work, for any usual reason."""
    services = {each.shown.service.code if each.shown.service else "" for each in opened.team.mine} or {""}
    states = [
        effective(
            opened.team.consents,
            purpose=purpose,
            recipient=member.id,
            recipient_type=member.type,
            service=service,
            today=site.today(),
        )
        for purpose in Purpose
        if purpose is not Purpose.BREAK_GLASS
        for member in site.other_members()
        for service in services
    ]
    return bool(states) and all(
        state.refused_from is not None and state.refused_from <= Mode.DUTY_CONTACT for state in states
    )


def told_today(entry: ConsentEntry, site: Site) -> list[str]:
    """The agencies that may be told by what somebody agrees to, for whatever reason and of whatever service."""
    return [
        plain(member.name)
        for member in site.other_members()
        if any(
            replace(line, purposes=(), services=()).covers(Purpose.COORDINATION, member.id, member.type, "")
            for line in entry.provisions
        )
    ]


def services_to_name(opened: Opened, kind: ConsentKind) -> Work[dict[str, str]]:
    """Those of them that a statement of this kind may name.

    An agreement that names a service opens what is shielded there. So somebody else must have said that the viewer
    works for it (node/own_services.py); to forbid what is told of a service it is enough to say so oneself.
    """
    services = own_services(opened)
    if kind is not ConsentKind.CONSENT:
        return services
    vouched = yield from vouched_services(opened.view.user, opened.view.today.isoformat())
    codes = yield from codes_of_services(vouched)
    return {code: name for code, name in services.items() if code in codes}


def own_services(opened: Opened) -> dict[str, str]:
    """The viewer's own services with this client that a consent can name, by code."""
    mine = [each.shown.service for each in opened.team.mine if each.shown.service is not None]
    return {each.code: plain(each.name) for each in mine if each.code}


def names_for(opened: Opened, site: Site) -> Names:
    """How codes are called on this client's pages."""
    members = {each.id: plain(each.name) for each in site.other_members()}
    return Names(members=members, services=own_services(opened))


def glance_of(opened: Opened, site: Site) -> tuple[str, str]:
    """How it looks and what it says: of what the viewer may know, never of a hidden service's row."""
    others = site.other_members()
    services = {each.shown.service.code if each.shown.service else "" for each in opened.team.mine}
    found = (
        glance(opened.team.consents, services=services, members=others, today=site.today())
        if others
        else Glance.NOTHING
    )
    how, said = GLANCES[found]
    return how, _(said)


async def on_record(opened: Opened, site: Site, user: SignedIn, *, handed_over: bool = False) -> OnRecord:
    """What was said, and which answers have left; `handed_over`: as it is told to the client. Raises StorageError."""
    try:
        entries = await site.node.ledger.about(opened.team.person_ids)
    except LedgerError as error:
        raise storage_fault(error) from error
    bodies = {entry.seq: entry.body for entry in entries if entry.body is not None}
    names = names_for(opened, site)
    statements = [
        Statement(
            kind=part.kind,
            said=_((SAID_TO_THEM if handed_over else SAID)[part.kind]),
            at=bodies[part.seq]["at"],
            day=day_of(bodies[part.seq]["at"]),
            lines=lines_of(part, names, own=part.recorded_by == user.id and not handed_over, to_them=handed_over),
            mine=part.recorded_by == user.id,
        )
        for each in reversed(opened.team.consents)
        if each.seq in bodies and (part := seen_part(each, names.services)) is not None
    ]
    own = {each.involvement_id: each.shown.service.code if each.shown.service else "" for each in opened.team.mine}
    left = answers_left(entries, own, now=site.now(), hold_days=site.settings.access_report.hold_days)
    return OnRecord(statements=statements[:MAX_LISTED], left=left[:MAX_LISTED], today=_today(entries, site, user))


def seen_part(entry: ConsentEntry, services: Collection[str]) -> ConsentEntry | None:
    """(2) What of an entry concerns all services or these; None if nothing does."""
    if not entry.provisions:
        return entry
    lines = tuple(
        replace(line, services=tuple(each for each in line.services if each in services))
        for line in entry.provisions
        if not line.services or not set(line.services).isdisjoint(services)
    )
    return replace(entry, provisions=lines) if lines else None


def _today(entries: Collection[Entry], site: Site, user: SignedIn) -> int:
    kinds = {EntryKind.CONSENT, EntryKind.OBJECTION, EntryKind.WITHDRAWAL}
    since = site.now() - DAY_S
    found = [entry.body for entry in entries if entry.body is not None and entry.body["kind"] in kinds]
    return sum(body["recorded_by"] == user.id and body["at"] > since for body in found)
