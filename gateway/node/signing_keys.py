"""A node's signing keys: the one that it signs with, and while it rotates, the next (gateway/wire/rotating_keys.py)."""

from pathlib import Path

from gateway.wire.federation import Member
from gateway.wire.keys import SigningKey
from gateway.wire.rotating_keys import RotatingKeys

SIGNING_KEY_FILE = "signing.pem"
NEXT_KEYS = "signing-*.pem"


class SigningKeys(RotatingKeys[SigningKey]):
    """The private ES256 keys of one folder; raises ConfigurationError for a file that cannot be used."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "signing", load=SigningKey.load, generate=SigningKey.generate)

    def follow(self, listed: Member | None, now: float) -> bool:
        """Go by this node's entry in the document in force; True if another key signs from now on."""
        return self._take_up([] if listed is None else list(listed.keys_at(now)))
