"""An agency's own staff learn of each other's services no more than the agreement and the client let a member learn.

First the rule (`visible_team`), then the door through which pages go (`local_view`), which is closed to all but those
who work with a client.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from consent_ledger.consent import ConsentEntry, ConsentKind
from consent_ledger.read import accepted_agreements, consents_of
from consent_ledger.report import access_report
from gateway.database.contract import Row, Statement, Work
from gateway.errors import StorageError
from gateway.fhir.bundle import Participation
from gateway.node.local import LocalUser, Need, visible_team
from gateway.node.local_view import NOTHING_TO_SEE, LocalTeam, View, local_team, matched_team, view_of
from gateway.node.looks import Looker, Looks
from gateway.node.my_clients import Changed, MyClient, changed, clients_of, everybody, remembered, visits_ahead
from gateway.node.native import native_source, store
from gateway.node.people import person_by_key
from gateway.node.team import Team, team_of
from gateway.reports.access import Setting, access_document
from gateway.reports.as_text import as_text
from mappings.model import ContactEvent, HumanName, Involvement, Person, Practitioner, Service
from mappings.vocabulary import AuthMethod, LawfulBasis, MatchGrade, Mode, Purpose, Sensitivity
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

    def user(self, who: str) -> LocalUser:
        return LocalUser(practitioner_ids=frozenset({self.staff[who]}), auth_method=AuthMethod.MFA)

    async def own_view(self, who: str, purpose: Purpose = Purpose.COORDINATION) -> View:
        node = self.north.nodes[TRUST].parts
        agreements = node.membership.current().agreements
        return await node.database.read(view_of(self.user(who), agreements=agreements, today=TODAY, purpose=purpose))

    async def opens(self, who: str, person_id: int = 1) -> LocalTeam:
        """What that person's page of a client shows them."""
        view = await self.own_view(who)
        return await self.north.nodes[TRUST].parts.database.read(local_team(person_id, view))

    async def clients(self, who: str) -> list[MyClient]:
        view = await self.own_view(who)
        return await self.north.nodes[TRUST].parts.database.read(clients_of(view))

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


def _people(team: LocalTeam) -> list[str]:
    return [_said(each) for each in everybody(team)]


async def test_a_client_s_page_shows_ones_own_work_and_what_the_rule_lets_through(trust: Trust) -> None:
    seen = await trust.opens("w-p1")
    assert _people(seen) == ["Reception", "Physio"]
    assert [each.shown.role for each in seen.mine] == ["Support worker"]
    assert seen.client is not None
    assert [name.family for name in seen.client.names] == ["Bramley"]
    await trust.north.record(TRUST, "p1", ConsentEntry(kind=ConsentKind.OBJECTION, recorded_by="reception"))
    assert _people(await trust.opens("w-p1")) == ["Reception"]


async def test_nobody_else_s_client_opens_and_walking_through_ids_shows_nothing(trust: Trust) -> None:
    await trust.north.add(TRUST, *someone("Priya", "Nandakumar", "1988-02-03", key="q1", worker="Quinn Other"))
    for person_id in (2, 3, 99, 0, -1):
        assert await trust.opens("w-p1", person_id) == NOTHING_TO_SEE
    assert [each.client.person_id for each in await trust.clients("w-p1")] == [1]


async def test_another_service_s_record_of_the_same_person_opens_to_nobody_and_changes_no_id(trust: Trust) -> None:
    # The shielded service keeps a record of its own, older than the one that the receptionist makes.
    number = "9990000018"
    await trust.north.add(TRUST, *someone("Priya", "Nandakumar", "1988-02-03", key="s1", nhs=number, sensitivity="V"))
    database = trust.north.nodes[TRUST].parts.database
    before = await trust.clients("w-p1")

    def typed() -> Work[int]:
        source = yield from native_source(NAME)
        items = someone("Priya", "Nandakumar", "1988-02-03", key="t1", nhs=number)
        ids = yield from store(source, *(each for each in items if isinstance(each, Person)))
        yield from store(source, Involvement(key="ti", person_key="t1", practitioner_key=f"{SOURCE}:w-p1"))
        return ids["person", "t1"]

    own = await database.write(typed())
    assert own == 3
    ((same,),) = await database.read(_rows("SELECT same_person FROM person WHERE id = 3"))
    assert same == 2  # one person, by number
    seen = await trust.opens("w-p1", own)
    assert _people(seen) == ["Reception"]
    assert await trust.opens("w-p1", 2) == NOTHING_TO_SEE
    assert [each.client.person_id for each in await trust.clients("w-p1")] == [1, own]
    assert len(before) == 1


