"""The token that authorises one HTTP request: `Authorization: Patchwork <JWS>`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gateway.wire.keys import SigningKey, VerifyKey

KeysOf = Callable[[str], Mapping[str, VerifyKey]]


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestClaims:
    """Who asks, and what the caller must remember until `expires_at` so that the token works once."""

    issuer: str
    jti: str
    expires_at: int


def sign_request(
    key: SigningKey, *, iss: str, aud: str, method: str, path: str, body: bytes, now: float, jti: str
) -> str:
    """The whole header value, `Patchwork <JWS>`. `aud`: the federation's name for a hub, a member id for a node."""
    raise NotImplementedError


def verify_request(
    header: str, keys_of: KeysOf, *, method: str, path: str, body: bytes, aud: str, now: float
) -> RequestClaims:
    """`keys_of(issuer)`: keys in force of that issuer (federation.keys_of). Replay is the caller's to check."""
    raise NotImplementedError
