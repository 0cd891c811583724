"""Hands one mail to the configured server. Blocking: for a thread (web/mailing.py).

TLS is checked against the system's certificates and `ca_file`, with the server's name; without it nothing is sent, not
even the user's name. Each step ends within TIMEOUT_S.
"""

import contextlib
import smtplib
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid
from typing import Final

from gateway.errors import ConfigurationError
from gateway.settings.mail import MailTable, is_address

TIMEOUT_S: Final = 10.0
_MAX_PASSWORD: Final = 1_000


class MailRefused(Exception):
    """It could not be sent. `code` says why in one word; `at_all`: no other mail could have been sent either."""

    def __init__(self, code: str, *, at_all: bool) -> None:
        super().__init__(code)
        self.code = code
        self.at_all = at_all


def compose(table: MailTable, to: str, subject: str, text: str, now: float) -> EmailMessage:
    """A plain mail; raises MailRefused unless `to` is one address, which no header can be made of."""
    if not is_address(to):
        raise MailRefused("address", at_all=False)
    message = EmailMessage(policy=SMTP)
    message["From"] = table.sender
    message["To"] = to
    message["Subject"] = subject
    message["Date"] = format_datetime(datetime.fromtimestamp(int(now), UTC))
    message["Message-ID"] = make_msgid(domain=table.sender.rpartition("@")[2])
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers
    message.set_content(text)
    return message


def send(table: MailTable, message: EmailMessage) -> None:
    """Returns when the server has taken it; raises MailRefused."""
    try:
        with _connection(table) as server:
            server.send_message(message)
    except smtplib.SMTPRecipientsRefused:
        raise MailRefused("recipient", at_all=False) from None
    except smtplib.SMTPAuthenticationError:
        raise MailRefused("sign-in", at_all=True) from None
    except smtplib.SMTPException:
        raise MailRefused("refused", at_all=True) from None
    except ssl.SSLCertVerificationError:
        raise MailRefused("certificate", at_all=True) from None
    except ssl.SSLError:
        raise MailRefused("tls", at_all=True) from None
    except OSError:
        raise MailRefused("unreachable", at_all=True) from None


def trusted(table: MailTable) -> ssl.SSLContext:
    """Whose certificates are believed; raises ConfigurationError if `ca_file` cannot be read."""
    context = ssl.create_default_context()
    if table.ca_file is not None:
        try:
            context.load_verify_locations(table.ca_file)
        except (OSError, ssl.SSLError) as error:
            raise ConfigurationError(f"{table.ca_file}: no certificates could be read from it") from error
    return context


def password_of(table: MailTable) -> str:
    """The mail server's password for us; raises ConfigurationError naming the file."""
    if table.password_file is None:
        return ""
    try:
        text = table.password_file.read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{table.password_file}: cannot be read") from error
    if not 0 < len(text) <= _MAX_PASSWORD:
        raise ConfigurationError(f"{table.password_file}: must hold one password")
    return text


@contextlib.contextmanager
def _connection(table: MailTable) -> Iterator[smtplib.SMTP]:
    if table.security == "tls":
        server: smtplib.SMTP = smtplib.SMTP_SSL(table.host, table.port, timeout=TIMEOUT_S, context=trusted(table))
    else:
        server = smtplib.SMTP(table.host, table.port, timeout=TIMEOUT_S)
    try:
        if table.security == "starttls":
            server.starttls(context=trusted(table))  # raises if the server does not offer it
        if table.user is not None:
            server.login(table.user, password_of(table))
        yield server
        with contextlib.suppress(smtplib.SMTPException, OSError):  # it has taken the mail already
            server.quit()
    finally:
        server.close()
