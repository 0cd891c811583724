"""The pages as one application: every page file, one line each."""

from aiohttp import web

from gateway.http import protect
from gateway.web import (
    account_page,
    add_client,
    add_for_colleague,
    agreement_draft,
    agreement_what_if,
    agreements,
    ask_others,
    audit,
    audit_files,
    break_glass,
    case_report,
    cases,
    client,
    colleagues,
    consent,
    contact,
    demo,
    email_alerts,
    federation,
    federation_accept,
    feedback_page,
    figures,
    first_password,
    home,
    household,
    invite,
    invited,
    language,
    leaflet,
    ledger_page,
    manage,
    manage_account,
    manage_account_changes,
    manage_account_rows,
    manage_accounts,
    manage_feedback,
    manage_problems,
    misuse,
    my_clients,
    my_details,
    notices,
    oidc,
    own_passkeys,
    own_password,
    own_second_factor,
    passkey,
    picture,
    prove,
    raise_attention,
    reached,
    register,
    register_services,
    register_workers,
    results,
    search,
    second_factor,
    sign_in,
    sign_out,
    sources,
    static_files,
    uploads,
    who_looked,
    who_looked_entry,
    wrong_here,
)
from gateway.web.error_page import refuse_as_page
from gateway.web.signed_in import is_guarded, know_who
from gateway.web.site import SITE, Site

PAGE_LIMIT_S = 30.0  # longer than a page waits for anything

# In the order of their names: no address of one page is also another's, so the order decides nothing.
PAGES = (
    account_page,
    add_client,
    add_for_colleague,
    agreement_draft,
    agreement_what_if,
    agreements,
    ask_others,
    audit,
    audit_files,
    break_glass,
    case_report,
    cases,
    client,
    colleagues,
    consent,
    contact,
    email_alerts,
    federation,
    federation_accept,
    feedback_page,
    figures,
    first_password,
    home,
    household,
    invite,
    invited,
    language,
    leaflet,
    ledger_page,
    manage,
    manage_account,
    manage_account_changes,
    manage_account_rows,
    manage_accounts,
    manage_feedback,
    manage_problems,
    misuse,
    my_clients,
    my_details,
    notices,
    oidc,
    own_passkeys,
    own_password,
    own_second_factor,
    passkey,
    picture,
    prove,
    raise_attention,
    reached,
    register,
    register_services,
    register_workers,
    results,
    search,
    second_factor,
    sign_in,
    sign_out,
    sources,
    static_files,
    uploads,
    who_looked,
    who_looked_entry,
    wrong_here,
)
ROUTES: tuple[web.RouteTableDef, ...] = tuple(each.routes for each in PAGES)


def web_application(site: Site) -> web.Application:
    """All pages, each behind `page` or `open_page`, with failures told as pages; demo.py in a demonstration alone."""
    application = web.Application()  # forms.py reads bodies, with a bound for each page
    application[SITE] = site
    protect(application, time_limit_s=PAGE_LIMIT_S, refuse=refuse_as_page)
    application.middlewares.insert(0, language.speak)
    application.middlewares.append(know_who)
    for routes in (*ROUTES, demo.routes) if site.web.demo else ROUTES:
        for route in routes:
            if isinstance(route, web.RouteDef) and not is_guarded(route.handler):
                raise TypeError(f"{route.method} {route.path}: not behind page() or open_page()")
        application.add_routes(routes)
    return application
