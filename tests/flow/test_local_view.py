"""An agency's own staff learn of each other's services no more than the agreement and the client let a member learn."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from consent_ledger.consent import ConsentEntry, ConsentKind
from consent_ledger.read import accepted_agreements, consents_of
from gateway.database.contract import Statement, Work
from gateway.fhir.bundle import Participation
from gateway.node.local import LocalUser, Need, visible_team
from gateway.node.people import person_by_key
from gateway.node.team import Team, team_of
from mappings.model import HumanName, Involvement, Practitioner, Service
from mappings.vocabulary import AuthMethod, LawfulBasis, Mode, Purpose, Sensitivity
from tests.federation import NAME, NOW, SOURCE, TestFederation, federation, someone

TRUST, OTHER = "community-trust", "housing"
TODAY = datetime.fromtimestamp(NOW, UTC).date()
NEED = Need(
    purpose=Purpose.COORDINATION,
    lawful_basis=LawfulBasis.PUBLIC_TASK,
    agreement_uri="https://example.org/agreements/tests",
    agreement_version="1",
)


@dataclass(frozen=True)
class Trust:
    """A trust whose receptionist, physiotherapist and sexual-health nurse all know one client."""

    north: TestFederation
    staff: dict[str, int]

    async def seen_by(self, who: str, need: Need = NEED) -> list[str]:
        """Whom that person sees in the client's team, and as what."""
        return [_said(each) for each in await self.view(who, need)]

    async def view(self, who: str, need: Need = NEED, team: Team | None = None) -> tuple[Participation, ...]:
        node = self.north.nodes[TRUST].parts
        team = team or await self.team()
        consents, _ = await node.database.read(consents_of(team.person_ids))
        return visible_team(
            team,
            LocalUser(practitioner_ids=frozenset({self.staff[who]}), auth_method=AuthMethod.MFA),
            need,
            consents=consents,
            agreements=node.membership.current().agreements,
            accepted=await node.database.read(accepted_agreements(NAME)),
            today=TODAY,
        )

    async def team(self) -> Team:
        database = self.north.nodes[TRUST].parts.database
        person_id = await database.read(person_by_key(SOURCE, "p1"))
        assert person_id is not None
        return await database.read(team_of(person_id, today=TODAY.isoformat()))


def _said(each: Participation) -> str:
    if each.practitioner is not None:
        return each.practitioner.name.family
    return f"duty contact of {each.service.name}" if each.service is not None else "?"


@pytest.fixture
async def trust(tmp_path: Path) -> AsyncIterator[Trust]:
    async with federation(tmp_path, [TRUST, OTHER]) as north:
        await north.add(TRUST, *someone("Katherine", "Bramley", "1991-05-17", worker="Rae Reception"))
        for family, code, sensitivity in (
            ("Physio", "other-long-term-support", Sensitivity.NORMAL),
            ("Sexual-Health", "other-professional-support", Sensitivity.RESTRICTED),
        ):
            await north.add(
                TRUST,
                Service(key=family, name=f"Team {family}", code=code, organisation_key="org"),
                Practitioner(
                    key=family, name=HumanName(given=("Kim",), family=family), role="r", organisation_key="org"
                ),
                Involvement(
                    key=family,
                    person_key="p1",
                    practitioner_key=family,
                    service_key=family,
                    role="r",
                    start="2026-02-01",
                    sensitivity=sensitivity,
                ),
            )
        yield Trust(north, await north.nodes[TRUST].parts.database.read(_staff()))


def _staff() -> Work[dict[str, int]]:
    rows = yield Statement("SELECT key, id FROM practitioner")
    return dict(rows)


async def test_a_receptionist_does_not_learn_that_the_sexual_health_service_knows_a_client(trust: Trust) -> None:
    assert await trust.seen_by("w-p1") == ["Physio", "Reception"]
    assert await trust.seen_by("Sexual-Health") == ["Physio", "Sexual-Health", "Reception"]
    # As if she were not there: the same view of a team without her.
    team = await trust.team()
    without = replace(
        team,
        involvements=tuple(each for each in team.involvements if each.involvement.sensitivity is Sensitivity.NORMAL),
    )
    assert await trust.view("w-p1") == await trust.view("w-p1", team=without)


async def test_an_objection_leaves_everybody_their_own_work(trust: Trust) -> None:
    await trust.north.record(TRUST, "p1", ConsentEntry(kind=ConsentKind.OBJECTION, recorded_by="reception"))
    assert await trust.seen_by("w-p1") == ["Reception"]
    assert await trust.seen_by("Physio") == ["Physio"]


async def test_without_an_agreement_or_a_purpose_that_it_names_only_ones_own_work_is_shown(trust: Trust) -> None:
    assert await trust.seen_by("w-p1", replace(NEED, agreement_version="2")) == ["Reception"]
    assert await trust.seen_by("w-p1", replace(NEED, purpose=Purpose.TREATMENT)) == ["Reception"]
    assert await trust.seen_by("w-p1", replace(NEED, mode=Mode.NONE)) == ["Reception"]


async def test_a_duty_contact_names_nobody(trust: Trust) -> None:
    assert await trust.seen_by("w-p1", replace(NEED, mode=Mode.DUTY_CONTACT)) == [
        "duty contact of Team Physio",
        "Reception",
    ]


async def test_a_service_of_ones_own_shows_what_names_nobody(trust: Trust) -> None:
    team = await trust.team()
    shielded = next(each for each in team.involvements if each.involvement.sensitivity is Sensitivity.RESTRICTED)
    unnamed = replace(shielded, practitioner_id=None, practitioner=None)
    user = LocalUser(
        practitioner_ids=frozenset(), service_ids=frozenset({shielded.service_id or 0}), auth_method=AuthMethod.MFA
    )
    assert user.has(unnamed)
    assert not user.has(shielded)
