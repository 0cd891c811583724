"""The five agencies of Northshire: their teams and roles, whom they serve, and how carefully they write."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Agency:
    """How an agency draws its clients and how carefully it writes."""

    member: str
    teams: tuple[tuple[str, str], ...]  # name, code in its own system
    roles: tuple[str, ...]  # as its own system writes them, in the order of the teams that they belong to
    careless: float  # share of fields that went wrong
    phone: int  # first of its 100 drama numbers
    first_key: int
    youngest: int = 0  # age of a client
    oldest: int = 100
    with_nhs_number: float = 0
    most_workers: int = 2  # with one client
    sensitive_team: str = ""
    consents: bool = False  # records yes or no for everybody
    nicknames: float = 0.08


AGENCIES = (
    Agency(
        member="childrens-services",
        teams=(
            ("Family Support North", "FS"),
            ("Family Support South", "FS"),
            ("Assessment Team", "FS"),
            ("Youth Justice Service", "YOT"),
            ("Young People's Substance Misuse", "SM"),
        ),
        roles=("SW", "SSW", "SW", "FSW"),
        oldest=18,
        with_nhs_number=0.6,
        careless=0.04,
        phone=100,
        first_key=1001,
        sensitive_team="Young People's Substance Misuse",
    ),
    Agency(
        member="community-trust",
        teams=(
            ("Health Visiting East", "HV"),
            ("Rapid Response Nursing", "REAB"),
            ("Community Mental Health for Young People", "CAMHS"),
            ("Sexual Health Clinic", "SH"),
        ),
        roles=("Health visitor", "Community nurse", "Therapist", "Clinic nurse"),
        with_nhs_number=0.97,
        careless=0.02,
        phone=200,
        first_key=200001,
        sensitive_team="Sexual Health Clinic",
    ),
    Agency(
        member="police",
        teams=(("Safer Neighbourhood Team West", "SN-WEST"), ("Public Protection Unit", "PPU")),
        roles=("SNO", "PPO"),
        youngest=10,
        careless=0.07,
        phone=300,
        first_key=3001,
    ),
    Agency(
        member="housing",
        teams=(("Tenancy support", ""),),
        roles=("Housing officer",),
        youngest=18,
        careless=0.05,
        phone=400,
        first_key=40001,
        most_workers=1,
    ),
    Agency(
        member="food-bank",
        teams=(("Food parcels", ""),),
        roles=("Volunteer",),
        youngest=18,
        careless=0.12,
        phone=500,
        first_key=1,
        most_workers=1,
        consents=True,
        nicknames=0.25,
    ),
)
