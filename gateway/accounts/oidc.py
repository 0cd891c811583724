"""Signing in through the agency's own directory: OpenID Connect Core 1.0, authorization code with PKCE (RFC 7636).

(1) begin(): where to send the browser, with a state, a nonce and a verifier that nobody else knows; (2) the provider
sends it back with a code; (3) finish(): state and issuer are ours and the provider's, the code is exchanged, and the ID
token is verified (id_token.py). What the provider announces is kept for an hour, its keys too, but that an unknown key
is looked for at most twice a minute.
"""

import asyncio
import hashlib
import hmac
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import aiohttp
import jwt
from yarl import URL

from gateway.accounts.id_token import LEEWAY_S, Expected, Header, pick_key, read_header, time_in, verify
from gateway.accounts.oidc_fetch import DirectoryFailed, basic, fetch_json
from gateway.clock import Clock
from gateway.days import HOUR_S
from gateway.errors import ConfigurationError
from gateway.settings import OidcTable
from gateway.settings.values import allowed_url
from gateway.wire.key_files import read_private

JOURNEY_LASTS_S: Final = 600.0  # to the directory and back, with a password and a phone to be found
KEPT_S: Final = HOUR_S
AGAIN_S: Final = 30.0  # before what failed, or did not have a key, is asked again
MAX_PARAMETER: Final = 4_096  # characters of what the browser brings back
_MAX_URL: Final = 2_000
_DISCOVERY: Final = "/.well-known/openid-configuration"


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """What is remembered of a browser that was sent to the directory.

    `back` is the page that it wanted; `session` the public id of the session whose owner proves again who they are,
    None if somebody signs in.
    """

    state: str
    nonce: str
    verifier: str
    at: float
    back: str
    session: str | None


@dataclass(frozen=True, slots=True)
class Proved:
    """What the directory says: the ID token's claims, and when the person proved who they are, if it tells."""

    claims: Mapping[str, Any]
    auth_time: float | None


@dataclass(frozen=True, slots=True)
class _Metadata:
    """OpenID Connect Discovery 1.0, section 3: what is used of it."""

    authorization: str
    token: str
    keys: str
    by_header: bool  # the client's secret goes into a header, else into the form
    says_issuer: bool  # RFC 9207


