"""Refused, ambiguous, unsure and unknown: the asker cannot tell them apart. Each has its twin that succeeds."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from consent_ledger.consent import ConsentEntry, ConsentKind, Provision
from gateway.errors import InputError
from gateway.node.question import BreakGlass
from gateway.node.results import Completed, MemberOutcome, MemberResult
from gateway.wire import base64url
from gateway.wire.limits import SEALED_ANSWER_BYTES
from mappings.vocabulary import BreakGlassReason, LawfulBasis, Mode, Purpose
from tests.federation import NOW, TestFederation, federation, result_of, someone

ASKER, AGENCY = "childrens-services", "housing"
TEAMS, NOTHING = MemberOutcome.TEAMS, MemberOutcome.NOTHING_TO_DISCLOSE
TODAY = datetime.fromtimestamp(NOW, UTC).date()
PERSON = ("Katherine", "Bramley", "1991-05-17")
OBJECTION = ConsentEntry(kind=ConsentKind.OBJECTION, recorded_by="reception")
WITHDRAWAL = ConsentEntry(kind=ConsentKind.WITHDRAWAL, recorded_by="reception")
BROKEN = BreakGlass(reason=BreakGlassReason.RISK_TO_LIFE, words="she said so on the telephone")
ENVELOPE_OF_CLAIMS = {"iat", "exp", "jti", "in_reply_to", "query_sha256", "ledger_leaf", "display_until"}  # differ


def consent(**changes: Any) -> ConsentEntry:
    """The person's consent to everything, from reception."""
    line = Provision(permit=True, mode=Mode.SCHEDULE)
    return ConsentEntry(kind=ConsentKind.CONSENT, provisions=(line,), recorded_by="reception", **changes)


def said(completed: Completed, member: str = AGENCY) -> MemberResult:
    """What one agency said."""
    return result_of(completed, member)


def told(result: MemberResult) -> dict[str, Any]:
    """All that an asker sees of an answer, without what differs from one answer to the next."""
    assert result.answer is not None
    claims = orjson.loads(base64url.decode(result.answer.split(".")[1].encode()))
    return {
        "claims": {name: value for name, value in claims.items() if name not in ENVELOPE_OF_CLAIMS},
        "names": sorted(claims),
        "jws_bytes": len(result.answer),
        "lifetimes": [claims["exp"] - claims["iat"], claims["display_until"] - claims["iat"]],
        "outcome": result.outcome,
        "rows": result.rows,
        "bundle": result.bundle,
        "reason": result.reason,
    }


async def test_an_objection_says_exactly_what_an_unknown_person_produces(tmp_path: Path) -> None:
    async with federation(tmp_path, [ASKER, AGENCY], lying=True) as north:
        assert north.liar is not None
        await north.add(AGENCY, *someone(*PERSON), *someone("Priya", "Nandakumar", "1988-02-03", key="p2"))
        unknown = said(await north.ask(ASKER, "Nobody Knownhere", born="1970-01-01"))
        known = said(await north.ask(ASKER, "Katherine Bramley", born="1991-05-17"))
        assert known.outcome is TEAMS
        await north.record(AGENCY, "p1", OBJECTION)

        refused = said(await north.ask(ASKER, "Katherine Bramley", born="1991-05-17"))

        assert refused.outcome is NOTHING
        assert told(refused) == told(unknown)
        assert not told(refused)["claims"].keys() & {"policy", "bundle_sha256", "truncated"}
        answers = [base64url.decode(stream[0]["answer"].encode()) for stream in north.liar.streams]
        assert [len(answer) for answer in answers] == [SEALED_ANSWER_BYTES] * 3
        # The objection is hers alone.
        assert said(await north.ask(ASKER, "Priya Nandakumar", born="1988-02-03")).outcome is TEAMS


