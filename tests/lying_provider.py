"""An OpenID provider on loopback that says what a test wants, the truth to begin with."""

import asyncio
import hashlib
import json
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import jwt
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import RSAAlgorithm

Json = dict[str, Any]

CLIENT = "patchwork-client"
SECRET = "secret/of the client"


@dataclass
class LyingProvider:
    """`claims`, `metadata`, `keys` and `answer` change what is said; None leaves a claim out.

    `sign` makes the ID token; `asked` are the forms that came to the token endpoint, `fetched` counts all requests.
    """

    url: str = ""
    now: Callable[[], float] = lambda: 0.0
    nonce: str = ""
    challenge: str = ""
    claims: Json = field(default_factory=dict)
    metadata: Json = field(default_factory=dict)
    answer: Callable[[str], web.StreamResponse] | None = None
    slow_s: float = 0.0
    slow_at: str = ""
    kid: str = "one"
    sign: Callable[["LyingProvider", Json], str] | None = None
    asked: list[Json] = field(default_factory=list)
    fetched: list[str] = field(default_factory=list)
    key: Any = field(default_factory=lambda: generate_private_key(65537, 2048))

    def be_honest(self) -> None:
        """Forget all lies."""
        self.claims, self.metadata, self.answer, self.sign = {}, {}, None, None
        self.slow_s, self.slow_at = 0.0, ""
        self.asked.clear()
        self.fetched.clear()

    def keys(self) -> list[Json]:
        """Its public keys."""
        return [RSAAlgorithm.to_jwk(self.key.public_key(), as_dict=True) | {"kid": self.kid, "use": "sig"}]

    @property
    def public_pem(self) -> bytes:
        """Its public key as a file, which anybody may have."""
        return bytes(self.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))

    def body(self) -> Json:
        """What its ID token says now."""
        now = int(self.now())
        told = {
            "iss": self.url,
            "aud": CLIENT,
            "sub": "subject-1",
            "exp": now + 300,
            "iat": now,
            "nonce": self.nonce,
            "at_hash": at_hash("access"),
            "name": "Wendy Smith",
            "email": "wendy@example.org",
            "groups": ["housing-officers"],
        } | self.claims
        return {name: value for name, value in told.items() if value is not None}

    def token(self) -> str:
        """The ID token."""
        if self.sign is not None:
            return self.sign(self, self.body())
        return jwt.encode(self.body(), self.key, "RS256", headers={"kid": self.kid})


def at_hash(access: str) -> str:
    """The hash of an access token that an ID token of RS256 carries."""
    return urlsafe_b64encode(hashlib.sha256(access.encode()).digest()[:16]).rstrip(b"=").decode()


@asynccontextmanager
async def lying_provider() -> AsyncIterator[LyingProvider]:
    """Listens on a free port of loopback until the end of the block."""
    provider = LyingProvider()

    async def serve(request: web.Request) -> web.StreamResponse:
        provider.fetched.append(request.path)
        if request.path == provider.slow_at:
            await asyncio.sleep(provider.slow_s)
        if provider.answer is not None:
            found = provider.answer(request.path)
            if found is not None:
                return found
        path = request.path.removeprefix("/moved")
        if path == "/keys":
            return web.json_response({"keys": provider.keys()})
        if path == "/token":
            form = dict(await request.post())
            provider.asked.append({**form, "authorization": request.headers.get("Authorization", "")})
            verifier = hashlib.sha256(str(form["code_verifier"]).encode()).digest()
            if urlsafe_b64encode(verifier).rstrip(b"=").decode() != provider.challenge:
                return web.json_response({"error": "invalid_grant"}, status=400)
            return web.json_response({"id_token": provider.token(), "access_token": "access", "token_type": "Bearer"})
        told = {
            "issuer": provider.url,
            "authorization_endpoint": f"{provider.url}/authorize?tenant=a",
            "token_endpoint": f"{provider.url}/token",
            "jwks_uri": f"{provider.url}/keys",
            "authorization_response_iss_parameter_supported": True,
        } | provider.metadata
        return web.Response(text=json.dumps(told), content_type="application/json")

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", serve)
    async with TestServer(application) as server:
        provider.url = str(server.make_url("")).rstrip("/")
        yield provider
