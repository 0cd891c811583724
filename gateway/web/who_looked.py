"""Who looked at a client's record, for the officer who answers when the client asks.

(1) find the client, by what is known of them or by a number in one of this agency's systems
(2) that they were found, and whatever is shown of them, is on record first, as a look because they asked for it
(3) decide what the report leaves out (who_looked_entry.py)
(4) say who receives it and after which checks; that is on record before the report is shown
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo

from aiohttp import web

from consent_ledger import heads
from consent_ledger.consent import Relation
from consent_ledger.errors import LedgerError
from consent_ledger.governance import ReleaseEntry
from consent_ledger.kinds import ANSWERS, EntryKind
from consent_ledger.read import Entry
from consent_ledger.report import formerly_joined
from gateway.accounts.account import Role
from gateway.accounts.store import names_by_public_id
from gateway.database.contract import Statement, Work
from gateway.fhir.text import plain
from gateway.matching.index import find
from gateway.node.corrections import names_of
from gateway.node.known_as import KnownAs, known_as
from gateway.node.local_view import Reason
from gateway.node.native import NATIVE
from gateway.node.officers_record import OfficersRecord, known_by_row, records_of
from gateway.node.storage_fault import storage_fault
from gateway.reports.access import Setting
from gateway.reports.release import Prepared, prepare_report, recorders, setting_of
from gateway.reports.why import entry_words
from gateway.web.add_client import described_too_often, may_describe
from gateway.web.colleague_view import client_name, other_names
from gateway.web.forms import Form, form_of
from gateway.web.looking import looker
from gateway.web.pdf import pdf_is_installed, pdf_of
from gateway.web.prove import go_on, is_fresh, prove_in_form
from gateway.web.render import render
from gateway.web.signed_in import SignedIn, page
from gateway.web.site import Site
from gateway.web.subject_form import subject_of
from gateway.web.words import N_
from gateway.web.words import gettext as _
from mappings.model import MAX_TEXT
from mappings.vocabulary import LawfulBasis, Purpose

PATH: Final = "/manage/who-looked"
OF_CLIENT: Final = PATH + "/{id:[0-9]{1,18}}"
MAX_LISTED: Final = 200  # entries, newest first; the report has them all
MAX_WORDS: Final = 200
FILE: Final = "who-asked-about-me.pdf"

ASKED_FOR_IT: Final = Reason(purpose=Purpose.SUBJECT_REQUEST, lawful_basis=LawfulBasis.LEGAL_OBLIGATION)
RELATIONS: Final = {
    Relation.PERSON: N_("The client"),
    Relation.PARENT: N_("A parent"),
    Relation.GUARDIAN: N_("A guardian"),
    Relation.ATTORNEY: N_("Somebody with power of attorney"),
}
IN_REPORTS: Final = {
    *ANSWERS,
    EntryKind.LOOKED,
    EntryKind.CONSENT,
    EntryKind.OBJECTION,
    EntryKind.WITHDRAWAL,
    EntryKind.CORRECTION,
    EntryKind.RELEASE,
}

routes = web.RouteTableDef()


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A client who asks, or for whom somebody does: all their rows, and what is on record of them."""

    person: KnownAs
    records: Sequence[OfficersRecord]
    entries: Sequence[Entry]


@dataclass(frozen=True, slots=True)
class Listed:
    """An entry as the officer sees it: `state` is shown, withheld or waits."""

    seq: int
    words: str
    who: str
    state: str


@routes.get(PATH)
@page(Role.GOVERNANCE)
async def show_search(request: web.Request, site: Site, _user: SignedIn) -> web.StreamResponse:
    """(1)"""
    return await _search_page(request, site, Form())


