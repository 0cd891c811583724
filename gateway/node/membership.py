"""What this node may rely on about its federation: documents, freshness, accepted members, sealing keys.

refresh(), at least every minute (docs/wire.md, "Federation document", "Several hubs"):
  (0) take up what another process of this node has decided: `patchwork node accept`, `accept-operator`, `clear-alarm`
  (1) fetch document and freshness statement from every hub
  (2) verify the operator's signature, then the hub's; compare our clock with the hub's; the newest counts
  (3) never go back: a lower seq is refused; one seq with two contents stops the node
  (4) leave out what this node's officer has not accepted
  (5) persist and archive
  (6) rotate and publish our sealing key at every hub, fetch the others'
current() hands out the result, or raises: nothing is asked or answered on a stale or doubtful document.
"""

import asyncio
import logging
import random
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from consent_ledger.read import clock_high
from gateway.clock import Clock
from gateway.database.contract import Database
from gateway.errors import (
    ClockWrong,
    FederationError,
    FederationRolledBack,
    FederationStale,
    HubError,
    NotAuthentic,
    PatchworkError,
    WireError,
)
from gateway.events import emit
from gateway.links.hubs import Hubs, Served
from gateway.node.agreements import AgreementsInForce, agreements_of
from gateway.node.hub_words import HubWords
from gateway.node.identity import Identity
from gateway.node.membership_rows import (
    forget_state,
    read_persisted,
    write_accepted,
    write_alarm,
    write_state,
    write_statements,
)
from gateway.node.offers import Offer, read_offer, worth_taking
from gateway.node.published_keys import PublishedKeys
from gateway.wire.acceptance import ChangeKind, PendingChange, advance, pending_changes, without_pending
from gateway.wire.federation import Federation, Member, verify_document
from gateway.wire.freshness import Freshness, verify_freshness
from gateway.wire.hand_over import HandOver, OperatorKeys
from gateway.wire.keys import VerifyKey
from gateway.wire.seal import PublicSealingKey
from gateway.wire.sealing_keys import sign_sealing_key, signer_of

SOON_S = 1.0  # to the first look for a key that an active member has not published yet; then twice as long each time
WAITING_S = 12.0  # between two looks while this node waits to be admitted: somebody may be on the telephone
REFRESH_S = 30.0  # twice as often as docs/wire.md demands, so that one failure does not make us late
CATCH_UP_S = 5.0  # between two fetches that peers' messages cause, so that none can make us hammer the hub
MAX_CLOCK_BEHIND_S = 30  # behind the highest time that this node has seen


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
    """The newest document taken; persisted, and verified again after each start."""

    received: Federation
    freshness: Freshness | None
    alarm: str | None


