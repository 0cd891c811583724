"""A node's ledger keys: the one that it signs heads with, the next while it rotates, and the public halves of those
before, for what witnesses still hold under them (gateway/wire/rotating_keys.py).

Its tree stays the same, and so does its epoch: a witness holds the new key's first head against the last that it saw,
as it does with any other.
"""

from pathlib import Path

import orjson

from gateway.errors import ConfigurationError, MalformedMessage
from gateway.files import replace_file
from gateway.wire.federation import Member
from gateway.wire.keys import LedgerKey, check_ledger_jwk, ledger_public
from gateway.wire.operator import (
    read_jwk,
)
from gateway.wire.rotating_keys import RotatingKeys

LEDGER_KEY_FILE = "ledger.pem"
NEXT_LEDGER_KEYS = "ledger-*.pem"
_FORMER = "ledger-*.jwk"


class LedgerKeys(RotatingKeys[LedgerKey]):
    """The Ed25519 keys of one folder; raises ConfigurationError for a file that cannot be used."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "ledger", load=LedgerKey.load, generate=LedgerKey.generate)

    @property
    def publics(self) -> list[bytes]:
        """All keys with which this ledger's heads are or were signed, 32 bytes each, the one to sign with now first."""
        ours = [self.current, self._first, *self._next.values()]
        found = [ledger_public(key.public_jwk()) for key in ours] + [_public(path) for path in self._former()]
        return list(dict.fromkeys(found))

    def follow(self, listed: Member | None, now: float) -> bool:
        """Go by this node's entry in the document in force; True if another key signs from now on."""
        in_force = [] if listed is None else [jwk["kid"] for jwk in listed.ledger_keys_at(now)]
        return self._take_up(self._settled(in_force, now))

    def _promote(self, key: LedgerKey) -> None:
        if key.kid != self._first.kid:
            file = self._folder / f"ledger-{self._first.kid}.jwk"
            replace_file(file, orjson.dumps(self._first.public_jwk()))
        super()._promote(key)

    def _former(self) -> list[Path]:
        return sorted(self._folder.glob(_FORMER))


def _public(path: Path) -> bytes:
    try:
        return ledger_public(check_ledger_jwk(read_jwk(path)))
    except MalformedMessage as error:
        raise ConfigurationError(f"{path}: not a public ledger key: {error}") from None
