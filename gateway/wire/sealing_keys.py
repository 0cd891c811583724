"""Sealing keys over time: the statement that publishes one, and the ring of a node's own (docs/wire.md)."""

from pathlib import Path

import orjson

from gateway.errors import ConfigurationError, MalformedMessage, NotForUs, OutOfTime
from gateway.wire import base64url, jws
from gateway.wire.claims import identifier, integer, only, raw, read_claims, text
from gateway.wire.federation import Member
from gateway.wire.key_files import destroy, read_private, write_private
from gateway.wire.keys import SigningKey
from gateway.wire.limits import (
    MAX_STATEMENT_BYTES,
    SEALING_KEY_LIFETIME_S,
    SEALING_KEY_RENEWAL_S,
    SEALING_KEY_RETENTION_S,
    SEALING_PUBLIC_BYTES,
    SKEW_S,
)
from gateway.wire.seal import PRIVATE_BYTES, HybridPrivateKey, HybridPublicKey, PublicSealingKey, SealingKey

TYP = "patchwork-sealing-key+jwt"
BETWEEN_COPIES_S = 600  # between two keys that a node makes because a copy of it has published a newer one

_CLAIMS = frozenset({"iss", "aud", "iat", "exp", "sealing_kid", "sealing_key"})
_FILE = frozenset({"kid", "not_before", "expires", "private"})
_MAX_FILE_BYTES = 1_024


def sign_sealing_key(key: PublicSealingKey, member_key: SigningKey, *, member: str, federation: str) -> str:
    """The statement by which a member publishes a sealing key; it is in force from `iat` until `exp`."""
    claims = {
        "iss": member,
        "aud": federation,
        "iat": key.not_before,
        "exp": key.expires,
        "sealing_kid": key.kid,
        "sealing_key": base64url.encode_text(key.raw),
    }
    return jws.sign(claims, typ=TYP, key=member_key)


def signer_of(token: str) -> str:
    """The kid of the signing key that a verified statement was signed with."""
    return jws.signer(token, typ=TYP, max_bytes=MAX_STATEMENT_BYTES)


def verify_sealing_key(token: str | bytes, *, member: Member, federation: str, now: float) -> PublicSealingKey:
    """Check a published sealing key.

    (1) a signing key of `member` in force   (2) claims   (3) time   (4) member and federation   (5) the key itself
    Raises MalformedMessage, NotAuthentic, NotForUs, OutOfTime.
    """
    # (1)
    claims = jws.verify(token, typ=TYP, keys=member.keys_at(now), max_bytes=MAX_STATEMENT_BYTES)
    # (2)
    only(claims, _CLAIMS)
    # (3)
    jws.check_times(claims, now, SEALING_KEY_LIFETIME_S)
    # (4)
    if (identifier(claims, "iss"), identifier(claims, "aud")) != (member.id, federation):
        raise NotForUs("a sealing key of another member or federation")
    # (5)
    key = HybridPublicKey(raw(claims, "sealing_key", size=SEALING_PUBLIC_BYTES))
    if text(claims, "sealing_kid") != key.kid:
        raise MalformedMessage("sealing_kid is not the key's hash")
    return PublicSealingKey(key=key, kid=key.kid, not_before=integer(claims, "iat"), expires=integer(claims, "exp"))


