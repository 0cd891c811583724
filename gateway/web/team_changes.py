"""Tells people when a team around one of their clients has changed, and asks whether they still work with somebody.

Every few minutes what each practitioner would see of the others around their clients is compared with what it was,
whatever changed it: a page, an import, a consent. So nobody is told of an involvement that they could not see, and when
a notice comes says little about when something happened. Of a client who is new to somebody nothing is told.
"""

import asyncio
import logging
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Final

from gateway.accounts.account import Role
from gateway.accounts.notices import Kind, Notice, forget, notices_of, tell, tell_once_more, told_since
from gateway.accounts.store import account_by_id
from gateway.accounts.team_watched import watch, watched
from gateway.accounts.which_accounts import accounts_with
from gateway.database.contract import Work
from gateway.days import DAY_S
from gateway.errors import StorageError, logged
from gateway.events import emit
from gateway.node.local_view import LocalTeam
from gateway.node.my_clients import Changed, changed, clients_of, remembered
from gateway.web.my_clients import MAX_QUESTIONS, is_long_ago
from gateway.web.site import Site
from gateway.web.told import seen_by

LOOK_EVERY_S: Final = 300.0
ASK_AGAIN_S: Final = 30 * DAY_S


@dataclass(frozen=True, slots=True, kw_only=True)
class _Compared:
    """What is new for one account: baselines to keep and to drop, codes to tell and whom to ask about, by person id."""

    keep: dict[int, bytes] = field(default_factory=dict)
    drop: list[int] = field(default_factory=list)
    changes: dict[int, list[str]] = field(default_factory=dict)
    ask: list[int] = field(default_factory=list)
    answered: list[int] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.keep or self.drop or self.changes or self.ask or self.answered)


async def keep_noticing(site: Site) -> None:
    """Compare, for ever."""
    while True:
        try:
            await notice_changes(site)
        except StorageError as error:
            emit("notices.failed", level=logging.WARNING, **logged(error))
        await asyncio.sleep(LOOK_EVERY_S)


async def notice_changes(site: Site) -> None:
    """Compare once, account by account, so that no page waits for all of them."""
    for account_id in await site.database.read(accounts_with(Role.PRACTITIONER)):
        found = await site.database.read(_compare(site, account_id))
        if found:
            await site.database.write(_tell(site, account_id, found))


def _compare(site: Site, account_id: int) -> Work[_Compared]:
    account = yield from account_by_id(account_id)
    if account is None:
        return _Compared()
    view = yield from seen_by(site, account)
    if not view.need.agreement_uri or not (view.user.practitioner_ids or view.user.service_ids):
        return _Compared()  # without an agreement nobody is seen, and that is no change
    before = yield from watched(account_id)
    ask_before = (site.today() - timedelta(days=site.web.confirm_after_days)).isoformat()
    asked = [each for each in (yield from notices_of(account_id)) if each.kind is Kind.CONFIRM and not each.read]
    room = MAX_QUESTIONS - len(asked)
    found = _Compared()
    current: set[int] = set()
    long_ago: set[int] = set()
    for mine in (yield from clients_of(view)):
        person_id = mine.client.person_id
        current.add(person_id)
        others = _others(mine.team)
        seen = remembered(others)
        if before.get(person_id) != seen:
            found.keep[person_id] = seen
            if person_id in before and (what := _codes(changed(before[person_id], others))):
                found.changes[person_id] = what
        if is_long_ago(mine, ask_before):
            long_ago.add(person_id)
            if len(found.ask) < room and not (
                yield from told_since(account_id, Kind.CONFIRM, person_id, site.now() - ASK_AGAIN_S)
            ):
                found.ask.append(person_id)
    found.drop.extend(before.keys() - current)
    found.answered.extend(_ids(asked, long_ago))
    return found


def _tell(site: Site, account_id: int, found: _Compared) -> Work[None]:
    now, alerting = site.now(), site.alerting
    yield from watch(account_id, found.keep, no_more=found.drop)
    yield from forget(found.answered)
    for person_id, what in found.changes.items():
        yield from tell_once_more(account_id, Kind.CHANGED, what, now=now, alerting=alerting, person_id=person_id)
    for person_id in found.ask:
        yield from tell(account_id, Kind.CONFIRM, "", now=now, alerting=alerting, person_id=person_id)


def _others(team: LocalTeam) -> LocalTeam:
    """What counts as a change: who else is there and how to reach them, not when they last said so."""
    return replace(team, mine=(), others=tuple(replace(each, last_confirmed=None) for each in team.others))


def _codes(what: Changed) -> list[str]:
    counted = {"joined": what.joined, "left": what.left, "details": what.details}
    return [code for code, number in counted.items() if number]


def _ids(asked: list[Notice], long_ago: set[int]) -> list[int]:
    """The questions that need no answer any more."""
    return [each.id for each in asked if each.person_id not in long_ago]
