"""What leaves the record as a file that names people: a period as FHIR AuditEvents, and the evidence of one question.

For governance officers who have just proved who they are. As with the commands, handing out is no entry.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Final

from aiohttp import web

from consent_ledger.errors import LedgerError
from consent_ledger.kinds import ANSWERS
from consent_ledger.read import Entry
from consent_ledger.search import end_of
from gateway.accounts.account import Role
from gateway.errors import InputError, PatchworkError
from gateway.node.evidence_file import write
from gateway.node.question_evidence import evidence_of
from gateway.node.storage_fault import storage_fault
from gateway.reports.audit_lines import auditor_of, line_of, lines_of
from gateway.web.audit import ENTRY_PATH, PATH, entry_of
from gateway.web.audit_search import FROM, TO, Search, form_of_query, read_search
from gateway.web.downloads import download, download_headers
from gateway.web.forms import Form, form_of
from gateway.web.prove import go_on, is_fresh, prove_in_form
from gateway.web.render import render
from gateway.web.signed_in import SignedIn, page
from gateway.web.site import Site
from gateway.web.words import gettext as _
from gateway.wire.operator import load_operator_keys

EXPORT_PATH: Final = PATH + "/export"
EVIDENCE_PATH: Final = ENTRY_PATH + "/evidence"
SINCE: Final = "since"
MAX_DAYS: Final = 31  # of one file
MAX_ENTRIES: Final = 50_000  # of one file
MOST_S: Final = 20.0  # less than a request may take: then the file ends, and says so
SIGN_S: Final = 5.0  # how long evidence waits for witnesses
_PIECE: Final = 64 * 1024  # bytes sent at a time

routes = web.RouteTableDef()


@routes.get(EXPORT_PATH)
@page(Role.GOVERNANCE)
async def show_export(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """For which days."""
    return _export_page(request, site, user, form_of_query({}, site.today()))


@routes.post(EXPORT_PATH)
@page(Role.GOVERNANCE)
async def send_export(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """The events of these days, line by line as they are read."""
    form = form_of(request)
    search = read_search(form, me=site.node.me.member, members=site.members)
    if search is not None and search.last - search.first >= timedelta(days=MAX_DAYS):
        form.wrong(TO, _("A file holds 31 days at most: choose a later first day"))
    since = form.whole(SINCE, least=0, most=999_999_999)
    proved = await prove_in_form(site, user, form)
    if search is None or form.errors:
        return _export_page(request, site, user, form, status=400)
    name = f"audit-events-{search.first}-{search.last}.ndjson"
    response = web.StreamResponse(headers=download_headers(name, "application/fhir+ndjson"))
    await go_on(response, site, user, proved=proved)
    await response.prepare(request)
    piece = bytearray()
    async for line in _events(site, search, since or 0):
        piece += line
        if len(piece) >= _PIECE:
            await response.write(bytes(piece))
            piece.clear()
    await response.write(bytes(piece))
    await response.write_eof()
    return response


@routes.get(EVIDENCE_PATH)
@page(Role.GOVERNANCE)
async def show_evidence(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """What the file holds, and the button."""
    return await _evidence_page(request, site, user, Form())


@routes.post(EVIDENCE_PATH)
@page(Role.GOVERNANCE)
async def send_evidence(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """All that this node can prove about the question of one entry."""
    entry, _person = await entry_of(request, site)
    form = form_of(request)
    proved = await prove_in_form(site, user, form)
    if form.errors or entry.body is None or "jti" not in entry.body:
        return await _evidence_page(request, site, user, form)
    body, hour = entry.body, entry.header.hour
    answered = body["kind"] in ANSWERS  # one entry; of our own question, what came back stands soon after it
    before = entry.seq + 1 if answered else await site.database.read(end_of(hour + 1))

    async def sign() -> None:
        with contextlib.suppress(PatchworkError, LedgerError, TimeoutError):  # then none vouches yet, as the file shows
            async with asyncio.timeout(SIGN_S):
                await site.checkpoints.visit()

    try:
        evidence = await evidence_of(
            body["jti"],
            node=site.node,
            operator_key=load_operator_keys(site.settings.federation[0].operator_key),
            asked_by=body["asker"]["member"] if answered else None,
            since_hour=hour - 1,
            before=before,
            sign=sign,
        )
    except InputError:
        raise web.HTTPNotFound from None
    except LedgerError as error:
        raise storage_fault(error) from error
    response = download(write(evidence), f"evidence-{evidence.jti}.json", "application/json")
    await go_on(response, site, user, proved=proved)
    return response


async def _events(site: Site, search: Search, since: int) -> AsyncIterator[bytes]:
    """Lines, and a last one that says so if there was more than one file holds."""
    first, last = search.hours
    federation = site.settings.federation[0]
    auditor = auditor_of(
        me=site.node.me.member,
        federation=federation.id,
        hubs=federation.hubs,
        received=site.node.membership.received,
    )
    start = max(since, await site.database.read(end_of(first - 1)))
    before = await site.database.read(end_of(last))
    ends, count = time.monotonic() + MOST_S, 0
    async for entry in site.record.entries(start, before=before, hour=first, last_hour=last):
        if count == MAX_ENTRIES or time.monotonic() > ends:
            yield line_of(_unfinished(entry))
            return
        count += 1
        for line in lines_of(entry, auditor):
            yield line


def _unfinished(entry: Entry) -> object:
    said = f"There is more of this period: export again, beginning with entry {entry.seq}."
    issue = {"severity": "warning", "code": "incomplete", "diagnostics": said}
    return {"resourceType": "OperationOutcome", "issue": [issue]}


def _export_page(
    request: web.Request, site: Site, user: SignedIn, form: Form, *, status: int = 200
) -> web.StreamResponse:
    return render(
        request,
        "audit_export.html",
        status=status,
        form=form,
        names=(FROM, TO),
        doubt=bool(site.node.standing.doubt),
        ask_for_proof=not is_fresh(user, site),
    )


async def _evidence_page(request: web.Request, site: Site, user: SignedIn, form: Form) -> web.StreamResponse:
    entry, _person = await entry_of(request, site)
    if entry.body is None or "jti" not in entry.body:
        raise web.HTTPNotFound
    return render(
        request,
        "audit_evidence.html",
        status=400 if form.errors else 200,
        form=form,
        entry=entry,
        at=entry.body["at"],
        ask_for_proof=not is_fresh(user, site),
    )
