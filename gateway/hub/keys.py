"""A hub's signing keys: the one that it signs with, and while it rotates, the next (gateway/wire/rotating_keys.py).

Nodes check what a hub signs by the document that they hold, and do not fetch another because a stranger names one. So
the next key is used only once each of them has had the time to fetch the document that lists it, while the old one is
still good.
"""

import contextlib
from pathlib import Path

from gateway.errors import ConfigurationError
from gateway.wire.federation import Federation
from gateway.wire.keys import SigningKey
from gateway.wire.rotating_keys import RotatingKeys

HUB_KEY_FILE = "hub.pem"
HUB_PUBLIC_KEY_FILE = "hub.jwk"  # beside the configuration, for the operator: of the newest key
NEXT_KEYS = "hub-*.pem"


class HubKeys(RotatingKeys[SigningKey]):
    """The private ES256 keys of one folder; raises ConfigurationError for a file that cannot be used."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "hub", load=SigningKey.load, generate=SigningKey.generate)

    def are_named_in(self, document: Federation) -> bool:
        """Whether nodes that hold this document would believe this hub."""
        with contextlib.suppress(ConfigurationError):  # the keys in memory are still good
            self._read()
        return not self.kids.isdisjoint(document.hub_keys)

    def follow(self, document: Federation, now: float) -> bool:
        """Go by the document in force here; True if another key signs from now on."""
        return self._take_up(self._settled(list(document.hub_keys_at(now)), now))
