"""A failure as a page that says what to do; never what went wrong inside, and nothing of the request."""

from http import HTTPStatus

from aiohttp import web

from gateway.http import retry_after
from gateway.web.render import render
from gateway.web.words import N_

_BUSY = N_("Too many people are using this service. Wait a minute, then try again."), N_("Sorry, the service is busy")
_TROUBLE = N_("Try again in a few minutes. What you typed has not been saved."), N_("Sorry, there is a problem")

_NO_ROLE = N_(
    "Your account is not allowed to open this page. If you need it, ask whoever looks after accounts at your agency."
)

# What to do, and the heading above it.
_WORDS = {
    HTTPStatus.BAD_REQUEST: (N_("Go back and try again."), N_("Something in that form cannot be used")),
    HTTPStatus.UNAUTHORIZED: (N_("Sign in, then try again."), N_("You are not signed in")),
    HTTPStatus.FORBIDDEN: (
        N_("Your account is not allowed to do this, or the form was too old. Go back, reload the page and try again."),
        N_("You cannot do this"),
    ),
    HTTPStatus.NOT_FOUND: (
        N_("Check the address. The page may not exist, or you may not be allowed to see it."),
        N_("Page not found"),
    ),
    HTTPStatus.METHOD_NOT_ALLOWED: (N_("Go back and try again."), N_("Page not found")),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: (N_("Send less text or a smaller file."), N_("That is too large")),
    HTTPStatus.TOO_MANY_REQUESTS: _BUSY,
    HTTPStatus.SERVICE_UNAVAILABLE: _BUSY,
    HTTPStatus.GATEWAY_TIMEOUT: _TROUBLE,
}


def refuse_as_page(request: web.Request, status: int, _code: str, retry_after_s: float | None) -> web.Response:
    """A failure for people (gateway/http.py, Refuse)."""
    advice, heading = _WORDS.get(HTTPStatus(status), _TROUBLE)
    if status == HTTPStatus.FORBIDDEN and request.method in {"GET", "HEAD"}:
        advice = _NO_ROLE  # no form was sent, so none was too old
    return render(
        request, "error.html", status=status, headers=retry_after(retry_after_s), heading=heading, advice=advice
    )
