"""Whether the client's own report shows the question that a case is about: it may be left out while telling would harm.

As `patchwork ledger withhold` and `allow`: governance officers alone, with one of the law's exemptions, on record.
"""

from typing import Final

from aiohttp import web

from gateway.accounts.account import Role
from gateway.errors import InputError
from gateway.reports.withholding import in_a_report, withheld_until
from gateway.web.cases import CASE_PATH, case_of, path_of
from gateway.web.forms import Form, form_of
from gateway.web.prove import go_on
from gateway.web.render import render
from gateway.web.signed_in import SignedIn, page
from gateway.web.site import Site
from gateway.web.withholding_form import form_context, put_on_record

PATH: Final = CASE_PATH + "/report"

routes = web.RouteTableDef()


@routes.get(PATH)
@page(Role.GOVERNANCE)
async def show_report(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """What the report does now, and the form that changes it."""
    return await _page(request, site, user, Form())


@routes.post(PATH)
@page(Role.GOVERNANCE)
async def decide_report(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """Leave it out until a day, or show it again."""
    shown = await case_of(request, site)
    seq = shown.case.id.opened_seq
    person_id = await _whose(site, seq)
    form = form_of(request)
    proved = await put_on_record(form, site, user, seq, person_id)
    if proved is None:
        return await _page(request, site, user, form)
    response = web.HTTPSeeOther(path_of(shown) + "/report")
    await go_on(response, site, user, proved=proved)
    raise response


async def _whose(site: Site, seq: int) -> int:
    """In whose report the entry is; raises HTTPNotFound if in nobody's."""
    try:
        return (await in_a_report(site.record, seq))[1]
    except InputError:
        raise web.HTTPNotFound from None


async def _page(request: web.Request, site: Site, user: SignedIn, form: Form) -> web.StreamResponse:
    shown = await case_of(request, site)
    seq = shown.case.id.opened_seq
    until = await withheld_until(site.record, seq, await _whose(site, seq))
    return render(
        request,
        "case_report.html",
        status=400 if form.errors else 200,
        form=form,
        case=shown.case.id,
        here=path_of(shown),
        until=until,
        left_out=until is not None and until >= site.today(),
        **form_context(site, user),
    )
