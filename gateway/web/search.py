"""Searching: one form, name first, and why; the answers have a page of their own (results.py)."""

from aiohttp import web

from gateway.accounts.account import Role
from gateway.web.asking import ask_or_say, offered, question_of
from gateway.web.forms import Form, form_of
from gateway.web.reach import last_reason, remember_reason
from gateway.web.reasons import BASES, PURPOSES, Reason
from gateway.web.render import render
from gateway.web.signed_in import SignedIn, page
from gateway.web.site import Site
from gateway.web.subject_form import fill, subject_of
from gateway.web.words import gettext as _

PATH = "/search"
REASON = "reason"
AGAIN = "again"  # a search of this session, whose form is to be filled in again

routes = web.RouteTableDef()


@routes.get(PATH)
@page(Role.PRACTITIONER)
async def show_form(request: web.Request, site: Site, user: SignedIn) -> web.Response:
    """An empty form, or that of an earlier search, to be changed."""
    reasons = await offered(site, user)
    earlier = site.searches.get(request.query.get(AGAIN, ""), user.session.public_id)
    form = Form() if earlier is None else fill(earlier.question.subject)
    chosen = await site.database.read(last_reason(user.account.id))
    return form_page(request, form, reasons, chosen)


@routes.post(PATH)
@page(Role.PRACTITIONER)
async def search(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """Ask, and go on to the page of the answers."""
    form = form_of(request)
    reasons = await offered(site, user)
    subject = subject_of(form, site.today())
    value = form.choice(REASON, reasons or (), missing=_("Select why you are asking"))
    if subject is None or not value or reasons is None:
        return form_page(request, form, reasons, value, status=400)
    question = question_of(site, user, subject, reasons[value])
    started = await ask_or_say(site, user, question, form, REASON)
    if started is None:
        return form_page(request, form, reasons, value, status=400)
    await site.database.write(remember_reason(user.account.id, question.purpose, question.lawful_basis))
    raise web.HTTPSeeOther(f"/searches/{started.id}")


def form_page(
    request: web.Request, form: Form, reasons: dict[str, Reason] | None, chosen: str, status: int = 200
) -> web.Response:
    """The form with what is in it; `chosen` is the reason that is selected."""
    if reasons is None:
        return render(request, "search_closed.html", status=503)
    if len(reasons) == 1:
        chosen = next(iter(reasons))  # there is nothing to choose
    return render(
        request,
        "search.html",
        status=status,
        form=form,
        reasons=list(reasons.values()),
        chosen=chosen if chosen in reasons else "",
        purposes=PURPOSES,
        bases=BASES,
    )
