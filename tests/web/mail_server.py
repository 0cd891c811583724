"""A mail server on this machine with a certificate of its own authority, and what it was sent."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from functools import partial
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

USER, PASSWORD = b"patchwork", b"opensesame"


@dataclass(slots=True)
class MailServer:
    """What it took, as (recipients, message), and where it listens. `refuse` is what it says to a recipient instead."""

    port: int = 0
    refuse: str = ""
    taken: list[tuple[list[str], EmailMessage]] = field(default_factory=list)

    async def handle_RCPT(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if self.refuse:
            return self.refuse
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        self.taken.append((list(envelope.rcpt_tos), message_from_bytes(envelope.content, EmailMessage, policy=default)))
        return "250 OK"

    @asynccontextmanager
    async def listening(self, certificate: tuple[Path, Path], *, security: str = "starttls") -> AsyncIterator[None]:
        """It is up, on the port that it had before if it was up before."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        options: dict[str, Any] = {}
        if security == "starttls":
            options = {"tls_context": context, "require_starttls": True, "auth_required": True}
        protocol = partial(SMTP, self, authenticator=_check, hostname="localhost", **options)
        loop = asyncio.get_running_loop()
        tls = context if security == "tls" else None
        server = await loop.create_server(protocol, "127.0.0.1", self.port, ssl=tls)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield
        finally:
            server.close()
            await server.wait_closed()


def _check(_server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: Any) -> AuthResult:
    right = isinstance(data, LoginPassword) and (data.login, data.password) == (USER, PASSWORD)
    return AuthResult(success=right, handled=right)  # else the server itself says no
