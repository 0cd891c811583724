"""How accounts are told of something, and how somebody else than the asker sees a client."""

from collections.abc import Iterable
from dataclasses import dataclass

from consent_ledger.case import CaseId, Mark
from gateway.accounts.account import Account, Role
from gateway.accounts.invitations import State, expire
from gateway.accounts.notices import Kind, mark_about, tell
from gateway.accounts.which_accounts import accounts_of, accounts_with, as_local_user
from gateway.database.contract import Work
from gateway.node.case_watch import Tell
from gateway.node.local_view import View, my_record, own_clients, own_team, view_of
from gateway.web.looking import Opened, agreements_now
from gateway.web.signed_in import SignedIn
from gateway.web.site import Site


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """Somebody around a client who sees the sender there; `person_id` is the row at which their own work stands."""

    account: Account
    person_id: int


def seen_by(site: Site, account: Account) -> Work[View]:
    """What binds this agency towards somebody who is not asking now."""
    local = yield from as_local_user(account)
    return (yield from view_of(local, agreements=agreements_now(site), today=site.today()))


def recipients(site: Site, user: SignedIn, opened: Opened) -> Work[list[Recipient]]:
    """Whom the user can tell something about this client: they see each other's work there by name.

    Somebody who must not learn that the user works with the client is told nothing, or the notice would tell them.
    """
    person_id = opened.client.person_id
    same_person = (yield from own_clients(opened.view, person_id=person_id)).get(person_id)
    if same_person is None:
        return []
    found = []
    for account in (yield from accounts_of(each for each in opened.team.workers if each is not None)):
        if account.id == user.account.id:
            continue
        view = yield from seen_by(site, account)
        row_id = yield from my_record(same_person, view)
        if row_id is None:
            continue
        team = yield from own_team(row_id, same_person, view)
        if user.local.practitioner_ids.intersection(each for each in team.workers if each is not None):
            found.append(Recipient(account=account, person_id=row_id))
    return found


def tell_all(site: Site, account_ids: Iterable[int], kind: Kind, code: str, *, item: str = "") -> Work[None]:
    """Tell several accounts the same."""
    for account_id in account_ids:
        yield from tell(account_id, kind, code, now=site.now(), alerting=site.alerting, item=item)


def case_teller(site: Site) -> Tell:
    """Tells managers and governance officers of a new or overdue case (gateway/node/case_watch.py)."""

    async def told(case: CaseId, mark: Mark) -> None:
        def work() -> Work[None]:
            officers = yield from accounts_with(Role.MANAGER, Role.GOVERNANCE)
            yield from tell_all(site, officers, Kind.CASE, f"{mark.value} {case.kind.value}", item=str(case))

        await site.database.write(work())

    return told


def end_invitations(site: Site) -> Work[None]:
    """Those that nobody answered have run out, and who sent them is told."""
    now = site.now()
    for each in (yield from expire(now)):
        if each.to_account is not None:
            yield from mark_about(each.to_account, each.public_id, now)
        yield from tell(
            each.from_account,
            Kind.INVITATION,
            State.EXPIRED.value,
            now=now,
            alerting=site.alerting,
            person_id=each.person_id,
            item=each.public_id,
        )
