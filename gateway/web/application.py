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
    federation,
    federation_accept,
    figures,
    first_password,
    home,
    household,
    language,
    leaflet,
    ledger_page,
    manage,
    manage_account,
    manage_account_changes,
    manage_account_rows,
    manage_accounts,
    misuse,
    my_clients,
    my_details,
    oidc,
    own_passkeys,
    own_password,
    own_second_factor,
    passkey,
    picture,
    prove,
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
    manage_accounts.routes,
    manage_account.routes,
    manage_account_rows.routes,
    manage_account_changes.routes,
    passkey.routes,
    own_passkeys.routes,
    oidc.routes,
    cases.routes,
    case_report.routes,
    audit_files.routes,
    audit.routes,
    ledger_page.routes,
    misuse.routes,
    agreements.routes,
    agreement_draft.routes,
    agreement_what_if.routes,
    sources.routes,
    federation.routes,
    federation_accept.routes,
    figures.routes,
    consent.routes,
    leaflet.routes,
    who_looked.routes,
    who_looked_entry.routes,
    household.routes,
    contact.routes,
    picture.routes,
    ask_others.routes,
    colleagues.routes,
    register.routes,
    register_services.routes,
    register_workers.routes,
    uploads.routes,
    add_for_colleague.routes,
)


def web_application(site: Site) -> web.Application:
    """All pages, each behind `page` or `open_page`, with failures told as pages; demo.py in a demonstration alone."""
    application = web.Application()  # forms.py reads bodies, with a bound for each page
    application[SITE] = site
    protect(application, time_limit_s=PAGE_LIMIT_S, refuse=refuse_as_page)
    application.middlewares.insert(0, language.speak)
    for routes in (*ROUTES, demo.routes) if site.web.demo else ROUTES:
        for route in routes:
            if isinstance(route, web.RouteDef) and not is_guarded(route.handler):
                raise TypeError(f"{route.method} {route.path}: not behind page() or open_page()")
        application.add_routes(routes)
    return application
