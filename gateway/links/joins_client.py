"""How a node that was invited asks a hub to join, and how the operator asks a hub who has (docs/wire.md).

Neither is a member: the one comes with an invitation, the other with its own key. Messages are for the person who typed
the command, and say what to do.
"""

import ssl
from collections.abc import Sequence
from uuid import uuid4

import aiohttp

from gateway.clock import Clock
from gateway.errors import (
    FederationError,
    HubError,
    HubNotConnected,
    HubRefused,
    InputError,
    MalformedMessage,
    WireError,
)
from gateway.links.hub_client import MAX_FEDERATION_BYTES
from gateway.links.reply import read_bounded, refusal_code
from gateway.wire.claims import read_claims, text
from gateway.wire.federation import OPERATOR, Federation
from gateway.wire.freshness import verify_hub_word
from gateway.wire.join_code import Joining, read_waiting
from gateway.wire.keys import SigningKey
from gateway.wire.limits import KIB, MAX_JOINS_BYTES, MAX_STATEMENT_BYTES
from gateway.wire.paths import FEDERATION_PATH, JOINS_PATH, joins_path
from gateway.wire.request import sign_request

VISIT_S = 20.0
CONNECT_S = 5.0
MAX_REFUSAL_BYTES = 4 * KIB

# What a hub's refusal means to whoever holds a join code.
_MEANS = {
    "replayed": "this join code has been used, with other keys than those here: ask the operator for a new one",
    "out-of-time": "this join code has ended, or this machine's clock is wrong: ask the operator for a new one",
    "not-authentic": "this join code is of another operator: ask yours for a new one, and whether the address is right",
    "not-for-us": "this join code is for another kind of agency: ask the operator for a new one",
    "too-many-requests": "too many ask just now: type the same again in a minute",
    "overloaded": "too many requests wait for the operator: tell the operator, and type the same again later",
    "federation-stale": "its member list has expired: tell the operator, and type the same again later",
}


def session_trusting(authorities: Sequence[bytes]) -> aiohttp.ClientSession:
    """Certificates are checked, against these authorities (DER) alone if there are any; raises InputError."""
    try:
        tls = ssl.create_default_context(cadata=b"".join(authorities) or None)
    except ssl.SSLError as error:
        raise InputError("what this join code has for certificates are none: ask the operator for a new one") from error
    tls.minimum_version = ssl.TLSVersion.TLSv1_2
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(ssl=tls), cookie_jar=aiohttp.DummyCookieJar(), trust_env=False
    )


async def ask_to_join(session: aiohttp.ClientSession, hub: str, joining: Joining) -> None:
    """Hand a request over; once more does no harm. Raises HubNotConnected, HubRefused, HubError."""
    headers = {"Content-Type": "application/json"}
    await _exchange(session, "POST", hub, JOINS_PATH, joining.to_json(), headers, MAX_REFUSAL_BYTES)


async def hub_key_at(session: aiohttp.ClientSession, hub: str, document: Federation, *, clock: Clock) -> str:
    """Which hub of the operator's own `document` speaks at this address, by its freshness statement.

    The statement may be on an older document, which the hub still has. Raises HubError.
    """
    data = await _exchange(session, "GET", hub, FEDERATION_PATH, None, {}, MAX_FEDERATION_BYTES)
    try:
        reply = read_claims(data, max_bytes=MAX_FEDERATION_BYTES)
        word = verify_hub_word(text(reply, "freshness", max_chars=MAX_STATEMENT_BYTES), document, clock.now())
        word.check_clock(clock.now())
    except (WireError, FederationError) as error:
        raise HubError(f"{hub} does not show that it is a hub of this member list: {error}") from error
    return word.kid


async def fetch_waiting(
    session: aiohttp.ClientSession, hub: str, *, hub_key: str, key: SigningKey, federation: str, clock: Clock
) -> list[Joining]:
    """What waits at the hub that has `hub_key` and no other, not yet verified; raises HubError, MalformedMessage."""
    path = joins_path(hub_key)
    authorisation = sign_request(
        key,
        iss=OPERATOR,
        aud=federation,
        method="GET",
        path=path,
        body=b"",
        now=clock.now(),
        jti=str(uuid4()),
    )
    headers = {"Authorization": authorisation}
    return read_waiting(await _exchange(session, "GET", hub, path, None, headers, MAX_JOINS_BYTES))


async def _exchange(
    session: aiohttp.ClientSession,
    method: str,
    hub: str,
    path: str,
    body: bytes | None,
    headers: dict[str, str],
    most: int,
) -> bytes:
    try:
        async with session.request(
            method,
            hub.rstrip("/") + path,
            data=body,
            headers=headers,
            timeout=aiohttp.ClientTimeout(total=VISIT_S, connect=CONNECT_S),
            allow_redirects=False,
        ) as response:
            data = await read_bounded(response.content, most)
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
        raise HubNotConnected(f"the hub at {hub} cannot be reached ({type(error).__name__})") from error
    except (aiohttp.ClientError, TimeoutError, OSError, MalformedMessage) as error:
        raise HubError(f"the hub at {hub} cannot be reached ({type(error).__name__})") from error
    if response.status not in (200, 202):
        code = refusal_code(data)
        raise HubRefused(_told(hub, method, response.status, code), elsewhere=code != "replayed")
    return data


def _told(hub: str, method: str, status: int, code: str | None) -> str:
    meaning = _MEANS.get(code or "") if method == "POST" else None
    if meaning is None:
        return f"the hub at {hub} refused ({status}{f', {code}' if code in _MEANS else ''})"
    return f"the hub at {hub} refused: {meaning}"
