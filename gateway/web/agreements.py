"""Which agreements this node knows, with whom each is in force and until when; one in words; two versions side by side.

Nothing is accepted here. That an agreement is accepted stands in the node's configuration, which a page does not
write, and a signature needs the node's key: both are done on the node's own machine, and the page prints how.
"""

from collections.abc import Container, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from aiohttp import web

from consent_ledger.read import accepted_agreements
from gateway.accounts.account import Role
from gateway.errors import FederationError
from gateway.fhir.text import plain
from gateway.node.agreements import AgreementsInForce
from gateway.policy.agreement import Agreement
from gateway.policy.explain import HEADINGS
from gateway.policy.in_force import PublishedAgreement
from gateway.web.agreement_reading import compared, explained
from gateway.web.render import render
from gateway.web.signed_in import SignedIn, page
from gateway.web.site import Site

PATH: Final = "/manage/agreements"
READS: Final = (Role.GOVERNANCE, Role.AUDITOR, Role.MANAGER)
SOON_DAYS: Final = 60  # a new version takes its time: then it is time to begin

routes = web.RouteTableDef()


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """One version of an agreement, and how it stands here.

    `with_members` are the agencies between whom and this one it is in force today. `carried` is whether the member
    list has it, `listed` whether this node's configuration accepts it, `accepted` whether that is on record.
    """

    agreement: Agreement
    carried: bool
    listed: bool
    accepted: bool
    signed_here: bool
    unsigned: tuple[str, ...]
    with_members: tuple[str, ...]
    days_left: int

    @property
    def id(self) -> str:
        """What stands for it in addresses."""
        return self.agreement.sha256

    @property
    def in_force(self) -> bool:
        """Whether it is in force with anybody."""
        return bool(self.with_members)


@routes.get(PATH)
@page(*READS)
async def show_agreements(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """All of them, those in force first."""
    known = await known_agreements(site)
    return render(
        request,
        "agreements.html",
        known=known,
        soon=SOON_DAYS,
        settled=_carried(site) is not None,
        may_draft=user.has(Role.GOVERNANCE),
        today=site.today(),
    )


@routes.get(f"{PATH}/compare")
@page(*READS)
async def show_comparison(request: web.Request, site: Site, _user: SignedIn) -> web.StreamResponse:
    """Two of them; whichever are chosen, the first and the next until then."""
    known = await known_agreements(site)
    chosen = [_of(known, request.query.get(name, "")) for name in ("old", "new")]
    old, new = chosen
    if old is None or new is None:
        if "old" in request.query or "new" in request.query:
            raise web.HTTPNotFound
        return render(request, "agreements_compare.html", known=known, old=None, new=None, comparison=None)
    comparison = await compared(site, old.agreement, new.agreement)
    return render(request, "agreements_compare.html", known=known, old=old, new=new, comparison=comparison)


@routes.get(PATH + r"/{id:[0-9a-f]{64}}")
@page(*READS)
async def show_agreement(request: web.Request, site: Site, _user: SignedIn) -> web.StreamResponse:
    """One in plain words, with what lint says of it."""
    known = await known_agreements(site)
    one = _of(known, request.match_info["id"])
    if one is None:
        raise web.HTTPNotFound
    return render(
        request,
        "agreement.html",
        one=one,
        explained=await explained(site, one.agreement),
        headings=HEADINGS,
        others=[each for each in known if each is not one and each.agreement.uri == one.agreement.uri],
    )


async def known_agreements(site: Site) -> list[Known]:
    """Those that the member list carries, and those that only this node's configuration lists."""
    accepted = await site.database.read(accepted_agreements(site.node.me.federation))
    carried = _carried(site)
    published = {} if carried is None else {each.agreement.sha256: each for each in carried.published.values()}
    listed = {agreement.sha256: agreement for agreement in site.agreements}
    agreements = listed | {sha256: each.agreement for sha256, each in published.items()}
    known = [
        _known(site, agreement, published.get(sha256), carried, listed=sha256 in listed, accepted=accepted)
        for sha256, agreement in agreements.items()
    ]
    return sorted(known, key=lambda each: (not each.in_force, each.agreement.name.casefold(), _latest_first(each)))


def in_force_like(known: Sequence[Known], draft: Agreement) -> Known | None:
    """The version of a draft's address that it would follow: one in force, else the newest accepted."""
    same = [each for each in known if each.agreement.uri == draft.uri and each.id != draft.sha256]
    best = sorted(same, key=lambda each: (not each.in_force, not each.accepted, _latest_first(each)))
    return best[0] if best else None


def _of(known: Sequence[Known], agreement_id: str) -> Known | None:
    return next((each for each in known if each.id == agreement_id), None)


def _carried(site: Site) -> AgreementsInForce | None:
    """What may be relied on now; None while no member list can be."""
    try:
        return site.node.membership.current().agreements
    except FederationError:
        return None


def _known(
    site: Site,
    agreement: Agreement,
    published: PublishedAgreement | None,
    carried: AgreementsInForce | None,
    *,
    listed: bool,
    accepted: Container[str],
) -> Known:
    signed = published.signed_by if published else frozenset()
    return Known(
        agreement=agreement,
        carried=published is not None,
        listed=listed,
        accepted=agreement.sha256 in accepted,
        signed_here=site.node.me.member in signed,
        unsigned=_names(site, agreement.members - signed),
        with_members=_names(site, _bound(agreement, carried, accepted, me=site.node.me.member, today=site.today())),
        days_left=(agreement.end_date - site.today()).days,
    )


def _bound(
    agreement: Agreement, carried: AgreementsInForce | None, accepted: Container[str], *, me: str, today: date
) -> frozenset[str]:
    if carried is None:
        return frozenset()
    name = agreement.uri, agreement.version
    return frozenset(
        member
        for member in agreement.members - {me}
        if (bound := carried.with_member(*name, member, accepted=accepted, today=today)) is not None
        if bound.sha256 == agreement.sha256
    )


def _names(site: Site, members: frozenset[str]) -> tuple[str, ...]:
    """Members by name where the member list has one."""
    listed = site.members
    return tuple(sorted(plain(listed[each].name) if each in listed else each for each in members))


def _latest_first(each: Known) -> int:
    return -each.agreement.start_date.toordinal()
