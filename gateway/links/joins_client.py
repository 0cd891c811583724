"""How a node that was invited asks a hub to join, and how the operator asks a hub who has (docs/wire.md).

Neither is a member: the one comes with an invitation, the other with its own key. Messages are for the person who typed
the command, and say what to do.
"""

import ssl
from collections.abc import Sequence
from uuid import uuid4

import aiohttp

from gateway.clock import Clock
from gateway.errors import HubError, HubNotConnected, HubRefused, InputError, MalformedMessage
from gateway.links.reply import read_bounded, refusal_code
from gateway.wire.federation import OPERATOR
from gateway.wire.join_code import Joining, read_waiting
from gateway.wire.keys import SigningKey
from gateway.wire.limits import KIB, MAX_JOINS_BYTES
from gateway.wire.paths import JOINS_PATH
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
    await _exchange(session, "POST", hub, joining.to_json(), {"Content-Type": "application/json"}, MAX_REFUSAL_BYTES)


async def fetch_waiting(
    session: aiohttp.ClientSession, hub: str, *, key: SigningKey, federation: str, clock: Clock
) -> list[Joining]:
    """What waits at a hub, not yet verified; raises HubError, MalformedMessage."""
    authorisation = sign_request(
        key,
        iss=OPERATOR,
        aud=federation,
        method="GET",
        path=JOINS_PATH,
        body=b"",
        now=clock.now(),
        jti=str(uuid4()),
    )
    return read_waiting(await _exchange(session, "GET", hub, None, {"Authorization": authorisation}, MAX_JOINS_BYTES))


async def _exchange(
    session: aiohttp.ClientSession, method: str, hub: str, body: bytes | None, headers: dict[str, str], most: int
) -> bytes:
    try:
        async with session.request(
            method,
            hub.rstrip("/") + JOINS_PATH,
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
