"""Join requests and key rotation."""

from dataclasses import dataclass

from gateway.wire.federation import Member
from gateway.wire.keys import SigningKey, VerifyKey


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinRequest:
    """A self-signed request: `member` as it wishes to be listed (status active, one key)."""

    federation: str
    member: Member
    issued_at: int


def sign_join(member: Member, key: SigningKey, *, federation: str, now: float) -> str:
    raise NotImplementedError


def verify_join(token: str | bytes, *, federation: str, now: float) -> JoinRequest:
    raise NotImplementedError


def sign_rotation(new: VerifyKey, old_key: SigningKey, *, member: str, federation: str, now: float) -> str:
    raise NotImplementedError


def verify_rotation(token: str | bytes, *, new: VerifyKey, old: VerifyKey, member: str, federation: str) -> None:
    raise NotImplementedError
