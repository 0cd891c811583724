"""What people said of the pages, and saying what becomes of it."""

from typing import Final

from aiohttp import web

from gateway.accounts.feedback import MAX_ANSWER, Feedback, State, answer, everything, one
from gateway.accounts.notices import Kind, tell
from gateway.database.contract import Work
from gateway.web.feedback_page import ANSWERS, page_words
from gateway.web.forms import Form, form_of
from gateway.web.notice_words import FEEDBACK_STATES
from gateway.web.render import render
from gateway.web.signed_in import SignedIn, page
from gateway.web.site import Site
from gateway.web.words import gettext as _

PATH: Final = "/manage/feedback"

_ANSWERED: Final = tuple(state for state in State if state is not State.RECEIVED)

routes = web.RouteTableDef()


@routes.get(PATH)
@page(*ANSWERS)
async def show_all(request: web.Request, site: Site, _user: SignedIn) -> web.StreamResponse:
    """The newest first; nobody's name is with it."""
    return await _page(request, site)


@routes.get(PATH + "/{id:[0-9a-f]{32}}")
@page(*ANSWERS)
async def show_one(request: web.Request, site: Site, _user: SignedIn) -> web.StreamResponse:
    """One, to be answered."""
    return _answer_page(request, await _one(request, site), Form())


@routes.post(PATH + "/{id:[0-9a-f]{32}}")
@page(*ANSWERS)
async def answer_one(request: web.Request, site: Site, _user: SignedIn) -> web.StreamResponse:
    """Whoever said it is told what becomes of it."""
    found = await _one(request, site)
    form = form_of(request)
    state = form.choice("state", _ANSWERED, missing=_("Select what becomes of it"))
    refused = state == State.NOT_PLANNED
    text = form.text("answer", max_length=MAX_ANSWER, missing=_("Enter why it is not planned") if refused else "")
    if form.errors:
        return _answer_page(request, found, form, status=400)

    def work() -> Work[None]:
        shown = form.ticked("shown")
        said = yield from answer(found.public_id, State(state), text, shown=shown, now=site.now())
        if said is not None and said.account_id is not None:
            yield from tell(said.account_id, Kind.FEEDBACK, state, now=site.now(), alerting=site.alerting)

    await site.database.write(work())
    raise web.HTTPSeeOther(PATH)


async def _one(request: web.Request, site: Site) -> Feedback:
    found = await site.database.read(one(request.match_info["id"]))
    if found is None:
        raise web.HTTPNotFound
    return found


async def _page(request: web.Request, site: Site) -> web.Response:
    states = {state: _(text) for state, text in FEEDBACK_STATES.items()}
    said = await site.database.read(everything())
    return render(request, "manage_feedback.html", said=said, states=states, page_words=page_words)


def _answer_page(request: web.Request, found: Feedback, form: Form, *, status: int = 200) -> web.Response:
    known = {"state": [found.state.value], "answer": [found.answer]} | ({"shown": ["yes"]} if found.shown else {})
    return render(
        request,
        "manage_feedback_answer.html",
        status=status,
        form=form if form.fields else Form(fields=known),
        said=found,
        longest=MAX_ANSWER,
        page_words=page_words,
        states={state.value: _(FEEDBACK_STATES[state]) for state in _ANSWERED},
    )
