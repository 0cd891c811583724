"""Counts for the figures, as things happen: work on the table `figure` of web.db. What is shown of them: figures.py.

Nothing here waits for, or is waited for by, an answer: a search is counted when it is over.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from gateway.accounts.account import Role
from gateway.database.contract import Statement, Work
from gateway.days import HOUR_S, day_of
from gateway.node.results import MemberOutcome, MemberResult
from gateway.reports.figures import ANSWERED, CONTACT, PEOPLE, REACHED, SEARCHES, TEAMS

KEPT_DAYS: Final = 3 * 366
# Groups of accounts by what else they may do than ask; three, as every table of figures (reports/figures.py).
ROLES: Final = ("practitioner", "manager", "other")
_SOON_S: Final = 300.0


class Reached(StrEnum):
    """What somebody says of a call or a message."""

    YES = "yes"
    NO = "no"
    NOT_YET = "not-yet"


Weeks = dict[date, dict[str, dict[str, int]]]  # Monday, name, role


def count_search(public_id: str, results: Sequence[MemberResult], now: float) -> Work[None]:
    """One search that is over, by the account that made it; nothing if that is no account."""
    rows = yield Statement("SELECT id FROM account WHERE public_id = ?", (public_id,))
    if not rows:
        return
    ((account_id,),) = rows
    role = yield from _role(account_id)
    today = day_of(now)
    teams = sum(result.outcome is MemberOutcome.TEAMS for result in results)
    answered = sum(result.outcome.answered for result in results)
    how_many = ANSWERED[0] if answered == len(results) else ANSWERED[1] if answered else ANSWERED[2]
    yield from _add(today, role, (SEARCHES, TEAMS[min(teams, 2)], how_many))
    week = monday(today).isoformat()
    first_this_week = yield Statement(
        "INSERT INTO figure_week (account_id, week) VALUES (?, ?) ON CONFLICT (account_id)"
        " DO UPDATE SET week = excluded.week WHERE figure_week.week <> excluded.week RETURNING account_id",
        (account_id, week),
    )
    if first_this_week:
        yield from _add(today, role, (PEOPLE,))


def count_reached(account_id: int, said: Reached, *, search_at: float, clicked_at: float, now: float) -> Work[None]:
    """Somebody said whether a call or message reached anybody, and how long after the search it was made."""
    role = yield from _role(account_id)
    yield from _add(day_of(now), role, _reached(said, clicked_at - search_at))


def uncount_reached(account_id: int, said: Reached, *, search_at: float, clicked_at: float, at: float) -> Work[None]:
    """They said something else before, at `at`."""
    role = yield from _role(account_id)
    yield from _add(day_of(at), role, _reached(said, clicked_at - search_at), by=-1)


def finished_weeks(today: date) -> Work[Weeks]:
    """All counts of the weeks that are over, by Monday; weeks in which nothing was counted are not there."""
    rows = yield Statement(
        "SELECT day, name, role, count FROM figure WHERE day < ? AND count > 0", (monday(today).isoformat(),)
    )
    weeks: Weeks = defaultdict(lambda: defaultdict(lambda: defaultdict(int)))
    for day, name, role, count in rows:
        weeks[monday(date.fromisoformat(day))][name][role] += count
    return weeks


def sweep(now: float) -> Work[None]:
    """Let go of what is older than anybody evaluates."""
    yield Statement("DELETE FROM figure WHERE day < ?", ((day_of(now) - timedelta(days=KEPT_DAYS)).isoformat(),))


def monday(day: date) -> date:
    """The day on which its week began."""
    return day - timedelta(days=day.weekday())


def _reached(said: Reached, after_s: float) -> tuple[str, ...]:
    if said is Reached.NO:
        return (REACHED[1],)
    if said is Reached.NOT_YET:
        return (REACHED[2],)
    return (REACHED[0], CONTACT[0] if after_s <= _SOON_S else CONTACT[1] if after_s <= HOUR_S else CONTACT[2])


def _role(account_id: int) -> Work[str]:
    rows = yield Statement("SELECT role FROM account_role WHERE account_id = ?", (account_id,))
    others = {role for (role,) in rows} - {Role.PRACTITIONER.value}
    return ROLES[0] if not others else ROLES[1] if Role.MANAGER.value in others else ROLES[2]


def _add(day: date, role: str, names: Iterable[str], *, by: int = 1) -> Work[None]:
    yield Statement(
        "INSERT INTO figure (day, name, role, count) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (day, name, role) DO UPDATE SET count = max(0, figure.count + excluded.count)",
        [(day.isoformat(), name, role, by) for name in names],
    )
