"""The certificate that others meet at a member's endpoint, whoever serves it: this node or a proxy before it."""

import asyncio
import ssl
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from gateway.doctor.expiry import Ending, findings_of
from gateway.doctor.finding import Finding, soon, well, wrong
from gateway.errors import ConfigurationError
from gateway.links.https import tls_context

CHECK = "endpoint"
SERVED_S = 5.0
_HTTPS_PORT = 443
_EXPIRED = 10  # X509_V_ERR_CERT_HAS_EXPIRED


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedFacts:
    """`until`: the end of the certificate (epoch seconds), if it was accepted; else `problem` says why not.

    `expired` is a problem that everybody has; any other may be one of this machine alone.
    """

    endpoint: str
    until: float | None = None
    problem: str = ""
    expired: bool = False


def check_served(facts: ServedFacts, now: float) -> list[Finding]:
    """Seen from this machine, which may not be let through where the hub is."""
    if facts.expired:
        what = f"the certificate at {facts.endpoint} has expired: the hub and other members refuse it"
        return [wrong(CHECK, what, "renew it, here or at the proxy")]
    if facts.problem:
        what = f"from this machine {facts.endpoint} cannot be reached as the hub would: {facts.problem}"
        return [soon(CHECK, what, "if the hub reaches it, all is well; else look at network, name and certificate")]
    if facts.until is None:
        return []
    name = f"the certificate at {facts.endpoint}"
    ending = Ending(kind="served-certificate", name=name, at=facts.until, do="renew it, here or at the proxy")
    return findings_of([ending], now) or [well(CHECK, f"{facts.endpoint} is reached, with a certificate that holds")]


async def look_at_served(endpoint: str | None, ca_file: Path | None) -> ServedFacts | None:
    """What is served there over TLS; None for an endpoint that is not https."""
    parts = urlsplit(endpoint or "")
    if endpoint is None or parts.scheme != "https" or parts.hostname is None:
        return None
    try:
        async with asyncio.timeout(SERVED_S):
            _, writer = await asyncio.open_connection(
                parts.hostname, parts.port or _HTTPS_PORT, ssl=tls_context(ca_file), server_hostname=parts.hostname
            )
    except ssl.SSLCertVerificationError as error:
        refused = f"its certificate is refused ({error.verify_message})"
        return ServedFacts(endpoint=endpoint, problem=refused, expired=error.verify_code == _EXPIRED)
    except TimeoutError:
        return ServedFacts(endpoint=endpoint, problem=f"no reply within {SERVED_S:.0f} s")
    except (OSError, ConfigurationError) as error:
        return ServedFacts(endpoint=endpoint, problem=type(error).__name__)
    certificate = writer.get_extra_info("peercert")
    writer.transport.abort()  # nothing is asked of it
    return ServedFacts(endpoint=endpoint, until=ssl.cert_time_to_seconds(certificate["notAfter"]))