async def test_a_rule_that_needs_consent_discloses_only_while_it_is_given(tmp_path: Path) -> None:
    async with federation(tmp_path, [ASKER, "food-bank"]) as north:

        async def ask() -> MemberResult:
            return said(await north.ask(ASKER, "Katherine Bramley", born="1991-05-17"), "food-bank")

        await north.add("food-bank", *someone(*PERSON, service="meals"))
        assert (await ask()).outcome is NOTHING
        await north.record("food-bank", "p1", consent())
        assert [row.professional for row in (await ask()).rows] == ["Robin Worker"]
        await north.record("food-bank", "p1", WITHDRAWAL)
        assert (await ask()).outcome is NOTHING


async def test_expired_consent_discloses_nothing_from_the_next_day_on(tmp_path: Path) -> None:
    async with federation(tmp_path, [ASKER, "food-bank"]) as north:
        await north.add("food-bank", *someone(*PERSON, service="meals"))
        await north.record("food-bank", "p1", consent(until=TODAY + timedelta(days=1)))
        for days, outcome in ((0, TEAMS), (1, TEAMS), (2, NOTHING)):
            north.clock.time = NOW + days * 86_400
            await north.publish()
            await north.refresh()
            completed = await north.ask(ASKER, "Katherine Bramley", born="1991-05-17")
            assert said(completed, "food-bank").outcome is outcome, f"after {days} days"


async def test_two_people_who_fit_disclose_nothing(tmp_path: Path) -> None:
    async with federation(tmp_path, [ASKER, AGENCY]) as north:
        await north.add(AGENCY, *someone(*PERSON))
        assert said(await north.ask(ASKER, "Katherine Bramley", born="1991-05-17")).outcome is TEAMS
        await north.add(AGENCY, *someone(*PERSON, key="p2", postcode="ZM9 1AA"))
        assert said(await north.ask(ASKER, "Katherine Bramley", born="1991-05-17")).outcome is NOTHING
        # The postcode tells which of them is meant.
        completed = await north.ask(ASKER, "Katherine Bramley", born="1991-05-17", postcode="ZM9 1AA")
        assert said(completed).outcome is TEAMS


@pytest.mark.parametrize(
    ("name", "details", "outcome"),
    [
        ("Katherine Bramley", {}, NOTHING),
        ("Katherine Bramley", {"postcode": "ZM4"}, NOTHING),
        ("Katherine Bramley", {"postcode": "ZM4 7QT"}, TEAMS),
        ("", {"nhs": "999 000 0018"}, NOTHING),
        ("Katherine Bramley", {"born": "1991-05-17"}, TEAMS),
        ("Katherine Bramley", {"nhs": "999 000 0018"}, TEAMS),
        ("Katherine Bramley", {"nhs": "999 000 0026", "born": "1991-05-17"}, NOTHING),
        ("Kate Bramley", {"born": "1991-05", "postcode": "ZM4 7QT"}, TEAMS),
        ("Kate Bramley", {"born": "1991", "postcode": "ZM4 7QT"}, TEAMS),
        ("Kate Bramley", {"born": "1991-05"}, NOTHING),
        ("Kate Bramley", {"born": "1991-06", "postcode": "ZM4 7QT"}, NOTHING),
        ("Katherine Bramley", {"born": "1962-11-30"}, NOTHING),
    ],
)
async def test_what_must_be_known_of_a_person(
    shared: TestFederation, name: str, details: dict[str, str], outcome: MemberOutcome
) -> None:
    assert said(await shared.ask(ASKER, name, **details)).outcome is outcome


async def test_an_nhs_number_with_a_wrong_check_digit_is_refused_before_anything_is_asked(
    shared: TestFederation,
) -> None:
    before = len(await shared.ledger(AGENCY))
    with pytest.raises(InputError, match="not an NHS number") as refused:
        await shared.ask(ASKER, "Katherine Bramley", born="1991-05-17", nhs="999 000 0019")
    assert "0019" not in str(refused.value)
    assert len(await shared.ledger(AGENCY)) == before


