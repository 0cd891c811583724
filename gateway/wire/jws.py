"""JWS compact, ES256 only, behind a strict door."""

from collections.abc import Mapping
from typing import Any

from gateway.wire.keys import SigningKey, VerifyKey
from gateway.wire.limits import SKEW_S

Claims = dict[str, Any]


def sign(claims: Mapping[str, Any], *, typ: str, key: SigningKey) -> str:
    raise NotImplementedError


def verify(token: str | bytes, *, typ: str, keys: Mapping[str, VerifyKey], max_bytes: int) -> Claims:
    raise NotImplementedError


def check_times(claims: Mapping[str, Any], now: float, max_lifetime_s: int, skew_s: int = SKEW_S) -> None:
    raise NotImplementedError
