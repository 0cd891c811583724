"""Answers one question. Everything that protects a person stands here, in order.

  (1) open the envelope with our sealing key
  (2) verify signature, recipients, federation document and time
  (3) refuse a replay (again in step (8), in the transaction that makes the answer durable)
  (4) match, (5) consents and agreement: one visit to the databases. Whose budget is used up is told nothing, and
      nobody is looked for
  (6) decide each involvement
  (7) disclose what was permitted, unless the asker's budget for this person is used up
  (8) log durably; if consents moved meanwhile, or a budget has no room, read and decide again
  (9) sign, bound to the question
  (10) pad and seal; node/door.py releases it at the fixed delay

Unknown, refused, ambiguous and shielded people end in the same answer. So does a fault that only a known person can
cause: an error would tell that they are known.
"""

import hashlib
import logging
from dataclasses import dataclass, replace
from datetime import date

from consent_ledger.append import NO_CONSENTS, Appended
from consent_ledger.budget import BudgetSpent, Spend
from consent_ledger.consent import ConsentEntry
from consent_ledger.entries import AnsweredEntry
from consent_ledger.errors import ClockBehind, HeadMoved, LedgerError, ReplayedError
from consent_ledger.kept import SentAnswer
from consent_ledger.read import accepted_agreements, consents_of, was_answered
from gateway.database.contract import Work
from gateway.days import day_of
from gateway.errors import ClockWrong, FederationBehind, Replayed, StorageError
from gateway.events import emit
from gateway.matching.index import find_asked
from gateway.matching.score import NOBODY, Match
from gateway.node.asker import asker_of
from gateway.node.decisions import Decided, decide_team
from gateway.node.disclose import disclose
from gateway.node.membership import View
from gateway.node.parts import NodeParts
from gateway.node.probing import Asking
from gateway.node.storage_fault import storage_fault
from gateway.node.team import Team, team_of
from gateway.policy.decide import Permit
from gateway.wire.answer import (
    NOTHING_TO_DISCLOSE,
    Disclosure,
    NothingToDisclose,
    Outcome,
    SignedAnswer,
    pack,
    seal_answer,
    sign_answer,
)
from gateway.wire.envelope import MemberEnvelope, open_query
from gateway.wire.query import VerifiedQuery, verify_query
from mappings.vocabulary import MatchGrade

