"""The list of accounts for administrators, and a new one. What was typed to search goes into no address."""

from typing import Final

from aiohttp import web

from gateway.accounts.account import MAX_LOGIN, Role, folded, is_login
from gateway.accounts.administer import create, is_full, listed
from gateway.accounts.store import NewAccount
from gateway.errors import InputError
from gateway.events import emit
from gateway.web.contact_fields import contact_value
from gateway.web.forms import Form, form_of, number_in
from gateway.web.navigation import MANAGE_PATH
from gateway.web.prove import is_fresh, to_prove
from gateway.web.render import render
from gateway.web.signed_in import SignedIn, page
from gateway.web.site import Site
from gateway.web.words import gettext as _
from gateway.web.words import role_name, role_title
from mappings.model import MAX_TEXT

ACCOUNTS_PATH: Final = MANAGE_PATH + "/accounts"
ADD_PATH: Final = ACCOUNTS_PATH + "/add"

_EACH: Final = 50  # accounts on one page of the list
_MAX_PAGE: Final = 400

routes = web.RouteTableDef()


@routes.get(ACCOUNTS_PATH)
@page(Role.ADMINISTRATOR)
async def show_accounts(request: web.Request, site: Site, _user: SignedIn) -> web.StreamResponse:
    """All accounts, by name, some on each page."""
    number = number_in(request.query, "page", most=_MAX_PAGE) or 1
    found, more = await site.database.read(listed("", skip=(number - 1) * _EACH, limit=_EACH))
    return render(request, "manage_accounts.html", form=Form(), found=found, more=more, number=number)


@routes.post(ACCOUNTS_PATH)
@page(Role.ADMINISTRATOR)
async def search_accounts(request: web.Request, site: Site, _user: SignedIn) -> web.StreamResponse:
    """The first accounts whose name, login or job role holds what was typed."""
    form = form_of(request)
    typed = form.line("typed", max_length=MAX_TEXT, missing=_("Enter a name, a login or a job role"))
    found, more = await site.database.read(listed(typed, skip=0, limit=_EACH))
    return render(
        request,
        "manage_accounts.html",
        status=400 if form.errors else 200,
        form=form,
        found=found,
        more=more,
        number=1,
        typed=typed,
    )


@routes.get(ADD_PATH)
@page(Role.ADMINISTRATOR)
async def show_add(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """The form for a new account: with it roles are given, so its owner proves who they are first."""
    if not is_fresh(user, site):
        raise to_prove(ADD_PATH)
    return _add_page(request, Form())


@routes.post(ADD_PATH)
@page(Role.ADMINISTRATOR)
async def add(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """Store it; nobody can sign in with it before a setup link was made and used."""
    if not is_fresh(user, site):
        raise to_prove(ADD_PATH)
    form = form_of(request)
    login = form.line("login", max_length=MAX_LOGIN, missing=_("Enter a login"))
    if login and not is_login(folded(login)):
        form.wrong("login", _("A login has no spaces, like w.smith or wendy@example.org"))
    name, job_role, email, phone = read_details(form)
    roles = form.choices("roles", [role.value for role in Role])
    if not roles:
        form.wrong("roles", _("Select at least one role: without one they can sign in and do nothing"))
    if not form.errors and await site.database.read(is_full()):
        form.wrong("login", _("No more accounts can be made on this node"))
    if form.errors:
        return _add_page(request, form, status=400)
    new = NewAccount(
        federation=site.node.me.federation,
        login=login,
        name=name,
        job_role=job_role,
        roles=frozenset(map(Role, roles)),
        granted_by=user.id,
    )
    try:
        account = await site.database.write(create(new, email=email, phone=phone, now=site.now()))
    except InputError:  # it may be a login, so it is somebody else's
        form.wrong("login", _("This login is taken"))
        return _add_page(request, form, status=400)
    emit("account.changed", account=account.public_id, by=user.id, what="created")
    raise web.HTTPSeeOther(f"{ACCOUNTS_PATH}/{account.public_id}")


def read_details(form: Form) -> tuple[str, str, str, str]:
    """Name, job role, email address and phone number as typed; says on the form what is wrong."""
    name = form.line("name", max_length=MAX_TEXT, missing=_("Enter a name"))
    job_role = form.line("job-role", max_length=MAX_TEXT, missing=_("Enter what they do at your agency"))
    return name, job_role, contact_value(form, "email", "email"), contact_value(form, "phone", "phone")


def role_items(chosen: list[str]) -> list[dict[str, object]]:
    """All roles as the macro of checkboxes takes them."""
    return [
        {
            "value": role.value,
            "text": role_title(role),
            "hint": {"text": role_name(role).capitalize()},
            "checked": role in chosen,
        }
        for role in Role
    ]


def _add_page(request: web.Request, form: Form, *, status: int = 200) -> web.Response:
    return render(request, "manage_account_add.html", status=status, form=form, roles=role_items(form.values("roles")))
