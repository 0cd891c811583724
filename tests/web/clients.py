"""A trust's register for tests of the pages about clients.

Row 1, Katherine Bramley: with Rae Reception (`w-p1`, who is signed in), Kim Physio, whom the agreement shows to
colleagues, and Kim Sexual-Health, whose work is shielded. Row 2, Priya Nandakumar: known to that shielded service
alone. Row 3, Owen Pritchard: with Olu Open, whom colleagues may see.
"""

from gateway.accounts.account import Role
from mappings.model import ContactEvent, ContactPoint, HumanName, Involvement, Mapped, Practitioner, Service
from mappings.vocabulary import Sensitivity
from tests.federation import TestFederation, someone
from tests.web_user import WebUser

TRUST = "community-trust"
SECRETS = ("Sexual-Health", "Nandakumar", "Priya", "1988")  # what nobody but that service may learn
CODE = "other-professional-support"


async def fill(north: TestFederation) -> None:
    """Store all of them."""
    await north.add(TRUST, *someone("Katherine", "Bramley", "1991-05-17", worker="Rae Reception"))
    await north.add(
        TRUST,
        *_works("Physio", "p1", "other-long-term-support", Sensitivity.NORMAL),
        *_works("Sexual-Health", "p1", CODE, Sensitivity.RESTRICTED),
        ContactEvent(
            key="e1", person_key="p1", practitioner_key="w-p1", kind="home-visit", date="2026-09-24", planned=True
        ),
        ContactEvent(key="e2", person_key="p1", practitioner_key="Physio", kind="clinic", date="2026-09-01"),
    )
    await north.add(TRUST, *someone("Priya", "Nandakumar", "1988-02-03", key="q1", sensitivity=Sensitivity.RESTRICTED))
    await north.add(TRUST, *someone("Owen", "Pritchard", "1990-04-04", key="o1", worker="Olu Open"))


async def rae(north: TestFederation, *roles: Role) -> WebUser:
    """Rae Reception's browser."""
    who = roles or (Role.PRACTITIONER,)
    return await north.sign_in(TRUST, *who, name="Rae Reception", job_role="Receptionist", workers=["w-p1"])


def _works(family: str, client: str, code: str, sensitivity: Sensitivity) -> tuple[Mapped, ...]:
    return (
        Service(key=family, name=f"Team {family}", code=code, organisation_key="org"),
        Practitioner(
            key=family,
            name=HumanName(given=("Kim",), family=family),
            role="Nurse",
            contact_points=(ContactPoint(system="phone", value="01632 960777"),),
            organisation_key="org",
        ),
        Involvement(
            key=family,
            person_key=client,
            practitioner_key=family,
            service_key=family,
            role="Nurse",
            start="2026-02-01",
            sensitivity=sensitivity,
        ),
    )
