"""How often somebody may describe people in a day to a page that tells whether they are known here.

These are "Add a client", whose warning of duplicates answers guesses, and the officer's search for who asks who looked.

What is typed counts as a question's does (node/described.py, docs/policy.md, "Probing") and under the same limits: what
one account types at all, and in how many ways it describes one person. Counted before anybody is looked for, from what
was typed alone, so that a limit tells nothing of who is known. Break-glass has no part in it.
"""

from hashlib import blake2b
from typing import Final, NamedTuple

from consent_ledger.budget import day_secret
from gateway.clock import Clock
from gateway.database.contract import Database, Statement, Work
from gateway.days import DAY_S
from gateway.matching.record import Asked
from gateway.node.described import MOST_WAYS, ways_of
from gateway.node.probing import SHARED, BudgetLimits

_NAME_BYTES, _VARIANT_BYTES = 16, 8
_LABEL: Final = b"pw/web/guess1"  # BLAKE2b's personalisation, at most 16 bytes
_ALL: Final = "all"


class _Count(NamedTuple):
    name: bytes
    variant: bytes
    most: int
    most_variants: int


class Guesses:
    """One node's counts of what its own people describe; rows of web.db, so that a restart forgives nothing."""

    def __init__(
        self, *, database: Database, keys: Database, federation: str, clock: Clock, limits: BudgetLimits
    ) -> None:
        """`database` is web.db, `keys` the key store."""
        self._database = database
        self._keys = keys
        self._federation = federation
        self._clock = clock
        self._limits = limits
        self._day = -1
        self._secret = b""

    async def allow(self, account: str, asked: Asked) -> bool:
        """Count a description by an account (its public id); False if there is no room left for it today."""
        day = await self._today()
        ways = ways_of(asked)
        if len(ways) > MOST_WAYS:
            return False
        variant = self._keyed(_VARIANT_BYTES, repr(asked))
        counts = [self._of_all(account)]
        for way in ways:
            times = SHARED if way.shared else 1
            name = self._keyed(_NAME_BYTES, account, way.kind, "shared" if way.shared else "one", *way.who)
            counts.append(
                _Count(name, variant, times * self._limits.per_person, times * self._limits.variants_per_person)
            )
        return await self._database.write(_spend(day, counts))

    async def allow_number(self, account: str) -> bool:
        """The same of a number in one of this agency's systems, which describes nobody: it counts as one of all."""
        day = await self._today()
        return await self._database.write(_spend(day, [self._of_all(account)]))

    async def _today(self) -> int:
        """Today's number, with its secret at hand."""
        day = int(self._clock.now()) // DAY_S
        if day != self._day:
            self._secret = await self._keys.write(day_secret(self._federation, day, forget=False))
            self._day = day
        return day

    def _of_all(self, account: str) -> _Count:
        return _Count(self._keyed(_NAME_BYTES, account, _ALL), b"", self._limits.per_practitioner, 1)

    def _keyed(self, size: int, *parts: str) -> bytes:
        # No part has a NUL: ids, codes, and what normalise.py leaves of what was typed.
        return blake2b("\0".join(parts).encode(), key=self._secret, digest_size=size, person=_LABEL).digest()


def _spend(day: int, counts: list[_Count]) -> Work[bool]:
    """Count all of them; or, if one has no room, nothing but the variant too many, which keeps it used up for today."""
    for count in counts:
        rows = yield Statement(
            "SELECT variant, times FROM described_today WHERE day = ? AND name = ?", (day, count.name)
        )
        seen: dict[bytes, int] = dict(rows)
        if len(seen) + (count.variant not in seen) > count.most_variants:
            if len(seen) == count.most_variants:
                yield Statement(_COUNT, [(day, count.name, count.variant)])
            return False
        if sum(seen.values()) >= count.most:
            return False
    yield Statement(_COUNT, [(day, count.name, count.variant) for count in counts])
    return True


_COUNT: Final = (
    "INSERT INTO described_today (day, name, variant, times) VALUES (?, ?, ?, 1) "
    "ON CONFLICT (day, name, variant) DO UPDATE SET times = times + 1"
)


def sweep(now: float) -> Work[None]:
    """Forget all but today and yesterday."""
    yield Statement("DELETE FROM described_today WHERE day < ?", (int(now) // DAY_S - 1,))
