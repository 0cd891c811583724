"""Asks one question of the federation. Start here, and again when the answers come back.

  (1) bind practitioner, purpose, basis and recipients into one question
  (2) sign it
  (3) log it: what cannot be put on record is not asked
  (4) seal it to each member
  (5) post it to one hub
  (6) open and verify each answer as it arrives
  (7) merge: turn what was disclosed into rows for people
  (8) log what was received, and say who did not answer

An unreachable or lying member is a value in the stream, not an exception.
"""

import asyncio
import logging
import uuid
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, replace

from consent_ledger.entries import AskedEntry, BrokenGlass, ReceivedEntry
from consent_ledger.errors import LedgerError
from consent_ledger.ledger import Ledger
from consent_ledger.read import accepted_agreements
from gateway.days import day_of
from gateway.errors import HubError, InputError, WireError
from gateway.events import emit
from gateway.links.hub_client import Relayed
from gateway.node.asker import asker_of
from gateway.node.hub_account import HubAccount
from gateway.node.identity import Identity
from gateway.node.membership import View
from gateway.node.merge import rows_of
from gateway.node.parts import NodeParts
from gateway.node.question import Question
from gateway.node.results import NO_SEALING_KEY, Asked, Completed, MemberOutcome, MemberResult
from gateway.node.storage_fault import storage_fault
from gateway.policy.agreement import Agreement
from gateway.telemetry.watch import ANSWERED
from gateway.wire.answer import VerifiedAnswer, open_answer
from gateway.wire.coverage import DeliveryOutcome
from gateway.wire.envelope import seal_query
from gateway.wire.federation import Member
from gateway.wire.limits import QUERY_LIFETIME_S
from gateway.wire.query import Query, SignedQuery, sign_query
from gateway.wire.seal import ReplyKey