MAX_DECISIONS = 4  # how often consents may move under one question before it is given up


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What the databases know, from one snapshot; `team` is None unless exactly one person may be disclosed."""

    match: Match
    accepted: frozenset[str]
    team: Team | None = None
    consents: tuple[ConsentEntry, ...] = ()
    consent_head: int = NO_CONSENTS
    spend: Spend | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outcome:
    """What is to be said, and what goes on record about it."""

    what: Disclosure | NothingToDisclose
    entry: AnsweredEntry


async def answer(envelope: MemberEnvelope, *, node: NodeParts) -> bytes:
    """The sealed answer, SEALED_ANSWER_BYTES long.

    Raises WireError for a question that must be refused, FederationError or LedgerDoubtful while nothing may be
    answered, StorageError when the answer cannot be put on record; none of them depends on the person asked about.
    """
    node.standing.check()
    view = node.membership.current()
    token = open_query(  # (1)
        envelope, node.me.ring, federation=view.federation.name, me=node.me.member, now=node.clock.now()
    )
    query, view = await _verify(token, envelope, node)  # (2)
    outcome, logged = await _decide_and_log(query, view, node)  # (3) - (8)
    signed = sign_answer(  # (9)
        outcome.what,
        to=query,
        me=node.me.member,
        ledger_leaf=logged.leaf_hash,
        now=node.clock.now(),
        key=node.me.signing_key,
        display_s=node.display_s,
    )
    _keep(signed, outcome, logged, node)
    return seal_answer(pack(signed), to=query, me=node.me.member)  # (10)


async def _verify(token: bytes, envelope: MemberEnvelope, node: NodeParts) -> tuple[VerifiedQuery, View]:
    """(2) An asker with a newer federation document than ours makes us fetch it first."""
    view = node.membership.current()
    try:
        return _verify_in(view, token, envelope, node), view
    except FederationBehind as behind:
        view = await node.membership.catch_up(behind.seq)
        return _verify_in(view, token, envelope, node), view


def _verify_in(view: View, token: bytes, envelope: MemberEnvelope, node: NodeParts) -> VerifiedQuery:
    return verify_query(
        token,
        me=node.me.member,
        sender_claimed=envelope.sender,
        envelope_id=envelope.id,
        federation=view.federation,
        now=node.clock.now(),
    )


async def _decide_and_log(query: VerifiedQuery, view: View, node: NodeParts) -> tuple[_Outcome, Appended]:
    """(3) - (8): what is said, and where it is on record.

    What is on record of a known person is longer, under a key of its own, and rests on consents that may move. If it
    cannot be written, the question is put on record as one about nobody, and answered so. If that cannot be written
    either, nobody's question could be: only then is it an error.
    """
    asking = await node.budgets.asking(query)
    for _ in range(MAX_DECISIONS):
        outcome = await _decide_once(query, asking, view, node)  # (3) - (7)
        try:
            return outcome, await node.ledger.log_answer(outcome.entry)  # (8)
        except HeadMoved:
            continue
        except BudgetSpent as spent:
            node.budgets.remember(spent, query)
        except (ReplayedError, ClockBehind) as error:
            raise _refusal(error) from error
        except (LedgerError, ValueError) as error:
            _emit_failure(query, error)
            break
    counted = node.budgets.spend(asking)._replace(withheld=True)  # as a question about nobody is, and not refused again
    nobody = _Outcome(what=NOTHING_TO_DISCLOSE, entry=replace(_entry_about_nobody(query), spend=counted))
    try:
        return nobody, await node.ledger.log_answer(nobody.entry)
    except LedgerError as error:
        raise _refusal(error) from error


def _keep(signed: SignedAnswer, outcome: _Outcome, logged: Appended, node: NodeParts) -> None:
    """What left, for whoever asks years later what was disclosed; of a refusal nothing more than its entry."""
    if isinstance(outcome.what, Disclosure) and outcome.entry.person_id is not None:
        node.ledger.keep_answer(
            SentAnswer(
                seq=logged.seq,
                person_id=outcome.entry.person_id,
                at=node.clock.now(),
                answer=signed.jws.decode("ascii"),
                bundle=outcome.what.deflated or b"",
            )
        )


async def _decide_once(query: VerifiedQuery, asking: Asking, view: View, node: NodeParts) -> _Outcome:
    """(3) - (7) on one snapshot of the databases.

    Only who is disclosed is counted as a person: a count of somebody hidden, once used up, would tell that they exist.
    """
    today = day_of(node.clock.now())
    try:
        found = await node.database.read(_read(query, asking, today, node))  # (3) (4) (5)
        decided = decide_team(  # (6)
            found.team,
            query=query,
            grade=_grade(found.match),
            consents=found.consents,
            agreements=view.agreements,
            accepted=found.accepted,
            today=today,
        )
        what = _disclose(found, decided, query=query, view=view, node=node)  # (7)
        if isinstance(what, Disclosure) and found.team is not None:
            found = replace(found, spend=node.budgets.spend(asking, found.team.person_id))
            if found.spend is not None and found.spend.withheld:
                return _Outcome(what=NOTHING_TO_DISCLOSE, entry=_entry_about_nobody(query, found.spend))
    except (StorageError, Replayed):
        raise
    except Exception as error:  # see the module's docstring: it may be about this person alone
        _emit_failure(query, error)
        return _Outcome(what=NOTHING_TO_DISCLOSE, entry=_entry_about_nobody(query, node.budgets.spend(asking)))
    return _Outcome(what=what, entry=_entry(query, found, decided, what))


def _read(query: VerifiedQuery, asking: Asking, today: date, node: NodeParts) -> Work[_Found]:
    """(3) - (5): everything that the answer needs, in one visit."""
    question = query.query
    if (yield from was_answered(question.federation, question.issuer, question.jti)):
        raise Replayed("this question has been answered before")
    spend = node.budgets.spend(asking)
    if spend.withheld:
        return _Found(match=NOBODY, accepted=frozenset(), spend=spend)
    accepted = yield from accepted_agreements(question.federation)
    match = yield from find_asked(asking.asked, today=today, thresholds=node.thresholds)
    if not match.disclosable or match.best is None:
        return _Found(match=match, accepted=accepted, spend=spend)
    if question.only_certain and match.best.grade is not MatchGrade.CERTAIN:
        return _Found(match=match, accepted=accepted, spend=spend)
    team = yield from team_of(match.best.person_id, today=today.isoformat())
    consents, head = yield from consents_of(team.person_ids)
    return _Found(match=match, accepted=accepted, team=team, consents=consents, consent_head=head, spend=spend)


def _disclose(
    found: _Found, decided: Decided, *, query: VerifiedQuery, view: View, node: NodeParts
) -> Disclosure | NothingToDisclose:
    """(7) Only Permits open anything."""
    permits = [(index, each) for index, each in enumerate(decided.decisions) if isinstance(each, Permit)]
    if found.team is None or decided.agreement is None or not permits:
        return NOTHING_TO_DISCLOSE
    return disclose(
        found.team,
        permits,
        member=view.federation.members[node.me.member],
        jti=query.query.jti,
        grade=_grade(found.match),
        policy_uri=decided.agreement.uri,
        policy_version=decided.agreement.version,
        now=node.clock.now(),
    )


def _grade(match: Match) -> MatchGrade:
    return match.best.grade if match.best is not None else MatchGrade.CERTAINLY_NOT


def _entry(
    query: VerifiedQuery, found: _Found, decided: Decided, what: Disclosure | NothingToDisclose
) -> AnsweredEntry:
    """What goes on record: the decisions and all that they rest on; for an unknown person nothing of the subject."""
    question = query.query
    team = found.team
    return AnsweredEntry(
        issuer=question.issuer,
        jti=question.jti,
        expires_at=question.expires_at,
        query_sha256=query.sha256,
        asker=asker_of(question),
        purpose=question.purpose.value,
        outcome=(Outcome.TEAMS if isinstance(what, Disclosure) else Outcome.NOTHING_TO_DISCLOSE).value,
        person_id=None if team is None else team.person_id,
        person_ids=() if team is None else team.person_ids,
        consent_head=None if team is None else found.consent_head,
        agreement_sha256=None if team is None or decided.agreement is None else decided.agreement.sha256,
        bundle_sha256=hashlib.sha256(what.bundle).hexdigest() if isinstance(what, Disclosure) else None,
        question=None if team is None else decided.question_record(found.match),
        decisions=() if team is None else decided.records(),
        withheld=found.spend.counts[-1].kind if found.spend is not None and found.spend.withheld else None,
        spend=found.spend,
    )


def _entry_about_nobody(query: VerifiedQuery, spend: Spend | None = None) -> AnsweredEntry:
    """On record as if the person were unknown."""
    return _entry(query, _Found(match=NOBODY, accepted=frozenset(), spend=spend), Decided(), NOTHING_TO_DISCLOSE)


def _emit_failure(query: VerifiedQuery, error: Exception) -> None:
    """Which error, and of a database that failed what it says; nothing else, for that may quote a value."""
    emit(
        "answer.failed",
        level=logging.ERROR,
        jti=query.query.jti,
        member=query.sender.id,
        code="internal",
        reason=(isinstance(error, LedgerError) and storage_fault(error).fault) or type(error).__name__,
    )


def _refusal(error: LedgerError) -> Replayed | ClockWrong | StorageError:
    if isinstance(error, ReplayedError):
        return Replayed("this question has been answered before")
    if isinstance(error, ClockBehind):
        return ClockWrong("this machine's clock is behind the newest entry of its own ledger")
    return storage_fault(error)
