"""Who takes part in the federation, as this node holds it: members, keys, what waits, what runs out, who answers."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

from aiohttp import web

from gateway.accounts.account import Role
from gateway.days import DAY_S, HOUR_S, day_of
from gateway.errors import ClockWrong, FederationError, FederationRolledBack
from gateway.fhir.text import plain
from gateway.node.membership import View
from gateway.policy.words import KINDS
from gateway.web.coverage import Answers
from gateway.web.render import render
from gateway.web.signed_in import SignedIn, page
from gateway.web.site import Site
from gateway.web.words import N_, day, ngettext
from gateway.web.words import gettext as _
from gateway.wire.acceptance import ChangeKind, PendingChange
from gateway.wire.federation import Member, MemberKey
from gateway.wire.keys import fingerprint

PATH: Final = "/manage/federation"
LOOKS: Final = (Role.ADMINISTRATOR, Role.MANAGER, Role.GOVERNANCE, Role.AUDITOR)
ACCEPTS: Final = (Role.ADMINISTRATOR, Role.GOVERNANCE)
DOCUMENT_SOON_S: Final = 2 * DAY_S  # the operator renews a document every few days: then it is late
KEY_SOON_S: Final = 60 * DAY_S  # a new key has to be accepted by every other agency's officer
UNSEEN: Final = 2  # groups of a fingerprint that only its owner can tell

CHANGES: Final = {
    ChangeKind.NEW_MEMBER: N_("It is new."),
    ChangeKind.SECTOR: N_("It is now listed under another sector, statutory or voluntary."),
    ChangeKind.TYPE: N_("It is now listed as another kind of organisation, which can open other rules to it."),
    ChangeKind.SIGNING_KEY: N_("It has a new key that its earlier key does not vouch for."),
}

routes = web.RouteTableDef()


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A key as people compare it; `soon`: it ends within KEY_SOON_S, or has ended."""

    said: str
    until: date
    soon: bool
    waits: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One member. `state` says how it stands here; `waits` lists what is to be accepted, in words."""

    id: str
    name: str
    kind: str
    state: str
    waits: list[str]
    keys: list[Key]
    answers: Answers


@dataclass(frozen=True, slots=True, kw_only=True)
class HubLine:
    """One hub's address, and how it stands where there is a choice or it could not be reached; "" else."""

    address: str
    state: str


@routes.get(PATH)
@page(*LOOKS)
async def show_federation(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """All of it on one page."""
    membership, now = site.node.membership, site.now()
    received = membership.received
    view, stopped = _current(site)
    word = membership.hub_word
    return render(
        request,
        "federation.html",
        federation=site.node.me.federation,
        received=received,
        lines=list(_lines(site, view)),
        stopped=stopped,
        document_warning="" if received is None else _document_warning(received.expires_at - now),
        operator_warning=_operator_warning(site),
        word=word,
        hubs=list(_hubs(site)),
        coverage=site.coverage,
        by_hand=site.settings.federation[0].accept_members == "local",
        accepts=user.has(*ACCEPTS),
    )


def waiting_for(site: Site, member: str) -> tuple[PendingChange, ...]:
    """What of a member waits for this agency's own word."""
    return tuple(change for change in site.node.membership.waiting if change.member == member)


def kind_of(member: Member) -> str:
    """Its kind of organisation in words."""
    return _(KINDS[member.type])


def keys_of(member: Member, waiting: tuple[PendingChange, ...], now: float) -> list[Key]:
    """Its keys. Of one that waits the last groups are left out: they are to be read out by its owner."""
    new = any(change.kind is ChangeKind.NEW_MEMBER for change in waiting)
    kids = {change.kid for change in waiting if change.kid is not None}
    return [_key(each, waits=new or each.key.kid in kids, now=now) for each in member.keys]


def _key(key: MemberKey, *, waits: bool, now: float) -> Key:
    groups = fingerprint(key.key.jwk()).split()
    shown = [*groups[:-UNSEEN], *["····"] * UNSEEN] if waits else groups
    until = day_of(key.not_after)
    return Key(said=" ".join(shown), until=until, soon=key.not_after - now < KEY_SOON_S, waits=waits)


def _current(site: Site) -> tuple[View | None, str]:
    """The view in force, or why there is none."""
    try:
        return site.node.membership.current(), ""
    except FederationRolledBack:
        return None, _(
            "Two different member lists with the same number have come. Nothing is asked or answered until that is "
            "settled with the operator; then, on this machine: patchwork node clear-alarm"
        )
    except ClockWrong:
        return None, _("This machine's clock is wrong. Nothing is asked or answered until it is put right.")
    except FederationError:
        return None, _("No member list can be relied on now, so nothing is asked or answered. Is the hub reachable?")


def _hubs(site: Site) -> Iterator[HubLine]:
    """As the last visits have left them. Why one was silent is for the machine's own log and command line."""
    doubtful, states = site.node.membership.doubtful_hubs, site.node.hubs.states
    for state in states:
        said = ""
        if state.hub in doubtful:
            said = _("What it says is not believed: patchwork node status tells why")
        elif state.silent:
            said = _("Could not be reached")
        elif state.aside:
            said = _("Set aside for a while: it did not bring questions to their end")
        elif len(states) > 1:
            said = _("Questions go there") if state.used else _("In reserve")
        yield HubLine(address=state.hub, state=said)


def _document_warning(seconds: float) -> str:
    if seconds <= 0:
        return _("The member list has run out: the federation's operator has to renew it.")
    if seconds < DOCUMENT_SOON_S:
        hours = int(seconds // HOUR_S)
        return ngettext(
            "The member list runs out in %(number)s hour: tell the federation's operator to renew it.",
            "The member list runs out in %(number)s hours: tell the federation's operator to renew it.",
            hours,
        ) % {"number": hours}
    return ""


def _operator_warning(site: Site) -> str:
    """A person compares the key by telephone, and says yes on the machine that pins it."""
    said = site.node.membership.hand_over
    if said is None:
        return ""
    return _(
        "The operator goes over to another key by %(day)s. Without this agency's word nothing is asked or answered "
        "from then on. Ring the operator, and on this node's machine compare the keys: patchwork node accept-operator"
    ) % {"day": day(day_of(said.until))}


def _lines(site: Site, view: View | None) -> Iterator[Line]:
    """Those that wait first, then by name."""
    now = site.now()
    waiting = {member: waiting_for(site, member) for member in site.members}
    for member in sorted(site.members.values(), key=lambda each: (not waiting[each.id], each.name.casefold(), each.id)):
        changes = waiting[member.id]
        yield Line(
            id=member.id,
            name=plain(member.name),
            kind=kind_of(member),
            state=_state(member, changes, view, me=site.node.me.member),
            waits=[_(CHANGES[change.kind]) for change in changes],
            keys=keys_of(member, changes, now),
            answers=site.coverage.of(member.id),
        )


def _state(member: Member, changes: tuple[PendingChange, ...], view: View | None, *, me: str) -> str:
    if not member.active:
        return _("Suspended by the operator: nobody asks or answers it")
    if member.id == me:
        return _("This agency")
    if changes:
        return _("Waits for this agency's word")
    if view is not None and member.id not in view.sealing_keys:
        return _("Accepted; its node has not been seen yet")
    return _("Accepted")