_NOT_ANSWERED = {
    DeliveryOutcome.TIMEOUT: MemberOutcome.TIMEOUT,
    DeliveryOutcome.UNREACHABLE: MemberOutcome.UNREACHABLE,
    DeliveryOutcome.NOT_TRIED: MemberOutcome.NOT_TRIED,
    DeliveryOutcome.OVERLOADED: MemberOutcome.OVERLOADED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sent:
    """A question under way: what is needed to open its answers.

    `members` are all that the agreement lists; those that have no sealing key in force are not among its recipients.
    """

    signed: SignedQuery
    reply_key: ReplyKey
    view: View
    agreement: Agreement
    members: dict[str, Member]


async def ask(question: Question, *, node: NodeParts) -> AsyncIterator[Asked | MemberResult | Completed]:
    """Ask, and yield results as they arrive. Raises InputError, FederationError, StorageError, HubError."""
    started = node.clock.now()
    _must_be_active(node)
    view = node.membership.current()
    accepted = await node.database.read(accepted_agreements(view.federation.name))
    sent = _bind_and_sign(question, me=node.me, view=view, accepted=accepted, now=started)  # (1) (2)
    query = sent.signed.query
    try:
        await node.ledger.log_question(_asked_entry(sent.signed, question))  # (3)
    except LedgerError as error:
        raise storage_fault(error) from error
    sealed_to = {member: view.sealing_keys[member] for member in query.recipients}
    # (4) In a thread: for a thousand members it takes over 100 ms, in which this node's own answers go on leaving.
    envelope = await asyncio.to_thread(seal_query, sent.signed, sealed_to, deadline_ms=question.deadline_ms)
    emit("question.asked", jti=query.jti, members=len(query.recipients))
    sending = node.watch.asking(query.jti, members=len(query.recipients))
    envelope = replace(envelope, traceparent=sending.traceparent)
    yield _asked(sent)

    results = {result.member.id: result for result in _not_asked(sent)}
    for result in results.values():
        yield result
    account = HubAccount(query)
    broken = "no-word"
    try:
        async for said in node.hubs.ask(envelope):  # (5)
            line = account.take(said)
            if line is not None:
                results[line.member] = _open(line, sent, node.clock.now())  # (6) (7)
                sending.heard(line.member, _seen(results[line.member].outcome))
                yield results[line.member]
            if account.claim is not None:
                break
    except (HubError, WireError) as error:
        if not account.lines:
            node.watch.not_asked(sending, error.code)
            await _log_received(_without_word(sent, results), node.ledger)
            raise
        broken = error.code
    for member in sent.members.values():
        if member.id not in results:
            results[member.id] = MemberResult(member=member, outcome=MemberOutcome.UNREACHABLE, reason=broken)
            yield results[member.id]

    completed = Completed(
        jti=query.jti,
        results=tuple(results[member] for member in sent.members),
        coverage_agrees=account.agrees(sent.view.federation, node.clock.now()),
    )
    await _log_received(completed, node.ledger)  # (8)
    emit(
        "question.completed",
        jti=query.jti,
        answered=len(completed.answered),
        unanswered=len(completed.results) - len(completed.answered),
        ms=round((node.clock.now() - started) * 1000),
    )
    node.watch.asked(sending, {result.member.id: _seen(result.outcome) for result in completed.results})
    yield completed


def _must_be_active(node: NodeParts) -> None:
    """By the newest document, so that a person is told what is the matter before any reason that follows from it."""
    received, me = node.membership.received, node.me.member
    if received is None:
        return  # then there is no view either, and that says why
    if me not in received.members:
        raise InputError(f"{me} is not a member of {received.name} yet: its operator has to admit it")
    if not received.members[me].active:
        raise InputError(f"{me} is suspended in {received.name}: ask its operator")


def _bind_and_sign(question: Question, *, me: Identity, view: View, accepted: frozenset[str], now: float) -> _Sent:
    """(1) and (2). Members without a sealing key cannot be asked: nothing could be sealed to them."""
    today = day_of(now)
    agreement, listed = view.agreements.to_ask(question.purpose, question.lawful_basis, accepted=accepted, today=today)
    listed = tuple(sorted(listed))
    recipients = tuple(member for member in listed if member in view.sealing_keys)
    if not recipients:
        raise InputError("no member that may be asked for this purpose has published a sealing key yet")
    reply_key = ReplyKey.generate()
    query = Query(
        federation=view.federation.name,
        issuer=me.member,
        issued_at=int(now),
        expires_at=int(now) + QUERY_LIFETIME_S,
        jti=str(uuid.uuid4()),
        recipients=recipients,
        fed_seq=view.federation.seq,
        fed_sha256=view.federation.sha256,
        practitioner=question.practitioner,
        auth_method=question.auth_method,
        auth_time=question.auth_time,
        purpose=question.purpose,
        lawful_basis=question.lawful_basis,
        agreement_uri=agreement.uri,
        agreement_version=agreement.version,
        break_glass=question.break_glass.reason.value if question.break_glass else None,
        mode=question.mode,
        subject=question.subject,
        only_certain=question.only_certain,
        reply_key=reply_key.public,
    )
    signed = sign_query(query, me.signing_key)
    members = {member: view.federation.members[member] for member in listed}
    return _Sent(signed=signed, reply_key=reply_key, view=view, agreement=agreement, members=members)


def _asked(sent: _Sent) -> Asked:
    query, members = sent.signed.query, sent.members
    return Asked(
        jti=query.jti,
        agreement=sent.agreement.name,
        members=tuple(members.values()),
        left_out=tuple(
            member
            for member in sent.view.federation.active_members()
            if member.id not in members and member.id != query.issuer
        ),
        sign_in_too_weak=sent.view.agreements.wants_stronger_sign_in(
            sent.agreement, query.auth_method, purpose=query.purpose, basis=query.lawful_basis
        ),
    )


def _asked_entry(signed: SignedQuery, question: Question) -> AskedEntry:
    """(3) The exact signed question: only the asker keeps it, and why the glass was broken."""
    broken = question.break_glass
    query = signed.query
    return AskedEntry(
        jti=query.jti,
        query=signed.token.decode("ascii"),
        query_sha256=signed.sha256,
        asker=asker_of(query),
        purpose=query.purpose.value,
        recipients=query.recipients,
        break_glass=BrokenGlass(code=broken.reason.value, words=broken.words) if broken else None,
    )


def _not_asked(sent: _Sent) -> Iterable[MemberResult]:
    """Listed members to which nothing can be sealed: a person is told, for they may be the ones that matter."""
    for member in sent.members.values():
        if member.id not in sent.signed.query.recipients:
            yield MemberResult(member=member, outcome=MemberOutcome.NOT_TRIED, reason=NO_SEALING_KEY)


def _seen(outcome: MemberOutcome) -> str:
    """Whether a member answered, which monitoring may know; whether it knew somebody is for who asked alone."""
    return ANSWERED if outcome.answered else outcome.value


async def _log_received(completed: Completed, ledger: Ledger) -> None:
    """(8) The exact signed answers, without the teams: those are gone when they may no longer be shown."""
    entry = ReceivedEntry(
        jti=completed.jti,
        outcomes={result.member.id: result.outcome.value for result in completed.results},
        answers={result.member.id: result.answer for result in completed.results if result.answer is not None},
    )
    try:
        await ledger.log_received(entry)
    except LedgerError as error:
        raise storage_fault(error) from error


def _without_word(sent: _Sent, results: Mapping[str, MemberResult]) -> Completed:
    """A question of which the hub said nothing at all: on record as ended, for members may have answered it."""
    unreachable = {
        id_: MemberResult(member=member, outcome=MemberOutcome.UNREACHABLE) for id_, member in sent.members.items()
    }
    ended = tuple({**unreachable, **results}.values())
    return Completed(jti=sent.signed.query.jti, results=ended, coverage_agrees=False)


def _open(line: Relayed, sent: _Sent, now: float) -> MemberResult:
    """(6) and (7) for one member: an answer that does not hold in every respect is shown as invalid, never as empty."""
    member = sent.members[line.member]
    if line.answer is None:
        outcome = _NOT_ANSWERED.get(line.outcome, MemberOutcome.INVALID_ANSWER)
        return MemberResult(member=member, outcome=outcome)
    try:
        answer: VerifiedAnswer = open_answer(
            line.answer,
            reply_key=sent.reply_key,
            signed=sent.signed,
            member=member,
            federation=sent.view.federation,
            now=now,
        )
        rows = () if answer.bundle is None else rows_of(member, answer.bundle)
    except WireError as error:
        emit(
            "answer.invalid",
            level=logging.WARNING,
            jti=sent.signed.query.jti,
            member=member.id,
            code=error.code,
            reason=str(error),
        )
        return MemberResult(member=member, outcome=MemberOutcome.INVALID_ANSWER, reason=error.code)
    return MemberResult(
        member=member,
        outcome=MemberOutcome(answer.outcome.value),
        rows=rows,
        bundle=answer.bundle,
        answer=answer.jws.decode("ascii"),
        display_until=answer.display_until,
    )
