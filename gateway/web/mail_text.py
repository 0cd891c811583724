"""What a mail says: that something changed and where to look. Never what, about whom, or who sent it."""

from gateway.accounts.alerts import MailKind
from gateway.web.words import ENGLISH, LANGUAGE_NAMES, language
from gateway.web.words import gettext as _

NOTICES_PATH = "/notices"
ALERTS_PATH = "/me/alerts"
CONFIRM_PATH = f"{ALERTS_PATH}/confirm"


def mail_text(kind: MailKind, *, url: str, secret: str, spoken: str) -> tuple[str, str]:
    """Subject and text in an account's language; `secret` is that of the link that confirms an address."""
    token = language.set(spoken if spoken in LANGUAGE_NAMES else ENGLISH)
    try:
        if kind is MailKind.CONFIRM:
            lines = [
                _("Somebody who is signed in to Patchwork wants to be told at this address when something changes."),
                _("If it was you, open this link within 24 hours:"),
                f"{url}{CONFIRM_PATH}/{secret}",
                _("If it was not you, there is nothing to do: no more mails will come."),
            ]
            return _("Patchwork: confirm your email address"), "\n\n".join(lines) + "\n"
        lines = [
            _("Something changed in Patchwork. Sign in to see what:"),
            f"{url}{NOTICES_PATH}",
            _("When you get mails like this one, or that you get none, is up to you:"),
            f"{url}{ALERTS_PATH}",
        ]
        return _("Patchwork: something changed"), "\n\n".join(lines) + "\n"
    finally:
        language.reset(token)