@routes.post(PATH)
@page(Role.GOVERNANCE)
async def find_client(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """(1) Whom matching is sure of, or who has that number: that there is somebody is on record before it is told.

    What finds nobody can stand under nobody in the ledger: it is counted, and there is a limit (guesses.py).
    """
    form = form_of(request)
    by_number = form.raw("by") == "number"
    person = await _by_number(form, site, user) if by_number else await _by_description(form, site, user)
    if person is not None:
        await site.looks.put_on_record(looker(user), person.row_id, ASKED_FOR_IT)
        raise web.HTTPSeeOther(f"{PATH}/{person.row_id}")
    return await _search_page(request, site, form)


@routes.get(OF_CLIENT)
@page(Role.GOVERNANCE)
async def show_record(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """(2) Who it is, what is on record, what a report would leave out, and the form of (4)."""
    asked = await asked_of(request, site, user)
    return await _record_page(request, site, user, asked, Form())


@routes.post(OF_CLIENT + "/release")
@page(Role.GOVERNANCE)
async def release(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """(4) Made, then on record, then shown: what cannot be made is not released, nothing is shown unrecorded."""
    asked = await asked_of(request, site, user)
    form = form_of(request)
    entry = _release_entry(form, user)
    proved = await prove_in_form(site, user, form)
    if form.errors:
        return await _record_page(request, site, user, asked, form)
    made = prepare_report(
        asked.entries,
        await _setting(site, asked, by_role=form.raw("names") == "roles"),
        hold_days=site.settings.access_report.hold_days,
    )
    response = (
        await pdf_of(made.document, FILE)
        if entry.forms == ("pdf",)
        else render(request, "who_looked_report.html", document=made.document, back=_path_of(asked))
    )
    try:
        await site.node.ledger.note(entry, asked.person.row_id)
    except LedgerError as error:
        raise storage_fault(error) from error
    await go_on(response, site, user, proved=proved)
    return response


async def asked_of(request: web.Request, site: Site, user: SignedIn) -> Asked:
    """(2) The client whom the address names, with the look on record. Raises HTTPNotFound, StorageError."""
    row_id = int(request.match_info["id"])
    person = await site.database.read(known_by_row(row_id))
    if person is None:
        raise web.HTTPNotFound
    await site.looks.put_on_record(looker(user), person.row_id, ASKED_FOR_IT)
    try:
        entries = await site.node.ledger.about(person.person_ids)
    except LedgerError as error:
        raise storage_fault(error) from error
    return Asked(person=person, records=await site.database.read(records_of(person)), entries=entries)


def _path_of(asked: Asked) -> str:
    return f"{PATH}/{asked.person.row_id}"


async def _by_number(form: Form, site: Site, user: SignedIn) -> KnownAs | None:
    sources = await _sources(site)
    source = form.choice("source", sources, missing=_("Select the system"))
    key = form.line("key", max_length=MAX_TEXT, missing=_("Enter their number in that system"))
    if form.errors:
        return None
    if not await site.guesses.allow_number(user.id):
        described_too_often(user, form, "key")
        return None
    person = await site.database.read(known_as(source, key))
    if person is None:
        form.wrong("key", _("That system has never had a client with this number"))
    return person


async def _by_description(form: Form, site: Site, user: SignedIn) -> KnownAs | None:
    subject = subject_of(form, site.today())
    if subject is None or not await may_describe(site, user, subject, form):
        return None

    def work() -> Work[KnownAs | None]:
        match = yield from find(subject, today=site.today(), thresholds=site.node.thresholds)
        if match.best is None or not match.disclosable:
            return None
        return (yield from known_by_row(match.best.person_id))

    person = await site.database.read(work())
    if person is None:
        form.wrong("name", _("Nobody here is surely this person: add what else you know, or take their number"))
    return person


async def _search_page(request: web.Request, site: Site, form: Form) -> web.Response:
    status = 400 if form.errors else 200
    return render(
        request, "who_looked_find.html", status=status, form=form, sources=await _sources(site), pages_source=NATIVE
    )


async def _sources(site: Site) -> list[str]:
    def work() -> Work[list[str]]:
        rows = yield Statement(
            "SELECT name FROM import_source WHERE federation = ? ORDER BY name", (site.node.me.federation,)
        )
        return [name for (name,) in rows]

    return await site.database.read(work())


async def _record_page(request: web.Request, site: Site, user: SignedIn, asked: Asked, form: Form) -> web.Response:
    setting = await _setting(site, asked, by_role=False)
    made = prepare_report(asked.entries, setting, hold_days=site.settings.access_report.hold_days)
    former = formerly_joined(asked.entries, asked.person.person_ids)
    first = asked.records[0]
    only_looks = all(entry.body is None or entry.body["kind"] == EntryKind.LOOKED for entry in asked.entries)
    return render(
        request,
        "who_looked.html",
        ask_for_proof=not is_fresh(user, site),
        status=400 if form.errors else 200,
        form=form,
        here=_path_of(asked),
        name=client_name(first.names),
        other_names=other_names([name for each in asked.records for name in each.names])[:20],
        born=first.birth_date,
        records=asked.records,
        listed=_listed(made, site, await accounts_in(asked.entries, site)),
        pages_source=NATIVE,
        former=sorted((await site.database.read(names_of(former))).values()) if former else [],
        erasures=await _erasures(site) if only_looks else [],
        in_doubt=setting.in_doubt,
        relations=RELATIONS,
        has_pdf=pdf_is_installed(),
        hold_days=site.settings.access_report.hold_days,
    )


def _listed(made: Prepared, site: Site, accounts: Mapping[str, str]) -> list[Listed]:
    states = dict.fromkeys(made.held.withheld, "withheld") | dict.fromkeys(made.held.undecided, "waits")
    bodies = [(each.seq, each.body) for each in made.entries if each.body is not None]
    shown = [(seq, body) for seq, body in bodies if body["kind"] in IN_REPORTS][-MAX_LISTED:]
    return [
        Listed(seq, entry_line(body, site), entry_who(body, site, accounts), states.get(seq, "shown"))
        for seq, body in reversed(shown)
    ]


def entry_line(body: Mapping[str, Any], site: Site) -> str:
    """One entry in a line, by which the officer knows which it is; it names nobody."""
    said = entry_words(body, zone=ZoneInfo(site.settings.misuse.time_zone))
    return said[:1].upper() + said[1:]


async def accounts_in(entries: Iterable[Entry], site: Site) -> Mapping[str, str]:
    """Names of the accounts that recorded or decided something, by their ids in these entries."""
    bodies = [each.body for each in entries if each.body is not None]
    ids = {str(body[name]) for body in bodies for name in ("by", "recorded_by") if name in body}
    return await site.database.read(names_by_public_id(ids))


def entry_who(body: Mapping[str, Any], site: Site, accounts: Mapping[str, str]) -> str:
    """Who looked, asked or recorded it, as the officer has to know who decides what the report holds back."""
    asker = body.get("asker")
    if asker is not None:
        member = site.members.get(asker["member"])
        parts = [asker["name"], asker["role"], asker["member"] if member is None else member.name]
    elif body["kind"] == EntryKind.LOOKED:
        parts = [body["name"], body["role"]]
    else:
        by = str(body.get("by") or body.get("recorded_by") or "")
        parts = [accounts.get(by, by)]
    return plain(", ".join(filter(None, parts)))


async def _erasures(site: Site) -> list[float]:
    """When: the officer may know from the agency's own files whether one of them was this client's."""
    erasures = await site.node.ledger.erasures()
    return [entry.body["at"] for entry in erasures if entry.body is not None]


async def _setting(site: Site, asked: Asked, *, by_role: bool) -> Setting:
    first = asked.records[0]
    number = f"the person with the number {plain(first.key)}"
    return setting_of(
        member=site.node.me.member,
        received=site.node.membership.received,
        agreements=site.agreements,
        about=f"{number}, typed in on our pages"
        if first.source == NATIVE
        else f"{number} in our system {first.source}",
        now=site.now(),
        by_role=by_role,
        in_doubt=bool(site.node.standing.doubt),
        zone=ZoneInfo(site.settings.misuse.time_zone),
        restored=await site.ledger_database.read(heads.restored_at()),
        accounts=await site.database.read(names_by_public_id(recorders(asked.entries))),
    )


def _release_entry(form: Form, user: SignedIn) -> ReleaseEntry:
    to = form.line("to", max_length=MAX_WORDS, missing=_("Enter who receives the report"))
    relation = form.choice("relation", list(Relation), missing=_("Select who that is to the client"))
    identity = form.line(
        "identity", max_length=MAX_WORDS, missing=_("Enter how you have checked who is asking, as in “passport seen”")
    )
    acts = relation not in {"", Relation.PERSON}
    missing = _("Enter what shows that they may act for the client") if acts else ""
    authority = form.line("authority", max_length=MAX_WORDS, missing=missing)
    if authority and not acts:
        form.wrong("authority", _("This is only for somebody who acts for the client"))
    form.choice("names", ("all", "roles"), missing=_("Select whether people who asked appear by name"))
    shape = form.choice("shape", ("html", "pdf") if pdf_is_installed() else ("html",), missing=_("Select the form"))
    for field, text in (("to", to), ("identity", identity), ("authority", authority)):
        if not text.isprintable():
            form.wrong(field, _("Use letters and numbers that can be printed"))
    return ReleaseEntry(by=user.id, to=to, relation=relation, identity=identity, authority=authority, forms=(shape,))
