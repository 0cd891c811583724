"""Sends the mails that wait, one after another; whatever cannot be sent is tried again later.

A mail is struck off after the server has taken it: if the node stops in between, it is sent a second time. Mails say
nothing, so that is the lesser harm.
"""

import asyncio
import logging
from typing import Final

from gateway.accounts import alerts
from gateway.accounts.alerts import BETWEEN_MAILS_S, Due, MailKind, after_quiet, due
from gateway.accounts.alerts import Mode as AlertMode
from gateway.accounts.mail import MailRefused, compose, send
from gateway.errors import ConfigurationError, StorageError, logged
from gateway.events import emit
from gateway.settings import MailTable
from gateway.web.mail_text import mail_text
from gateway.web.site import Site

LOOK_EVERY_S: Final = 20.0
AT_ONCE: Final = 50  # mails of one round


async def keep_mailing(site: Site) -> None:
    """Send what is due, for ever; returns at once where no mail server is configured."""
    while site.web.mail is not None:
        try:
            await send_due(site)
        except StorageError as error:
            emit("mail.failed", level=logging.WARNING, kind="", **logged(error))
        await asyncio.sleep(LOOK_EVERY_S)


async def send_due(site: Site) -> None:
    """One round; it ends early when the server takes no mail at all."""
    table = site.web.mail
    if table is None:
        return
    for mail in await site.database.read(due(site.now(), AT_ONCE)):
        now = site.now()
        if not mail.wanted:
            await site.database.write(alerts.drop(mail))
        elif (at := _not_before(mail, site, now)) > now:
            await site.database.write(alerts.later(mail, at))
        elif not await _send(site, table, mail):
            return


def _not_before(mail: Due, site: Site, now: float) -> float:
    """When this mail may leave at the soonest: it may have waited into quiet hours, or for a server that was down."""
    if mail.kind is MailKind.CONFIRM or site.alerting is None:
        return now
    at = max(now, mail.setting.mailed_at + BETWEEN_MAILS_S)
    return after_quiet(mail.setting, at, site.alerting) if mail.setting.mode is AlertMode.AT_ONCE else at


async def _send(site: Site, table: MailTable, mail: Due) -> bool:
    """False if there is no use in trying the next one now."""
    secret = ""
    if mail.kind is MailKind.CONFIRM:
        secret = await site.database.write(alerts.new_link(mail.account_id, mail.email, site.now()))
    spoken = mail.language or site.web.languages[0]
    subject, text = mail_text(mail.kind, url=site.web.url, secret=secret, spoken=spoken)
    try:
        message = compose(table, mail.email, subject, text, site.now())
        await asyncio.to_thread(send, table, message)
    except (MailRefused, ConfigurationError) as error:
        code = error.code if isinstance(error, MailRefused) else "configuration"
        emit("mail.failed", level=logging.WARNING, kind=mail.kind.value, code=code)
        await site.database.write(alerts.not_sent(mail, site.now()))
        return isinstance(error, MailRefused) and not error.at_all
    emit("mail.sent", kind=mail.kind.value)
    await site.database.write(alerts.sent(mail, site.now()))
    return True
