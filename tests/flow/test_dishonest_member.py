"""A member whose own program has been changed: what it asks is judged where it is answered, whatever it claims."""

import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from gateway.node.question import read_subject
from gateway.wire.answer import VerifiedAnswer, open_answer
from gateway.wire.envelope import member_envelope, seal_query
from gateway.wire.limits import SEALED_ANSWER_BYTES
from gateway.wire.query import Query, SignedQuery, sign_query
from gateway.wire.seal import ReplyKey
from mappings.vocabulary import AuthMethod, LawfulBasis, Mode, Purpose
from tests.federation import AGREEMENT, TestFederation, federation, someone
from tests.lying_hub import LyingHub, Reply

ASKER, AGENCY, OTHER, CHARITY = "childrens-services", "housing", "police", "food-bank"


@pytest.fixture
async def north(tmp_path: Path) -> AsyncIterator[TestFederation]:
    """Four members; the agency knows Katherine."""
    async with federation(tmp_path, [ASKER, AGENCY, OTHER, CHARITY], lying=True) as running:
        await running.add(AGENCY, *someone("Katherine", "Bramley", "1991-05-17"))
        yield running


async def forge(
    north: TestFederation, member: str = ASKER, *, to: str = AGENCY, **claims: Any
) -> tuple[Reply, VerifiedAnswer | None]:
    """Ask with a member's own keys, past all that its gateway would check; the hub helps."""
    liar = _liar(north)
    view, me = north.nodes[member].parts.membership.current(), north.nodes[member].parts.me
    asked = north.question(member, "Katherine Bramley", born="1991-05-17")
    reply_key, now = ReplyKey.generate(), int(north.clock.now())
    query = Query(
        federation=view.federation.name,
        issuer=member,
        issued_at=now,
        expires_at=now + 60,
        jti=str(uuid4()),
        recipients=(to,),
        fed_seq=view.federation.seq,
        fed_sha256=view.federation.sha256,
        practitioner=asked.practitioner,
        auth_method=asked.auth_method,
        auth_time=asked.auth_time,
        purpose=asked.purpose,
        lawful_basis=asked.lawful_basis,
        agreement_uri="https://example.org/agreements/tests",
        agreement_version="1",
        mode=asked.mode,
        subject=asked.subject,
        only_certain=False,
        reply_key=reply_key.public,
    )
    signed = sign_query(replace(query, **claims), me.signing_key)
    keys = {each: view.sealing_keys[each] for each in signed.query.recipients}
    envelope = seal_query(signed, keys, deadline_ms=4000)
    reply = await liar.deliver(AGENCY, member_envelope(envelope, to, member))
    return reply, _opened(north, reply, signed, reply_key)


def _opened(north: TestFederation, reply: Reply, signed: SignedQuery, reply_key: ReplyKey) -> VerifiedAnswer | None:
    if reply.status != 200:
        return None
    assert len(reply.body) == SEALED_ANSWER_BYTES
    document = north.nodes[AGENCY].parts.membership.current().federation
    return open_answer(
        reply.body,
        reply_key=reply_key,
        signed=signed,
        member=document.members[AGENCY],
        federation=document,
        now=north.clock.now(),
    )


def _liar(north: TestFederation) -> LyingHub:
    assert north.liar is not None
    return north.liar


async def test_a_well_formed_question_is_answered(north: TestFederation) -> None:
    _, answer = await forge(north)
    assert answer is not None
    assert answer.outcome.value == "teams"


