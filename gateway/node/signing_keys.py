"""A node's signing keys: the one that it signs with, and while it rotates, the next (docs/wire.md, "Rotation").

`signing.pem` is the key; from `patchwork node rotate-key` until its end, `signing-<kid>.pem` beside it is the next.
(1) the next is made, and waits for the operator   (2) it is signed with as soon as the document in force lists it; the
old one is kept, for a document that takes the new key out again brings it back   (3) once the old one has ended, the
next takes its place and its name. All processes of a node come to the same by themselves.
"""

import os
from pathlib import Path

from gateway.errors import ConfigurationError
from gateway.wire.federation import Member
from gateway.wire.key_files import destroy
from gateway.wire.keys import SigningKey

SIGNING_KEY_FILE = "signing.pem"
NEXT_KEYS = "signing-*.pem"


class SigningKeys:
    """The private ES256 keys of one folder; raises ConfigurationError for a file that cannot be used."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._next: dict[str, SigningKey] = {}
        self._first = SigningKey.load(folder / SIGNING_KEY_FILE)
        self._read()
        self._current = self._first

    @property
    def current(self) -> SigningKey:
        """The one to sign with now."""
        return self._current

    @property
    def kids(self) -> frozenset[str]:
        """Of all that are here."""
        return frozenset({self._first.kid, *self._next})

    @property
    def waiting(self) -> SigningKey | None:
        """A next key that is not signed with yet."""
        return next((key for kid, key in self._next.items() if kid != self._current.kid), None)

    def follow(self, listed: Member | None, now: float) -> bool:
        """Steps (2) and (3), by this node's entry in the document in force; True if another key signs from now on."""
        self._read()
        before = self._current
        in_force = {} if listed is None else listed.keys_at(now)
        known = {self._first.kid: self._first, **self._next}
        ours = [kid for kid in in_force if kid in known]
        self._current = known[ours[-1]] if ours else self._first  # the document lists the newest last
        if ours and self._first.kid not in in_force:
            self._promote(self._current)
        return self._current.kid != before.kid

    def begin(self, *, anew: bool = False) -> SigningKey:
        """(1) The next key: one that waits already, but if `anew` it is destroyed and another made."""
        self._read()
        for kid in list(self._next) if anew else ():
            if kid != self._current.kid:
                destroy(self._path(kid))
                del self._next[kid]
        if self.waiting is not None:
            return self.waiting
        key = SigningKey.generate()
        key.save(self._path(key.kid))
        self._next[key.kid] = key
        return key

    def _promote(self, key: SigningKey) -> None:
        """(3) The name says which key it is, so of two processes one finds that it is done."""
        try:
            os.replace(self._path(key.kid), self._folder / SIGNING_KEY_FILE)
        except FileNotFoundError:
            pass
        except OSError as error:
            raise ConfigurationError(f"{self._path(key.kid)}: cannot be renamed: {error.strerror}") from error
        self._next.pop(key.kid, None)
        self._first = key

    def _read(self) -> None:
        """What other processes of this node have made or renamed; the next ones first, so that none is missed."""
        found: dict[str, SigningKey] = {}
        for path in sorted(self._folder.glob(NEXT_KEYS)):
            kid = path.stem.removeprefix("signing-")
            try:
                found[kid] = self._next.get(kid) or SigningKey.load(path)
            except ConfigurationError:
                if path.exists():  # else another process has just given it its place
                    raise
                continue
            if found[kid].kid != kid:
                raise ConfigurationError(f"{path}: not the signing key that its name says")
        if self._next.keys() - found.keys():  # one has taken its place, or was thrown away
            self._first = SigningKey.load(self._folder / SIGNING_KEY_FILE)
        found.pop(self._first.kid, None)
        self._next = found

    def _path(self, kid: str) -> Path:
        return self._folder / f"signing-{kid}.pem"
