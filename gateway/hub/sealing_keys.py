"""Passes on the members' sealing keys: the newest statement of each, as that member signed it.

The hub cannot make one up: askers verify each statement with the member's signing key (docs/wire.md, "Sealing keys").
"""

import asyncio
import logging
from dataclasses import dataclass

import orjson

from gateway.clock import Clock
from gateway.database.contract import Database, Row, Statement, Work
from gateway.days import HOUR_S
from gateway.errors import PatchworkError, Replayed, WireError
from gateway.events import emit
from gateway.hub.directory import Directory
from gateway.wire.federation import Federation, Member
from gateway.wire.seal import PublicSealingKey
from gateway.wire.sealing_keys import verify_sealing_key

OTHERS_CHECK_S = 1.0  # how soon a key published to another process is served here


@dataclass(frozen=True, slots=True)
class _Statement:
    key: PublicSealingKey
    token: bytes


class SealingKeys:
    """The statements in force, in memory and in the hub's database. Made by `open_sealing_keys`."""

    def __init__(self, *, directory: Directory, database: Database, clock: Clock) -> None:
        self._directory = directory
        self._database = database
        self._clock = clock
        self._statements: dict[str, _Statement] = {}
        self._served = b""
        self._served_for = ""  # sha256 of the federation document that the statements were checked against
        self._served_until = 0.0

    async def publish(self, member: Member, token: bytes) -> None:
        """Take over a member's new statement; raises WireError, and Replayed for one older than it published before."""
        federation = self._directory.federation()
        key = verify_sealing_key(token, member=member, federation=federation.name, now=self._clock.now())
        held = self._statements.get(member.id)
        if held is not None and key.not_before < held.key.not_before:
            raise Replayed("a newer sealing key of this member has been published before")
        await self._database.write(_keep(member.id, key, token, self._clock.now()))
        self._statements[member.id] = _Statement(key, token)
        self._served = b""

    def served(self) -> bytes:
        """What askers fetch, as JSON: `sealing_keys`, member id -> compact JWS. Raises FederationStale."""
        federation = self._directory.federation()
        now = self._clock.now()
        if not self._served or self._served_for != federation.sha256 or now >= self._served_until:
            self._drop_what_ended(federation, now)
            statements = {member: held.token.decode("ascii") for member, held in self._statements.items()}
            self._served = orjson.dumps({"sealing_keys": statements})
            self._served_for = federation.sha256
            self._served_until = min((held.key.expires for held in self._statements.values()), default=now + HOUR_S)
        return self._served

    async def watch(self) -> None:
        """Take up what members publish to other processes of this hub; for ever, until cancelled."""
        failing = False
        while True:
            await asyncio.sleep(OTHERS_CHECK_S)
            try:
                await self.restore()
                failing = False
            except PatchworkError as error:  # a document that has expired, a database that is away: said once
                if not failing:
                    emit("federation.refused", level=logging.ERROR, code=error.code, reason=str(error))
                failing = True

    async def restore(self) -> None:
        """Take up what members published to an earlier run, or to another process."""
        federation = self._directory.federation()
        for member_id, token in await self._database.read(_kept()):
            held = self._statements.get(member_id)
            if held is not None and held.token == token:
                continue
            key = _verify(member_id, token, federation, self._clock.now())
            if key is not None and (held is None or key.not_before >= held.key.not_before):
                self._statements[member_id] = _Statement(key, token)
                self._served = b""

    def _drop_what_ended(self, federation: Federation, now: float) -> None:
        """Expired keys, those of suspended members, and those signed with a key that was revoked."""
        self._statements = {
            member: held
            for member, held in self._statements.items()
            if _verify(member, held.token, federation, now) is not None
        }


async def open_sealing_keys(*, directory: Directory, database: Database, clock: Clock) -> SealingKeys:
    """Sealing keys as an earlier run left them; raises StorageError, FederationStale."""
    keys = SealingKeys(directory=directory, database=database, clock=clock)
    await keys.restore()
    return keys


def _verify(member_id: str, token: bytes, federation: Federation, now: float) -> PublicSealingKey | None:
    try:
        return verify_sealing_key(token, member=federation.member(member_id), federation=federation.name, now=now)
    except WireError:
        return None


def _kept() -> Work[list[Row]]:
    return (yield Statement("SELECT member, token FROM sealing_key"))


def _keep(member: str, key: PublicSealingKey, token: bytes, now: float) -> Work[None]:
    yield Statement("DELETE FROM sealing_key WHERE expires_at < ?", (now,))
    yield Statement(
        "INSERT INTO sealing_key (member, not_before, expires_at, token) VALUES (?, ?, ?, ?) "
        "ON CONFLICT (member) DO UPDATE "
        "SET not_before = excluded.not_before, expires_at = excluded.expires_at, token = excluded.token "
        "WHERE excluded.not_before >= sealing_key.not_before",  # another process may hold a newer one
        (member, key.not_before, key.expires, token),
    )