class SealingKeyRing:
    """A node's private sealing keys, one file of mode 0600 each in `folder`, shared by all its processes.

    A key lives SEALING_KEY_LIFETIME_S; `rotate` makes its successor SEALING_KEY_RENEWAL_S before its end and destroys
    it SEALING_KEY_RETENTION_S after. Raises ConfigurationError for a folder or file that cannot be used.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._keys: dict[str, SealingKey] = {}
        self._read()

    def current(self, now: float) -> SealingKey:
        """The key to publish; raises ConfigurationError when none is in force (`rotate` makes one)."""
        usable = [key for key in self._keys.values() if key.public.not_before <= now + SKEW_S and now < _end(key)]
        if not usable:
            raise ConfigurationError(f"{self._folder}: no sealing key in force")
        return max(usable, key=lambda key: (key.public.expires, key.kid))

    @property
    def ends_at(self) -> int | None:
        """When the last of these keys ends, epoch seconds; None where there is none."""
        return max(map(_end, self._keys.values()), default=None)

    def by_kid(self, kid: str, now: float) -> SealingKey:
        """The key that a message names; raises NotForUs for one that this node does not have, or no longer."""
        key = self._keys.get(kid)
        if key is None and self._has_file(kid):  # made by another process of this node
            self._read()
            key = self._keys.get(kid)
        if key is None:
            raise NotForUs("sealed to a key that this node does not have")
        if now >= _end(key) + SKEW_S:
            raise OutOfTime("sealed to a key that has ended")
        return key

    def rotate(self, now: float) -> bool:
        """Make the next key when it is time, destroy those long ended; True if any was made or destroyed."""
        self._read()
        ended = [key for key in self._keys.values() if now >= _end(key) + SEALING_KEY_RETENTION_S]
        for key in ended:
            destroy(self._path(key.kid))
        self._keys = {kid: key for kid, key in self._keys.items() if key not in ended}
        due = all(now >= _end(key) - SEALING_KEY_RENEWAL_S for key in self._keys.values())
        if due:
            self._make(int(now))
        return due or bool(ended)

    def supersede(self, other: PublicSealingKey, now: float) -> bool:
        """Make another key if `other`, which this node has published, is newer than all of these and not among them.

        That is when a copy of this node has run elsewhere. False if it is not so, or a key was made here a moment ago:
        two that run at once must not outdo each other for ever.
        """
        newest = max((key.public.not_before for key in self._keys.values()), default=0)
        if other.kid in self._keys or other.not_before <= newest or now - newest < BETWEEN_COPIES_S:
            return False
        self._make(int(now))
        return True

    def _make(self, now: int) -> None:
        private = HybridPrivateKey.generate()
        kid = private.public.kid
        content = {
            "kid": kid,
            "not_before": now,
            "expires": now + SEALING_KEY_LIFETIME_S,
            "private": base64url.encode_text(private.private_bytes()),
        }
        write_private(self._path(kid), orjson.dumps(content))
        self._keys = {**self._keys, kid: self._load(self._path(kid))}

    def _path(self, kid: str) -> Path:
        return self._folder / f"{kid}.key"

    def _has_file(self, kid: str) -> bool:
        # The name comes from outside: only the listing is searched for it, no path is built from it.
        return any(path.stem == kid for path in self._folder.glob("*.key"))

    def _read(self) -> None:
        if not self._folder.is_dir():
            raise ConfigurationError(f"{self._folder}: no such folder for sealing keys")
        found: dict[str, SealingKey] = {}
        for path in self._folder.glob("*.key"):
            try:
                found[path.stem] = self._keys.get(path.stem) or self._load(path)
            except ConfigurationError:
                if path.exists():  # else another process of this node has just destroyed it
                    raise
        self._keys = found

    @staticmethod
    def _load(path: Path) -> SealingKey:
        try:
            content = read_claims(read_private(path), max_bytes=_MAX_FILE_BYTES)
            only(content, _FILE)
            private = HybridPrivateKey(raw(content, "private", size=PRIVATE_BYTES))
            public = PublicSealingKey(
                key=private.public,
                kid=private.public.kid,
                not_before=integer(content, "not_before"),
                expires=integer(content, "expires"),
            )
        except MalformedMessage as error:
            raise ConfigurationError(f"{path}: not a sealing key: {error}") from None
        if not public.kid == content["kid"] == path.stem:
            raise ConfigurationError(f"{path}: not the sealing key that its name says")
        return SealingKey(private=private, public=public)


def _end(key: SealingKey) -> int:
    return key.public.expires
