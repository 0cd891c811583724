"""Invented teams, and Permits for them made by the only maker there is: decide()."""

import hashlib
from dataclasses import replace
from datetime import date, timedelta

from consent_ledger.consent import ConsentState
from gateway.node.disclose import disclose
from gateway.node.team import Team, TeamMember
from gateway.policy.agreement import Agreement, Effect, Rule
from gateway.policy.decide import DecisionInputs, InvolvementFacts, MemberFacts, Permit, QuestionFacts, decide
from gateway.wire.answer import Disclosure, NothingToDisclose
from gateway.wire.federation import Member
from mappings.model import (
    ContactEvent,
    ContactPoint,
    HumanName,
    Identifier,
    Involvement,
    Organisation,
    Practitioner,
    Service,
)
from mappings.vocabulary import (
    ODS_SYSTEM,
    AuthMethod,
    LawfulBasis,
    MatchGrade,
    Mode,
    OrganisationType,
    Purpose,
    Sector,
    Sensitivity,
)

JTI = "6f1c9f0e-54a5-4d0e-9a37-6a8f1f8b2a11"
NOW = 1_795_348_800.0  # 2026-11-22T12:00:00Z
TODAY = date(2026, 11, 22)

TRUST = Member(
    id="southshire-trust",
    identifier=((ODS_SYSTEM, "ZZ9"),),
    name="Southshire Community NHS Trust",
    type=OrganisationType.NHS_TRUST,
    sector=Sector.STATUTORY,
    status="active",
    keys=(),
    ledger_key={},
    endpoint=None,
    duty_contact=(("phone", "01632 960300"), ("email", "duty@trust.example.org")),
)

COMMUNITY = Organisation(
    key="org-7",
    name="Southshire Children's Community Health",
    identifiers=(Identifier(system=ODS_SYSTEM, value="ZZ907"),),
    duty_contact=(ContactPoint(system="phone", value="01632 960307"),),
)
HEALTH_VISITING = Service(
    key="svc-1",
    name="Health visiting, Northtown",
    code="health-visiting",
    organisation_key="org-7",
    duty_contact=(
        ContactPoint(system="email", value="hv.duty@trust.example.org", rank=2),
        ContactPoint(system="phone", value="01632 960311", rank=1),
    ),
)
SCHOOL_NURSING = Service(key="svc-2", name="School nursing", code="school-nursing")

SPECIMEN = Practitioner(
    key="p-1",
    name=HumanName(family="Specimen", given=("Sam",)),
    role="Health visitor",
    contact_points=(
        ContactPoint(system="phone", value="01632 960312", rank=2),
        ContactPoint(system="phone", value="07700 900123", use="mobile", rank=1),
        ContactPoint(system="email", value="sam.specimen@trust.example.org", rank=3),
    ),
    organisation_key="org-7",
)
EXAMPLE = Practitioner(
    key="p-2",
    name=HumanName(family="Example-Muster", given=("Jo", "Ann")),
    role="School nurse",
    contact_points=(ContactPoint(system="phone", value="01632 960320"),),
)

HEALTH_VISITOR = TeamMember(
    involvement_id=1,
    involvement=Involvement(
        key="i-1", person_key="c-1", practitioner_key="p-1", role="Named health visitor", start="2026-01-05", lead=True
    ),
    practitioner_id=11,
    practitioner=SPECIMEN,
    service_id=21,
    service=HEALTH_VISITING,
    organisation_id=31,
    organisation=COMMUNITY,
    contact_events=(
        ContactEvent(key="e-1", person_key="c-1", kind="home-visit", date="2026-11-12"),
        ContactEvent(key="e-2", person_key="c-1", kind="clinic", date="2026-12-03", planned=True),
    ),
)
SCHOOL_NURSE = TeamMember(
    involvement_id=2,
    involvement=Involvement(key="i-2", person_key="c-1", practitioner_key="p-2", start="2025-09"),
    practitioner_id=12,
    practitioner=EXAMPLE,
    service_id=22,
    service=SCHOOL_NURSING,
    contact_events=(ContactEvent(key="e-3", person_key="c-1", kind="phone", date="2026-10"),),
)
AWAY = replace(
    HEALTH_VISITOR,
    involvement=replace(HEALTH_VISITOR.involvement, last_confirmed="2026-11-01"),
    practitioner=replace(
        SPECIMEN, working_pattern="Mon, Wed 9-1; term time only", away_until="2026-12-04", cover_key="p-2"
    ),
    cover=replace(EXAMPLE, working_pattern="Mon-Fri"),
)
SEXUAL_HEALTH = TeamMember(
    involvement_id=3,
    involvement=Involvement(
        key="i-3", person_key="c-1", service_key="svc-9", sensitivity=Sensitivity.RESTRICTED, start="2024-02-29"
    ),
    service_id=29,
    service=Service(
        key="svc-9",
        name="Harbour Street clinic",
        code="sexual-health",
        duty_contact=(ContactPoint(system="phone", value="01632 960399"),),
    ),
)