class Membership:
    """Keeps the view fresh. The highest time that this node has seen stands in its ledger, which survives restarts."""

    def __init__(
        self,
        *,
        me: Identity,
        operator_keys: Callable[[], OperatorKeys],
        operator_decides: bool,
        database: Database,
        hubs: Hubs,
        clock: Clock,
    ) -> None:
        """`operator_keys` reads the pinned key and what follows it: an officer may accept another while this runs."""
        self._me = me
        self._read_operator_keys = operator_keys
        self._operator_keys = operator_keys()
        self._operator_decides = operator_decides
        self._database = database
        self._hubs = hubs
        self._words = HubWords(hubs)
        self._clock = clock
        self._held: _Held | None = None
        self._accepted: dict[str, Member] = {}  # as each stood in the document in which it was accepted
        self._documents: dict[str, Federation] = {}  # verified, by hash: the held one and those of _accepted
        self._unverified: str | None = (
            None  # the hash of one that was held, and that the operator's key does not verify
        )
        self._view: View | None = None
        self._published = PublishedKeys(me.federation)
        self._clock_wrong = ""
        self._highest_time = 0.0
        self._caught_up_at = 0.0
        self._told_seq = 0  # the document that the log names; 0 since it could not be fetched
        self.listed = asyncio.Event()  # once a document in force lists a key of this node's
        self._fits: Callable[[Federation], None] = lambda _: None
        self._refreshing = asyncio.Lock()
        self._catching_up = asyncio.Lock()

    def current(self) -> View:
        """The view in force; raises FederationStale, FederationRolledBack or ClockWrong: then nothing is answered."""
        now = self._clock.now()
        if self._held is not None and self._held.alarm is not None:
            raise FederationRolledBack(self._held.alarm)
        if self._clock_wrong:
            raise ClockWrong(self._clock_wrong)
        if self._view is None:
            raise FederationStale("no federation document has arrived yet")
        self._highest_time = max(self._highest_time, now)
        if now < self._highest_time - MAX_CLOCK_BEHIND_S:
            raise ClockWrong("this machine's clock is behind the newest entry of its own ledger")
        if now >= self._view.expires_at:
            raise FederationStale("the federation document or the hub's freshness statement has expired")
        return self._view

    def must_fit(self, check: Callable[[Federation], None]) -> None:
        """Take no document for which `check` raises FederationError: for a node in several federations (apart.py)."""
        self._fits = check

    @property
    def received(self) -> Federation | None:
        """The newest document as the operator signed it, with members that nobody here has accepted: to show it."""
        return None if self._held is None else self._held.received

    def keys_of(self, issuer: str, now: float) -> Mapping[str, VerifyKey]:
        """An issuer's keys in what is held, in force or not: to know who asks before saying anything of our own state.

        Nothing may be answered by them alone: current() says whether it may.
        """
        held = self.received if self._view is None else self._view.federation
        return {} if held is None else held.keys_of(issuer, now)

    @property
    def listed_as(self) -> str | None:
        """The id under which the newest document lists a key of this node's: the operator may have chosen another."""
        ours = self._me.signing_keys.kids
        members = {} if self._held is None else self._held.received.members
        own = members.get(self._me.member)
        for member in (*([] if own is None else [own]), *members.values()):
            if any(key.key.kid in ours for key in member.keys):
                return member.id
        return None

    @property
    def hub_word(self) -> Freshness | None:
        """The hub's last word on that document, even one whose time is over; None after a start without the hub."""
        return None if self._held is None else self._held.freshness

    @property
    def doubtful_hubs(self) -> Mapping[str, str]:
        """By hub, why its last word is not used: behind another, not verified, another's, or its clock is wrong."""
        return self._words.doubtful

    def hub_key(self, hub: str) -> str | None:
        """The key of the document in force by which this address has shown that it is a hub; None if it has not."""
        key = self._words.key_of(hub)
        return key if key in self._hub_keys() else None

    @property
    def hand_over(self) -> HandOver | None:
        """The operator's next key, by the old one's word, which this node's officer has not accepted."""
        said = None if self._held is None else self._held.received.hand_over
        return None if said is None or said.new.kid in self._operator_keys.keys else said

    @property
    def waiting(self) -> tuple[PendingChange, ...]:
        """What this node's officer has not accepted of that document, whether or not it may be relied on now."""
        return self._waiting()

    async def load(self) -> None:
        """Take up what was persisted, without asking anybody."""
        statements = await self._read_persisted()
        self._rebuild()
        self._follow_own_keys()
        self._published.take(statements, self._members(), self._clock.now())
        self._rebuild()

    async def refresh(self) -> View:
        """Steps (0)-(6); raises HubError, WireError, FederationError, and keeps what was held."""
        async with self._refreshing:
            await self._read_persisted()  # (0)
            served = await self._hubs.federation()  # (1)
            if self._read_operator_keys() != self._operator_keys:  # a hub that was slow has let the officer overtake us
                await self._read_persisted()
            for offer in self._verified_offers(served):  # (2)
                await self._advance(offer)  # (3) (4) (5)
            self._rebuild()  # before (6), which can fail: who is suspended is suspended now
            self._leave_hubs_out()  # by the document that is in force now
            self._follow_own_keys()
            await self._exchange_sealing_keys()  # (6)
            self._rebuild()
            return self.current()

    async def catch_up(self, seq: int) -> View:
        """A peer has named document `seq`, newer than ours: fetch it now, though not for every such message."""
        async with self._catching_up:
            view = self.current()
            if view.federation.seq < seq and self._clock.now() - self._caught_up_at >= CATCH_UP_S:
                self._caught_up_at = self._clock.now()
                return await self.refresh()
            return view

    async def hear(self, seq: int) -> None:
        """A hub says over a link that document `seq` is out: fetch it now; if that fails, keep_fresh() will."""
        if self._held is None or self._held.received.seq < seq:
            await self._refresh_or_say_why_not()

    async def keep_fresh(self) -> None:
        """Refresh for ever; failures are logged and the last view serves until it expires.

        Sooner while a member has no sealing key here, as when nodes start together: until then it cannot be asked. And
        while this node waits to be admitted.
        """
        soon, missing = SOON_S, frozenset[str]()
        while True:
            await self._refresh_or_say_why_not()
            listed = self.listed.is_set()
            before, missing = missing, self._without_key()
            soon = min(2 * soon, REFRESH_S if listed else WAITING_S) if missing == before else SOON_S
            spread = random.uniform(0.8, 1.0)  # noqa: S311 - spreads load, decides nothing
            await asyncio.sleep((soon if missing or not listed else REFRESH_S) * spread)

    async def _refresh_or_say_why_not(self) -> None:
        try:
            view = await self.refresh()
            is_new, self._told_seq = view.federation.seq != self._told_seq, view.federation.seq
            emit(
                "federation.refreshed",
                level=logging.INFO
                if is_new
                else logging.DEBUG,  # the same again, twice a minute, tells nobody anything
                federation=self._me.federation,
                seq=view.federation.seq,
                members=len(view.federation.members),
            )
        except PatchworkError as error:
            self._told_seq = 0
            emit(
                "federation.refused",
                level=logging.WARNING,
                federation=self._me.federation,
                code=error.code,
                reason=str(error),
            )

    async def accept(self, member: str, *, as_of: str = "") -> tuple[PendingChange, ...]:
        """This node's officer accepts a member as it stands in the newest document; returns what was waiting.

        With `as_of`, the hash of the document that the officer was shown, only if that is still the newest.
        """
        async with self._refreshing:
            if self._held is None or member not in self._held.received.members:
                raise FederationStale(f"{member} is not in the federation document that this node holds")
            received = self._held.received
            if as_of not in {"", received.sha256}:
                raise FederationStale("a newer federation document has come than the one that was looked at")
            waiting = tuple(change for change in self._waiting() if change.member == member)
            now = int(self._clock.now())
            await self._database.write(write_accepted(self._me.federation, [member], received.sha256, now))
            self._accepted[member] = received.members[member]
            self._rebuild()
            return waiting

    async def clear_alarm(self) -> None:
        """The officer has settled with the operator which document is right: go on with the newest one served."""
        async with self._refreshing:
            await self._database.write(forget_state(self._me.federation))
            self._held, self._view = None, None

    async def _read_persisted(self) -> dict[str, str]:
        """What this and other processes of this node have stored; returns all sealing-key statements."""
        self._highest_time = max(self._highest_time, await self._database.read(clock_high()))
        persisted = await self._database.read(read_persisted(self._me.federation, frozenset(self._documents)))
        state, known = persisted.state, self._known(persisted.documents)
        self._unverified = None
        if state is not None and state.sha256 not in known:  # as good as not there, and gives way to what is verified
            self._unverified, state = state.sha256, None
        accepted = {member: sha256 for member, sha256 in persisted.accepted.items() if sha256 in known}
        if state is not None:
            self._fits(known[state.sha256])  # another process, which did not know of the others, may have taken it
        wanted = set(accepted.values()) | ({state.sha256} if state is not None else set())
        self._documents = {sha256: known[sha256] for sha256 in wanted}
        self._accepted = {member: known[sha256].members[member] for member, sha256 in accepted.items()}
        if state is None:
            self._held = self._view = None
        else:
            received = known[state.sha256]
            freshness = self._still_fresh(state.freshness, received)
            self._held = _Held(received=received, freshness=freshness, alarm=state.alarm)
        if self._view is None:
            self._rebuild()
        return persisted.statements

    def _known(self, stored: Mapping[str, bytes]) -> dict[str, Federation]:
        """Those that were verified and those that are `stored`, by hash, where the operator's keys of now verify them.

        With other keys than before all is verified anew, and no view stands that came of the old ones.
        """
        keys = self._read_operator_keys()
        tokens = dict(stored)
        if keys != self._operator_keys:
            tokens |= {sha256: document.token for sha256, document in self._documents.items()}
            self._operator_keys, self._documents, self._view = keys, {}, None
        known = dict(self._documents)
        for sha256, token in tokens.items():
            with suppress(NotAuthentic):
                known[sha256] = verify_document(token, operator_key=keys, now=None)
        return known

    def _without_key(self) -> frozenset[str]:
        held = {} if self._view is None else self._view.sealing_keys
        return frozenset(member.id for member in self._members() if member.id not in held)

    def _members(self) -> tuple[Member, ...]:
        """Active members, with the keys that may be used."""
        return () if self._view is None else self._view.federation.active_members()

    def _verified(self, document: bytes, now: float) -> Federation:
        """(2) The operator's document; one that is held already was verified, and only its end is to be looked at."""
        held = self._held.received if self._held is not None else None
        if held is not None and document == held.token and now < held.expires_at:
            return held
        received = verify_document(document, operator_key=self._operator_keys, now=now)
        if received.name != self._me.federation:
            raise FederationRolledBack(f"the hub serves the document of another federation: {received.name}")
        self._fits(received)
        return received

    def _verified_offers(self, served: list[Served]) -> list[Offer]:
        """(2) Hubs whose word holds; while the time of none of them is ours, current() raises ClockWrong."""
        now = self._clock.now()
        offers: list[Offer] = []
        errors: dict[str, PatchworkError] = {}
        for each in served:
            try:
                offers.append(read_offer(each, lambda document: self._verified(document, now), now))
            except (WireError, FederationError) as error:
                errors[each.hub] = error
        off = [str(error) for error in errors.values() if isinstance(error, ClockWrong)]
        if offers:
            self._clock_wrong = ""
        elif off:
            self._clock_wrong = off[0]
        offers = self._words.themselves(offers, errors)
        newest = max((offer.received.seq for offer in offers), default=0)
        behind: dict[str, PatchworkError] = {
            offer.hub: FederationRolledBack(f"serves document {offer.received.seq}, and another hub {newest}")
            for offer in offers
            if offer.received.seq < newest
        }
        self._words.note_doubtful(errors | behind)
        self._words.heard(served)
        self._leave_hubs_out()
        if not offers:
            raise next(iter(errors.values()))
        return worth_taking(offers, self._held.received if self._held is not None else None)

    def _hub_keys(self) -> Collection[str]:
        """Of the document in force, those in their time."""
        return () if self._view is None else self._view.federation.hub_keys_at(self._clock.now())

    def _leave_hubs_out(self) -> None:
        if self._view is not None:
            self._words.leave_out(self._hub_keys())

    async def _advance(self, offer: Offer) -> None:
        held, received = self._held, offer.received
        try:
            advance(held.received if held else None, received)
        except FederationRolledBack as error:
            if held is not None and received.seq == held.received.seq:
                self._held = replace(held, alarm=str(error))
                await self._database.write(write_alarm(self._me.federation, str(error)))
            raise
        pending = self._pending(received)
        waiting = {change.member for change in pending}
        settled = [member for member in received.members if member not in waiting]
        if held is None or held.received.sha256 != received.sha256:
            for change in pending:
                emit(
                    "federation.waiting",
                    level=logging.WARNING,
                    federation=self._me.federation,
                    member=change.member,
                    change=change.kind.value,
                )
            said = received.hand_over
            if said is not None and said.new.kid not in self._operator_keys.keys:
                emit(
                    "federation.waiting",
                    level=logging.WARNING,
                    federation=self._me.federation,
                    change="operator-key",
                )
        gone = [member for member in self._accepted if member not in received.members]
        now = int(self._clock.now())
        await self._database.write(
            write_state(
                received,
                offer.token,
                settled,
                gone,
                federation=self._me.federation,
                now=now,
                instead_of=self._unverified,
            )
        )
        for member in gone:
            del self._accepted[member]
        self._accepted |= {member: received.members[member] for member in settled}
        self._held = _Held(received=received, freshness=offer.freshness, alarm=held.alarm if held else None)

    async def _exchange_sealing_keys(self) -> None:
        now = self._clock.now()
        me = self._me
        if me.ring.rotate(now):
            emit("sealing_key.rotated", member=me.member, kid=me.ring.current(now).kid)
        by_hub = await self._hubs.sealing_keys()
        taken: dict[str, str] = {}
        for served in by_hub.values():
            taken |= self._published.take(served, self._members(), now)
        await self._database.write(write_statements(me.federation, taken))
        held = self._published.of(me.member)
        if held is not None and me.ring.supersede(held.key, now):
            emit("sealing_key.rotated", level=logging.WARNING, member=me.member, kid=me.ring.current(now).kid)
        own = me.ring.current(now)
        if held is not None and held.key.not_before > own.public.not_before:
            raise HubError(
                "another copy of this node has published a newer sealing key than the one here: let only one run, "
                "which makes a new one by itself within minutes"
            )
        if held is not None and held.key.kid == own.kid and signer_of(held.statement) == me.signing_key.kid:
            statement = held.statement  # the same at every hub
        else:  # a statement of the key before would end with it
            statement = sign_sealing_key(own.public, me.signing_key, member=me.member, federation=me.federation)
        listed = self._held.received.members.get(me.member) if self._held is not None else None
        lacking = [hub for hub, served in by_hub.items() if served.get(me.member) != statement]
        if listed is not None and listed.active and lacking:
            await self._hubs.publish_sealing_key(statement, lacking)

    def _still_fresh(self, token: str, received: Federation) -> Freshness | None:
        try:
            return verify_freshness(token, received, self._clock.now())
        except (FederationStale, ClockWrong):
            return None  # nothing is answered until the hub has said a new word; the seq is remembered all the same

    def _pending(self, received: Federation) -> tuple[PendingChange, ...]:
        """(4)"""
        if self._operator_decides:
            return ()
        changes = pending_changes(self._accepted, received)
        return tuple(change for change in changes if not self._is_our_own_key(change, received))

    def _is_our_own_key(self, change: PendingChange, received: Federation) -> bool:
        """Nobody need accept this very node; a key under our name that is not ours does wait, and is shown."""
        if change.member != self._me.member:
            return False
        ours = self._me.signing_keys.kids
        if change.kind is ChangeKind.NEW_MEMBER:
            return all(key.key.kid in ours for key in received.members[change.member].keys)
        return change.kind is ChangeKind.SIGNING_KEY and change.kid in ours

    def _follow_own_keys(self) -> None:
        """Sign with the key that the document in force says; what it takes out again is signed with no longer."""
        listed = None if self._view is None else self._view.federation.members.get(self._me.member)
        if self._me.signing_keys.follow(listed, self._clock.now()):
            emit("signing_key.changed", member=self._me.member, kid=self._me.signing_key.kid)
        if self._me.ledger_keys.follow(listed, self._clock.now()):
            emit("ledger_key.changed", member=self._me.member, kid=self._me.ledger_key.kid)

    def _waiting(self) -> tuple[PendingChange, ...]:
        return () if self._held is None else self._pending(self._held.received)

    def _rebuild(self) -> None:
        if self._held is None or self._held.freshness is None:
            return
        received, waiting, before = self._held.received, self._waiting(), self._view
        if before is not None and (before.federation.sha256, before.waiting) == (received.sha256, waiting):
            federation, agreements = before.federation, before.agreements  # signatures are checked once
        else:
            federation = without_pending(received, waiting)
            agreements = agreements_of(federation, me=self._me.member)
        self._view = View(
            federation=federation,
            freshness=self._held.freshness,
            sealing_keys=self._published.in_force(self._clock.now()),
            agreements=agreements,
            waiting=waiting,
        )
        if self.listed_as is not None:
            self.listed.set()
