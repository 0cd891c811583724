"""Who is a member, as the operator's signed document says, with the hub's own word that it is the newest.

The operator's key is not here: the hub can only pass the document on and say how fresh it is (docs/wire.md,
"Federation document"). A member that the operator suspends is refused and not asked as soon as the file is read.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import orjson

from gateway.clock import Clock
from gateway.database.contract import Database, Statement, Work
from gateway.errors import ConfigurationError, FederationError, FederationStale, PatchworkError, StorageError
from gateway.events import emit
from gateway.files import read_file
from gateway.hub.joins import mark_listed
from gateway.hub.keys import HubKeys
from gateway.wire.acceptance import advance
from gateway.wire.federation import Federation, signer_of, verify_document
from gateway.wire.freshness import sign_freshness
from gateway.wire.hand_over import OperatorKeys
from gateway.wire.keys import VerifyKey
from gateway.wire.limits import MAX_DOCUMENT_BYTES

FILE_CHECK_S = 1.0  # how soon a changed document is in force at the hub
RETRY_S = 5.0  # a file that was refused may be good later: a clock is set, a key arrives
FRESHNESS_RENEWAL_S = 5.0  # nodes compare their clock with the hub's signed time, so it is never old


@dataclass(frozen=True, slots=True)
class _FileVersion:
    modified_ns: int
    size: int
    inode: int


class Directory:
    """The federation document in force here. Made by `open_directory`; `watch` keeps it current.

    `operator_keys` reads the pinned key and what follows it: another may be accepted while the hub runs.
    """

    def __init__(
        self,
        *,
        document: Path,
        operator_keys: Callable[[], OperatorKeys],
        hub_keys: HubKeys,
        database: Database,
        clock: Clock,
    ) -> None:
        self._document = document
        self._read_operator_keys = operator_keys
        self._operator_keys = operator_keys()
        self._hub_keys = hub_keys
        self._database = database
        self._clock = clock
        self._held: Federation | None = None
        self._taken: _FileVersion | None = None
        self._refused: tuple[_FileVersion, float] | None = None  # and when it was looked at
        self._freshness_at = 0.0
        self._served = b""
        self._listeners: list[Callable[[Federation], None]] = []

    @property
    def operator_key(self) -> VerifyKey:
        """The one that signed the document, if there is one: what a key signed before it was handed over is over."""
        operators = self._operator_keys
        return operators.newest if self._held is None else signer_of(self._held.token, operators)

    def when_newer(self, tell: Callable[[Federation], None]) -> None:
        """Have each document that comes into force told at once."""
        self._listeners.append(tell)

    def federation(self) -> Federation:
        """The document in force; raises FederationStale when it has expired."""
        if self._held is None or self._held.expires_at <= self._clock.now():
            raise FederationStale("the hub's federation document has expired: the operator must publish a new one")
        return self._held

    @property
    def newest(self) -> Federation | None:
        """The newest document taken, also one that has expired: to say so, not to rely on it."""
        return self._held

    def served(self) -> bytes:
        """What nodes fetch, as JSON: `document` and `freshness`, both compact JWS. Raises FederationStale."""
        federation = self.federation()
        now = self._clock.now()
        if not self._served or not 0 <= now - self._freshness_at < FRESHNESS_RENEWAL_S:
            freshness = sign_freshness(federation, self._hub_keys.current, now)
            self._served = orjson.dumps({"document": federation.token.decode("ascii"), "freshness": freshness})
            self._freshness_at = now
        return self._served

    def has_key(self, kid: str) -> bool:
        """Whether this is a key of this very hub: what is addressed to another one's was meant for that one."""
        return kid in self._hub_keys.kids

    async def refresh(self) -> None:
        """Hold what the operator's file has, if that is newer; raises PatchworkError.

        A file that cannot be accepted leaves in force what was held before, and is read again every few seconds.
        """
        version = await asyncio.to_thread(self._version)
        if version == self._taken or self._has_just_been_refused(version):
            return
        try:
            await self._take(advance(self._held, await asyncio.to_thread(self._read)))
        except PatchworkError:
            self._refused = (version, self._clock.now())
            raise
        self._taken, self._refused = version, None
        self.follow_keys()  # last, for it can fail: who is suspended is suspended now

    def _has_just_been_refused(self, version: _FileVersion) -> bool:
        if self._refused is None or self._refused[0] != version:
            return False
        return 0 <= self._clock.now() - self._refused[1] < RETRY_S

    async def _take(self, federation: Federation) -> None:
        if not self._hub_keys.are_named_in(federation):
            raise FederationError(f"{self._document}: does not name this hub's key")
        await self._database.write(_keep(federation))
        self._held = federation
        self._served = b""
        emit(
            "federation.refreshed",
            federation=federation.name,
            seq=federation.seq,
            members=len(federation.active_members()),
        )
        for tell in self._listeners:
            tell(federation)

    def follow_keys(self) -> None:
        """Sign with the key that the document in force says; raises ConfigurationError for a file of no use."""
        if self._held is not None and self._hub_keys.follow(self._held, self._clock.now()):
            self._served = b""
            emit("hub_key.changed", federation=self._held.name, kid=self._hub_keys.current.kid)

    async def watch(self) -> None:
        """Refresh for ever, until cancelled. What is wrong with the file is logged once, not every second."""
        logged = ""
        while True:
            await asyncio.sleep(FILE_CHECK_S)
            try:
                await self.refresh()
                self.follow_keys()
                logged = "" if self._refused is None else logged
            except PatchworkError as error:
                if str(error) != logged:
                    emit("federation.refused", level=logging.ERROR, code=error.code, reason=str(error))
                logged = str(error)

    async def restore(self) -> None:
        """Hold what an earlier run accepted, however old, so that a restart is no way back."""
        token = await self._database.read(kept_document())
        if token is None:
            return
        try:
            self._held = verify_document(token, operator_key=self._operator_keys, now=None)
        except PatchworkError as error:
            raise ConfigurationError(
                f"the hub's database holds a federation document that the operator key does not verify: {error}"
            ) from error

    def _version(self) -> _FileVersion:
        """Of the operator's file; raises ConfigurationError. Runs in a thread, as does `_read`."""
        try:
            status = self._document.stat()
        except OSError as error:
            raise ConfigurationError(f"{self._document}: cannot be read: {error.strerror}") from error
        return _FileVersion(status.st_mtime_ns, status.st_size, status.st_ino)

    def _read(self) -> Federation:
        """The operator's file, verified; raises PatchworkError."""
        token = read_file(self._document, MAX_DOCUMENT_BYTES)
        self._operator_keys = self._read_operator_keys()
        return verify_document(token.strip(), operator_key=self._operator_keys, now=self._clock.now())