@pytest.mark.parametrize(
    ("member", "claims", "reason"),
    [
        (CHARITY, {}, "no-rule"),  # an excepted recipient
        (ASKER, {"purpose": Purpose.SAFEGUARDING}, "no-rule"),  # for which this agency may not be asked
        (ASKER, {"purpose": Purpose.TREATMENT}, "no-rule"),
        (ASKER, {"purpose": Purpose.BREAK_GLASS, "break_glass": "emergency"}, "no-rule"),
        (ASKER, {"lawful_basis": LawfulBasis.VITAL_INTERESTS}, "no-rule"),
        (ASKER, {"agreement_uri": "https://example.org/agreements/other"}, "no-agreement"),
        (ASKER, {"agreement_version": "2"}, "no-agreement"),
    ],
)
async def test_what_the_agreement_does_not_allow_looks_like_an_unknown_person(
    north: TestFederation, member: str, claims: dict[str, Any], reason: str
) -> None:
    nobody = read_subject("Nobody Knownhere", born="1970-01-01")
    _, unknown = await forge(north, subject=nobody)
    reply, refused = await forge(north, member, **claims)
    assert reply.status == 200
    assert refused is not None
    assert unknown is not None
    assert refused.outcome is unknown.outcome
    assert (refused.bundle, refused.rule, refused.policy_uri) == (None, None, None)
    (decision,) = (await north.ledger(AGENCY))[-1]["decisions"]
    assert (decision["effect"], decision["reason"]) == ("deny", reason)


async def test_a_question_about_somebody_elses_recipients_is_refused(north: TestFederation) -> None:
    reply, _ = await forge(north, to=OTHER)  # sealed to another member, delivered here
    assert (reply.status, reply.code) == (403, "not-for-us")


@pytest.mark.parametrize(
    ("claims", "status", "code"),
    [
        ({"issuer": OTHER}, 401, "not-authentic"),
        ({"federation": "southshire"}, 401, "not-authentic"),
        ({"fed_sha256": "0" * 64}, 403, "not-for-us"),
        ({"fed_seq": 1}, 401, "out-of-time"),
        ({"fed_seq": 99}, 401, "federation-behind"),
    ],
)
async def test_a_question_that_is_not_bound_to_this_federation_and_its_document_is_refused(
    north: TestFederation, claims: dict[str, Any], status: int, code: str
) -> None:
    reply, answer = await forge(north, **claims)
    assert answer is None
    assert (reply.status, reply.code) == (status, code)
    assert await north.ledger(AGENCY) == []


async def test_a_member_cannot_make_others_hammer_the_hub(north: TestFederation) -> None:
    fetched: list[float] = []

    def count(reply: dict[str, Any]) -> dict[str, Any]:
        fetched.append(time.monotonic())
        return reply

    _liar(north).replies["/v1/federation"] = count
    for seq in range(90, 100):
        reply, _ = await forge(north, fed_seq=seq)
        assert reply.code == "federation-behind"
    assert len(fetched) == 1


@pytest.mark.parametrize(("mode", "kinds"), [(Mode.DUTY_CONTACT, ""), (Mode.PRACTITIONER, "Robin")])
async def test_no_more_is_shown_than_was_asked_for(north: TestFederation, mode: Mode, kinds: str) -> None:
    _, answer = await forge(north, mode=mode)
    assert answer is not None
    assert answer.bundle is not None
    assert (b"Robin" in answer.bundle) is bool(kinds)
    # Never the person's own details, however much is asked.
    for stored in (b"Katherine", b"Bramley", b"1991", b"ZM4"):
        assert stored not in answer.bundle


async def test_an_unproven_asker_is_told_nothing_where_the_rule_wants_more(tmp_path: Path) -> None:
    strict = tmp_path / "agreement.toml"
    strict.write_text(AGREEMENT.read_text().replace('min_auth = "operating-system"', 'min_auth = "mfa"'))
    async with federation(tmp_path, [ASKER, AGENCY], agreement=strict, lying=True) as north:
        await north.add(AGENCY, *someone("Katherine", "Bramley", "1991-05-17"))
        outcomes = [(await forge(north, auth_method=each))[1] for each in (AuthMethod.PASSWORD, AuthMethod.MFA)]
        assert [each.outcome.value for each in outcomes if each is not None] == ["nothing-to-disclose", "teams"]
