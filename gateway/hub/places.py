"""What only so many questions may have at once, over all processes of a hub: exactly, and whoever of them dies.

A place is one byte of a file, and who holds it has locked that byte (fcntl(2)). The kernel gives each to one process at
a time, and takes it back in the moment in which a process ends, however it ends: nothing is counted, so no count can be
wrong, and nothing has to be cleared. The file itself stays empty.

The bytes of a member begin where its id's SHA-256 says: 2^46 beginnings, so two members never meet by chance.
"""

import fcntl
import hashlib
import os
from itertools import chain, islice
from pathlib import Path
from typing import Final

from gateway.errors import StorageError

MOST_TRIES: Final = 512  # of places, about a millisecond: who may have more than that can be refused a little early
_BYTES_EACH: Final = 2**16  # of a member; more than `max_concurrent` may be
_TRY: Final = _BYTES_EACH - 1  # the place of the one question that tries a failing member (circuit.py)


class Places:
    """One per process, for the locks are the process's: a second one here would let go of what the first holds.

    Made by `open_places`.
    """

    def __init__(self, descriptor: int, *, number: int, processes: int) -> None:
        self._descriptor = descriptor
        self._number = number
        self._processes = processes
        self._held: dict[str, set[int]] = {}

    def take(self, member: str, most: int) -> int | None:
        """One of the first `most` places of `member`; None if all are taken. Give it back."""
        held = self._held.get(member, set())
        # Each process looks in its own part first, so that it finds a place at once until that part is full.
        first = self._number * most // self._processes
        wanted = (place for place in chain(range(first, most), range(first)) if place not in held)
        return next((place for place in islice(wanted, MOST_TRIES) if self._lock(member, place)), None)

    def take_try(self, member: str) -> int | None:
        """The one place of whoever tries a failing member; None if it is taken."""
        held = _TRY in self._held.get(member, ())
        return _TRY if not held and self._lock(member, _TRY) else None

    def give_back(self, member: str, place: int) -> None:
        """Let others have it."""
        held = self._held[member]
        held.remove(place)
        if not held:
            del self._held[member]
        fcntl.lockf(self._descriptor, fcntl.LOCK_UN, 1, _offset(member, place))

    def close(self) -> None:
        """Give all back."""
        os.close(self._descriptor)

    def _lock(self, member: str, place: int) -> bool:
        """Whether the place is this process's now; what the kernel cannot do counts as taken."""
        try:
            fcntl.lockf(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, _offset(member, place))
        except OSError:
            return False
        self._held.setdefault(member, set()).add(place)
        return True


def open_places(file: Path, *, number: int, processes: int) -> Places:
    """The places in this file, made if need be, for one of so many processes; raises StorageError."""
    try:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StorageError(f"{file.name}: cannot be opened: {error.strerror}") from error
    places = Places(descriptor, number=number, processes=processes)
    if places.take("", processes) is None:  # no member's: there is one for each process
        places.close()
        raise StorageError(f"{file.name}: cannot be locked: it must be on a local disk")
    return places


def _offset(member: str, place: int) -> int:
    beginning = int.from_bytes(hashlib.sha256(member.encode()).digest()[:6]) >> 2
    return beginning * _BYTES_EACH + place
