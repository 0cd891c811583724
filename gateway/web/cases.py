"""Governance cases: the list of what waits for somebody of this agency, and one screen for each, decided with a reason.

Managers and governance officers do the same here; whoever broke the glass is no judge of it, by account or by name. The
officer is on record by their account's public id. Nothing is sent to anybody: whoever permits a review rings the asker.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Final

from aiohttp import web

from consent_ledger.case import CaseId, CaseKind
from gateway.accounts.account import Role
from gateway.accounts.store import names_by_public_id
from gateway.database.contract import Work
from gateway.days import HOUR_S
from gateway.errors import InputError
from gateway.fhir.text import plain
from gateway.node import cases
from gateway.node.cases import CaseShown, Ruling
from gateway.node.corrections import Officer
from gateway.reports.case_about import About, Members, about
from gateway.reports.words import service_words
from gateway.web.break_glass import DANGERS
from gateway.web.case_words import FINDINGS, RULINGS
from gateway.web.contact_links import way
from gateway.web.forms import Form, form_of, number_in
from gateway.web.prove import go_on, is_fresh, prove_in_form
from gateway.web.reasons import PURPOSES
from gateway.web.render import render
from gateway.web.signed_in import SignedIn, page
from gateway.web.site import Site
from gateway.web.words import gettext as _
from mappings.vocabulary import Finding

PATH: Final = "/manage/cases"
CASE_PATH: Final = PATH + "/{case:[a-z-]{6,16}-[0-9]{1,18}}"
MAX_REASON: Final = 500  # characters
MAX_ENDED: Final = 50  # on one page
OUTCOME, REASON, BEFORE = "outcome", "reason", "before"
OFFICERS: Final = (Role.MANAGER, Role.GOVERNANCE)

OURS: Final = CaseKind.OUR_BREAK_GLASS

_NEWEST: Final = 2**63 - 1

routes = web.RouteTableDef()


@routes.get(PATH)
@page(*OFFICERS)
async def show_open(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """What is open, what is due first at the top."""
    federation, days = site.node.me.federation, site.settings.cases.days

    def work() -> Work[tuple[list[CaseShown], tuple[int, int]]]:
        found = yield from cases.open_cases(federation, days=days, oldest=True)
        return found, (yield from cases.counted(federation, days=days, now=site.now()))

    found, (count, overdue) = await site.database.read(work())
    return render(
        request,
        "cases.html",
        lines=[_line(shown, site.members, site.now()) for shown in found],
        count=count,
        overdue=overdue,
    )


@routes.get(PATH + "/ended")
@page(*OFFICERS)
async def show_ended(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """What has been decided or closed, the newest first."""
    asked = number_in(request.query, BEFORE)
    before = _NEWEST if asked is None else asked
    federation, days = site.node.me.federation, site.settings.cases.days
    found = await site.database.read(cases.ended_cases(federation, before=before, days=days, limit=MAX_ENDED))
    return render(
        request,
        "cases_ended.html",
        lines=[_line(shown, site.members, site.now()) for shown in found],
        before=found[-1].case.id.opened_seq if len(found) == MAX_ENDED else None,
    )


@routes.get(CASE_PATH)
@page(*OFFICERS)
async def show_case(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """All about one case, and the form that ends it."""
    return await _case_page(request, site, user, await case_of(request, site), Form())


@routes.post(CASE_PATH + "/acknowledge")
@page(*OFFICERS)
async def acknowledge(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """Put on record that somebody has seen it."""
    shown = await case_of(request, site)
    if is_own(shown, user):
        raise web.HTTPForbidden
    with suppress(InputError):  # somebody else was first, which the page shows
        await cases.acknowledge(shown.case.id, by=user.id, ledger=site.node.ledger)
    raise web.HTTPSeeOther(path_of(shown))


@routes.post(CASE_PATH)
@page(*OFFICERS)
async def decide(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """End it: decided or closed, with a reason."""
    shown = await case_of(request, site)
    if is_own(shown, user):
        raise web.HTTPForbidden
    form = form_of(request)
    missing = _("Select what you found") if _is_found(shown) else _("Select what you decide")
    outcome = form.choice(OUTCOME, choices(shown), missing=missing)
    reason = form.line(REASON, max_length=MAX_REASON, missing=_("Say why, in a few words"))
    proved = await prove_in_form(site, user, form)
    if not form.errors:
        officer = Officer(by=user.id, reason=reason)
        ledger = site.node.ledger
        try:
            if _is_found(shown):
                await cases.close(shown, Finding(outcome), officer=officer, ledger=ledger)
            else:
                await cases.rule(shown.case.id, Ruling(outcome), officer=officer, ledger=ledger)
        except InputError:
            form.wrong(OUTCOME, _("Somebody else has ended this case meanwhile: see what they wrote"))
            shown = await case_of(request, site)
    if form.errors:
        return await _case_page(request, site, user, shown, form)
    response = web.HTTPSeeOther(path_of(shown))
    await go_on(response, site, user, proved=proved)
    raise response


async def case_of(request: web.Request, site: Site) -> CaseShown:
    """The case that the address names; raises HTTPNotFound."""
    try:
        case = CaseId.read(request.match_info["case"])
    except ValueError:
        raise web.HTTPNotFound from None
    shown = await site.database.read(cases.find_case(case, days=site.settings.cases.days))
    if shown is None or shown.case.row.federation != site.node.me.federation:
        raise web.HTTPNotFound
    return shown


def path_of(shown: CaseShown) -> str:
    """Where its page is."""
    return f"{PATH}/{shown.case.id}"


def is_own(shown: CaseShown, user: SignedIn) -> bool:
    """Whether somebody broke the glass themselves: by account, or by the name or login that a command was given."""
    account = user.account
    return cases.is_own(shown, user.id, account.name, *([account.login] if account.login else []))


def choices(shown: CaseShown) -> Mapping[str, str]:
    """How it may be ended, by the value that the form sends; of somebody erased nothing can be told any more."""
    if _is_found(shown):
        return {finding.value: _(text) for finding, text in FINDINGS.items()}
    allowed: Iterable[Ruling] = cases.RULINGS[shown.case.id.kind]
    if shown.case.erased:
        allowed = [each for each in allowed if each in (Ruling.REFUSE, Ruling.NOT_CALLED)]
    return {each.value: _(RULINGS[each]) for each in allowed}


def _is_found(shown: CaseShown) -> bool:
    return shown.case.id.kind not in cases.RULINGS


async def _case_page(
    request: web.Request, site: Site, user: SignedIn, shown: CaseShown, form: Form
) -> web.StreamResponse:
    asked = about(shown, site.members)
    row, ended, acknowledged = shown.case.row, shown.case.ended, shown.case.acknowledged
    by = [body["by"] for body in (ended, acknowledged) if body is not None]
    names = await site.database.read(names_by_public_id(by))
    own = is_own(shown, user)
    return render(
        request,
        "case.html",
        status=400 if form.errors else 200,
        form=form,
        case=shown.case.id,
        kind=shown.case.id.kind.value,
        here=path_of(shown),
        about=asked,
        danger=_danger(asked),
        purpose="" if asked is None else PURPOSES[asked.purpose],
        asked_names=[] if asked is None else [_agency(site, each) for each in asked.asked],
        services=[] if asked is None else [(service_words(each.service), each) for each in asked.concerned],
        ways=[] if asked is None else [way(system, value) for system, value in asked.call],
        opened_at=shown.opened_at,
        due_at=shown.due_at,
        overdue=shown.overdue(site.now()),
        is_open=row.ended_seq is None,
        may_decide=row.ended_seq is None and not own,
        own=own,
        choices=choices(shown),
        found=_is_found(shown),
        acknowledged=_said(acknowledged, names),
        ended=_said(ended, names),
        verdict=_verdict(ended),
        ended_seq=row.ended_seq,
        told=row.told_to or site.settings.cases.told,
        told_at=None if row.told_hour is None else row.told_hour * HOUR_S,
        permitted=ended is not None and ended.get("decision") == Ruling.PERMIT,
        reportable=user.has(Role.GOVERNANCE) and asked is not None and shown.case.id.kind is not OURS,
        ask_for_proof=not is_fresh(user, site),
        max_reason=MAX_REASON,
    )


def _agency(site: Site, member_id: str) -> str:
    member = site.members.get(member_id)
    return plain(member_id if member is None else member.name)


def _danger(asked: About | None) -> str:
    """Which emergency was claimed, in words; a code of another version as it came."""
    if asked is None or not asked.danger:
        return ""
    known = {reason.value: text for reason, text in DANGERS.items()}
    return _(known[asked.danger]) if asked.danger in known else asked.danger


def _said(body: Mapping[str, object] | None, names: Mapping[str, str]) -> Mapping[str, object] | None:
    """Who did a step, and when; by name where it is an account of these pages."""
    if body is None:
        return None
    by = str(body["by"])
    return {"by": names.get(by, by), "at": body["at"], "why": body.get("reason") or body.get("words") or ""}


def _verdict(ended: Mapping[str, object] | None) -> str:
    if ended is None:
        return ""
    known = {each.value: text for words in (RULINGS, FINDINGS) for each, text in words.items()}
    code = str(ended.get("decision") or ended.get("finding"))
    return _(known[code]) if code in known else code


def _line(shown: CaseShown, members: Members, now: float) -> Mapping[str, object]:
    """One row of a list."""
    asked = about(shown, members)
    return {
        "case": shown.case.id,
        "kind": shown.case.id.kind.value,
        "name": "" if asked is None else asked.name,
        "agency": "" if asked is None else asked.agency or asked.member,
        "purpose": "" if asked is None else PURPOSES[asked.purpose],
        "clients": () if asked is None else asked.clients,
        "erased": asked is None,
        "opened_at": shown.opened_at,
        "due_at": shown.due_at,
        "overdue": shown.overdue(now),
        "seen": shown.case.acknowledged is not None,
        "verdict": _verdict(shown.case.ended),
    }
