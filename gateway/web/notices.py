"""What somebody is told: invitations to answer, phrases of colleagues, what changed around their clients."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from gateway.accounts.account import Account, Role
from gateway.accounts.invitations import Invitation, one, received
from gateway.accounts.notices import NEW, RECEIVED, Kind, Notice, mark_one, mark_read, notices_of
from gateway.accounts.store import account_by_id
from gateway.database.contract import Work
from gateway.node.local_view import own_names
from gateway.web.colleague_view import client_name
from gateway.web.forms import form_of
from gateway.web.looking import own_view
from gateway.web.navigation import MANAGE_PATH, NOTICES_PATH
from gateway.web.notice_words import notice_words, role_words
from gateway.web.render import render
from gateway.web.signed_in import SignedIn, page
from gateway.web.site import Site
from mappings.model import HumanName

# Where a notice leads that is about no client and no case, by its kind and whether it is for those who deal with it.
_LINKS: Final = {
    (Kind.PROBLEM, True): f"{MANAGE_PATH}/problems",
    (Kind.FEEDBACK, True): f"{MANAGE_PATH}/feedback",
    (Kind.FEEDBACK, False): "/feedback",
}

routes = web.RouteTableDef()


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One notice as it stands on the page; `link` "" leads nowhere."""

    id: int
    sender: str
    client: str
    text: str
    link: str
    at: float
    read: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What the database has for one account."""

    notices: list[Notice]
    names: Mapping[int, tuple[HumanName, ...]]
    senders: Mapping[int, Account]
    about: Mapping[str, Invitation]
    waiting: list[Invitation]


@routes.get(NOTICES_PATH)
@page()
async def show_notices(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """The newest first; what is about somebody who is no client of theirs any more is left out."""
    found = await site.database.read(_found(site, user))
    return render(
        request,
        "notices.html",
        waiting=[(each, role_words(each)) for each in found.waiting],
        lines=[_line(each, found) for each in found.notices if _is_shown(each, found)],
        up_to=max((each.id for each in found.notices), default=0),
        mails=site.web.mail is not None,
        practises=user.has(Role.PRACTITIONER),
    )


@routes.post(f"{NOTICES_PATH}/read")
@page()
async def read_notices(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """One has been read, or all that were on the page: what came since stays new."""
    form = form_of(request)
    largest = 2**31
    chosen = form.whole("notice", least=1, most=largest)
    up_to = form.whole("up-to", least=1, most=largest)
    if chosen is not None:
        if not await site.database.write(mark_one(user.account.id, chosen, site.now())):
            raise web.HTTPNotFound
    elif up_to is not None:
        await site.database.write(mark_read(user.account.id, site.now(), up_to=up_to))
    else:
        raise web.HTTPBadRequest
    raise web.HTTPSeeOther(NOTICES_PATH)


def _found(site: Site, user: SignedIn) -> Work[_Found]:
    notices = yield from notices_of(user.account.id)
    view = yield from own_view(site, user)
    names = yield from own_names([each.person_id for each in notices if each.person_id is not None], view)
    senders: dict[int, Account] = {}
    about: dict[str, Invitation] = {}
    for each in notices:
        if each.from_account is not None and each.from_account not in senders:
            account = yield from account_by_id(each.from_account)
            if account is not None:
                senders[account.id] = account
        if each.kind is Kind.INVITATION and each.item not in about:
            invitation = yield from one(each.item)
            if invitation is not None and user.account.id in {invitation.from_account, invitation.to_account}:
                about[each.item] = invitation
    waiting = yield from received(user.account.id, site.now())
    return _Found(notices=notices, names=names, senders=senders, about=about, waiting=waiting)


def _is_shown(notice: Notice, found: _Found) -> bool:
    if notice.kind is Kind.INVITATION and notice.code == RECEIVED:
        return False  # it stands above, until it is answered
    return notice.person_id is None or notice.person_id in found.names


def _line(notice: Notice, found: _Found) -> Line:
    sender = None if notice.from_account is None else found.senders.get(notice.from_account)
    link = _LINKS.get((notice.kind, notice.code == NEW), "")
    if notice.kind is Kind.CASE:
        link = f"{MANAGE_PATH}/cases/{notice.item}"
    if notice.person_id is not None:
        link = f"/clients/{notice.person_id}"
    return Line(
        id=notice.id,
        sender="" if sender is None else ", ".join(part for part in (sender.name, sender.job_role) if part),
        client="" if notice.person_id is None else client_name(found.names[notice.person_id]),
        text=notice_words(notice, found.about.get(notice.item)),
        link=link,
        at=notice.at,
        read=notice.read,
    )
