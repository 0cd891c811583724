"""Breaking the glass: (1) who, why, and in words; (2) who asks has just proved who they are; (3) what will follow, and
a button that says so. It is a purpose of its own, on record with its words, and every agency concerned looks into it.
"""

from typing import Final

from aiohttp import web

from gateway.accounts.account import Role
from gateway.node.question import BreakGlass
from gateway.web.asking import ask_or_say, offered, question_of
from gateway.web.forms import Form, form_of
from gateway.web.prove import is_fresh, to_prove
from gateway.web.reasons import BASES, TOLD, Reason
from gateway.web.render import render
from gateway.web.search import AGAIN
from gateway.web.signed_in import SignedIn, page
from gateway.web.site import Site
from gateway.web.subject_form import fill, subject_of
from gateway.web.words import N_
from gateway.web.words import gettext as _
from mappings.vocabulary import BreakGlassReason, Purpose

PATH = "/break-glass"
MAX_WORDS: Final = 1_000
DANGER, BASIS, WORDS, CONFIRM = "danger", "basis", "words", "confirm"
DRAFT = "draft"  # what this session has written, to be changed

DANGERS: Final = {
    BreakGlassReason.RISK_TO_LIFE: N_("Somebody's life is at risk"),
    BreakGlassReason.IMMEDIATE_DANGER: N_("Somebody is in immediate danger"),
    BreakGlassReason.CHILD_AT_RISK: N_("A child is at risk of serious harm"),
    BreakGlassReason.ADULT_AT_RISK: N_("An adult who cannot protect themselves is at risk of serious harm"),
    BreakGlassReason.MISSING_PERSON: N_("Somebody is missing"),
}

routes = web.RouteTableDef()


@routes.get(PATH)
@page(Role.PRACTITIONER)
async def show_form(request: web.Request, site: Site, user: SignedIn) -> web.Response:
    """(1) Nothing is preselected but who, where an earlier search says so, and what one has just written oneself."""
    reasons = await offered(site, user, Purpose.BREAK_GLASS)
    earlier = site.searches.get(request.query.get(AGAIN, ""), user.session.public_id)
    written = site.drafts.get(request.query.get(DRAFT, ""), user.session.public_id)
    form = Form() if earlier is None else fill(earlier.question.subject)
    if written is not None:
        why = {DANGER: [written.broken.reason.value], BASIS: [written.reason.value], WORDS: [written.broken.words]}
        form = Form(fields={**fill(written.subject).fields, **why})
    return _form_page(request, form, reasons)


@routes.post(PATH)
@page(Role.PRACTITIONER)
async def write_down(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """(1) Keep what was written, and go on to what will follow."""
    form = form_of(request)
    reasons = await offered(site, user, Purpose.BREAK_GLASS)
    if reasons is None:
        return _form_page(request, form, reasons)
    subject = subject_of(form, site.today())
    danger = form.choice(DANGER, list(BreakGlassReason), missing=_("Select what the emergency is"))
    value = next(iter(reasons)) if len(reasons) == 1 else form.choice(BASIS, reasons, missing=_("Select your basis"))
    words = form.text(WORDS, max_length=MAX_WORDS, missing=_("Say in your own words why this cannot wait"))
    if subject is None or form.errors or not value:
        return _form_page(request, form, reasons, status=400)
    broken = BreakGlass(reason=BreakGlassReason(danger), words=words)
    draft = site.drafts.keep(subject, reasons[value], broken, owner=user.session.public_id)
    raise web.HTTPSeeOther(f"{PATH}/{draft.id}")


@routes.get(PATH + "/{id}")
@page(Role.PRACTITIONER)
async def show_consequences(request: web.Request, site: Site, user: SignedIn) -> web.Response:
    """(2) and (3)"""
    return await _consequences(request, site, user, Form())


@routes.post(PATH + "/{id}")
@page(Role.PRACTITIONER)
async def break_it(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """(3) Ask, once for each draft. The sign-in is looked at again: the page may have stood open for long."""
    form = form_of(request)
    draft = site.drafts.get(request.match_info["id"], user.session.public_id)
    if draft is None or not is_fresh(user, site):
        return await _consequences(request, site, user, form)
    if draft.reason.value not in (await offered(site, user, Purpose.BREAK_GLASS) or ()):
        form.wrong(CONFIRM, _("Nobody can be asked by breaking the glass at the moment: phone the agencies"))
        return await _consequences(request, site, user, form)
    question = question_of(site, user, draft.subject, draft.reason, draft.broken)
    started = await ask_or_say(site, user, question, form, CONFIRM, draft=draft.id)
    if started is None:
        return await _consequences(request, site, user, form)
    site.drafts.forget(user.session.public_id)
    raise web.HTTPSeeOther(f"/searches/{started.id}")


def _form_page(request: web.Request, form: Form, reasons: dict[str, Reason] | None, status: int = 200) -> web.Response:
    if reasons is None:
        return render(request, "search_closed.html", status=503)
    return render(
        request,
        "break_glass.html",
        status=status,
        form=form,
        reasons=list(reasons.values()),
        bases=BASES,
        dangers=DANGERS,
        max_words=MAX_WORDS,
    )


async def _consequences(request: web.Request, site: Site, user: SignedIn, form: Form) -> web.Response:
    draft_id, owner = request.match_info["id"], user.session.public_id
    draft, asked = site.drafts.get(draft_id, owner), site.searches.of_draft(draft_id, owner)
    if asked is not None and asked.asked is not None:
        raise web.HTTPSeeOther(f"/searches/{asked.id}")
    if draft is None:
        raise web.HTTPSeeOther(PATH)
    if not is_fresh(user, site):
        raise to_prove(request.path)
    danger = _(DANGERS[draft.broken.reason])
    everyday = await offered(site, user) or {}
    others = site.other_members()
    return render(
        request,
        "break_glass_confirm.html",
        status=400 if form.errors else 200,
        form=form,
        draft=draft,
        danger=danger,
        asked=[each.name for each in others if each.id in draft.reason.members],
        not_asked=[each.name for each in others if each.id not in draft.reason.members],
        most=TOLD.get(draft.reason.most, ""),
        tells_less=any(reason.most > draft.reason.most for reason in everyday.values()),
    )
