"""The cookies of a browser, readable by no script, and random but for one.

The session cookie is who is signed in. The form cookie ties forms to a browser before anybody is signed in, so that
nobody can be signed in by a form of another site. The journey cookie is who was sent to the agency's directory, and
lasts until they should be back. The login cookie holds the login for which a password was just set, until the sign-in
page has shown it: it proves nothing, and may not stand in an address. Where pages are reached through TLS all have the
`__Host-` prefix (RFC 6265bis, section 4.1.3.2): no other host, nor anything without TLS, can have set them.
"""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode

from aiohttp import web

from gateway.accounts.oidc import JOURNEY_LASTS_S
from gateway.accounts.sessions import TOKEN_BYTES

SESSION = "patchwork"
FORM_COOKIE = "patchwork-form"
JOURNEY_COOKIE = "patchwork-journey"
LOGIN_COOKIE = "patchwork-login"
_LOGIN_LASTS_S = 300


def session_token(request: web.Request, *, secure: bool) -> bytes | None:
    """The token of the session cookie, if there is one that could be ours."""
    return _token(request, SESSION, secure=secure)


def form_token(request: web.Request, *, secure: bool) -> bytes | None:
    """The token of the form cookie, if there is one that could be ours."""
    return _token(request, FORM_COOKIE, secure=secure)


def set_session(response: web.StreamResponse, token: bytes, *, secure: bool) -> None:
    """Give the browser a new session; it forgets the cookie when it is closed."""
    _set(response, SESSION, token, secure=secure)


def set_form_token(response: web.StreamResponse, token: bytes, *, secure: bool) -> None:
    """Give a browser without a session something to tie its forms to."""
    _set(response, FORM_COOKIE, token, secure=secure)


def forget_session(response: web.StreamResponse, *, secure: bool) -> None:
    """Take the session cookie away."""
    response.del_cookie(_name(SESSION, secure=secure), path="/", secure=secure, httponly=True, samesite="Lax")


def journey_token(request: web.Request, *, secure: bool) -> bytes | None:
    """The token of the journey cookie, if there is one that could be ours."""
    return _token(request, JOURNEY_COOKIE, secure=secure)


def set_journey(response: web.StreamResponse, token: bytes, *, secure: bool) -> None:
    """Recognise the browser when it comes back from the directory."""
    _set(response, JOURNEY_COOKIE, token, secure=secure, max_age=int(JOURNEY_LASTS_S))


def forget_journey(response: web.StreamResponse, *, secure: bool) -> None:
    """It is back."""
    response.del_cookie(_name(JOURNEY_COOKIE, secure=secure), path="/", secure=secure, httponly=True, samesite="Lax")


def just_set(request: web.Request, *, secure: bool) -> str:
    """The login for which this browser has just set a password, or nothing."""
    try:
        return (_kept(request, LOGIN_COOKIE, secure=secure) or b"").decode()
    except UnicodeDecodeError:
        return ""


def remember_login(response: web.StreamResponse, login: str, *, secure: bool) -> None:
    """Let the sign-in page fill it in."""
    _set(response, LOGIN_COOKIE, login.encode(), secure=secure, max_age=_LOGIN_LASTS_S)


def forget_login(response: web.StreamResponse, *, secure: bool) -> None:
    """It was shown."""
    response.del_cookie(_name(LOGIN_COOKIE, secure=secure), path="/", secure=secure, httponly=True, samesite="Lax")


def _token(request: web.Request, name: str, *, secure: bool) -> bytes | None:
    token = _kept(request, name, secure=secure)
    return token if token is not None and len(token) == TOKEN_BYTES else None


def _kept(request: web.Request, name: str, *, secure: bool) -> bytes | None:
    text = request.cookies.get(_name(name, secure=secure), "")
    try:
        return urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        return None


def _set(response: web.StreamResponse, name: str, content: bytes, *, secure: bool, max_age: int | None = None) -> None:
    # Lax, not Strict: whoever follows a link in a mail is still signed in. Forms have a token of their own (csrf.py).
    value = urlsafe_b64encode(content).rstrip(b"=").decode()
    response.set_cookie(
        _name(name, secure=secure), value, path="/", max_age=max_age, secure=secure, httponly=True, samesite="Lax"
    )


def _name(name: str, *, secure: bool) -> str:
    return f"__Host-{name}" if secure else name
