"""Whether a client's report shows one entry: an officer decides, on record, under an exemption and until a day."""

from datetime import date
from typing import Final

from aiohttp import web

from consent_ledger.errors import LedgerError
from consent_ledger.governance import ReportDecision
from consent_ledger.read import Entry
from gateway.accounts.account import Role
from gateway.errors import InputError, StorageError
from gateway.reports.withholding import Exemption, check_withheld_until, in_a_report
from gateway.web.case_words import EXEMPTIONS
from gateway.web.forms import Form, form_of
from gateway.web.prove import go_on, is_fresh, prove_in_form
from gateway.web.render import render
from gateway.web.signed_in import SignedIn, page
from gateway.web.site import Site
from gateway.web.who_looked import MAX_WORDS, OF_CLIENT, PATH, asked_of, entry_line
from gateway.web.words import gettext as _

_ENTRY: Final = OF_CLIENT + "/entries/{seq:[0-9]{1,18}}"

routes = web.RouteTableDef()


@routes.get(_ENTRY)
@page(Role.GOVERNANCE)
async def show_entry(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """What it is, and the choice."""
    entry, _person_id = await _entry_of(request, site, user)
    return _entry_page(request, site, user, entry, Form())


@routes.post(_ENTRY)
@page(Role.GOVERNANCE)
async def decide(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """On record; the newest decision counts."""
    entry, person_id = await _entry_of(request, site, user)
    form = form_of(request)
    decision = _decision(form, site, user, entry.seq)
    await prove_in_form(site, user, form)
    if decision is None or form.errors:
        return _entry_page(request, site, user, entry, form)
    try:
        await site.node.ledger.note(decision, person_id)
    except LedgerError as error:
        raise StorageError(str(error)) from error
    response = web.HTTPSeeOther(f"{PATH}/{request.match_info['id']}")
    await go_on(response, site, user)
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


def _decision(form: Form, site: Site, user: SignedIn, seq: int) -> ReportDecision | None:
    shown = form.choice("shown", ("yes", "no"), missing=_("Select whether reports show it"))
    if shown == "yes":
        reason = form.line("reason", max_length=MAX_WORDS, missing=_("Enter why it may be shown"))
        return None if form.errors else ReportDecision(about=seq, show=True, reason=reason, by=user.id)
    exemption = form.choice("exemption", list(Exemption), missing=_("Select the exemption that you rely on"))
    last = form.date("until", missing=_("Enter the last day on which it is left out"))
    if last is not None:
        _check_last(form, last, site)
    if form.errors or last is None:
        return None
    return ReportDecision(about=seq, show=False, reason=exemption, by=user.id, until=last.isoformat())


def _check_last(form: Form, last: date, site: Site) -> None:
    try:
        check_withheld_until(last, site.today())
    except InputError:
        form.wrong("until", _("Enter a day from today on, at most a year ahead: then it is looked at again"))


def _entry_page(request: web.Request, site: Site, user: SignedIn, entry: Entry, form: Form) -> web.Response:
    return render(
        request,
        "who_looked_entry.html",
        status=400 if form.errors else 200,
        form=form,
        back=f"{PATH}/{request.match_info['id']}",
        here=request.path,
        seq=entry.seq,
        words=entry_line(entry.body or {}, site),
        exemptions=EXEMPTIONS,
        ask_for_proof=not is_fresh(user, site),
    )