async def test_a_warning_of_a_duplicate_teaches_nothing_about_a_service_that_must_not_be_seen(trust: Trust) -> None:
    database = trust.north.nodes[TRUST].parts.database
    await trust.north.add(TRUST, *someone("Priya", "Nandakumar", "1988-02-03", key="q1", sensitivity="V"))
    await trust.north.add(TRUST, *someone("Owen", "Pritchard", "1990-04-04", key="o1", worker="Olu Open"))
    view = await trust.own_view("Physio")
    assert (await database.read(matched_team(2, MatchGrade.CERTAIN, view))).size == 0
    assert _people(await database.read(matched_team(3, MatchGrade.CERTAIN, view))) == ["Open"]
    assert (await database.read(matched_team(3, MatchGrade.POSSIBLE, view))).size == 0
    assert (
        await database.read(matched_team(3, MatchGrade.CERTAIN, await trust.own_view("Physio", Purpose.TREATMENT)))
    ).size == 0


async def test_my_clients_tell_what_changed_since_the_last_look(trust: Trust) -> None:
    (mine,) = await trust.clients("w-p1")
    look = remembered(mine.team)
    assert not changed(look, mine.team)
    await trust.north.add(
        TRUST,
        Practitioner(key="new", name=HumanName(given=("Nia",), family="New"), organisation_key="org"),
        Involvement(key="new", person_key="p1", practitioner_key="new", service_key="Physio"),
        Practitioner(key="Physio", name=HumanName(given=("Kim",), family="Physio"), working_pattern="Mon"),
    )
    (mine,) = await trust.clients("w-p1")
    assert changed(look, mine.team) == Changed(joined=1, details=1)
    assert changed(remembered(mine.team), replace(mine.team, others=())) == Changed(left=2)
    assert changed(remembered(mine.team), mine.team) == Changed()


async def test_visits_of_the_coming_week_are_ones_own(trust: Trust) -> None:
    await trust.north.add(
        TRUST,
        *(
            ContactEvent(
                key=f"e{who}{day}", person_key="p1", practitioner_key=who, kind="visit", date=day, planned=True
            )
            for who, day in (("w-p1", "2026-09-27"), ("Physio", "2026-09-22"))
        ),
    )
    view = await trust.own_view("w-p1")
    ahead = visits_ahead(await trust.clients("w-p1"), view)
    assert [day for day, _ in ahead] == ["2026-09-27"]
    (mine,) = await trust.clients("w-p1")
    assert mine.next_visit == "2026-09-22"  # as the agreement lets a colleague know


async def test_without_an_agreement_the_door_shows_ones_own_work_alone(tmp_path: Path) -> None:
    async with federation(tmp_path, [TRUST, OTHER], not_accepting={TRUST}) as north:
        await north.add(TRUST, *someone("Katherine", "Bramley", "1991-05-17", worker="Rae Reception"))
        await north.add(
            TRUST,
            Practitioner(key="Physio", name=HumanName(family="Physio")),
            Involvement(key="Physio", person_key="p1", practitioner_key="Physio"),
        )
        trust = Trust(north, await north.nodes[TRUST].parts.database.read(_staff()))
        assert _people(await trust.opens("w-p1")) == ["Reception"]


async def test_a_look_is_in_the_client_s_report_once_a_day(trust: Trust) -> None:
    node = trust.north.nodes[TRUST]
    looks = Looks(me=node.parts.me, ledger=node.parts.ledger, keys=node.keys_database, clock=node.parts.clock)
    looker = Looker(account="a" * 32, name="Rae Reception", role="Receptionist")
    seen = await trust.opens("w-p1")
    assert seen.client is not None
    reason = (await trust.own_view("w-p1")).reason
    for _ in range(3):
        await looks.put_on_record(looker, seen.client.person_id, reason)
    trust.north.clock.turn(86_400)
    await looks.put_on_record(looker, seen.client.person_id, reason)
    now = datetime.fromtimestamp(trust.north.clock.now(), UTC)
    entries = await node.parts.ledger.about(seen.person_ids)
    report, _ = access_report(entries, now=now, today=now.date(), hold_days=30)
    assert [each.name for each in report.looks] == ["Rae Reception"] * 2
    by_name, by_role = (
        as_text(access_document(report, Setting(agency="The Trust", about="you", made_at=now.timestamp(), by_role=how)))
        for how in (False, True)
    )
    assert "Who of The Trust opened your page" in by_name
    assert "Rae Reception, Receptionist" in by_name
    assert "to find out who else is working with you" in by_name
    assert "Rae" not in by_role
    assert "Receptionist" in by_role
    await node.parts.ledger.close()
    with pytest.raises(StorageError):
        await looks.put_on_record(replace(looker, account="b" * 32), seen.client.person_id, reason)


def _rows(sql: str) -> Work[list[Row]]:
    return (yield Statement(sql))
