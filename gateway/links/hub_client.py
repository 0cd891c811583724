"""How a node speaks to a hub: federation document, sealing keys, questions (docs/wire.md, "HTTP of a hub")."""

import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from gateway.clock import Clock
from gateway.errors import HubError, HubNotConnected, HubRefused, MalformedMessage
from gateway.links.bounded import MAX_HEAD_BYTES, BoundedConnector
from gateway.links.https import tls_context
from gateway.links.reply import read_bounded, refusal_code
from gateway.telemetry.trace_context import traced
from gateway.wire.claims import raw, read_claims, text
from gateway.wire.coverage import DeliveryOutcome
from gateway.wire.envelope import Envelope
from gateway.wire.keys import SigningKey
from gateway.wire.limits import (
    KIB,
    MAX_COVERAGE_BYTES,
    MAX_DOCUMENT_BYTES,
    MAX_MEMBERS,
    MAX_STATEMENT_BYTES,
    SEALED_ANSWER_BYTES,
)
from gateway.wire.paths import FEDERATION_PATH, QUERIES_PATH, SEALING_KEYS_PATH
from gateway.wire.request import sign_request

MAX_LINE_BYTES = MAX_COVERAGE_BYTES  # the last line is the longest by far
CONNECT_S = 5.0
DIRECTORY_S = 20.0  # for a document or a list of keys
GRACE_S = 2.0  # how long after the deadline the hub may take to say its last line
MAX_REFUSAL_BYTES = 4 * KIB  # an OperationOutcome with one issue takes a tenth of it
MAX_FEDERATION_BYTES = 2 * MAX_DOCUMENT_BYTES  # document and freshness statement: the longest reply that there is

