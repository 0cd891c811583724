"""The hub's whole work on one question (docs/wire.md, "Envelope"). It can read none of it.

(1) authenticate the member
(2) limits: rate, size, places, its turn, and nothing twice
(3) relay each member's own copy, to all at once, under one deadline
(4) stream the answers back as they arrive, unopened
(5) coverage: sign what became of each copy
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Protocol

from gateway.clock import Clock
from gateway.database.contract import Database
from gateway.errors import Overloaded, TooManyRequests
from gateway.events import emit
from gateway.hub.circuit import Circuits
from gateway.hub.clocks import MemberClocks
from gateway.hub.directory import Directory
from gateway.hub.limits import MemberLimits
from gateway.hub.relay import Relays
from gateway.hub.replay import QUESTION_KEPT_S, RequestReplayed, SeenId, accept_once
from gateway.hub.shared_rate import SharedRate
from gateway.hub.turns import Turns
from gateway.links.body import ReadBody
from gateway.links.contract import Delivery, Link
from gateway.telemetry.watch import HubWatch, Relaying
from gateway.wire import base64url
from gateway.wire.coverage import DeliveryOutcome, sign_coverage
from gateway.wire.envelope import Envelope, member_envelopes_json
from gateway.wire.federation import Federation, Member
from gateway.wire.keys import SigningKey
from gateway.wire.limits import SEALED_ANSWER_BYTES, SKEW_S
from gateway.wire.request import RequestClaims, nobody, verify_header

WAITING_SHARE = 0.5  # of its time a question may wait for its turn: members need the rest
LAST_WRITES_S = 5.0  # after the deadline, for an asker that is slow to read its answers


@dataclass(frozen=True, slots=True, kw_only=True)
class Hub:
    """The parts that a hub is made of; build_hub wires them."""

    directory: Directory
    database: Database
    limits: MemberLimits
    circuits: Circuits
    link: Link
    key: Callable[[], SigningKey]  # the one to sign with now
    clock: Clock
    deadline_ms: int  # the longest that any question may wait
    turns: Turns = field(default_factory=Turns)
    shared_rate: SharedRate | None = None  # of several processes; a single one needs none
    watch: HubWatch = field(default_factory=HubWatch)
    clocks: MemberClocks | None = None
    waits_until: float = 0.0  # after a restore: what was seen just before is not known here (replay.py)


@dataclass(frozen=True, slots=True, kw_only=True)
class PostedRequest:
    """One HTTP request, not yet believed; its body is still to be read, within its size limit."""

    method: str
    path: str
    authorisation: str
    read_body: ReadBody
    announced_bytes: int = 0
    traceparent: str = ""


class AnswerStream(Protocol):
    """Where the asker reads its answers."""

    async def write(self, lines: bytes) -> None:
        """Send whole NDJSON lines; the first call also sends the status 200."""
        ...


async def fan_out(posted: PostedRequest, answers: AnswerStream, *, hub: Hub) -> None:
    """Relay one sealed question and stream the sealed answers back.

    Raises WireError, FederationStale, Overloaded or StorageError before the first write; afterwards nothing but
    TimeoutError or ConnectionError, when the asker does not read.
    """
    began = time.monotonic()

    # (1) Authenticate the member: an active one, by a key in force, for exactly this request.
    federation = hub.directory.federation()
    asker, request, body = await authenticate(
        posted, federation, now=hub.clock.now(), limits=hub.limits, clocks=hub.clocks
    )
    read_at = asyncio.get_running_loop().time()

    # (2) Limits: rate, form and size, places, its turn, and no id a second time.
    hub.limits.take(asker.id)
    envelope = Envelope.from_json(body)
    asked, others = _recipients(envelope, federation, asker)
    envelope = replace(envelope, copies={member: envelope.copies[member] for member in asked})
    wait_ms = min(envelope.deadline_ms, hub.deadline_ms)
    deadline = read_at + wait_ms / 1000
    async with _turn(envelope, len(body), asker, hub=hub, within_s=wait_ms / 1000 * WAITING_SHARE) as waited_s:
        left_ms = max(1, wait_ms - round(waited_s * 1000))
        envelope = replace(envelope, deadline_ms=left_ms)
        await accept(asker, _ids(request, envelope, hub.clock.now()), hub=hub)

        relaying = hub.watch.relaying(envelope.id, asker=asker.id, traceparent=posted.traceparent)

        # (3) Relay each member's own copy, to all at once, under one deadline. Nothing is ever sent again.
        async with (
            asyncio.timeout_at(deadline + LAST_WRITES_S),
            Relays(
                link=hub.link, circuits=hub.circuits, wait_s=left_ms / 1000, deadline=deadline, relaying=relaying
            ) as relays,
        ):
            for member_id in others:
                relays.skip(member_id)
            for member_id, member_envelope in member_envelopes_json(envelope, asker.id):
                relays.send(asked[member_id], member_envelope)

            # (4) Stream the answers back as they arrive, unopened.
            while ended := await relays.next():
                await answers.write(b"".join(_answer_line(member_id, delivery) for member_id, delivery in ended))

            # (5) Coverage: what became of each member's copy, signed.
            coverage = sign_coverage(
                relays.outcomes, question=envelope.id, asker=asker.id, key=hub.key(), now=hub.clock.now()
            )
            await answers.write(b'{"coverage":"%s"}\n' % coverage.encode())
    _log(envelope, asker, relays, relaying, began)


def _recipients(envelope: Envelope, federation: Federation, asker: Member) -> tuple[dict[str, Member], list[str]]:
    """Whom the question is passed on to, and the ids for which nothing is done: no active member's, or the asker's own.

    A question that names a thousand of these must not take the room of one that is for a thousand members.
    """
    asked = {
        member.id: member
        for member in map(federation.members.get, envelope.copies)
        if member is not None and member.active and member.id != asker.id
    }
    return asked, [member_id for member_id in envelope.copies if member_id not in asked]


@asynccontextmanager
async def _turn(
    envelope: Envelope, body_bytes: int, asker: Member, *, hub: Hub, within_s: float
) -> AsyncIterator[float]:
    """Hold one of the asker's places and, once it is its turn, room for its question; yields the seconds it waited."""
    relayed_bytes = body_bytes + len(envelope.copies) * (2 * len(envelope.body) + SEALED_ANSWER_BYTES)
    with hub.limits.running(asker.id):
        async with hub.turns.turn(
            asker.id, relayed_bytes=relayed_bytes, held_bytes=2 * body_bytes, within_s=within_s
        ) as waited_s:
            yield waited_s


