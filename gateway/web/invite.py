"""Inviting a colleague to work with a client too, and taking an invitation back.

Only who may be named to the inviter can be invited (node/choosing.py), whoever the client is.
Nobody is told whether a colleague works with the client already but by what the team shows: whoever does so for a
hidden service can be invited like anybody else.
"""

from typing import Final

from aiohttp import web

from gateway.accounts.account import Account, Role
from gateway.accounts.invitations import LASTS_S, Invitation, RoleCode, State, end, one, send, sent_about
from gateway.accounts.notices import RECEIVED, Kind, take_back, tell
from gateway.accounts.store import account_by_public_id
from gateway.accounts.which_accounts import accounts_linked, accounts_of, practitioners_named
from gateway.database.contract import Work
from gateway.node.choosing import may_be_named
from gateway.node.joining import take_out
from gateway.web.colleague_view import client_name
from gateway.web.forms import Form, form_of
from gateway.web.looking import CLIENT_PATH, Opened, client_of
from gateway.web.notice_words import BECAME, DECLINED, INVITED_AS, role_words
from gateway.web.render import render
from gateway.web.signed_in import SignedIn, page
from gateway.web.site import Site
from gateway.web.to_the_end import to_the_end
from gateway.web.words import gettext as _

MAX_OFFERED: Final = 20  # colleagues on the page; more are found by typing more of a name

routes = web.RouteTableDef()


@routes.get(CLIENT_PATH + "/invite")
@page(Role.PRACTITIONER)
async def show_form(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """Colleagues to choose from, or to be searched where there are many; and what became of earlier invitations."""
    return await _page(request, site, user, await client_of(request, site, user), Form())


@routes.post(CLIENT_PATH + "/invite")
@page(Role.PRACTITIONER)
async def invite(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """Find colleagues, or send the invitation."""
    opened = await client_of(request, site, user)
    form = form_of(request)
    form.line("name", max_length=100)
    if form.raw("do") != "send":
        return await _page(request, site, user, opened, form, status=400 if form.errors else 200)
    chosen = form.line("to", max_length=32, missing=_("Select who you want to invite"))
    role = form.choice("role", list(RoleCode), missing=_("Select in what role they are to work with this person"))
    invited = await site.database.read(_invited(user, opened, chosen)) if chosen else None
    if chosen and invited is None:
        form.wrong("to", _("Select somebody from the list"))
    if form.errors or invited is None:
        return await _page(request, site, user, opened, form, status=400)
    if not await site.database.write(_send(site, user, opened, invited, RoleCode(role))):
        form.wrong("to", _("Too many of your invitations wait for an answer. Withdraw one first"))
        return await _page(request, site, user, opened, form, status=429)
    raise web.HTTPSeeOther(f"{opened.path}/invite?sent")


@routes.post(CLIENT_PATH + "/invite/withdraw")
@page(Role.PRACTITIONER)
async def withdraw(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """It can no longer be accepted, and whoever was invited is told of it no more."""
    opened = await client_of(request, site, user)
    public_id = form_of(request).line("invitation", max_length=32)
    if not await to_the_end(_withdraw(site, user, public_id)):
        raise web.HTTPNotFound
    raise web.HTTPSeeOther(f"{opened.path}/invite")


async def _withdraw(site: Site, user: SignedIn, public_id: str) -> bool:
    """False if they have sent no such invitation. One that is not open any more stays as it is."""

    def work() -> Work[bool | None]:
        invitation = yield from one(public_id)
        if invitation is None or invitation.from_account != user.account.id:
            return None
        if not (yield from end(public_id, State.WITHDRAWN, site.now())):
            return False
        if invitation.to_account is not None:
            yield from take_back(invitation.to_account, public_id)
        return True

    ended = await site.database.write(work())
    if ended:  # a stop of the node may have left it half accepted (invited.py)
        await site.node.database.write(take_out(site.node.me.federation, public_id))
    return ended is not None


def _invited(user: SignedIn, opened: Opened, public_id: str) -> Work[Account | None]:
    """Whom a public id names, if they can be invited."""
    account = yield from account_by_public_id(public_id)
    if account is None or account.id == user.account.id or Role.PRACTITIONER not in account.roles:
        return None
    offered = (yield from _may_be_invited(opened)) - (yield from _in_team(opened))
    return account if account.id in offered else None


def _send(site: Site, user: SignedIn, opened: Opened, invited: Account, role: RoleCode) -> Work[bool]:
    """False if too many wait. To invite somebody twice for the same client is to invite them once."""
    now, person_id = site.now(), opened.client.person_id
    for each in (yield from sent_about(user.account.id, person_id, now)):
        if each.to_account == invited.id and _is_open(each, site):
            return True
    public_id = yield from send(person_id, inviter=user.account.id, invited=invited.id, role=role, now=now)
    if public_id is None:
        return False
    yield from tell(
        invited.id,
        Kind.INVITATION,
        RECEIVED,
        now=now,
        alerting=site.alerting,
        from_account=user.account.id,
        item=public_id,
    )
    return True


def _may_be_invited(opened: Opened) -> Work[frozenset[int]]:
    """Rows of the accounts of all who may be named to the inviter; not all of them practise."""
    known = yield from may_be_named(opened.view)
    return (yield from accounts_linked(known.people.keys(), known.services))


def _in_team(opened: Opened) -> Work[set[int]]:
    """Accounts of those whom the inviter sees in the team."""
    found = yield from accounts_of(each for each in opened.team.workers if each is not None)
    return {account.id for account in found}


def _is_open(invitation: Invitation, site: Site) -> bool:
    return invitation.state is State.SENT and site.now() - invitation.created_at < LASTS_S


async def _page(
    request: web.Request, site: Site, user: SignedIn, opened: Opened, form: Form, *, status: int = 200
) -> web.Response:
    def work() -> Work[tuple[list[Account], list[Invitation]]]:
        seen = (yield from _in_team(opened)) | {user.account.id}
        fitting = yield from practitioners_named(
            form.value("name")[:100], (yield from _may_be_invited(opened)) - seen, limit=MAX_OFFERED
        )
        sent = yield from sent_about(user.account.id, opened.client.person_id, site.now())
        return fitting, sent

    fitting, sent = await site.database.read(work())
    services = {each.shown.service.name for each in opened.team.mine if each.shown.service is not None}
    return render(
        request,
        "invite.html",
        status=status,
        form=form,
        name=client_name(opened.client.names),
        client_path=opened.path,
        service=services.pop() if len(services) == 1 else "",
        colleagues=fitting[:MAX_OFFERED],
        more=len(fitting) > MAX_OFFERED,
        roles={code.value: _(text) for code, text in INVITED_AS.items()},
        sent=[(each, role_words(each), _said(each, site), _is_open(each, site)) for each in sent],
        done="sent" in request.query,
    )


def _said(invitation: Invitation, site: Site) -> str:
    state = invitation.state
    if state is State.SENT and not _is_open(invitation, site):
        state = State.EXPIRED
    said = _(BECAME[state])
    return f"{said}: {_(DECLINED[invitation.reason])}" if invitation.reason else said
