"""Puts on record that one of this agency's own staff opens a client's page: before it is shown, once a day for each."""

from dataclasses import dataclass

from consent_ledger.budget import day_secret
from consent_ledger.errors import LedgerError
from consent_ledger.ledger import Ledger
from consent_ledger.looked import LookedEntry
from gateway.clock import Clock
from gateway.database.contract import Database
from gateway.days import DAY_S
from gateway.node.identity import Identity
from gateway.node.local_view import Reason
from gateway.node.storage_fault import storage_fault

_MOST_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Looker:
    """Who looks: an account's public id, and the name and role that a client is told."""

    account: str
    name: str
    role: str


class Looks:
    """One node's looks of today. What it remembers saves writing; that there is one a day, the ledger sees to."""

    def __init__(self, *, me: Identity, ledger: Ledger, keys: Database, clock: Clock) -> None:
        """`keys` is the key store."""
        self._me = me
        self._ledger = ledger
        self._keys = keys
        self._clock = clock
        self._day = -1
        self._secret = b""
        self._seen: set[tuple[str, int]] = set()

    async def put_on_record(self, looker: Looker, person_id: int, reason: Reason) -> None:
        """Of a client, by the id of one of their rows. Returns when it is on disk; raises StorageError if it is not:
        then nothing may be shown.
        """
        now = self._clock.now()
        day = int(now) // DAY_S
        if day != self._day:
            self._secret = await self._keys.write(day_secret(self._me.federation, day, forget=False))
            self._day = day
            self._seen.clear()
        about = (looker.account, person_id)
        if about in self._seen:
            return
        entry = LookedEntry(
            member=self._me.member,
            account=looker.account,
            name=looker.name,
            role=looker.role,
            purpose=reason.purpose.value,
            lawful_basis=reason.lawful_basis.value,
            person_id=person_id,
            at=now,
            secret=self._secret,
        )
        try:
            await self._ledger.log_look(entry)
        except LedgerError as error:
            raise storage_fault(error) from error
        if self._day == day and len(self._seen) < _MOST_REMEMBERED:
            self._seen.add(about)
