"""Whether a client's report shows one entry: an officer decides, on record, under an exemption and until a day."""

from typing import Final

from aiohttp import web

from consent_ledger.read import Entry
from gateway.accounts.account import Role
from gateway.errors import InputError
from gateway.reports.withholding import in_a_report
from gateway.web.forms import Form, form_of
from gateway.web.prove import go_on
from gateway.web.render import render
from gateway.web.signed_in import SignedIn, page
from gateway.web.site import Site
from gateway.web.who_looked import OF_CLIENT, PATH, accounts_in, asked_of, entry_line, entry_who
from gateway.web.withholding_form import form_context, put_on_record

_ENTRY: Final = OF_CLIENT + "/entries/{seq:[0-9]{1,18}}"

routes = web.RouteTableDef()


@routes.get(_ENTRY)
@page(Role.GOVERNANCE)
async def show_entry(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """What it is, and the choice."""
    entry, _person_id = await _entry_of(request, site, user)
    return await _entry_page(request, site, user, entry, Form())


@routes.post(_ENTRY)
@page(Role.GOVERNANCE)
async def decide(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """On record; the newest decision counts."""
    entry, person_id = await _entry_of(request, site, user)
    form = form_of(request)
    proved = await put_on_record(form, site, user, entry.seq, person_id)
    if proved is None:
        return await _entry_page(request, site, user, entry, form)
    response = web.HTTPSeeOther(f"{PATH}/{request.match_info['id']}")
    await go_on(response, site, user, proved=proved)
    raise response


async def _entry_of(request: web.Request, site: Site, user: SignedIn) -> tuple[Entry, int]:
    """An entry of this very client that reports can show; raises HTTPNotFound for any other."""
    asked = await asked_of(request, site, user)
    seq = int(request.match_info["seq"])
    if seq not in {each.seq for each in asked.entries}:
        raise web.HTTPNotFound
    try:
        return await in_a_report(site.node.ledger, seq)
    except InputError:
        raise web.HTTPNotFound from None


async def _entry_page(request: web.Request, site: Site, user: SignedIn, entry: Entry, form: Form) -> web.Response:
    accounts = await accounts_in([entry], site)
    return render(
        request,
        "who_looked_entry.html",
        status=400 if form.errors else 200,
        form=form,
        back=f"{PATH}/{request.match_info['id']}",
        here=request.path,
        seq=entry.seq,
        words=entry_line(entry.body or {}, site),
        who=entry_who(entry.body or {}, site, accounts),
        **form_context(site, user),
    )
