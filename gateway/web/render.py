"""Templates into pages: Jinja2 with autoescape, the GOV.UK macros, gettext, and security headers with a fresh nonce.

Every page extends base.html, sets `title`, and fills the block `page`. It is handed what the page itself names and:
`user` (SignedIn or None), `form` if the page has one, `csrf_field`, `cspNonce`, `asset(name)`, `agency`, `navigation`,
`languages`, and of a node in several federations the name of this one, `in_federation`, and the others,
`elsewhere`; the filters `day`, `moment` and `clock` write dates and times.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import govuk_frontend_jinja  # type: ignore[import-untyped]  # it holds nothing but templates
import jinja2
from aiohttp import web
from markupsafe import Markup

from gateway.web.colleague_view import kind_words
from gateway.web.csp import new_nonce, page_headers
from gateway.web.csrf import CSRF_FIELD, csrf_token, form_secret, new_form_secret
from gateway.web.navigation import navigation_of
from gateway.web.session_cookie import set_form_token
from gateway.web.signed_in import USER
from gateway.web.site import SITE
from gateway.web.words import LANGUAGE_NAMES, clock, day, gettext, language, moment, ngettext, role_name, role_title

_TEMPLATES = Path(__file__).parent / "templates"
_HIDDEN = Markup('<input type="hidden" name="{}" value="{}">')


def make_templates(time_zone: str) -> jinja2.Environment:
    """The environment that all pages share; `time_zone` is that in which people here read the clock."""
    govuk = jinja2.PackageLoader(govuk_frontend_jinja.__name__, "templates")
    environment = jinja2.Environment(
        loader=jinja2.ChoiceLoader(
            [jinja2.FileSystemLoader(_TEMPLATES), jinja2.PrefixLoader({govuk_frontend_jinja.__name__: govuk})]
        ),
        autoescape=True,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    # Not the new style: with it `_(text)` would count whatever it is given as markup.
    environment.install_gettext_callables(gettext, ngettext)  # type: ignore[attr-defined]  # the i18n extension's
    environment.filters["contact_kind"] = kind_words
    environment.filters["role_name"] = role_name
    environment.filters["role_title"] = role_title
    zone = ZoneInfo(time_zone)
    environment.filters["day"] = day
    environment.filters["clock"] = lambda seconds: clock(seconds, zone)
    environment.filters["moment"] = lambda seconds: moment(seconds, zone)
    return environment


def render(
    request: web.Request,
    template: str,
    /,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    **context: Any,
) -> web.Response:
    """A page for whoever asks, never kept by a cache unless `headers` say so."""
    site = request.app[SITE]
    user = request.get(USER)
    nonce = new_nonce()
    secret = form_secret(request, site.web)
    spoken = language.get()
    text = site.templates.get_template(template).render(
        user=user,
        csrf_field=_HIDDEN.format(CSRF_FIELD, csrf_token(secret)),
        csrf=csrf_token(secret),
        cspNonce=nonce,
        asset=site.assets.path,
        agency=site.agency,
        in_federation=site.node.me.federation if site.elsewhere else "",
        elsewhere=site.elsewhere,
        navigation=navigation_of(user, request.path),
        htmlLang=spoken,
        languages=[(code, LANGUAGE_NAMES[code], code == spoken) for code in site.web.languages],
        demo=site.web.demo,
        path=request.path,
        **context,
    )
    response = web.Response(
        text=text,
        status=status,
        content_type="text/html",
        headers=page_headers(nonce, secure=site.web.secure) | dict(headers or {}),
    )
    new_secret = new_form_secret(request)
    if new_secret is not None:
        set_form_token(response, new_secret, secure=site.web.secure)
    return response
