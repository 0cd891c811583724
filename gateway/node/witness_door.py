"""This node as a witness of other members' ledgers (docs/ledger.md, "Witnesses"): any member may choose it.

It sees sizes and hashes. What it saw stands in its own ledger's database, in the transaction before its cosignature.
"""

import asyncio
from collections import Counter

from aiohttp import web

from consent_ledger.note import NoteInvalid
from consent_ledger.witness import WitnessRefused, cosign_next, newest_seen
from gateway.clock import Clock
from gateway.database.contract import Database
from gateway.days import HOUR_S
from gateway.errors import NotAuthentic, NotForUs, Overloaded
from gateway.events import Bounded
from gateway.links.body import BodyReader, no_body
from gateway.node.callers import from_member, known_caller
from gateway.node.identity import Identity
from gateway.node.log_key import log_keys
from gateway.node.membership import Membership
from gateway.wire.checkpoints import Held, Submission, Verdict
from gateway.wire.federation import Member
from gateway.wire.limits import MAX_CHECKPOINT_BYTES

MAX_PER_HOUR = 60  # submissions of one member: an honest node makes a few, and each new epoch is a row for good
MAX_WAITING = 16  # submissions at one time: they share the ledger's writer with this node's own answers


class WitnessDoor:
    """`POST /v1/checkpoints` and `GET /v1/checkpoints/{member}` of a node, for members with a request token."""

    def __init__(self, *, me: Identity, membership: Membership, database: Database, clock: Clock) -> None:
        """`database` is this node's ledger's."""
        self._me = me
        self._membership = membership
        self._database = database
        self._clock = clock
        self._bodies = BodyReader()
        self._one_at_a_time = asyncio.Lock()
        self._refusals = Bounded("checkpoint.refused")
        self._waiting = 0
        self._hour, self._taken = 0, Counter[str]()

    async def post_checkpoint(self, request: web.Request) -> web.Response:
        """Cosign a member's new head, or say why not. A token that is shown twice only repeats the verdict."""
        member, body = await self._member_of(request, with_body=True)
        submission = Submission.from_json(body)
        self._count(member)
        if self._waiting >= MAX_WAITING:
            raise Overloaded("more checkpoints are waiting than this node looks at")
        self._waiting += 1
        try:
            async with self._one_at_a_time:
                verdict = await self._take(member, submission)
        finally:
            self._waiting -= 1
        return web.Response(body=verdict.to_json(), content_type="application/json")

    async def get_checkpoint(self, request: web.Request) -> web.Response:
        """The newest head of the asking member's own ledger that this node has cosigned."""
        member, _ = await self._member_of(request, with_body=False)
        if request.match_info["member"] != member.id:
            raise NotForUs("a member is told of its own ledger alone")
        held = Held(note=await self._database.read(newest_seen(member.id)))
        return web.Response(body=held.to_json(), content_type="application/json")

    def _count(self, member: Member) -> None:
        hour = int(self._clock.now()) // HOUR_S
        if hour != self._hour:
            self._hour = hour
            self._taken.clear()
        self._taken[member.id] += 1
        if self._taken[member.id] > MAX_PER_HOUR:
            raise Overloaded("this member has submitted more checkpoints in an hour than an honest node makes")

    async def _take(self, member: Member, submission: Submission) -> Verdict:
        try:
            line = await cosign_next(
                self._database,
                member=member.id,
                note=submission.note,
                proof=submission.proof,
                logs=log_keys(self._me.federation, member, self._clock.now()),
                own=self._me.log_key,
                signer=self._me.ledger_key,
                now=self._clock.now(),
            )
        except (NoteInvalid, WitnessRefused) as error:
            self._refusals.warn(member=member.id, reason=str(error), now=self._clock.now())
            return Verdict(refused=str(error))
        return Verdict(cosignature=line)

    async def _member_of(self, request: web.Request, *, with_body: bool) -> tuple[Member, bytes]:
        """An active, accepted member that signed this very request; raises WireError or FederationError."""
        read_body = self._bodies.announced(request, max_bytes=MAX_CHECKPOINT_BYTES) if with_body else no_body
        header = known_caller(
            request.headers.get("Authorization", ""),
            from_member,
            membership=self._membership,
            method=request.method,
            path=request.path,
            aud=self._me.member,
            now=self._clock.now(),
        )
        federation = self._membership.current().federation
        body = await read_body()
        claims = header.with_body(body)
        if claims.issuer == self._me.member:
            raise NotAuthentic("a node is no witness of its own ledger")
        return federation.member(claims.issuer), body
