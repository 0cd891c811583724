"""Sealing-key statements and the ring that rotates a node's own keys."""

from pathlib import Path

from gateway.wire.federation import Member
from gateway.wire.keys import SigningKey
from gateway.wire.seal import PublicSealingKey, SealingKey


def sign_sealing_key(key: PublicSealingKey, member_key: SigningKey, *, member: str, federation: str) -> str:
    raise NotImplementedError


def verify_sealing_key(token: str | bytes, *, member: Member, federation: str, now: float) -> PublicSealingKey:
    raise NotImplementedError


class SealingKeyRing:
    """The private sealing keys of one node, a file each, in `folder`."""

    def __init__(self, folder: Path) -> None:
        raise NotImplementedError

    def current(self, now: float) -> SealingKey:
        """The newest key in force; raises ConfigurationError if none (call rotate first)."""
        raise NotImplementedError

    def by_kid(self, kid: str, now: float) -> SealingKey:
        """Raises NotForUs when this node has no such key (any more)."""
        raise NotImplementedError

    def rotate(self, now: float) -> bool:
        """Make a new key before the newest ends, destroy those that ended a day ago; True if anything changed."""
        raise NotImplementedError
