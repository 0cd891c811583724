"""The pages as one application: every page file, one line each."""

from aiohttp import web

from gateway.http import protect
from gateway.web import (
    account_page,
    add_client,
    break_glass,
    client,
    email_alerts,
    feedback_page,
    first_password,
    home,
    invite,
    invited,
    language,
    manage,
    manage_feedback,
    manage_problems,
    my_clients,
    my_details,
    notices,
    own_password,
    own_second_factor,
    prove,
    raise_attention,
    reached,
    results,
    search,
    second_factor,
    sign_in,
    sign_out,
    static_files,
    wrong_here,
)
from gateway.web.error_page import refuse_as_page
from gateway.web.signed_in import is_guarded
from gateway.web.site import SITE, Site

PAGE_LIMIT_S = 30.0  # longer than a page waits for anything

ROUTES = (
    static_files.routes,
    language.routes,
    home.routes,
    sign_in.routes,
    sign_out.routes,
    second_factor.routes,
    first_password.routes,
    prove.routes,
    account_page.routes,
    own_password.routes,
    own_second_factor.routes,
    search.routes,
    results.routes,
    reached.routes,
    break_glass.routes,
    my_clients.routes,
    my_details.routes,
    add_client.routes,
    client.routes,
    manage.routes,
    notices.routes,
    invite.routes,
    invited.routes,
    raise_attention.routes,
    wrong_here.routes,
    manage_problems.routes,
    feedback_page.routes,
    manage_feedback.routes,
    email_alerts.routes,
)


def web_application(site: Site) -> web.Application:
    """All pages, each behind `page` or `open_page`, with failures told as pages."""
    application = web.Application()  # forms.py reads bodies, with a bound for each page
    application[SITE] = site
    protect(application, time_limit_s=PAGE_LIMIT_S, refuse=refuse_as_page)
    application.middlewares.insert(0, language.speak)
    for routes in ROUTES:
        for route in routes:
            if isinstance(route, web.RouteDef) and not is_guarded(route.handler):
                raise TypeError(f"{route.method} {route.path}: not behind page() or open_page()")
        application.add_routes(routes)
    return application
