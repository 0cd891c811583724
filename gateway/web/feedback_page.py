"""Feedback: anybody who is signed in says what they think of a page, and sees what became of it."""

import re
from typing import Final

from aiohttp import web

from gateway.accounts.account import Role
from gateway.accounts.feedback import MAX_TEXT, Feedback, said_by, say, shown_to_all
from gateway.accounts.notices import NEW, Kind, tell_once_more
from gateway.accounts.which_accounts import accounts_with
from gateway.database.contract import Work
from gateway.web.forms import Form, form_of
from gateway.web.managed import GROUPS
from gateway.web.navigation import NAVIGATION
from gateway.web.notice_words import FEEDBACK_STATES
from gateway.web.paths import path_of_referer
from gateway.web.render import render
from gateway.web.signed_in import SignedIn, page
from gateway.web.site import Site
from gateway.web.words import gettext as _

PATH: Final = "/feedback"
ANSWERS: Final = (Role.MANAGER, Role.ADMINISTRATOR)

_WORD: Final = re.compile(r"[a-z]+(?:-[a-z]+)*")
_MOST_PARTS: Final = 6
_LONGEST_WORD: Final = 30

routes = web.RouteTableDef()


@routes.get(PATH)
@page()
async def show_feedback(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """The form, one's own feedback, and what everybody may read."""
    return await _page(request, site, user, Form(), pattern_of(path_of_referer(request, site.web)))


@routes.post(PATH)
@page()
async def send_feedback(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """Keep it, and tell those who answer."""
    form = form_of(request)
    about = pattern_of(form.value("page"))
    text = form.text("text", max_length=MAX_TEXT, missing=_("Enter what you want to tell us"))
    if form.errors:
        return await _page(request, site, user, form, about, status=400)

    def work() -> Work[bool]:
        kept = yield from say(user.account.id, about, text, site.now())
        if kept:
            for account_id in (yield from accounts_with(*ANSWERS)):
                yield from tell_once_more(account_id, Kind.FEEDBACK, [NEW], now=site.now(), alerting=site.alerting)
        return kept

    if not await site.database.write(work()):
        form.wrong("text", _("You have told us a lot today. Go on tomorrow"))
        return await _page(request, site, user, form, about, status=429)
    raise web.HTTPSeeOther(f"{PATH}?sent")


def pattern_of(path: str) -> str:
    """Which page an address is, without the numbers, ids and queries in it: `/clients/…/leave`."""
    parts = path.partition("?")[0].strip("/").split("/")[:_MOST_PARTS]
    return "/" + "/".join(
        part if len(part) <= _LONGEST_WORD and _WORD.fullmatch(part) else "…" for part in parts if part
    )


def page_words(path: str) -> str:
    """Which page somebody spoke of, by its name in the menu and its address."""
    entries = {entry.path: entry.text for entry in NAVIGATION}
    entries |= {each.path: each.text for group in GROUPS for each in group.pages}
    near = max((each for each in entries if f"{path}/".startswith(f"{each}/")), key=len, default="")
    if path == near:
        return _("about “%(page)s”") % {"page": _(entries[near])}
    if not near:
        return _("about Patchwork as a whole") if path == "/" else _("about %(page)s") % {"page": path}
    return _("about “%(page)s”, %(path)s") % {"page": _(entries[near]), "path": path}


async def _page(
    request: web.Request, site: Site, user: SignedIn, form: Form, about: str, *, status: int = 200
) -> web.Response:
    def work() -> Work[tuple[list[Feedback], list[Feedback]]]:
        own = yield from said_by(user.account.id)
        return own, (yield from shown_to_all())

    own, everybody = await site.database.read(work())
    return render(
        request,
        "feedback.html",
        status=status,
        form=form,
        about=about,
        longest=MAX_TEXT,
        own=own,
        everybody=everybody,
        states={state: _(text) for state, text in FEEDBACK_STATES.items()},
        done="sent" in request.query,
        page_words=page_words,
    )
