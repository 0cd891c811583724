"""What this node may rely on about its federation: documents, freshness, accepted members, sealing keys.

refresh(), at least every minute (docs/wire.md, "Federation document"):
  (0) take up what another process of this node has decided: `patchwork node accept`, `patchwork node clear-alarm`
  (1) fetch document and freshness statement from the hub
  (2) verify the operator's signature, then the hub's
  (3) never go back: a lower seq is refused; one seq with two contents stops the node
  (4) leave out what this node's officer has not accepted
  (5) persist and archive
  (6) rotate and publish our sealing key, fetch the others'
current() hands out the result, or raises: nothing is asked or answered on a stale or doubtful document.
"""

import asyncio
import logging
import random
from collections.abc import Mapping
from dataclasses import dataclass, replace

from consent_ledger.read import clock_high
from gateway.clock import Clock
from gateway.database.contract import Database, Statement, Work
from gateway.errors import ClockWrong, FederationRolledBack, FederationStale, PatchworkError, WireError
from gateway.events import emit
from gateway.links.hub_client import HubClient
from gateway.node.agreements import AgreementsInForce, agreements_of
from gateway.node.identity import Identity
from gateway.wire.acceptance import ChangeKind, PendingChange, advance, pending_changes, without_pending
from gateway.wire.federation import Federation, Member, verify_document
from gateway.wire.freshness import Freshness, verify_freshness
from gateway.wire.keys import VerifyKey
from gateway.wire.seal import PublicSealingKey
from gateway.wire.sealing_keys import sign_sealing_key, verify_sealing_key

