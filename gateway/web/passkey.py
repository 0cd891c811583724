"""Signing in, and proving again who one is, with a passkey (gateway/accounts/passkey_proof.py).

(1) The page's script asks for a challenge, which is kept for this browser alone, once, for five minutes; (2) the device
signs it; (3) the form brings that back: the try is counted, the challenge used up, the signature checked, and the use
noted. Nothing before (3) depends on who somebody is, and every failure but two looks the same.
"""

import secrets

from aiohttp import web

from gateway.accounts.account import Account
from gateway.accounts.passkey_proof import (
    CHALLENGE_BYTES,
    PasskeyRefused,
    RelyingParty,
    check_assertion,
    party_of,
    read_assertion,
    request_options,
)
from gateway.accounts.passkeys import opens, passkey_of_credential, use_passkey
from gateway.accounts.throttle import PER_ADDRESS, PER_LOGIN, Limited, begin_try, forgive_one
from gateway.events import emit
from gateway.web.address import address_of
from gateway.web.csrf import csrf_token, form_secret
from gateway.web.forms import Form, form_of
from gateway.web.paths import own_path
from gateway.web.prove import PROVE_PATH, prove_page, renew
from gateway.web.sign_in import sign_in_page, start_session
from gateway.web.signed_in import SIGN_IN_PATH, USER, SignedIn, open_page, page
from gateway.web.site import Site
from gateway.web.words import N_
from gateway.web.words import gettext as _
from mappings.vocabulary import AuthMethod

CREDENTIAL = "credential"
PASSKEY = "passkey"  # the id of the button, to which messages belong
PASSKEY_PATH = SIGN_IN_PATH + "/passkey"
AGAIN_PATH = PROVE_PATH + "/passkey"

_WORDS = {
    "no-script": N_("Passkeys need JavaScript, which is off in this browser. Use another way to sign in."),
    "too-many": N_("Too many tries. Wait 15 minutes, then try again."),
    "too-late": N_("That took too long. Try again."),
    "copied-passkey": N_(
        "This passkey was refused because there may be a copy of it. Sign in another way, remove it in your account, "
        "and tell whoever looks after accounts at your agency."
    ),
}
_WRONG = N_("This passkey does not open an account here. It may have been removed: sign in another way.")

routes = web.RouteTableDef()


@routes.post(PASSKEY_PATH + "/options")
@open_page
async def offer_challenge(request: web.Request, site: Site) -> web.StreamResponse:
    """A challenge for this browser; the same answer whoever it is."""
    return json_answer(request_options(party(site), new_challenge(request, site, "sign-in")))


@routes.post(PASSKEY_PATH)
@open_page
async def sign_in_with_passkey(request: web.Request, site: Site) -> web.StreamResponse:
    """Check what the device signed, and begin a session."""
    form = form_of(request)
    back = own_path(form.raw("next"))
    # Counted apart from passwords: whoever tries those of others must not keep people from signing in with a passkey.
    of_address = Limited(site.key.name("passkeys", address_of(request, site.web)), PER_ADDRESS)
    try:
        credential_id, account = await _check(request, site, form, "sign-in", of_address)
    except PasskeyRefused as refused:
        return await _refuse(request, site, form, back, refused)
    old = request.get(USER)
    begun = await start_session(
        request,
        site,
        account,
        method=AuthMethod.MFA,
        back=back,
        still=lambda: opens(credential_id, account),
        instead_of=old.session if old else None,
    )
    if begun is None:
        return await _refuse(request, site, form, back, PasskeyRefused("unknown-passkey"))
    raise begun


@routes.post(AGAIN_PATH + "/options")
@page()
async def offer_again(request: web.Request, site: Site, _user: SignedIn) -> web.StreamResponse:
    """A challenge for somebody who is signed in."""
    return json_answer(request_options(party(site), new_challenge(request, site, "again")))


@routes.post(AGAIN_PATH)
@page()
async def prove_with_passkey(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """Go on, if the passkey is one of this account's."""
    form = form_of(request)
    back = own_path(form.raw("next"))
    of_account = Limited(site.key.name("prove", user.id), PER_LOGIN)
    try:
        await _check(request, site, form, "again", of_account, only=user.account)
    except PasskeyRefused as refused:
        form.wrong(PASSKEY, words_for(refused))
        return await prove_page(request, site, user, form, back, status=status_for(refused))
    response = web.HTTPSeeOther(back)
    await renew(response, site, user, method=AuthMethod.MFA)
    raise response


def party(site: Site) -> RelyingParty:
    """These pages as browsers know them; raises HTTPNotFound where they have no name for which passkeys are made."""
    found = party_of(site.web.url, site.agency)
    if found is None:
        raise web.HTTPNotFound
    return found


def new_challenge(request: web.Request, site: Site, purpose: str) -> bytes:
    """A challenge that only this browser can use, once, and only for this purpose."""
    challenge = secrets.token_bytes(CHALLENGE_BYTES)
    site.challenges.begin(_owner(request, site, purpose), challenge)
    return challenge


def take_challenge(request: web.Request, site: Site, purpose: str) -> bytes:
    """Use up what new_challenge() gave; raises PasskeyRefused."""
    challenge = site.challenges.take(_owner(request, site, purpose))
    if challenge is None:
        raise PasskeyRefused("too-late")
    return challenge


def words_for(refused: PasskeyRefused) -> str:
    """What to tell people; also puts the refusal in the log."""
    emit("sign_in.refused", reason=refused.reason)
    return _(_WORDS.get(refused.reason, _WRONG))


def status_for(refused: PasskeyRefused) -> int:
    """The status of a page that says so."""
    return 429 if refused.reason == "too-many" else 401


def json_answer(text: str) -> web.Response:
    """For the page's script."""
    return web.Response(text=text, content_type="application/json")


async def _refuse(
    request: web.Request, site: Site, form: Form, back: str, refused: PasskeyRefused
) -> web.StreamResponse:
    form.wrong(PASSKEY, words_for(refused))
    return await sign_in_page(request, site, form, back, status=status_for(refused))


async def _check(
    request: web.Request, site: Site, form: Form, purpose: str, limit: Limited, *, only: Account | None = None
) -> tuple[bytes, Account]:
    """Which passkey made the form's answer, and whose (`only`: it must be this account's); raises PasskeyRefused."""
    text = form.raw(CREDENTIAL)
    if not text:
        raise PasskeyRefused("no-script")
    tried_at = site.now()
    if not await site.database.write(begin_try((limit,), tried_at)):
        raise PasskeyRefused("too-many")
    challenge = take_challenge(request, site, purpose)
    asserted = read_assertion(text)
    found = await site.database.read(passkey_of_credential(asserted.credential_id))
    if found is None:
        raise PasskeyRefused("unknown-passkey")
    passkey, account = found
    if only is not None and account.id != only.id:
        raise PasskeyRefused("wrong-passkey")
    sign_count = check_assertion(party(site), challenge, asserted, passkey, account)
    if not await site.database.write(use_passkey(passkey.credential_id, sign_count, site.now())):
        raise PasskeyRefused("copied-passkey")
    # Only this try is forgiven: whoever has a passkey gets no more tries at the passwords of others.
    await site.database.write(forgive_one(limit, tried_at))
    return passkey.credential_id, account


def _owner(request: web.Request, site: Site, purpose: str) -> str:
    return f"{purpose} {csrf_token(form_secret(request, site.web))}"
