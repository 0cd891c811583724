"""Link (a): the hub posts each question to the member's own HTTPS endpoint (docs/wire.md, "HTTP of a node").

The contract in bytes, for whoever answers at the other end:

    POST {endpoint}/v1/answers
    Authorization: Patchwork <JWS>        iss "hub", aud the member's id, path "/v1/answers" whatever {endpoint} adds
    Content-Type: application/json        one MemberEnvelope

    200  application/octet-stream         exactly SEALED_ANSWER_BYTES, with Content-Length
    503  application/json                 OperationOutcome with the code `overloaded`: refused before opening anything
    any other status or length            the member counts as unreachable; the body is not read

The certificate is always checked; redirects, proxies from the environment, cookies and compression are not followed,
used, kept or undone.
"""

import asyncio
import errno
import ssl
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import aiohttp
from yarl import URL

from gateway.clock import Clock
from gateway.errors import ConfigurationError
from gateway.links.bounded import MAX_HEAD_BYTES, BoundedConnector
from gateway.links.contract import Delivery
from gateway.links.delivery import NOT_SENT, OVERLOADED, OVERLOADED_CODE, REFUSED, UNREACHABLE, question_token
from gateway.links.reply import refusal_code
from gateway.settings import is_loopback
from gateway.telemetry.trace_context import traced
from gateway.wire.coverage import DeliveryOutcome
from gateway.wire.federation import Member
from gateway.wire.keys import SigningKey
from gateway.wire.limits import KIB, SEALED_ANSWER_BYTES
from gateway.wire.paths import ANSWERS_PATH
from gateway.wire.request import HashedBody

MAX_REFUSAL_BYTES = 4 * KIB  # an OperationOutcome with one issue takes a tenth of it

# Shorter than common servers keep an idle connection (nginx 75 s, many 30 s): a question posted on a connection that
# the member is just closing would be lost, and a question is never sent twice.
KEEP_ALIVE_S = 20.0
DNS_CACHE_S = 60

_OK, _UNAVAILABLE = 200, 503
_OUR_OWN_LACK = frozenset({errno.EMFILE, errno.ENFILE})  # each connection is an open file


class HttpsLink:
    """Delivers over pooled HTTPS connections; create it inside a running event loop.

    `ca_file`: trust only this private authority's certificates. `plain_http`: also deliver over http to other machines;
    without it plain http goes to loopback only. Raises ConfigurationError for an unusable `ca_file`.
    """

    def __init__(
        self, *, key: Callable[[], SigningKey], clock: Clock, ca_file: Path | None = None, plain_http: bool = False
    ) -> None:
        """`key` gives the one to sign with now: it changes while the hub runs."""
        self._key = key
        self._clock = clock
        self._plain_http = plain_http
        self._urls: dict[str, URL | None] = {}
        self._session = aiohttp.ClientSession(
            connector=BoundedConnector(
                max_reply_bytes=SEALED_ANSWER_BYTES + MAX_HEAD_BYTES,
                limit=0,  # the hub's own limits bound what is in flight; a queue here would let one member delay others
                ssl=tls_context(ca_file),
                keepalive_timeout=KEEP_ALIVE_S,
                ttl_dns_cache=DNS_CACHE_S,
            ),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),  # the caller's deadline is the only one
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding"),
        )

    async def deliver(self, member: Member, envelope: HashedBody) -> Delivery:
        """Post one MemberEnvelope to `member` and wait for its sealed answer; see Link."""
        url = self._url_of(member)
        if url is None:
            return UNREACHABLE
        authorisation = question_token(self._key(), member, envelope, now=self._clock.now())
        # Let the other members' tokens be signed before this one's question is sent: in turns with sending, each takes
        # twice as long (measured; the curve's tables, 150 KB, do not stay in the processor's cache).
        await asyncio.sleep(0)
        headers = {"Authorization": authorisation, "Content-Type": "application/json"} | traced(envelope.traceparent)
        try:
            async with self._session.post(url, data=envelope.data, headers=headers, allow_redirects=False) as response:
                return await _read(response)
        except (aiohttp.ClientError, asyncio.IncompleteReadError, OSError, ValueError) as error:
            if getattr(error, "errno", None) in _OUR_OWN_LACK:
                return NOT_SENT
            return UNREACHABLE  # refused, reset, name or certificate wrong, not HTTP

    async def close(self) -> None:
        """Close every connection."""
        await self._session.close()

    def _url_of(self, member: Member) -> URL | None:
        """Where `member` answers; None if nowhere, or only by plain http that is not allowed."""
        endpoint = member.endpoint
        if endpoint is None:
            return None
        if endpoint not in self._urls:
            self._urls[endpoint] = answers_url(endpoint, plain_http=self._plain_http)
        return self._urls[endpoint]


def answers_url(endpoint: str, *, plain_http: bool) -> URL | None:
    """The address of a member's answers; None unless it is https, or http where that is allowed."""
    return endpoint_url(endpoint, ANSWERS_PATH, plain_http=plain_http)


def endpoint_url(endpoint: str, path: str, *, plain_http: bool) -> URL | None:
    """The address of one of a member's paths, under the same rule."""
    try:
        url = URL(endpoint.rstrip("/") + path)
        allowed = url.scheme == "https" or (url.scheme == "http" and (plain_http or is_loopback(endpoint)))
    except ValueError:
        return None
    return url if allowed and url.host and url.user is None and not url.query_string else None


@lru_cache
def tls_context(ca_file: Path | None) -> ssl.SSLContext:
    """Checks certificate and host name, against `ca_file` alone if given; raises ConfigurationError.

    Read once per process: a machine's own authorities take some 100 ms to load.
    """
    try:
        context = ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
    except OSError as error:  # includes ssl.SSLError
        raise ConfigurationError(f"{ca_file}: not a usable file of certificates") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


async def _read(response: aiohttp.ClientResponse) -> Delivery:
    """An answer of exactly the one size, a refusal, or nothing that is read any further."""
    length = response.content_length or 0
    framed = "Transfer-Encoding" not in response.headers and "Content-Encoding" not in response.headers
    if response.status == _OK and framed and length == SEALED_ANSWER_BYTES:
        answer = await response.content.readexactly(SEALED_ANSWER_BYTES)
        return Delivery(outcome=DeliveryOutcome.ANSWERED, answer=answer)
    if response.status == _UNAVAILABLE and framed and 0 < length <= MAX_REFUSAL_BYTES:
        overloaded = refusal_code(await response.content.readexactly(length)) == OVERLOADED_CODE
        return OVERLOADED if overloaded else REFUSED
    response.close()
    return UNREACHABLE if response.status == _OK else REFUSED
