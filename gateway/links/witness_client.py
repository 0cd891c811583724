"""How a node speaks to a witness of its ledger, hub or member alike (docs/wire.md, "Checkpoints")."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import uuid4

import aiohttp

from gateway.clock import Clock
from gateway.errors import HubError
from gateway.links.reply import read_bounded
from gateway.wire.checkpoints import Held, Submission, Verdict
from gateway.wire.claims import Claims, read_claims
from gateway.wire.keys import SigningKey
from gateway.wire.limits import MAX_CHECKPOINT_BYTES
from gateway.wire.paths import CHECKPOINTS_PATH
from gateway.wire.request import sign_request

VISIT_S = 10.0
CONNECT_S = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessAddress:
    """Where a witness is: its base URL, and whom its request tokens are for (a member's id, or the federation's)."""

    url: str
    aud: str


class WitnessClient:
    """Both calls raise HubError when a witness cannot be reached or answers with another status, MalformedMessage."""

    def __init__(
        self, session: aiohttp.ClientSession, *, member: str, key: Callable[[], SigningKey], clock: Clock
    ) -> None:
        """`key` gives the one to sign with now: it changes while the node runs."""
        self._session = session
        self._member = member
        self._key = key
        self._clock = clock

    async def held(self, address: WitnessAddress) -> Held:
        """The last that the witness has cosigned of this node's ledger."""
        return Held.from_claims(await self._json("GET", address, f"{CHECKPOINTS_PATH}/{self._member}", b""))

    async def submit(self, address: WitnessAddress, submission: Submission) -> Verdict:
        """Ask for a cosignature."""
        return Verdict.from_claims(await self._json("POST", address, CHECKPOINTS_PATH, submission.to_json()))

    async def _json(self, method: str, address: WitnessAddress, path: str, body: bytes) -> Claims:
        token = sign_request(
            self._key(),
            iss=self._member,
            aud=address.aud,
            method=method,
            path=path,
            body=body,
            now=self._clock.now(),
            jti=str(uuid4()),
        )
        headers = {"Authorization": token}
        if body:
            headers["Content-Type"] = "application/json"
        try:
            async with self._session.request(
                method,
                address.url.rstrip("/") + path,
                data=body or None,
                headers=headers,
                timeout=aiohttp.ClientTimeout(total=VISIT_S, connect=CONNECT_S),
                allow_redirects=False,
            ) as response:
                data = await read_bounded(response.content, MAX_CHECKPOINT_BYTES)
                if response.status != 200:  # noqa: PLR2004 - HTTP OK
                    raise HubError(f"refused the request ({response.status})")
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise HubError(f"cannot be reached ({type(error).__name__})") from error
        return read_claims(data, max_bytes=MAX_CHECKPOINT_BYTES)
