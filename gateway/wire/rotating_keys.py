"""A private key and, while it rotates, the next one: files of one folder (docs/wire.md, "Rotation").

`<stem>.pem` is the key; from the command that makes it until it takes that name, `<stem>-<kid>.pem` beside it is the
next. (1) the next is made, and waits for the operator   (2) it is signed with as soon as the document in force lists
it; the old one is kept, for a document that takes the new key out again brings it back   (3) once the old one has
ended, the next takes its place and its name. All processes that share the folder come to the same by themselves.

A next key that cannot be used is left alone and told of: what a file of the folder is like must not keep a federation
document, and so a suspension, from being taken. Any other file beside them, such as a copy, is not looked into.
"""

import logging
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from gateway.errors import ConfigurationError
from gateway.events import emit
from gateway.wire.key_files import destroy


class PrivateKey(Protocol):
    """Of either algorithm."""

    kid: str

    def save(self, path: Path) -> None:
        """Write a new file of mode 0600; raises ConfigurationError."""
        ...


K = TypeVar("K", bound=PrivateKey)

# How long a party that others check by a document waits before it signs with a key that a document newly lists, so that
# each of them has fetched that document: all refresh within a minute.
SETTLED_S = 120.0
_KID = re.compile(r"[A-Za-z0-9_-]{43}")  # a JWK thumbprint


class RotatingKeys(Generic[K]):
    """The private keys of one kind in one folder; raises ConfigurationError if the first of them cannot be used."""

    def __init__(self, folder: Path, stem: str, *, load: Callable[[Path], K], generate: Callable[[], K]) -> None:
        self._folder = folder
        self._stem = stem
        self._load = load
        self._generate = generate
        self._next: dict[str, K] = {}
        self._unusable: dict[str, str] = {}
        self._first = load(self._first_path)
        self._read()
        self._current = self._first
        self._listed_at: dict[str, float] = {}

    @property
    def current(self) -> K:
        """The one to sign with now."""
        return self._current

    @property
    def kids(self) -> frozenset[str]:
        """Of all that are here."""
        return frozenset({self._first.kid, *self._next})

    @property
    def waiting(self) -> K | None:
        """A next key that is not signed with yet."""
        return next((key for kid, key in self._next.items() if kid != self._current.kid), None)

    @property
    def unusable(self) -> tuple[str, ...]:
        """What is wrong with each file that was to be a next key."""
        return tuple(self._unusable.values())

    def begin(self, *, anew: bool = False) -> K:
        """(1) The next key: one that waits already, but if `anew` it is destroyed and another made.

        Raises ConfigurationError if one is there that cannot be used: it may be the one that the operator lists.
        """
        self._read()
        for kid, problem in self._unusable.items():
            if _KID.fullmatch(kid):
                raise ConfigurationError(problem)
        for kid in list(self._next) if anew else ():
            if kid != self._current.kid:
                destroy(self._path(kid))
                del self._next[kid]
        if self.waiting is not None:
            return self.waiting
        key = self._generate()
        key.save(self._path(key.kid))
        self._next[key.kid] = key
        return key

    def _settled(self, in_force: Sequence[str], now: float) -> Sequence[str]:
        """Of the kids that the document says are in force, those that everybody must have seen there by now.

        All of them if none of those is here: without the old key there is nothing to wait with.
        """
        self._read()
        self._listed_at = {kid: self._listed_at.get(kid, now) for kid in in_force}
        settled = [kid for kid in in_force if kid == self._first.kid or now - self._listed_at[kid] >= SETTLED_S]
        return settled if self.kids & set(settled) else in_force

    def _take_up(self, in_force: Sequence[str]) -> bool:
        """(2) and (3), by the kids that the document says are in force, the newest last; True if another key signs."""
        self._read()
        before = self._current
        known = {self._first.kid: self._first, **self._next}
        ours = [kid for kid in in_force if kid in known]
        self._current = known[ours[-1]] if ours else self._first
        if ours and self._first.kid not in in_force:
            self._promote(self._current)
        return self._current.kid != before.kid

    def _promote(self, key: K) -> None:
        """(3) The name says which key it is, so of two processes one finds that it is done."""
        try:
            os.replace(self._path(key.kid), self._first_path)
        except FileNotFoundError:
            pass
        except OSError as error:
            raise ConfigurationError(f"{self._path(key.kid)}: cannot be renamed: {error.strerror}") from error
        self._next.pop(key.kid, None)
        self._first = key

    def _read(self) -> None:
        """What other processes have made or renamed; the next ones first, so that none is missed."""
        found: dict[str, K] = {}
        unusable: dict[str, str] = {}
        for path in sorted(self._folder.glob(f"{self._stem}-*.pem")):
            kid = path.stem.removeprefix(f"{self._stem}-")
            try:
                found[kid] = self._next.get(kid) or self._load_next(path, kid)
            except ConfigurationError as error:
                if path.exists():  # else another process has just given it its place
                    unusable[kid] = str(error)
        for new in unusable.keys() - self._unusable.keys():
            emit("key.unusable", level=logging.WARNING, reason=unusable[new])
        self._unusable = unusable
        if self._next.keys() - found.keys():  # one has taken its place, or was thrown away
            self._first = self._load(self._first_path)
        found.pop(self._first.kid, None)
        self._next = found

    def _load_next(self, path: Path, kid: str) -> K:
        if not _KID.fullmatch(kid):
            raise ConfigurationError(
                f"{path}: not a key that `rotate-key` made, so it is left alone: keep copies apart"
            )
        key = self._load(path)
        if key.kid != kid:
            raise ConfigurationError(f"{path}: not the key that its name says")
        return key

    @property
    def _first_path(self) -> Path:
        return self._folder / f"{self._stem}.pem"

    def _path(self, kid: str) -> Path:
        return self._folder / f"{self._stem}-{kid}.pem"
