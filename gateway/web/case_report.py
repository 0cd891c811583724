"""Whether the client's own report shows the question that a case is about: it may be left out while telling would harm.

As `patchwork ledger withhold` and `allow`: governance officers alone, with one of the law's exemptions, on record.
"""

from datetime import timedelta
from typing import Final

from aiohttp import web

from consent_ledger.errors import LedgerError
from consent_ledger.governance import ReportDecision
from gateway.accounts.account import Role
from gateway.errors import InputError, StorageError
from gateway.reports.withholding import MAX_WITHHELD_DAYS, Exemption, in_a_report, withheld_until
from gateway.web.case_words import EXEMPTIONS
from gateway.web.cases import CASE_PATH, MAX_REASON, case_of, path_of
from gateway.web.forms import Form, form_of
from gateway.web.prove import go_on, is_fresh, prove_in_form
from gateway.web.render import render
from gateway.web.signed_in import SignedIn, page
from gateway.web.site import Site
from gateway.web.words import gettext as _

PATH: Final = CASE_PATH + "/report"
SHOW, EXEMPTION, UNTIL, REASON = "show", "exemption", "until", "reason"

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
    if form.ticked(SHOW):
        reason = form.line(REASON, max_length=MAX_REASON, missing=_("Say why it may be shown"))
        decision = ReportDecision(about=seq, show=True, reason=reason, by=user.id)
    else:
        exemption = form.choice(EXEMPTION, list(Exemption), missing=_("Select why it has to be left out"))
        last = form.date(UNTIL, missing=_("Enter the last day on which it is left out"))
        if last is not None and not site.today() <= last <= site.today() + timedelta(days=MAX_WITHHELD_DAYS):
            form.wrong(UNTIL, _("The last day must be from today on, and at most a year ahead"))
        until = (last or site.today()).isoformat()
        decision = ReportDecision(about=seq, show=False, reason=exemption, by=user.id, until=until)
    await prove_in_form(site, user, form)
    if form.errors:
        return await _page(request, site, user, form)
    try:
        await site.node.ledger.note(decision, person_id)
    except LedgerError as error:
        raise StorageError(str(error)) from error
    response = web.HTTPSeeOther(path_of(shown) + "/report")
    await go_on(response, site, user)
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
        exemptions={each.value: _(text) for each, text in EXEMPTIONS.items()},
        ask_for_proof=not is_fresh(user, site),
    )
