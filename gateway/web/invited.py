"""Answering an invitation. Until it is accepted nothing of the client is shown: not a name, a number or a letter.

Initials and a role are often enough to know somebody in a small place, and that they have to do with the inviter's
service. Who is invited asks the inviter, who knows what may be said.
"""

from typing import Final

from aiohttp import web

from gateway.accounts.account import Role
from gateway.accounts.invitations import Decline, Invitation, RoleCode, State, end, one, received
from gateway.accounts.notices import Kind, mark_about, tell
from gateway.accounts.store import account_by_id
from gateway.accounts.which_accounts import as_local_user
from gateway.database.contract import Work
from gateway.node.joining import OpenTo, join, take_out, work_of
from gateway.web.forms import form_of
from gateway.web.navigation import NOTICES_PATH
from gateway.web.notice_words import DECLINED, INVITED_AS, role_words
from gateway.web.own_row import own_rows
from gateway.web.render import render
from gateway.web.signed_in import SignedIn, page
from gateway.web.site import Site
from gateway.web.to_the_end import to_the_end
from gateway.web.words import gettext as _

PATH: Final = "/invitations/{id:[0-9a-f]{32}}"

routes = web.RouteTableDef()


@routes.post(PATH + "/accept")
@page(Role.PRACTITIONER)
async def accept(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """They work with the client from now on, for the inviter's service and no less shielded (node/joining.py).

    Pressed twice, it is accepted once and both lead to the client.
    """
    accepted = await site.database.read(one(request.match_info["id"]))
    if accepted is not None and (accepted.to_account, accepted.state) == (user.account.id, State.ACCEPTED):
        raise web.HTTPSeeOther(f"/clients/{accepted.person_id}")
    invitation = await _invitation(request, site, user)
    if not await to_the_end(_accept(site, user, invitation)):
        return render(request, "invitation_gone.html", status=410)
    raise web.HTTPSeeOther(f"/clients/{invitation.person_id}")


async def _accept(site: Site, user: SignedIn, invitation: Invitation) -> bool:
    """Whether they work with the client now; else the invitation does not hold any more."""
    of = await site.database.read(_work_of_inviter(site, invitation))
    if of is None:  # the inviter does not work with the client any more, or not at all
        await _end(site, invitation, State.EXPIRED)
        return False
    own = invitation.role_code is RoleCode.OWN
    role = user.account.job_role if own else INVITED_AS[invitation.role_code]
    rows = await own_rows(site, user)
    today = site.today().isoformat()
    federation, key = site.node.me.federation, invitation.public_id
    # The work first: should the node stop in between, the invitation still waits. If it is accepted then, the same work
    # is stored again; if it ends otherwise, the work ends with it.
    joined = await site.node.database.write(join(federation, key, invitation.person_id, min(rows), of, role, today))
    if not joined:
        return False
    if await site.database.write(_answer(site, invitation, State.ACCEPTED)):
        return True
    now = await site.database.read(one(key))
    if now is not None and now.state is State.ACCEPTED:  # pressed twice
        return True
    await site.node.database.write(take_out(federation, key))  # it was withdrawn a moment ago
    return False


@routes.get(PATH + "/decline")
@page(Role.PRACTITIONER)
async def ask_why(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """The reasons that can be given."""
    return _why_page(request, await _invitation(request, site, user))


@routes.post(PATH + "/decline")
@page(Role.PRACTITIONER)
async def decline(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """The inviter is told, with the reason."""
    invitation = await _invitation(request, site, user)
    form = form_of(request)
    reason = form.choice("reason", list(Decline), missing=_("Select why you do not join"))
    if form.errors:
        return _why_page(request, invitation, status=400)
    await to_the_end(_end(site, invitation, State.DECLINED, Decline(reason)))
    raise web.HTTPSeeOther(NOTICES_PATH)


async def _invitation(request: web.Request, site: Site, user: SignedIn) -> Invitation:
    """The one that the address names, if it waits for this account's answer; else 404."""
    wanted = request.match_info["id"]
    waiting = await site.database.read(received(user.account.id, site.now()))
    found = next((each for each in waiting if each.public_id == wanted), None)
    if found is None:
        raise web.HTTPNotFound
    return found


def _work_of_inviter(site: Site, invitation: Invitation) -> Work[OpenTo | None]:
    inviter = yield from account_by_id(invitation.from_account)
    if inviter is None or Role.PRACTITIONER not in inviter.roles:
        return None
    local = yield from as_local_user(inviter)
    return (yield from work_of(invitation.person_id, local, site.today().isoformat()))


async def _end(site: Site, invitation: Invitation, state: State, reason: Decline | None = None) -> None:
    """It was not accepted, so no work may stay that a stop of the node left half accepted."""
    if await site.database.write(_answer(site, invitation, state, reason)):
        await site.node.database.write(take_out(site.node.me.federation, invitation.public_id))


def _answer(site: Site, invitation: Invitation, state: State, reason: Decline | None = None) -> Work[bool]:
    """End it and tell the inviter; False if it was not open any more."""
    now = site.now()
    if not (yield from end(invitation.public_id, state, now, reason=reason)):
        return False
    if invitation.to_account is not None:
        yield from mark_about(invitation.to_account, invitation.public_id, now)
    yield from tell(
        invitation.from_account,
        Kind.INVITATION,
        state.value,
        now=now,
        alerting=site.alerting,
        person_id=invitation.person_id,
        item=invitation.public_id,
    )
    return True


def _why_page(request: web.Request, invitation: Invitation, *, status: int = 200) -> web.Response:
    return render(
        request,
        "invitation_decline.html",
        status=status,
        form=form_of(request),
        invitation=invitation,
        role=role_words(invitation),
        reasons={code.value: _(text) for code, text in DECLINED.items()},
    )
