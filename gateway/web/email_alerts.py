"""Being told by email that something changed: when, and proving that the address is one's own."""

from typing import Final

from aiohttp import web

from gateway.accounts.alerts import AlertSetting, Mode, ask_to_confirm, choose, link_holds, setting_of, use_link
from gateway.settings.mail import is_address
from gateway.web.forms import Form, form_of
from gateway.web.mail_text import ALERTS_PATH, CONFIRM_PATH
from gateway.web.render import render
from gateway.web.signed_in import SignedIn, page
from gateway.web.site import Site
from gateway.web.words import gettext as _

_CONFIRM: Final = CONFIRM_PATH + "/{secret:[A-Za-z0-9_-]{43}}"
_HOURS: Final = tuple(str(hour) for hour in range(24))

routes = web.RouteTableDef()


@routes.get(ALERTS_PATH)
@page()
async def show_alerts(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """What is chosen now."""
    setting = await site.database.read(setting_of(user.account.id))
    fields = {
        "mode": setting.mode.value,
        "quiet-from": str(setting.quiet_from),
        "quiet-to": str(setting.quiet_to),
        "digest": str(setting.digest_hour),
    }
    return _page(request, site, user, Form(fields={name: [text] for name, text in fields.items()}), setting)


@routes.post(ALERTS_PATH)
@page()
async def save_alerts(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """Mails come like this from the next notice on."""
    form = form_of(request)
    mode = form.choice("mode", list(Mode), missing=_("Select when you want emails"))
    hours = [form.choice(name, _HOURS, missing=_("Select an hour")) for name in ("quiet-from", "quiet-to", "digest")]
    if form.errors:
        return _page(request, site, user, form, await site.database.read(setting_of(user.account.id)), status=400)
    quiet_from, quiet_to, digest = map(int, hours)
    chosen = AlertSetting(mode=Mode(mode), quiet_from=quiet_from, quiet_to=quiet_to, digest_hour=digest)
    await site.database.write(choose(user.account.id, chosen))
    raise web.HTTPSeeOther(f"{ALERTS_PATH}?saved")


@routes.post(CONFIRM_PATH)
@page()
async def send_link(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """A link to the account's own address; nobody can have mails sent to another."""
    if site.web.mail is None or not is_address(user.account.email or ""):
        raise web.HTTPBadRequest
    sent = await site.database.write(ask_to_confirm(user.account.id, site.now()))
    raise web.HTTPSeeOther(f"{ALERTS_PATH}?{'link' if sent else 'wait'}")


@routes.get(_CONFIRM)
@page()
async def show_link(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """One more tap, so that a mail filter that opens links confirms nothing."""
    secret, email = request.match_info["secret"], user.account.email or ""
    if not await site.database.read(link_holds(user.account.id, secret, email, site.now())):
        return render(request, "alerts_link_gone.html", status=404)
    return render(request, "alerts_confirm.html", email=email, secret=secret, confirm_path=CONFIRM_PATH)


@routes.post(_CONFIRM)
@page()
async def use(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """From now on mails go there, if any are wanted."""
    secret, email = request.match_info["secret"], user.account.email or ""
    if not await site.database.write(use_link(user.account.id, secret, email, site.now())):
        return render(request, "alerts_link_gone.html", status=404)
    raise web.HTTPSeeOther(f"{ALERTS_PATH}?confirmed")


def _page(
    request: web.Request, site: Site, user: SignedIn, form: Form, setting: AlertSetting, *, status: int = 200
) -> web.Response:
    email = user.account.email or ""
    return render(
        request,
        "alerts.html",
        status=status,
        form=form,
        mails=site.web.mail is not None,
        email=email if is_address(email) else "",
        confirmed=bool(email) and setting.confirmed_email == email,
        said=next((each for each in ("saved", "link", "wait", "confirmed") if each in request.query), ""),
        hours=[(hour, f"{int(hour):02}:00") for hour in _HOURS],
    )
