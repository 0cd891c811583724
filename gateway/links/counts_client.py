"""How a node asks another member's node for its counts (docs/wire.md, "Counts"): straight, past every hub."""

import asyncio
import uuid

import aiohttp

from gateway.clock import Clock
from gateway.errors import MalformedMessage, PatchworkError
from gateway.links.https import endpoint_url
from gateway.links.reply import read_bounded
from gateway.wire.counts import counts_request
from gateway.wire.federation import Member
from gateway.wire.keys import SigningKey
from gateway.wire.limits import MAX_COUNTS_BYTES
from gateway.wire.paths import COUNTS_PATH
from gateway.wire.request import sign_request

WAIT_S = 20.0


class NoStatement(PatchworkError):
    """The member has given none; the message says why, and is for a person."""

    code = "no-statement"


async def fetch_counts(
    member: Member,
    since: int,
    until: int,
    *,
    session: aiohttp.ClientSession,
    me: str,
    key: SigningKey,
    clock: Clock,
    plain_http: bool,
) -> bytes:
    """The member's statement, not yet verified; raises NoStatement."""
    url = None if member.endpoint is None else endpoint_url(member.endpoint, COUNTS_PATH, plain_http=plain_http)
    if url is None:
        raise NoStatement("it has no address that this node may use")
    body = counts_request(since, until)
    authorisation = sign_request(
        key, iss=me, aud=member.id, method="POST", path=COUNTS_PATH, body=body, now=clock.now(), jti=str(uuid.uuid4())
    )
    try:
        async with session.post(
            url,
            data=body,
            headers={"Authorization": authorisation, "Content-Type": "application/json"},
            timeout=aiohttp.ClientTimeout(total=WAIT_S),
            allow_redirects=False,
        ) as response:
            if response.status != 200:  # noqa: PLR2004 - HTTP OK
                raise NoStatement(f"it refused ({response.status})")
            return await read_bounded(response.content, MAX_COUNTS_BYTES)
    except MalformedMessage as error:
        raise NoStatement(f"it said too much: {error}") from error
    except (aiohttp.ClientError, TimeoutError, OSError, asyncio.IncompleteReadError) as error:
        raise NoStatement(f"it cannot be reached ({type(error).__name__})") from error