async def authenticate(
    posted: PostedRequest,
    federation: Federation,
    *,
    now: float,
    limits: MemberLimits,
    clocks: MemberClocks | None = None,
) -> tuple[Member, RequestClaims, bytes]:
    """The active member that signed this request, and its body; raises WireError, Overloaded, TimeoutError.

    Nothing is read from who is no member, from a member that has used up what it may ask and send, or a second time.
    """
    header = verify_header(
        posted.authorisation,
        lambda issuer: federation.keys_of(issuer, now),
        method=posted.method,
        path=posted.path,
        aud=federation.name,
        now=now,
        signed_at=nobody if clocks is None else clocks.heard,
    )
    limits.check_replayed(header.signer, header.jti)
    with limits.reading(header.signer, posted.announced_bytes):
        body = await posted.read_body()
    claims = header.with_body(body)
    return federation.member(claims.issuer), claims, body


async def accept(member: Member, ids: Sequence[SeenId], *, hub: Hub, harmless: bool = False) -> None:
    """Keep the ids of a request that limits.take() has counted, and count it where several processes share a rate.

    Raises Replayed, TooManyRequests, Overloaded after a restore unless the request is `harmless` twice, StorageError.
    """
    now = hub.clock.now()
    if not harmless:
        check_restored(hub)
    counted = None if hub.shared_rate is None else hub.shared_rate.take(member.id, now)
    try:
        await accept_once(hub.database, ids, now=now, counted=counted)
    except TooManyRequests as refused:
        hub.limits.spend(member.id, refused.retry_after_s)
        raise
    except RequestReplayed:
        for seen in ids:
            if seen.kind == "request":
                hub.limits.replayed(member.id, seen.id)
        raise


def check_restored(hub: Hub) -> None:
    """Raises Overloaded while ids may be shown again that were seen here before a restore, and are not known."""
    left = hub.waits_until - hub.clock.now()
    if left > 0:
        raise Overloaded(
            "this hub was put back from a backup, and waits until what it saw has expired", retry_after_s=left
        )


def request_id(claims: RequestClaims) -> SeenId:
    """What keeps a request's token from being used twice."""
    return SeenId(kind="request", issuer=claims.issuer, id=claims.jti, expires_at=claims.expires_at + SKEW_S)


def _ids(claims: RequestClaims, envelope: Envelope, now: float) -> tuple[SeenId, SeenId]:
    question = SeenId(kind="question", issuer=claims.issuer, id=envelope.id, expires_at=now + QUESTION_KEPT_S)
    return request_id(claims), question


def _answer_line(member: str, delivery: Delivery) -> bytes:
    """One line of the stream. Member ids and outcomes need no escaping (docs/wire.md, "Federation document")."""
    if delivery.answer is None:
        return b'{"member":"%s","outcome":"%s"}\n' % (member.encode(), delivery.outcome.encode())
    answer = base64url.encode(delivery.answer)
    return b'{"member":"%s","outcome":"%s","answer":"%s"}\n' % (member.encode(), delivery.outcome.encode(), answer)


def _log(envelope: Envelope, asker: Member, relays: Relays, relaying: Relaying, began: float) -> None:
    answered = sum(outcome is DeliveryOutcome.ANSWERED for outcome in relays.outcomes.values())
    emit(
        "question.relayed",
        jti=envelope.id,
        member=asker.id,
        members=len(relays.outcomes),
        answered=answered,
        ms=round((time.monotonic() - began) * 1000),
    )
    relaying.completed(members=len(relays.outcomes), answered=answered)
