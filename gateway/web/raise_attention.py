"""One tap sends a fixed phrase to the colleagues around a client. There are no other words, so nothing of the case."""

from aiohttp import web

from gateway.accounts.account import Role
from gateway.accounts.attention import Phrase, raise_once, raised_today
from gateway.accounts.notices import Kind, tell
from gateway.database.contract import Work
from gateway.web.colleague_view import client_name
from gateway.web.forms import form_of
from gateway.web.looking import CLIENT_PATH, client_of
from gateway.web.notice_words import PHRASES
from gateway.web.render import render
from gateway.web.signed_in import SignedIn, page
from gateway.web.site import Site
from gateway.web.told import Recipient, recipients
from gateway.web.words import gettext as _

routes = web.RouteTableDef()


@routes.get(CLIENT_PATH + "/attention")
@page(Role.PRACTITIONER)
async def show_phrases(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """Who is told, and what can be said."""
    opened = await client_of(request, site, user)

    def work() -> Work[tuple[list[Recipient], list[Phrase]]]:
        told = yield from recipients(site, user, opened)
        return told, (yield from raised_today(user.account.id, opened.client.person_id, site.today()))

    told, said = await site.database.read(work())
    return render(
        request,
        "attention.html",
        name=client_name(opened.client.names),
        client_path=opened.path,
        told=[each.account for each in told],
        phrases=[(code.value, _(text), code in said) for code, text in PHRASES.items()],
        done="sent" in request.query,
    )


@routes.post(CLIENT_PATH + "/attention")
@page(Role.PRACTITIONER)
async def send_phrase(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """Each of them finds it among their notices; a second tap on the same day sends nothing."""
    opened = await client_of(request, site, user)
    phrase = form_of(request).choice("phrase", list(Phrase))
    if not phrase:
        raise web.HTTPBadRequest
    told = await site.database.read(recipients(site, user, opened))
    if not told:
        raise web.HTTPSeeOther(f"{opened.path}/attention")

    def work() -> Work[None]:
        if not (yield from raise_once(user.account.id, opened.client.person_id, Phrase(phrase), site.today())):
            return
        for each in told:
            yield from tell(
                each.account.id,
                Kind.ATTENTION,
                phrase,
                now=site.now(),
                alerting=site.alerting,
                person_id=each.person_id,
                from_account=user.account.id,
            )

    await site.database.write(work())
    raise web.HTTPSeeOther(f"{opened.path}/attention?sent")