async def open_directory(
    *,
    document: Path,
    operator_keys: Callable[[], OperatorKeys],
    hub_keys: HubKeys,
    database: Database,
    clock: Clock,
) -> Directory:
    """A directory that has a document in force; raises PatchworkError when there is none to be had."""
    directory = Directory(
        document=document, operator_keys=operator_keys, hub_keys=hub_keys, database=database, clock=clock
    )
    await directory.restore()
    directory.follow_keys()
    try:
        await directory.refresh()
    except StorageError:
        raise
    except PatchworkError as error:
        # A document from before is still good, perhaps newer than an old file that was put back.
        try:
            directory.federation()
        except FederationStale:
            raise error from None
        emit("federation.refused", level=logging.ERROR, code=error.code, reason=str(error))
    return directory


def kept_document() -> Work[bytes | None]:
    """The token of the newest document that a hub has taken, if it has taken any."""
    rows = yield Statement("SELECT token FROM federation_document ORDER BY seq DESC LIMIT 1")
    return rows[0][0] if rows else None


def _keep(federation: Federation) -> Work[None]:
    yield Statement(
        "INSERT INTO federation_document (name, seq, token) VALUES (?, ?, ?) "
        "ON CONFLICT (name) DO UPDATE SET seq = excluded.seq, token = excluded.token "
        "WHERE excluded.seq > federation_document.seq",
        (federation.name, federation.seq, federation.token),
    )
    yield from mark_listed(federation)
