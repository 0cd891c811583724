""" "Something is wrong here": a code, about the client's record or about a colleague whom one sees in the team.

What is said of a colleague goes without the client: managers need not learn where the two met.
"""

from collections.abc import Mapping
from typing import Final

from aiohttp import web

from gateway.accounts.account import Role
from gateway.accounts.notices import NEW, Kind, tell_once_more
from gateway.accounts.problems import ABOUT_COLLEAGUE, Problem, report
from gateway.accounts.which_accounts import accounts_with
from gateway.database.contract import Work
from gateway.node.native import references_to
from gateway.web.colleague_view import client_name, colleague
from gateway.web.forms import form_of
from gateway.web.looking import CLIENT_PATH, Opened, client_of
from gateway.web.notice_words import PROBLEMS
from gateway.web.render import render
from gateway.web.signed_in import SignedIn, page
from gateway.web.site import Site
from gateway.web.words import gettext as _

MANAGERS: Final = (Role.MANAGER, Role.ADMINISTRATOR)

routes = web.RouteTableDef()


@routes.get(CLIENT_PATH + "/wrong")
@page(Role.PRACTITIONER)
async def show_form(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """What can be wrong."""
    opened = await client_of(request, site, user)
    return _page(request, opened)


@routes.post(CLIENT_PATH + "/wrong")
@page(Role.PRACTITIONER)
async def send_report(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """Managers are told; nothing is changed by it."""
    opened = await client_of(request, site, user)
    form = form_of(request)
    code = form.choice("what", list(Problem), missing=_("Select what is wrong"))
    worker = form.choice("who", _seen(opened))
    if code in ABOUT_COLLEAGUE and not worker:
        form.wrong("who", _("Select which colleague it is about"))
    if form.errors:
        return _page(request, opened, status=400)

    def named() -> Work[str]:
        return next(iter((yield from references_to("practitioner", [int(worker)])).values()), "")

    about_colleague = code in ABOUT_COLLEAGUE
    key = await site.database.read(named()) if about_colleague else ""
    person_id = None if about_colleague else opened.client.person_id

    def work() -> Work[bool]:
        kept = yield from report(user.account.id, Problem(code), person_id=person_id, worker=key, now=site.now())
        if kept:
            for account_id in (yield from accounts_with(*MANAGERS)):
                yield from tell_once_more(account_id, Kind.PROBLEM, [NEW], now=site.now(), alerting=site.alerting)
        return kept

    if not await site.database.write(work()):
        form.wrong("what", _("Too many of your reports are open. Wait until somebody has looked at them"))
        return _page(request, opened, status=429)
    raise web.HTTPSeeOther(f"{opened.path}/wrong?sent")


def _seen(opened: Opened) -> Mapping[str, str]:
    """Those whom the reporter sees by name in the team, by row."""
    cards = [(worker, colleague(shown)) for worker, shown in zip(opened.team.workers, opened.team.others, strict=True)]
    return {
        str(worker): ", ".join(part for part in (card.name, card.role) if part)
        for worker, card in cards
        if worker is not None
    }


def _page(request: web.Request, opened: Opened, *, status: int = 200) -> web.Response:
    return render(
        request,
        "wrong.html",
        status=status,
        form=form_of(request),
        name=client_name(opened.client.names),
        client_path=opened.path,
        colleagues=_seen(opened),
        about_colleague=[(code.value, _(text)) for code, text in PROBLEMS.items() if code in ABOUT_COLLEAGUE],
        about_client=[(code.value, _(text)) for code, text in PROBLEMS.items() if code not in ABOUT_COLLEAGUE],
        done="sent" in request.query,
    )
