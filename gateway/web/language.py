"""In which language a request is answered: what was chosen on the page, else what the browser prefers."""

from aiohttp import web
from aiohttp.typedefs import Handler

from gateway.accounts.store import set_language
from gateway.days import DAY_S
from gateway.settings import WebTable
from gateway.web.paths import path_of_referer
from gateway.web.signed_in import USER, open_page
from gateway.web.site import SITE, Site
from gateway.web.words import language

COOKIE = "patchwork-language"
_YEAR_S = 365 * DAY_S

routes = web.RouteTableDef()


@web.middleware
async def speak(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Set the language of everything that this request says."""
    language.set(_language_of(request, request.app[SITE].web))
    return await handler(request)


@routes.get("/language/{code}")
@open_page
async def choose_language(request: web.Request, site: Site) -> web.StreamResponse:
    """Remember a language and go back. A plain link: it changes nothing but the words, for this browser."""
    code = request.match_info["code"]
    if code not in site.web.languages:
        raise web.HTTPNotFound
    user = request.get(USER)
    if user is not None and user.account.language != code:
        await site.database.write(set_language(user.account.id, code))
    response = web.HTTPSeeOther(path_of_referer(request, site.web))
    response.set_cookie(COOKIE, code, path="/", max_age=_YEAR_S, secure=site.web.secure, httponly=True, samesite="Lax")
    raise response


def _language_of(request: web.Request, table: WebTable) -> str:
    chosen = request.cookies.get(COOKIE, "")
    if chosen in table.languages:
        return chosen
    preferred = request.headers.get("Accept-Language", "")[:2].lower()
    return preferred if preferred in table.languages else table.languages[0]
