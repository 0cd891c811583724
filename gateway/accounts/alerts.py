"""Who wants to be told by email, when, and at which address: work for web.db, and the arithmetic of hours.

An address counts when a link that was sent to it has been opened by the account's owner, and for as long as it is the
account's address. Nothing of what has happened goes into a mail (web/mail_text.py).
"""

import hashlib
import random
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from zoneinfo import ZoneInfo

from gateway.database.contract import Statement, Work
from gateway.days import DAY_S, HOUR_S

LINK_LASTS_S: Final = DAY_S
BETWEEN_MAILS_S: Final = 15 * 60.0
MAX_TRIES: Final = 10  # some five hours
_LONGEST_WAIT_S: Final = HOUR_S
_FIRST_WAIT_S: Final = 60.0


class Mode(StrEnum):
    """When an account wants mails."""

    OFF = "off"
    AT_ONCE = "at-once"
    DAILY = "daily"


class MailKind(StrEnum):
    """What a mail is: that something changed, or the link that confirms an address."""

    ALERT = "alert"
    CONFIRM = "confirm"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alerting:
    """How this node mails: the zone in which hours count, and the longest delay at random, in seconds."""

    zone: ZoneInfo
    delay_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertSetting:
    """What an account chose. Quiet from one hour to another (local), not at all where both are the same."""

    mode: Mode = Mode.OFF
    quiet_from: int = 20
    quiet_to: int = 7
    digest_hour: int = 8
    confirmed_email: str = ""
    mailed_at: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A mail whose time has come; `email` is what the account has now."""

    account_id: int
    kind: MailKind
    tries: int
    email: str
    language: str
    unread: int
    setting: AlertSetting

    @property
    def wanted(self) -> bool:
        """Whether it still is: there is something new, and an address that is known to be theirs."""
        if self.kind is MailKind.CONFIRM:
            return bool(self.email)
        return bool(self.unread and self.email) and (
            self.setting.mode is not Mode.OFF and self.setting.confirmed_email == self.email
        )


def setting_of(account_id: int) -> Work[AlertSetting]:
    """What an account chose, or that it chose nothing yet."""
    rows = yield Statement(
        "SELECT mode, quiet_from, quiet_to, digest_hour, confirmed_email, mailed_at FROM alert_setting "
        "WHERE account_id = ?",
        (account_id,),
    )
    return _setting(rows[0]) if rows else AlertSetting()


def choose(account_id: int, chosen: AlertSetting) -> Work[None]:
    """Keep the mode and the hours; a mail that waits goes by them from the next notice on."""
    yield Statement(
        "INSERT INTO alert_setting (account_id, mode, quiet_from, quiet_to, digest_hour) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT (account_id) DO UPDATE SET mode = excluded.mode, quiet_from = excluded.quiet_from, "
        "quiet_to = excluded.quiet_to, digest_hour = excluded.digest_hour",
        (account_id, chosen.mode.value, chosen.quiet_from, chosen.quiet_to, chosen.digest_hour),
    )
    yield Statement("DELETE FROM mail_due WHERE account_id = ? AND kind = ?", (account_id, MailKind.ALERT.value))


def schedule(account_id: int, now: float, alerting: Alerting) -> Work[None]:
    """Something is new: a mail, when this account wants it, unless one waits already."""
    setting = yield from setting_of(account_id)
    if setting.mode is Mode.OFF or not setting.confirmed_email:
        return
    due_at = next_time(setting, now, alerting, random.random())  # noqa: S311 - so that nobody knows when, nothing more
    yield from _wait(account_id, MailKind.ALERT, due_at)


def ask_to_confirm(account_id: int, now: float) -> Work[bool]:
    """A mail with a link to the account's address; False if it had a mail a moment ago, and must wait."""
    yield Statement("INSERT INTO alert_setting (account_id) VALUES (?) ON CONFLICT DO NOTHING", (account_id,))
    setting = yield from setting_of(account_id)
    waits = yield Statement(
        "SELECT 1 FROM mail_due WHERE account_id = ? AND kind = ?", (account_id, MailKind.CONFIRM.value)
    )
    if waits or now - setting.mailed_at < BETWEEN_MAILS_S:
        return False
    yield from _wait(account_id, MailKind.CONFIRM, now)
    return True


def new_link(account_id: int, email: str, now: float) -> Work[str]:
    """The last part of a new link's address; it ends the one before."""
    secret = secrets.token_urlsafe(32)
    yield Statement(
        "INSERT INTO alert_link (account_id, hash, email, expires_at) VALUES (?, ?, ?, ?) ON CONFLICT (account_id) "
        "DO UPDATE SET hash = excluded.hash, email = excluded.email, expires_at = excluded.expires_at",
        (account_id, _hash(secret), email, now + LINK_LASTS_S),
    )
    return secret


