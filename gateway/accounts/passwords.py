"""Passwords under argon2id (RFC 9106), hashed one at a time in a thread of their own.

One hash takes 46 MiB and some 80 ms: whoever sends many sign-ins at once must neither fill the memory nor slow down
answers to other agencies. A login that does not exist costs the same hash as one that does. Nobody has more than a few
of the places to wait, however fast they come: else one account that signs in rightly, which no limit on wrong tries
sees, would keep everybody else out.
"""

import asyncio
import secrets
import unicodedata
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from gateway.errors import Overloaded

MEMORY_KIB = 46 * 1024  # with one pass and one lane: OWASP, Password Storage Cheat Sheet
MAX_WAITING = 32  # sign-ins; some three seconds of work
MAX_OF_ACCOUNT = 2  # of those that wait, for one account
MAX_OF_ADDRESS = 16  # a whole office may come from one, but not take all places
MIN_LENGTH = 12  # characters; NCSC: three random words
MAX_LENGTH = 200
_FEWEST_DIFFERENT = 5  # characters in a password: "aaaaaaaaaaaa" is none

T = TypeVar("T")


class Passwords:
    """Hashes and checks; close() it when the pages stop."""

    def __init__(self, memory_kib: int = MEMORY_KIB) -> None:
        self._hasher = PasswordHasher(time_cost=1, memory_cost=memory_kib, parallelism=1)
        self._dummy = self._hasher.hash(secrets.token_urlsafe())
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="passwords")
        self._waiting = 0
        self._of = Counter[bytes]()  # that wait, by account and by address

    async def hash(self, password: str, *, account: bytes = b"") -> str:
        """argon2id's text of a password, with a salt of its own; raises Overloaded."""
        return await self._run(lambda: self._hasher.hash(_normal(password)), account, b"")

    async def verify(self, stored: str | None, password: str, *, account: bytes = b"", address: bytes = b"") -> bool:
        """Whether this is the password of that text; None (nobody, or no password) takes as long. Raises Overloaded.

        `account`, `address`: what stands for whose it is said to be, and where from; empty: nothing is counted.
        """
        return await self._run(
            lambda: self._matches(stored or self._dummy, password) and stored is not None, account, address
        )

    def close(self) -> None:
        """End the thread once it has finished what it is at."""
        self._thread.shutdown(wait=True, cancel_futures=True)

    def _matches(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, _normal(password))
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, work: Callable[[], T], account: bytes, address: bytes) -> T:
        full = self._waiting >= MAX_WAITING
        if full or self._of[account] >= MAX_OF_ACCOUNT or self._of[address] >= MAX_OF_ADDRESS:
            raise Overloaded("more sign-ins are waiting than can be checked now")
        counted = [each for each in (account, address) if each]
        self._waiting += 1
        self._of.update(counted)
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        finally:
            self._waiting -= 1
            self._of -= Counter(counted)  # drops those of whom nobody waits any more


def is_long_enough(password: str) -> bool:
    """Whether it has the length that docs/pages.md asks for."""
    return MIN_LENGTH <= len(_normal(password)) <= MAX_LENGTH


def is_guessable(password: str, *known: str) -> bool:
    """Whether it hardly varies, or is made of what everybody knows: `known` are the login and the name."""
    normal = _normal(password).casefold()
    if len(set(normal)) < _FEWEST_DIFFERENT:
        return True
    rest = normal
    for each in known:
        for part in (each.casefold(), *each.casefold().split()):
            rest = rest.replace(part, "") if part else rest
    return len(rest) < MIN_LENGTH // 2


def _normal(password: str) -> str:
    """The same characters whichever keyboard typed them (NIST SP 800-63B, 5.1.1.2)."""
    return unicodedata.normalize("NFKC", password)
