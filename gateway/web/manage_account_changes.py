"""What was done to accounts, by whom and when, in words; for administrators and auditors."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from gateway.accounts.account import Role
from gateway.accounts.changes import BY_COMMAND, BY_DIRECTORY, Change, What, changes
from gateway.accounts.personas import BY as BY_DEMO
from gateway.web.forms import number_in
from gateway.web.manage_accounts import ACCOUNTS_PATH
from gateway.web.render import render
from gateway.web.signed_in import SignedIn, page
from gateway.web.site import Site
from gateway.web.words import N_, role_title
from gateway.web.words import gettext as _

CHANGES_PATH: Final = ACCOUNTS_PATH + "/changes"

_EACH: Final = 50

_WORDS: Final = {
    What.CREATED: N_("Account made"),
    What.DETAILS: N_("Details changed"),
    What.ROLE_GIVEN: N_("Role given"),
    What.ROLE_TAKEN: N_("Role taken away"),
    What.DISABLED: N_("Disabled"),
    What.ENABLED: N_("Enabled again"),
    What.LINK_MADE: N_("Set-up link made"),
    What.FACTOR_RESET: N_("Codes from an app turned off"),
    What.SIGNED_OUT: N_("Signed out everywhere"),
    What.WORKER_LINKED: N_("Linked to a practitioner, and so to their clients"),
    What.WORKER_UNLINKED: N_("No longer linked to a practitioner"),
    What.SERVICE_LINKED: N_("Linked to a service, and so to its clients"),
    What.SERVICE_UNLINKED: N_("No longer linked to a service"),
}
_BY: Final = {BY_COMMAND: N_("the command line"), BY_DIRECTORY: N_("the directory"), BY_DEMO: N_("the demonstration")}
_FIELDS: Final = {
    "name": N_("name"),
    "job_role": N_("job role"),
    "email": N_("email address"),
    "phone": N_("phone number"),
}

routes = web.RouteTableDef()


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeLine:
    """A change as it is read; `own` marks what somebody did to their own account."""

    account: str
    account_name: str
    by_name: str
    what: str
    detail: str
    own: bool
    at: float


def change_lines(found: Iterable[Change]) -> list[ChangeLine]:
    """In the language of this request."""
    return [
        ChangeLine(
            account=each.account,
            account_name=each.account_name,
            by_name=who_did(each.by, each.by_name),
            what=_(_WORDS[each.what]),
            detail=_detail(each),
            own=each.own,
            at=each.at,
        )
        for each in found
    ]


def who_did(by: str, by_name: str) -> str:
    """Who made a change, by the name that the account has now."""
    return _(_BY[by]) if by in _BY else by_name or by


@routes.get(CHANGES_PATH)
@page(Role.ADMINISTRATOR, Role.AUDITOR)
async def show_changes(request: web.Request, site: Site, user: SignedIn) -> web.StreamResponse:
    """All of them, the newest first, some on each page."""
    before = number_in(request.query, "before") or 0
    found = await site.database.read(changes(before=before, limit=_EACH + 1))
    return render(
        request,
        "manage_account_changes.html",
        lines=change_lines(found[:_EACH]),
        older=found[_EACH - 1].id if len(found) > _EACH else None,
        may_open=user.has(Role.ADMINISTRATOR),
    )


def _detail(change: Change) -> str:
    if change.what in {What.ROLE_GIVEN, What.ROLE_TAKEN}:
        return role_title(Role(change.detail))
    if change.what is What.DETAILS:
        return ", ".join(_(_FIELDS[each]) for each in change.detail.split(", "))
    return change.detail