def link_holds(account_id: int, secret: str, email: str, now: float) -> Work[bool]:
    """Whether a link is this account's, has not run out, and went to the address that the account has."""
    rows = yield Statement(
        "SELECT 1 FROM alert_link WHERE account_id = ? AND hash = ? AND email = ? AND expires_at > ?",
        (account_id, _hash(secret), email, now),
    )
    return bool(rows)


def use_link(account_id: int, secret: str, email: str, now: float) -> Work[bool]:
    """Take the address as theirs; False if the link does not hold."""
    if not (yield from link_holds(account_id, secret, email, now)):
        return False
    yield Statement("DELETE FROM alert_link WHERE account_id = ?", (account_id,))
    yield Statement("UPDATE alert_setting SET confirmed_email = ? WHERE account_id = ?", (email, account_id))
    return True


def due(now: float, limit: int) -> Work[list[Due]]:
    """Mails whose time has come, the longest overdue first; none of accounts that are disabled."""
    rows = yield Statement(
        "SELECT m.account_id, m.kind, m.tries, coalesce(a.email, ''), a.language, "
        "(SELECT count(*) FROM notice n WHERE n.account_id = a.id AND n.read_at IS NULL), "
        "s.mode, s.quiet_from, s.quiet_to, s.digest_hour, s.confirmed_email, s.mailed_at "
        "FROM mail_due m JOIN account a ON a.id = m.account_id JOIN alert_setting s ON s.account_id = a.id "
        "WHERE m.due_at <= ? AND a.disabled_at IS NULL ORDER BY m.due_at LIMIT ?",
        (now, limit),
    )
    return [
        Due(
            account_id=account_id,
            kind=MailKind(kind),
            tries=tries,
            email=email,
            language=language,
            unread=unread,
            setting=_setting(setting),
        )
        for account_id, kind, tries, email, language, unread, *setting in rows
    ]


def sent(mail: Due, now: float) -> Work[None]:
    """It is with the mail server."""
    yield from drop(mail)
    yield Statement("UPDATE alert_setting SET mailed_at = ? WHERE account_id = ?", (now, mail.account_id))


def not_sent(mail: Due, now: float) -> Work[None]:
    """Try again later, twice as long each time; given up after MAX_TRIES."""
    if mail.tries + 1 >= MAX_TRIES:
        yield from drop(mail)
        return
    wait = min(_FIRST_WAIT_S * 2**mail.tries, _LONGEST_WAIT_S)
    yield Statement(
        "UPDATE mail_due SET tries = tries + 1, due_at = ? WHERE account_id = ? AND kind = ?",
        (now + wait, mail.account_id, mail.kind.value),
    )


def drop(mail: Due) -> Work[None]:
    """It waits no longer."""
    yield Statement("DELETE FROM mail_due WHERE account_id = ? AND kind = ?", (mail.account_id, mail.kind.value))


def later(mail: Due, at: float) -> Work[None]:
    """It comes at another time."""
    yield Statement(
        "UPDATE mail_due SET due_at = ? WHERE account_id = ? AND kind = ?", (at, mail.account_id, mail.kind.value)
    )


def sweep(now: float) -> Work[None]:
    """Remove links that have run out."""
    yield Statement("DELETE FROM alert_link WHERE expires_at <= ?", (now,))


def next_time(setting: AlertSetting, now: float, alerting: Alerting, chance: float) -> float:
    """When to mail of something that is new at `now`: epoch seconds. `chance` in [0, 1) is the share of the delay."""
    delay = chance * alerting.delay_s
    if setting.mode is Mode.DAILY:
        return _next_hour(now, setting.digest_hour, alerting.zone) + delay
    return after_quiet(setting, max(now + delay, setting.mailed_at + BETWEEN_MAILS_S), alerting)


def after_quiet(setting: AlertSetting, at: float, alerting: Alerting) -> float:
    """The same time, or the end of the quiet hours in which it lies."""
    hour = datetime.fromtimestamp(at, alerting.zone).hour
    start, end = setting.quiet_from, setting.quiet_to
    quiet = start <= hour < end if start <= end else (hour >= start or hour < end)
    return _next_hour(at, end, alerting.zone) if quiet else at


def _next_hour(now: float, hour: int, zone: ZoneInfo) -> float:
    """When the clock next shows this full hour."""
    local = datetime.fromtimestamp(now, zone)
    at = local.replace(hour=hour, minute=0, second=0, microsecond=0)
    if at <= local:
        at += timedelta(days=1)
    return at.timestamp()


def _wait(account_id: int, kind: MailKind, due_at: float) -> Work[None]:
    yield Statement(
        "INSERT INTO mail_due (account_id, kind, due_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        (account_id, kind.value, due_at),
    )


def _setting(row: Sequence[Any]) -> AlertSetting:
    mode, quiet_from, quiet_to, digest_hour, confirmed_email, mailed_at = row
    return AlertSetting(
        mode=Mode(mode),
        quiet_from=quiet_from,
        quiet_to=quiet_to,
        digest_hour=digest_hour,
        confirmed_email=confirmed_email,
        mailed_at=mailed_at,
    )


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
