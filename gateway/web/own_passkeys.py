"""One's own passkeys: which there are, one more, one less. For those alone who have just proved who they are."""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode

from aiohttp import web

from gateway.accounts.passkey_proof import PasskeyRefused, check_creation, creation_options, party_of
from gateway.accounts.passkeys import (
    MAX_PASSKEY_NAME,
    MAX_PASSKEYS,
    Passkey,
    add_passkey,
    passkeys_of,
    remove_passkey,
)
from gateway.accounts.sessions import end_all, holds
from gateway.database.contract import Work
from gateway.events import emit
from gateway.web.account_page import ACCOUNT_PATH
from gateway.web.forms import Form, form_of
from gateway.web.passkey import CREDENTIAL, PASSKEY, json_answer, new_challenge, party, take_challenge, words_for
from gateway.web.prove import is_fresh, to_prove
from gateway.web.render import render
from gateway.web.signed_in import SignedIn, page
from gateway.web.site import Site
from gateway.web.words import gettext as _

PASSKEYS_PATH = ACCOUNT_PATH + "/passkeys"

routes = web.RouteTableDef()


@routes.get(PASSKEYS_PATH)
@page()
async def show_passkeys(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """The list, and the form for one more."""
    if not is_fresh(user, site):
        raise to_prove(PASSKEYS_PATH)
    return await _page(request, site, user, Form())


@routes.post(PASSKEYS_PATH + "/options")
@page()
async def offer_creation(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """What a device needs to make a passkey; refused if the form could not be taken, which it says when it is sent."""
    known = await site.database.read(passkeys_of(user.account.id))
    if not is_fresh(user, site) or not _name(form_of(request)) or len(known) >= MAX_PASSKEYS:
        raise web.HTTPConflict
    challenge = new_challenge(request, site, "add")
    return json_answer(creation_options(party(site), user.account, challenge, known))


@routes.post(PASSKEYS_PATH)
@page()
async def add(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """Store what the device has made."""
    if not is_fresh(user, site):
        raise to_prove(PASSKEYS_PATH)
    form = form_of(request)
    name = _name(form)
    if not form.errors:
        try:
            await _add(request, site, user, name, form.raw(CREDENTIAL))
        except PasskeyRefused as refused:
            form.wrong(PASSKEY, _REFUSED[refused.reason]() if refused.reason in _REFUSED else words_for(refused))
    if form.errors:
        return await _page(request, site, user, form, status=400)
    raise web.HTTPSeeOther(PASSKEYS_PATH)


@routes.post(PASSKEYS_PATH + "/remove")
@page()
async def remove(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """Forget one, and sign out all other browsers: the device that held it may be in other hands."""
    if not is_fresh(user, site):
        raise to_prove(PASSKEYS_PATH)
    try:
        credential_id = urlsafe_b64decode(form_of(request).raw("id"))
    except (binascii.Error, ValueError):
        raise web.HTTPNotFound from None

    def work() -> Work[list[str] | None]:
        removed = (yield from holds(user.session)) and (yield from remove_passkey(user.account.id, credential_id))
        return (yield from end_all(user.account.id, but=user.session)) if removed else None

    ended = await site.database.write(work())
    if ended is None:
        raise web.HTTPNotFound
    site.end_sessions(ended)
    emit("session.ended", account=user.id, reason="passkey-removed")
    raise web.HTTPSeeOther(PASSKEYS_PATH)


async def _add(request: web.Request, site: Site, user: SignedIn, name: str, text: str) -> None:
    if len(await site.database.read(passkeys_of(user.account.id))) >= MAX_PASSKEYS:
        raise PasskeyRefused("full")
    if not text:
        raise PasskeyRefused("no-script")
    made = check_creation(party(site), take_challenge(request, site, "add"), text)
    passkey = Passkey(
        credential_id=made.credential_id,
        account_id=user.account.id,
        public_key=made.public_key,
        sign_count=made.sign_count,
        name=name,
        created_at=site.now(),
    )

    def work() -> Work[bool]:  # none is added for somebody who has been signed out meanwhile
        return (yield from holds(user.session)) and (yield from add_passkey(passkey))

    if not await site.database.write(work()):
        raise PasskeyRefused("wrong-passkey")


def _name(form: Form) -> str:
    return form.line("name", max_length=MAX_PASSKEY_NAME, missing=_("Enter a name for the passkey"))


_REFUSED = {
    "full": lambda: _("You have %(number)s passkeys, which is the most. Remove one first.") % {"number": MAX_PASSKEYS},
    "no-script": lambda: _("Passkeys need JavaScript, which is off in this browser."),
    "wrong-passkey": lambda: _("This passkey could not be added. Try again, or use another device."),
}


async def _page(
    request: web.Request, site: Site, user: SignedIn, form: Form, *, status: int = 200
) -> web.StreamResponse:
    known = await site.database.read(passkeys_of(user.account.id))
    return render(
        request,
        "own_passkeys.html",
        status=status,
        form=form,
        passkeys=[(urlsafe_b64encode(each.credential_id).decode(), each) for each in known],
        full=len(known) >= MAX_PASSKEYS,
        possible=party_of(site.web.url, site.agency) is not None,
        most=MAX_PASSKEYS,
    )