class Provider:
    """One directory, as `[web.oidc]` names it."""

    def __init__(
        self, table: OidcTable, *, secret: str, back_url: str, session: aiohttp.ClientSession, clock: Clock
    ) -> None:
        """`back_url`: where the provider sends browsers back to; `session` is directory_session()'s."""
        self.table = table
        self._secret = secret
        self._back_url = back_url
        self._session = session
        self._clock = clock
        self._lock = asyncio.Lock()
        self._metadata: tuple[float, _Metadata] | None = None
        self._failed_at = float("-inf")
        self._keys: tuple[float, list[object]] | None = None

    async def begin(self, *, back: str, session: str | None = None) -> tuple[str, Begun]:
        """Where to send the browser, and what to remember of it. Raises DirectoryFailed."""
        metadata = await self._announced()
        begun = Begun(
            state=secrets.token_urlsafe(32),
            nonce=secrets.token_urlsafe(32),
            verifier=secrets.token_urlsafe(48),
            at=self._clock.now(),
            back=back,
            session=session,
        )
        challenge = urlsafe_b64encode(hashlib.sha256(begun.verifier.encode()).digest()).rstrip(b"=").decode()
        asked = {
            "response_type": "code",
            "client_id": self.table.client_id,
            "redirect_uri": self._back_url,
            "scope": " ".join(("openid", *self.table.scopes)),
            "state": begun.state,
            "nonce": begun.nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        if session is not None:
            asked |= {"prompt": "login", "max_age": "0"}
        return str(URL(metadata.authorization).update_query(asked)), begun

    async def finish(self, begun: Begun, said: Mapping[str, str]) -> Proved:
        """What the directory says of whoever came back with `said` in the address. Raises DirectoryFailed."""
        metadata = await self._announced()
        code = self._checked_code(begun, said, metadata)
        tokens = await self._exchange(metadata, code, begun.verifier)
        token, access = tokens.get("id_token"), tokens.get("access_token")
        if not isinstance(token, str):
            raise DirectoryFailed("token-missing")
        expected = Expected(
            issuer=self.table.issuer,
            client_id=self.table.client_id,
            nonce=begun.nonce,
            access_token=access if isinstance(access, str) else None,
        )
        header = read_header(token)
        key = await self._key(metadata, header)
        now = self._clock.now()
        claims = verify(token, header, key, expected, now)
        auth_time = time_in(claims, "auth_time")
        if auth_time is not None and auth_time > now + LEEWAY_S:
            raise DirectoryFailed("token-from-the-future")
        if begun.session is not None and (auth_time is None or auth_time < begun.at - LEEWAY_S):
            raise DirectoryFailed("too-old")
        return Proved(claims, None if auth_time is None else min(auth_time, now))

    def _checked_code(self, begun: Begun, said: Mapping[str, str], metadata: _Metadata) -> str:
        state, issuer, code = said.get("state", ""), said.get("iss"), said.get("code", "")
        if not hmac.compare_digest(state.encode(), begun.state.encode()):
            raise DirectoryFailed("state")
        # Another provider's answer must not be taken to this one (RFC 9207, section 2.4).
        if (issuer is None and metadata.says_issuer) or (issuer is not None and issuer != self.table.issuer):
            raise DirectoryFailed("issuer")
        if "error" in said:
            raise DirectoryFailed("refused-there")
        if not code or len(code) > MAX_PARAMETER:
            raise DirectoryFailed("code")
        return code

    async def _exchange(self, metadata: _Metadata, code: str, verifier: str) -> dict[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._back_url,
            "code_verifier": verifier,
        }
        if metadata.by_header:
            headers = {"Authorization": basic(self.table.client_id, self._secret)}
            return await fetch_json(self._session, metadata.token, form=form, headers=headers)
        form |= {"client_id": self.table.client_id, "client_secret": self._secret}
        return await fetch_json(self._session, metadata.token, form=form)

    async def _announced(self) -> _Metadata:
        async with self._lock:
            now = self._clock.now()
            if self._metadata is not None and now - self._metadata[0] < KEPT_S:
                return self._metadata[1]
            if now - self._failed_at < AGAIN_S:
                raise DirectoryFailed("discovery", unreachable=True)
            try:
                found = _metadata(
                    await fetch_json(self._session, self.table.issuer.rstrip("/") + _DISCOVERY), self.table.issuer
                )
            except DirectoryFailed:
                self._failed_at = now
                raise
            self._metadata = now, found
            return found

    async def _key(self, metadata: _Metadata, header: Header) -> jwt.PyJWK:
        async with self._lock:
            now = self._clock.now()
            age = float("inf") if self._keys is None else now - self._keys[0]
            key = None if self._keys is None or age >= KEPT_S else pick_key(self._keys[1], header)
            if key is None and age >= AGAIN_S:
                found = (await fetch_json(self._session, metadata.keys)).get("keys")
                self._keys = now, found if isinstance(found, list) else []
                key = pick_key(self._keys[1], header)
        if key is None:
            raise DirectoryFailed("token-key")
        return key


def read_secret(path: Path) -> str:
    """The client's secret from its file; raises ConfigurationError if others may read it, or it holds none."""
    try:
        secret = read_private(path).decode().strip()
    except UnicodeDecodeError:
        secret = ""
    if not secret:
        raise ConfigurationError(f"{path}: holds no client secret")
    return secret


def _metadata(found: dict[str, Any], issuer: str) -> _Metadata:
    if found.get("issuer") != issuer:
        raise DirectoryFailed("discovery-issuer")
    methods = found.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
    if not isinstance(methods, list) or not {"client_secret_basic", "client_secret_post"}.intersection(
        each for each in methods if isinstance(each, str)
    ):
        raise DirectoryFailed("discovery-secret")
    return _Metadata(
        authorization=_endpoint(found, "authorization_endpoint", issuer),
        token=_endpoint(found, "token_endpoint", issuer),
        keys=_endpoint(found, "jwks_uri", issuer),
        by_header="client_secret_basic" in methods,
        says_issuer=found.get("authorization_response_iss_parameter_supported") is True,
    )


def _endpoint(found: dict[str, Any], name: str, issuer: str) -> str:
    """An address from the announcement: https, unless the provider itself is on this machine without."""
    url = found.get(name)
    if not isinstance(url, str) or len(url) > _MAX_URL:
        raise DirectoryFailed("discovery-address")
    try:
        allowed_url(url, plain_http="loopback only")
    except ValueError:
        raise DirectoryFailed("discovery-address") from None
    if not url.startswith("https://") and issuer.startswith("https://"):
        raise DirectoryFailed("discovery-address")
    return url