async def test_only_certain_leaves_out_those_who_are_merely_probable(shared: TestFederation) -> None:
    probable = await shared.ask(ASKER, "Katherine Bramley", born="1991", postcode="ZM4 7QT")
    assert said(probable).rows[0].grade == "probable"
    for born, outcome in (("1991", NOTHING), ("1991-05-17", TEAMS)):
        completed = await shared.ask(ASKER, "Katherine Bramley", born=born, postcode="ZM4 7QT", only_certain=True)
        assert said(completed).outcome is outcome


async def test_an_agency_that_needs_a_birth_detail_discloses_nothing_by_name_and_address(tmp_path: Path) -> None:
    async with federation(tmp_path, [ASKER, AGENCY], options="[matching]\nbirth_needed = true") as north:
        await north.add(AGENCY, *someone(*PERSON))
        assert said(await north.ask(ASKER, "Katherine Bramley", postcode="ZM4 7QT")).outcome is NOTHING
        completed = await north.ask(ASKER, "Katherine Bramley", born="1991", postcode="ZM4 7QT")
        assert said(completed).outcome is TEAMS


@pytest.mark.parametrize(
    ("purpose", "basis"),
    [
        (Purpose.TREATMENT, LawfulBasis.PUBLIC_TASK),
        (Purpose.BREAK_GLASS, LawfulBasis.VITAL_INTERESTS),
        (Purpose.COORDINATION, LawfulBasis.LEGITIMATE_INTERESTS),
        (Purpose.COORDINATION, LawfulBasis.CONSENT),
    ],
)
async def test_a_purpose_or_basis_that_no_rule_names_is_not_asked(
    shared: TestFederation, purpose: Purpose, basis: LawfulBasis
) -> None:
    before = len(await shared.ledger(AGENCY))
    with pytest.raises(InputError, match=f"{purpose.word} on the basis {basis.value}"):
        await shared.ask(
            *(ASKER, "Katherine Bramley"),
            born="1991-05-17",
            purpose=purpose,
            basis=basis,
            break_glass=BROKEN if purpose is Purpose.BREAK_GLASS else None,
        )
    assert len(await shared.ledger(AGENCY)) == before


async def test_a_food_bank_never_learns_of_a_safeguarding_question(tmp_path: Path) -> None:
    async with federation(tmp_path, [ASKER, "police", "food-bank"], lying=True) as north:
        assert north.liar is not None
        for member in ("police", "food-bank"):
            await north.add(member, *someone(*PERSON, service="other-professional-support"))
        asked = await north.ask(ASKER, "Katherine Bramley", born="1991-05-17", purpose=Purpose.SAFEGUARDING)
        assert [(each.member.id, each.outcome) for each in asked.results] == [("police", TEAMS)]
        _, envelope = north.liar.envelopes[-1]
        assert envelope.copies.keys() == {"police"}
        assert await north.ledger("food-bank") == []
        # For coordination it is asked, but may not itself ask under that rule: nothing comes of it.
        both = await north.ask(ASKER, "Katherine Bramley", born="1991-05-17")
        assert {each.member.id for each in both.results} == {"police", "food-bank"}


async def test_an_excepted_recipient_is_told_nothing(tmp_path: Path) -> None:
    async with federation(tmp_path, ["food-bank", AGENCY, ASKER]) as north:
        await north.add(AGENCY, *someone(*PERSON))
        assert said(await north.ask(ASKER, "Katherine Bramley", born="1991-05-17")).outcome is TEAMS
        with pytest.raises(InputError, match="no agreement"):
            await north.ask("food-bank", "Katherine Bramley", born="1991-05-17")


@pytest.fixture
async def shared(tmp_path: Path) -> Any:
    """Two members, and one person at one of them."""
    async with federation(tmp_path, [ASKER, AGENCY]) as north:
        await north.add(AGENCY, *someone(*PERSON, nhs="9990000018"))
        yield north
