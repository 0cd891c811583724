"""Only our own pages can post to us: each form carries a token, and the browser says from which site it comes.

The token is an HMAC under the cookie's secret: another site can neither read the cookie nor make the token. It changes
with the session, so that a token from before somebody signed in is worth nothing afterwards.
"""

import hmac
import secrets
from base64 import urlsafe_b64encode

from aiohttp import web

from gateway.accounts.sessions import TOKEN_BYTES
from gateway.settings import WebTable
from gateway.web.forms import Form
from gateway.web.session_cookie import form_token, session_token

CSRF_FIELD = "csrf"

_NEW_SECRET = web.RequestKey("new form secret", bytes)


def csrf_token(secret: bytes) -> str:
    """What stands in the forms of a browser whose cookie holds `secret`."""
    return urlsafe_b64encode(hmac.digest(secret, b"patchwork form", "sha256")).rstrip(b"=").decode()


def form_secret(request: web.Request, table: WebTable) -> bytes:
    """What the forms of this response are tied to: the session, else the form cookie, else a new one to be set."""
    known = _known_secret(request, table)
    if known is not None:
        return known
    if _NEW_SECRET not in request:
        request[_NEW_SECRET] = secrets.token_bytes(TOKEN_BYTES)
    return request[_NEW_SECRET]


def new_form_secret(request: web.Request) -> bytes | None:
    """What form_secret() made for this response, to be set as the form cookie."""
    return request.get(_NEW_SECRET)


def check_csrf(request: web.Request, form: Form, table: WebTable) -> None:
    """Raise HTTPForbidden unless the form is ours and this browser's."""
    origin = request.headers.get("Origin")
    if origin is not None and origin != table.url:
        raise web.HTTPForbidden
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
        raise web.HTTPForbidden
    secret = _known_secret(request, table)
    said = form.raw(CSRF_FIELD)
    if secret is None or not hmac.compare_digest(said.encode(), csrf_token(secret).encode()):
        raise web.HTTPForbidden


def _known_secret(request: web.Request, table: WebTable) -> bytes | None:
    # A session cookie counts even when its session has ended: whoever posts with it is sent to sign in all the same.
    token = session_token(request, secure=table.secure)
    return token if token is not None else form_token(request, secure=table.secure)
