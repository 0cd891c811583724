"""The key of the pages, `web.key` below the node's key folder: what a copy of web.db alone must not give away.

From it come the key that seals TOTP secrets and the one under which logins and addresses are hashed for the limits.
"""

import hmac
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway.errors import ConfigurationError, StorageError
from gateway.wire.key_files import read_private, write_private

WEB_KEY_FILE = "web.key"
KEY_BYTES = 32

_NONCE_BYTES = 12


class WebKey:
    """Seals small secrets, and hashes what must be recognised but not read."""

    def __init__(self, key: bytes) -> None:
        self._seal = AESGCM(hmac.digest(key, b"patchwork seal", "sha256"))
        self._names = hmac.digest(key, b"patchwork names", "sha256")

    def seal(self, secret: bytes, owner: str) -> bytes:
        """Seal for one account (its public id): moved to another's row it does not open."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._seal.encrypt(nonce, secret, owner.encode())

    def open(self, sealed: bytes, owner: str) -> bytes:
        """The secret again; raises StorageError if it was not sealed with this key for this owner."""
        try:
            return self._seal.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], owner.encode())
        except (InvalidTag, ValueError):
            raise StorageError(f"web database: a secret does not open with {WEB_KEY_FILE}") from None

    def name(self, kind: str, value: str) -> bytes:
        """16 bytes that stand for a value of one kind."""
        return hmac.digest(self._names, f"{kind}\0{value}".encode(), "sha256")[:16]


def load_web_key(folder: Path) -> WebKey:
    """Read the key, or make it at the first start; raises ConfigurationError naming the file."""
    path = folder / WEB_KEY_FILE
    if not path.exists():
        write_private(path, secrets.token_bytes(KEY_BYTES))
    key = read_private(path)
    if len(key) != KEY_BYTES:
        raise ConfigurationError(f"{path}: not a key of {KEY_BYTES} bytes")
    return WebKey(key)