# Refusals of this hub that another may not share: it has no room or no disk, is behind, or does not know the member
# yet. Not 429: a member's share of one hub is not to be had again of the next.
_ELSEWHERE = frozenset({"overloaded", "storage", "federation-stale", "not-authentic"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Relayed:
    """One line of the hub's stream: what became of one member's copy; `answer` is still sealed."""

    member: str
    outcome: DeliveryOutcome
    answer: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageClaim:
    """The hub's signed claim about who was asked and who answered (JWS, not yet verified)."""

    token: str


def node_connector(ca_file: Path | None) -> BoundedConnector:
    """What a node reaches hubs and members with: none of them can fill its memory; raises ConfigurationError.

    `ca_file`: trust only this private authority's certificates.
    """
    return BoundedConnector(max_reply_bytes=MAX_FEDERATION_BYTES + MAX_HEAD_BYTES, links=True, ssl=tls_context(ca_file))


class HubClient:
    """One hub of one federation.

    Every method raises HubError when the hub refuses or cannot be reached, MalformedMessage for what no hub may say.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        url: str,
        *,
        member: str,
        federation: str,
        key: Callable[[], SigningKey],
        clock: Clock,
    ) -> None:
        """`key` gives the one to sign with now: it changes while the node runs."""
        self._session = session
        self._url = url.rstrip("/")
        self._member = member
        self._federation = federation
        self._key = key
        self._clock = clock

    @property
    def address(self) -> str:
        """Where this hub is, by which a person knows it."""
        return self._url

    async def federation(self) -> tuple[str, str]:
        """The federation document and the hub's freshness statement, both as signed."""
        reply = await self._json("GET", FEDERATION_PATH, max_bytes=MAX_FEDERATION_BYTES)
        return _token(reply, "document"), _token(reply, "freshness")

    async def sealing_keys(self) -> dict[str, str]:
        """Every member's newest sealing-key statement, by member id, as the members signed them."""
        reply = await self._json("GET", SEALING_KEYS_PATH, max_bytes=MAX_STATEMENT_BYTES * MAX_MEMBERS)
        keys = reply.get("sealing_keys")
        if not isinstance(keys, dict) or not all(isinstance(statement, str) for statement in keys.values()):
            raise MalformedMessage("hub: the list of sealing keys is not a table of statements")
        return keys

    async def publish_sealing_key(self, statement: str) -> None:
        """Hand this node's own statement to the hub."""
        body = statement.encode("ascii")
        headers = self._signed("PUT", SEALING_KEYS_PATH, body, content_type="application/jose")
        await self._json("PUT", SEALING_KEYS_PATH, body, headers=headers, max_bytes=MAX_STATEMENT_BYTES)

    async def ask(
        self, envelope: Envelope, *, connect_s: float = CONNECT_S
    ) -> AsyncGenerator[Relayed | CoverageClaim, None]:
        """Post one question and yield the hub's lines as they arrive. Never retried (docs/wire.md, "Envelope").

        HubNotConnected and HubRefused come before any line, and say that the hub has passed nothing on.
        """
        body = envelope.to_json()
        timeout = aiohttp.ClientTimeout(total=envelope.deadline_ms / 1000 + connect_s + GRACE_S, connect=connect_s)
        try:
            async with self._session.post(
                self._url + QUERIES_PATH,
                data=body,
                headers=self._signed("POST", QUERIES_PATH, body, content_type="application/json")
                | traced(envelope.traceparent),
                timeout=timeout,
                allow_redirects=False,
            ) as response:
                if response.status != 200:  # noqa: PLR2004 - HTTP OK
                    raise await self._refusal(response)
                allowed = 2 * len(envelope.copies) + 1  # an honest hub says one line a member, and its account
                async for line in _lines(response.content):
                    allowed -= 1
                    if allowed < 0:
                        raise MalformedMessage("hub: more lines than members were asked")
                    yield _read_line(line)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise HubNotConnected(f"the hub at {self._url} cannot be reached ({type(error).__name__})") from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise HubError(f"the hub at {self._url} cannot be reached ({type(error).__name__})") from error

    async def _refusal(self, response: aiohttp.ClientResponse) -> HubError:
        """The hub's own refusal, by its code; what has none may be a proxy's, who has sent the question on."""
        said = f"{self._url}: the hub refused the question ({response.status})"
        try:
            code = refusal_code(await read_bounded(response.content, MAX_REFUSAL_BYTES))
        except MalformedMessage:
            code = None
        if code is None or (response.status >= 500 and code not in _ELSEWHERE):  # noqa: PLR2004 - HTTP server errors
            return HubError(said)  # as after its deadline: then the members have the question
        return HubRefused(said, elsewhere=code in _ELSEWHERE)

    async def _json(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        *,
        headers: dict[str, str] | None = None,
        max_bytes: int,
    ) -> dict[str, Any]:
        timeout = aiohttp.ClientTimeout(total=DIRECTORY_S, connect=CONNECT_S)
        try:
            async with self._session.request(
                method,
                self._url + path,
                data=body,
                headers=headers,
                timeout=timeout,
                allow_redirects=False,
            ) as response:
                data = await read_bounded(response.content, max_bytes)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise HubError(f"the hub at {self._url} cannot be reached ({type(error).__name__})") from error
        if response.status not in (200, 204):
            raise HubError(f"{self._url}{path}: refused ({response.status})")
        return read_claims(data, max_bytes=max_bytes) if data else {}

    def _signed(self, method: str, path: str, body: bytes, *, content_type: str) -> dict[str, str]:
        """Headers of a request that has this member's word; what is only fetched needs none."""
        authorization = sign_request(
            self._key(),
            iss=self._member,
            aud=self._federation,
            method=method,
            path=path,
            body=body,
            now=self._clock.now(),
            jti=str(uuid.uuid4()),
        )
        return {"Authorization": authorization, "Content-Type": content_type}


async def _lines(stream: aiohttp.StreamReader) -> AsyncIterator[bytes]:
    """Lines of a newline-delimited stream, none longer than the coverage line may be."""
    buffer = bytearray()
    async for chunk in stream.iter_any():
        buffer += chunk
        while (end := buffer.find(b"\n")) >= 0:
            yield bytes(buffer[:end])
            del buffer[: end + 1]
        if len(buffer) > MAX_LINE_BYTES:
            raise MalformedMessage("hub: a line of the answer stream is too long")
    if buffer:
        raise MalformedMessage("hub: the answer stream ends inside a line")


def _read_line(line: bytes) -> Relayed | CoverageClaim:
    claims = read_claims(line, max_bytes=MAX_LINE_BYTES)
    if "coverage" in claims:
        return CoverageClaim(token=_token(claims, "coverage"))
    return Relayed(
        member=text(claims, "member"),
        outcome=_outcome(text(claims, "outcome")),
        answer=_answer(claims) if "answer" in claims else None,
    )


def _answer(claims: dict[str, Any]) -> bytes:
    """One sealed answer; what cannot be one is empty, so that it is refused as this member's and costs no other."""
    try:
        return raw(claims, "answer", size=SEALED_ANSWER_BYTES)
    except MalformedMessage:
        return b""


def _outcome(word: str) -> DeliveryOutcome:
    try:
        return DeliveryOutcome(word)
    except ValueError as error:
        raise MalformedMessage("hub: an outcome that does not exist") from error


def _token(claims: dict[str, Any], name: str) -> str:
    """A signed statement, not yet verified: as long as its reply may be."""
    return text(claims, name, max_chars=MAX_DOCUMENT_BYTES)