REFRESH_S = 30.0  # twice as often as docs/wire.md demands, so that one failure does not make us late
CATCH_UP_S = 5.0  # between two fetches that peers' messages cause, so that none can make us hammer the hub
MAX_CLOCK_BEHIND_S = 30  # behind the highest time that this node has seen
MAX_CLOCK_OFF_S = 60  # off the hub's signed time


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One moment's federation: only accepted members and keys, and agreements as they bind this node."""

    federation: Federation
    freshness: Freshness
    sealing_keys: Mapping[str, PublicSealingKey]
    agreements: AgreementsInForce
    waiting: tuple[PendingChange, ...]

    @property
    def expires_at(self) -> int:
        """Epoch seconds after which nothing may rely on this view."""
        return min(self.federation.expires_at, self.freshness.expires_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    """What is persisted, verified again after each start."""

    received: Federation
    freshness: Freshness | None
    accepted: Mapping[str, Member]
    alarm: str | None


class Membership:
    """Keeps the view fresh. The highest time that this node has seen stands in its ledger, which survives restarts."""

    def __init__(
        self,
        *,
        me: Identity,
        operator_key: VerifyKey,
        operator_decides: bool,
        database: Database,
        hub: HubClient,
        clock: Clock,
    ) -> None:
        self._me = me
        self._operator_key = operator_key
        self._operator_decides = operator_decides
        self._database = database
        self._hub = hub
        self._clock = clock
        self._held: _Held | None = None
        self._view: View | None = None
        self._sealing_keys: dict[str, PublicSealingKey] = {}
        self._clock_off = 0.0
        self._highest_time = 0.0
        self._caught_up_at = 0.0
        self._refreshing = asyncio.Lock()

    def current(self) -> View:
        """The view in force; raises FederationStale, FederationRolledBack or ClockWrong: then nothing is answered."""
        now = self._clock.now()
        if self._held is not None and self._held.alarm is not None:
            raise FederationRolledBack(self._held.alarm)
        if self._view is None:
            raise FederationStale("no federation document has arrived yet")
        self._highest_time = max(self._highest_time, now)
        if now < self._highest_time - MAX_CLOCK_BEHIND_S:
            raise ClockWrong("this machine's clock is behind the newest entry of its own ledger")
        if abs(self._clock_off) > MAX_CLOCK_OFF_S:
            raise ClockWrong(f"this machine's clock is {self._clock_off:+.0f} s off the hub's signed time")
        if now >= self._view.expires_at:
            raise FederationStale("the federation document or the hub's freshness statement has expired")
        return self._view

    @property
    def received(self) -> Federation | None:
        """The newest document as the operator signed it, with members that nobody here has accepted: to show it."""
        return None if self._held is None else self._held.received

    async def load(self) -> None:
        """Take up what was persisted, without asking anybody."""
        self._highest_time = max(self._highest_time, await self._database.read(clock_high()))
        rows, accepted, statements = await self._database.read(_read_state(self._me.federation))
        if rows is None:
            self._held, self._view = None, None
            return
        token, freshness_token, alarm = rows
        received = verify_document(token, operator_key=self._operator_key, now=None)
        held = {
            sha256: verify_document(document, operator_key=self._operator_key, now=None)
            for sha256, document in {(sha256, document) for _, sha256, document in accepted}
        }
        self._held = _Held(
            received=received,
            freshness=self._still_fresh(freshness_token, received),
            accepted={member: held[sha256].members[member] for member, sha256, _ in accepted},
            alarm=alarm,
        )
        self._take_statements(statements, received)
        self._rebuild()

    async def refresh(self) -> View:
        """Steps (0)-(6); raises HubError, WireError, FederationError, and keeps what was held."""
        async with self._refreshing:
            await self.load()  # (0)
            document, freshness_token = await self._hub.federation()  # (1)
            now = self._clock.now()
            received = verify_document(document, operator_key=self._operator_key, now=now)  # (2)
            if received.name != self._me.federation:
                raise FederationRolledBack(f"the hub serves the document of another federation: {received.name}")
            freshness = verify_freshness(freshness_token, received, now=now)
            self._clock_off = now - freshness.time
            await self._advance(received, freshness, freshness_token)  # (3) (4) (5)
            await self._exchange_sealing_keys()  # (6)
            self._rebuild()
            return self.current()

    async def catch_up(self) -> View:
        """A peer has named a newer document than ours: fetch it now, though not for every such message."""
        if self._clock.now() - self._caught_up_at >= CATCH_UP_S:
            self._caught_up_at = self._clock.now()
            await self.refresh()
        return self.current()

    async def keep_fresh(self) -> None:
        """Refresh for ever; failures are logged and the last view serves until it expires."""
        while True:
            try:
                view = await self.refresh()
                emit(
                    "federation.refreshed",
                    federation=self._me.federation,
                    seq=view.federation.seq,
                    members=len(view.federation.members),
                )
            except PatchworkError as error:
                emit(
                    "federation.refused",
                    level=logging.WARNING,
                    federation=self._me.federation,
                    code=error.code,
                    reason=str(error),
                )
            await asyncio.sleep(REFRESH_S * random.uniform(0.8, 1.0))  # noqa: S311 - spreads load, decides nothing

    async def accept(self, member: str) -> tuple[PendingChange, ...]:
        """This node's officer accepts a member as it stands in the newest document; returns what was waiting."""
        if self._held is None or member not in self._held.received.members:
            raise FederationStale(f"{member} is not in the federation document that this node holds")
        waiting = tuple(change for change in self._waiting() if change.member == member)
        accepted = {**self._held.accepted, member: self._held.received.members[member]}
        self._held = replace(self._held, accepted=accepted)
        await self._database.write(
            _write_accepted(self._me.federation, [member], self._held.received.sha256, int(self._clock.now()))
        )
        self._rebuild()
        return waiting

    async def clear_alarm(self) -> None:
        """The officer has settled with the operator which document is right: go on with the newest one served."""
        await self._database.write(_forget_state(self._me.federation))
        self._held, self._view = None, None

    async def _advance(self, received: Federation, freshness: Freshness, freshness_token: str) -> None:
        held = self._held
        try:
            advance(held.received if held else None, received)
        except FederationRolledBack as error:
            if held is not None and received.seq == held.received.seq:
                self._held = replace(held, alarm=str(error))
                await self._database.write(_write_alarm(self._me.federation, str(error)))
            raise
        accepted = dict(held.accepted) if held else {}
        pending = self._pending(accepted, received)
        waiting = {change.member for change in pending}
        settled = [member for member in received.members if member not in waiting]
        accepted = {member: kept for member, kept in accepted.items() if member in received.members}
        accepted |= {member: received.members[member] for member in settled}
        if held is None or held.received.sha256 != received.sha256:
            for change in pending:
                emit(
                    "federation.waiting",
                    level=logging.WARNING,
                    federation=self._me.federation,
                    member=change.member,
                    change=change.kind.value,
                )
        await self._database.write(
            _write_state(received, freshness_token, settled, federation=self._me.federation, now=int(self._clock.now()))
        )
        self._held = _Held(
            received=received, freshness=freshness, accepted=accepted, alarm=held.alarm if held else None
        )

    async def _exchange_sealing_keys(self) -> None:
        if self._held is None:
            return
        now = self._clock.now()
        if self._me.ring.rotate(now):
            emit("sealing_key.rotated", member=self._me.member, kid=self._me.ring.current(now).kid)
        served = await self._hub.sealing_keys()
        taken = self._take_statements(served, self._held.received)
        own = self._me.ring.current(now)
        known = self._sealing_keys.get(self._me.member)
        published = self._me.member in served and known is not None and known.kid == own.kid
        listed = self._held.received.members.get(self._me.member)
        if not published and listed is not None and listed.active:
            statement = sign_sealing_key(
                own.public, self._me.signing_key, member=self._me.member, federation=self._me.federation
            )
            await self._hub.publish_sealing_key(statement)
        await self._database.write(_write_statements(self._me.federation, taken))

    def _take_statements(self, statements: Mapping[str, str], federation: Federation) -> dict[str, str]:
        """Take up what verifies and is not older than what is held; returns those taken."""
        now = self._clock.now()
        taken = {}
        for member in federation.active_members():
            statement = statements.get(member.id)
            if statement is None:
                continue
            try:
                key = verify_sealing_key(statement, member=member, federation=federation.name, now=now)
            except WireError:
                continue  # the hub serves something that the member did not sign: as if it had served nothing
            held = self._sealing_keys.get(member.id)
            if held is None or held.not_before <= key.not_before:
                self._sealing_keys[member.id] = key
                taken[member.id] = statement
        return taken

    def _still_fresh(self, token: str, received: Federation) -> Freshness | None:
        try:
            return verify_freshness(token, received, self._clock.now())
        except FederationStale:
            return None  # nothing is answered until the hub has said a new word; the seq is remembered all the same

    def _waiting(self) -> tuple[PendingChange, ...]:
        return () if self._held is None else self._pending(self._held.accepted, self._held.received)

    def _pending(self, accepted: Mapping[str, Member], received: Federation) -> tuple[PendingChange, ...]:
        if self._operator_decides:
            return ()
        return tuple(
            change for change in pending_changes(accepted, received) if not self._is_our_own_key(change, received)
        )

    def _is_our_own_key(self, change: PendingChange, received: Federation) -> bool:
        """Nobody need accept this very node; a key under our name that is not ours does wait, and is shown."""
        if change.member != self._me.member:
            return False
        ours = self._me.signing_key.kid
        if change.kind is ChangeKind.NEW_MEMBER:
            return all(key.key.kid == ours for key in received.members[change.member].keys)
        return change.kind is ChangeKind.SIGNING_KEY and change.kid == ours

    def _rebuild(self) -> None:
        if self._held is None or self._held.freshness is None:
            return
        waiting = self._waiting()
        federation = without_pending(self._held.received, waiting)
        self._view = View(
            federation=federation,
            freshness=self._held.freshness,
            sealing_keys=dict(self._sealing_keys),
            agreements=agreements_of(federation, me=self._me.member),
            waiting=waiting,
        )


def _read_state(
    federation: str,
) -> Work[tuple[tuple[bytes, str, str | None] | None, list[tuple[str, str, bytes]], dict[str, str]]]:
    state = yield Statement(
        "SELECT d.token, s.freshness, s.alarm FROM federation_state s"
        " JOIN federation_document d ON d.sha256 = s.sha256 WHERE s.federation = ?",
        (federation,),
    )
    accepted = yield Statement(
        "SELECT a.member, d.sha256, d.token FROM federation_accepted a"
        " JOIN federation_document d ON d.sha256 = a.sha256 WHERE a.federation = ?",
        (federation,),
    )
    statements = yield Statement("SELECT member, statement FROM sealing_key WHERE federation = ?", (federation,))
    return (
        (state[0][0], state[0][1], state[0][2]) if state else None,
        [(member, sha256, token) for member, sha256, token in accepted],
        dict(statements),
    )


def _write_state(received: Federation, freshness: str, settled: list[str], *, federation: str, now: int) -> Work[None]:
    yield Statement(
        "INSERT INTO federation_document (sha256, federation, seq, token, received_at) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (sha256) DO NOTHING",
        (received.sha256, federation, received.seq, received.token, now),
    )
    yield Statement(
        "INSERT INTO federation_state (federation, seq, sha256, freshness) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (federation) DO UPDATE SET seq = excluded.seq, sha256 = excluded.sha256,"
        " freshness = excluded.freshness WHERE excluded.seq >= federation_state.seq",
        (federation, received.seq, received.sha256, freshness),
    )
    yield from _write_accepted(federation, settled, received.sha256, now)


def _write_accepted(federation: str, members: list[str], sha256: str, now: int) -> Work[None]:
    yield Statement(
        "INSERT INTO federation_accepted (federation, member, sha256, accepted_at) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (federation, member) DO UPDATE SET sha256 = excluded.sha256, accepted_at = excluded.accepted_at"
        " WHERE federation_accepted.sha256 <> excluded.sha256",
        [(federation, member, sha256, now) for member in members],
    )


def _write_alarm(federation: str, alarm: str) -> Work[None]:
    yield Statement("UPDATE federation_state SET alarm = ? WHERE federation = ?", (alarm, federation))


def _forget_state(federation: str) -> Work[None]:
    yield Statement("DELETE FROM federation_state WHERE federation = ?", (federation,))


def _write_statements(federation: str, statements: Mapping[str, str]) -> Work[None]:
    yield Statement(
        "INSERT INTO sealing_key (federation, member, statement) VALUES (?, ?, ?)"
        " ON CONFLICT (federation, member) DO UPDATE SET statement = excluded.statement",
        [(federation, member, statement) for member, statement in statements.items()],
    )
