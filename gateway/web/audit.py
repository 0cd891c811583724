"""The record, to be searched and read entry by entry: bounded steps, newest first, and no client by name.

Governance officers and auditors read the same; auditors see nobody's name and nothing that somebody wrote in their own
words, and can change nothing. As with `patchwork ledger why`, a look is no entry: no client's name is shown.
"""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from aiohttp import web

from consent_ledger import search as ledger_search
from consent_ledger.case import CaseId, opened_by
from consent_ledger.errors import LedgerError
from consent_ledger.kinds import EntryKind
from consent_ledger.read import Entry
from consent_ledger.search import Step
from gateway.accounts.account import Role
from gateway.accounts.store import names_by_public_id
from gateway.database.contract import Work
from gateway.days import DAY_S, HOUR_S, day_of
from gateway.errors import FederationStale
from gateway.fhir.text import plain
from gateway.node.agreements import BY_SETTINGS
from gateway.node.inclusion import prove
from gateway.node.storage_fault import storage_fault
from gateway.reports.why import KINDS, is_account, why_document
from gateway.web.audit_search import (
    ACCOUNT,
    BEFORE,
    KIND,
    MEMBER,
    OUTCOME,
    OUTCOMES,
    Search,
    form_of_query,
    read_search,
)
from gateway.web.downloads import download
from gateway.web.forms import number_in
from gateway.web.render import render
from gateway.web.signed_in import SignedIn, page
from gateway.web.site import Site
from gateway.web.words import gettext as _

PATH: Final = "/manage/audit"
ENTRY_PATH: Final = PATH + "/{seq:[0-9]{1,18}}"
READERS: Final = (Role.GOVERNANCE, Role.AUDITOR)
MAX_FOUND: Final = 50  # on one page
MAX_CHOICES: Final = 500  # in the list to choose from

routes = web.RouteTableDef()


def sees_names(user: SignedIn) -> bool:
    """An auditor who is nothing else does not."""
    return user.has(Role.GOVERNANCE)


@routes.get(PATH)
@page(*READERS)
async def show_search(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """The form, and one step of what it finds."""
    form = form_of_query(request.query, site.today())
    search = read_search(form, me=site.node.me.member, members=site.members)
    step = None if search is None else await _step(site, search, number_in(request.query, BEFORE))
    names = await site.database.read(names_by_public_id(_ids(step)))
    accounts = await site.database.read(_accounts()) if sees_names(user) else []
    fields = {name: form.raw(name) for name in form.fields if form.raw(name)}
    return render(
        request,
        "audit.html",
        status=400 if form.errors else 200,
        form=form,
        step=step,
        lines=[] if step is None else [_line(entry, names, site, named=sees_names(user)) for entry in step.found],
        go_on="" if step is None or step.first == 0 else f"{PATH}?{urlencode(fields | {BEFORE: str(step.first)})}",
        members=[(member.id, plain(member.name)) for member in site.members.values()],
        accounts=accounts,
        kinds=[(kind, text) for kind, text in KINDS.items()],
        outcomes={value: _(text) for value, text in OUTCOMES.items()},
        chosen={name: form.raw(name) for name in (MEMBER, ACCOUNT, KIND, OUTCOME)},
        named=sees_names(user),
        searched=bool(request.query),
    )


@routes.get(ENTRY_PATH)
@page(*READERS)
async def show_entry(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """One entry: what was decided and on what, with nothing of whom a question was about."""
    entry, person_id = await entry_of(request, site)
    zone = ZoneInfo(site.settings.misuse.time_zone)
    body = entry.body
    document = None
    cases: list[CaseId] = []
    if body is not None:
        document = why_document(entry.seq, entry.leaf_hash, body, zone=zone, names=sees_names(user))
        cases = [CaseId(entry.seq, kind) for kind in opened_by(EntryKind(body["kind"]), body)]
    return render(
        request,
        "audit_entry.html",
        entry=entry,
        document=document,
        person_id=person_id,
        jti="" if body is None else body.get("jti", ""),
        days=_days_of(entry, site),
        cases=cases if user.has(Role.MANAGER, Role.GOVERNANCE) else [],
        evidence=user.has(Role.GOVERNANCE) and body is not None and "jti" in body,
    )


@routes.get(ENTRY_PATH + "/proof")
@page(*READERS, Role.ADMINISTRATOR)
async def send_proof(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """A file by which anybody can check that the entry stands in this ledger; it says nothing of what is in it."""
    entry, _person = await entry_of(request, site)
    received = site.node.membership.received
    if received is None:
        raise FederationStale("no federation document has arrived yet")
    file = await prove(entry.seq, database=site.database, member=site.node.me.member, federation=received)
    if file is None:
        return render(request, "audit_no_proof.html", status=409, entry=entry)
    return download(file, f"inclusion-{entry.seq}.json", "application/json")


async def entry_of(request: web.Request, site: Site) -> tuple[Entry, int | None]:
    """The entry that the address names, and under whose key it stands; raises HTTPNotFound, StorageError."""
    try:
        found = await site.record.entry(int(request.match_info["seq"]))
    except LedgerError as error:
        raise storage_fault(error) from error
    if found is None:
        raise web.HTTPNotFound
    return found


async def _step(site: Site, search: Search, before: int | None) -> Step:
    def work() -> Work[Step]:
        start = (yield from ledger_search.end_of(search.hours[1])) if before is None else before
        return (yield from ledger_search.search_back(start, hours=search.hours, wanted=search.wants, limit=MAX_FOUND))

    try:
        return await site.database.read(work())
    except LedgerError as error:
        raise storage_fault(error) from error


def _accounts() -> Work[list[tuple[str, str]]]:
    """Public ids and names, to choose from."""
    rows = yield "SELECT public_id, name FROM account ORDER BY name, public_id LIMIT ?", (MAX_CHOICES,)
    return [(public_id, name) for public_id, name in rows]


def _ids(step: Step | None) -> list[str]:
    bodies = [] if step is None else [entry.body for entry in step.found if entry.body is not None]
    return [str(body[name]) for body in bodies for name in ("by", "recorded_by") if name in body]


def _line(entry: Entry, names: Mapping[str, str], site: Site, *, named: bool) -> Mapping[str, Any]:
    """One row: a client is the number of their row here."""
    body = entry.body or {}
    asker = body.get("asker")
    who, where = str(body.get("by") or body.get("recorded_by") or ""), ""
    if asker is not None:
        member = site.members.get(asker["member"])
        where = asker["member"] if member is None else member.name
        who, where = plain(asker["name"] if named else asker["practitioner"]), plain(where)
    elif who == BY_SETTINGS:
        who = _("This node's settings")
    elif named:
        who = names.get(who, who)
    elif who and not is_account(who):
        who = _("Somebody, by a command")
    outcome = body.get("outcome")
    return {
        "seq": entry.seq,
        "at": body.get("at", 0),
        "kind": _(KINDS[body["kind"]]) if body else "",
        "who": plain(who),
        "where": where,
        "person_id": body.get("person_id"),
        "outcome": "" if outcome is None else _(OUTCOMES["shared" if outcome == "teams" else "nothing"]),
        "case": body.get("case", ""),
    }


def _days_of(entry: Entry, site: Site) -> Mapping[str, str]:
    """The days around an entry, as the search's address has them."""
    at = entry.header.hour * HOUR_S
    search = form_of_query({}, day_of(at + 3 * DAY_S))
    return {name: search.raw(name) for name in search.fields}