def team(*members: TeamMember) -> Team:
    """A team of one matched person."""
    return Team(person_id=4711, person_ids=(4711,), restricted=False, involvements=members)


def crowd(size: int) -> Team:
    """So many people of three services, the first a lead; their names are digests, which do not deflate."""
    services = (HEALTH_VISITING, SCHOOL_NURSING, Service(key="svc-3", name="Speech and language therapy"))
    return team(*(_one_of_many(number, services[number % len(services)]) for number in range(size)))


def _one_of_many(number: int, service: Service) -> TeamMember:
    digest = hashlib.sha512(str(number).encode()).hexdigest()
    return TeamMember(
        involvement_id=number,
        involvement=Involvement(
            key=f"i-{number}",
            person_key="c-1",
            practitioner_key=f"p-{number}",
            start=(TODAY - timedelta(days=37 * number)).isoformat(),
            lead=number == 0,
        ),
        practitioner_id=100 + number,
        practitioner=Practitioner(
            key=f"p-{number}",
            name=HumanName(family=digest[:36].title(), given=(digest[36:60].title(),)),
            role=f"Therapist {digest[92:116]}",
            contact_points=(
                ContactPoint(system="phone", value=f"01632 960{number % 1000:03}"),
                ContactPoint(system="email", value=f"{digest[60:92]}@trust.example.org", rank=2),
            ),
        ),
        service_id=200,
        service=service,
    )


def permit(mode: Mode, rule: str = "coordination") -> Permit:
    """decide()'s own leave for one involvement at `mode`."""
    decision = decide(
        DecisionInputs(
            question=QuestionFacts(
                purpose=Purpose.COORDINATION,
                lawful_basis=LawfulBasis.PUBLIC_TASK,
                agreement_uri="https://agreements.example.org/southshire",
                agreement_version="1",
                mode=mode,
                auth_method=AuthMethod.MFA,
            ),
            asker=MemberFacts(id="southshire-council", type="local-authority"),
            answerer=MemberFacts(id=TRUST.id, type=TRUST.type),
            involvement=InvolvementFacts(service="", sensitivity=Sensitivity.NORMAL, max_mode=Mode.SCHEDULE),
            consent=ConsentState(),
            grade=MatchGrade.CERTAIN,
            agreement=_agreement(rule),
            in_force=True,
            person_restricted=False,
            today=TODAY,
        )
    )
    assert isinstance(decision, Permit)
    assert decision.mode is mode
    return decision


def _agreement(rule: str) -> Agreement:
    return Agreement(
        uri="https://agreements.example.org/southshire",
        version="1",
        identifier=("https://agreements.example.org", "southshire"),
        name="Southshire",
        contact="",
        parties=(),
        data=(),
        purposes=(Purpose.COORDINATION,),
        start_date=date(2026, 1, 1),
        end_date=date(2027, 12, 31),
        permitted_use=(),
        restrictions=(),
        responsibilities=(),
        security_measures=(),
        legal_compliance=(),
        rules=(
            Rule(
                id=rule,
                effect=Effect.PERMIT,
                purposes=(Purpose.COORDINATION,),
                lawful_bases=(LawfulBasis.PUBLIC_TASK,),
                ask=("*",),
                recipients=("*",),
                except_recipients=(),
                services=("*",),
                sensitivity=(Sensitivity.NORMAL,),
                mode=Mode.SCHEDULE,
            ),
        ),
        sha256="0" * 64,
    )


def disclosed(
    whole: Team, modes: dict[int, Mode], *, grade: MatchGrade = MatchGrade.PROBABLE
) -> Disclosure | NothingToDisclose:
    """What leaves if each involvement in `modes` (by index) is permitted at its mode, and no other."""
    return disclose(
        whole,
        [(index, permit(mode)) for index, mode in modes.items()],
        member=TRUST,
        jti=JTI,
        grade=grade,
        policy_uri="https://agreements.example.org/southshire",
        policy_version="1",
        now=NOW,
    )


# tests/golden/bundles/NAME.json; mode callback shows nothing, so it has no Bundle.
GOLDEN: dict[str, tuple[Team, dict[int, Mode]]] = {
    "duty_contact": (team(HEALTH_VISITOR), {0: Mode.DUTY_CONTACT}),
    "practitioner": (team(HEALTH_VISITOR), {0: Mode.PRACTITIONER}),
    "schedule": (team(HEALTH_VISITOR), {0: Mode.SCHEDULE}),
    "away_with_cover": (team(AWAY), {0: Mode.PRACTITIONER}),
    "several_involvements": (
        team(HEALTH_VISITOR, SCHOOL_NURSE, SEXUAL_HEALTH),
        {0: Mode.SCHEDULE, 1: Mode.PRACTITIONER, 2: Mode.DUTY_CONTACT},
    ),
    "truncated": (crowd(60), dict.fromkeys(range(60), Mode.PRACTITIONER)),
}
