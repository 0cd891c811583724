"""A service is one's own on somebody else's word: claiming it oneself opens nothing that is shielded there."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.accounts.account import Role
from gateway.database.contract import Statement, Work
from mappings.model import HumanName, Involvement, Practitioner
from mappings.vocabulary import Purpose, Sensitivity
from tests.federation import TestFederation, federation
from tests.web.around import CLIENT, hidden, invitation_of, invite, kim, nia
from tests.web.clients import TRUST, fill
from tests.web_user import Fields

ADD = "/clients/add"
ASKER = "childrens-services"
NEW = {"born-day": "2", "born-month": "3", "born-year": "2012", "role": "Mentor"}
KATHERINE = {"name": "Katherine Bramley", "born-day": "17", "born-month": "5", "born-year": "1991", "known": "same"}
PHYSIO = "other-long-term-support"  # the code of the service "Team Physio"
SAID: Fields = {
    "relation": "person",
    "method": "spoken",
    "mode": "practitioner",
    "whom": "all",
    "reasons": "all",
    "services": "own",
    "service": [PHYSIO],
    "until": "1-year",
    "go": "record",
}


@pytest.fixture
async def north(tmp_path: Path) -> AsyncIterator[TestFederation]:
    async with federation(tmp_path, [TRUST, ASKER], web=True) as running:
        await fill(running)
        yield running


async def test_nobody_can_choose_a_shielded_service_for_having_joined_one_client_s_work_there(
    north: TestFederation,
) -> None:
    newcomer, shielded = await nia(north), await hidden(north)
    await invite(shielded, newcomer)
    assert (await newcomer.post(f"{await invitation_of(newcomer)}/accept", form="/notices")).path == CLIENT
    page = await newcomer.get(ADD)
    assert 'name="service"' not in page.text  # she works for Team Physio alone, as her source says
    names = {row_id: name for row_id, name in await _services(north) if name != "Team Physio"}
    assert "Team Sexual-Health" in names.values()
    for row_id, name in names.items():
        page = await newcomer.post(ADD, {**NEW, "name": f"Zoë Ng {row_id}", "service": str(row_id)})
        client = await newcomer.get(page.path.removesuffix("/consent"))
        assert ("Team Physio" in client.words, name in client.words) == (True, False)


async def test_who_has_no_service_can_post_no_other_than_those_of_the_directory(north: TestFederation) -> None:
    vera = await north.sign_in(TRUST, Role.PRACTITIONER, name="Vera Volunteer", job_role="Volunteer")
    offered = set(map(int, re.findall(r'<option value="([1-9][0-9]*)"', (await vera.get(ADD)).text)))
    others = {row_id: name for row_id, name in await _services(north) if row_id not in offered}
    assert list(others.values()) == ["Team Sexual-Health"]
    for row_id in others:
        page = await vera.post(ADD, {**NEW, "name": "Zoë Ng", "service": str(row_id)})
        assert (page.status, "Select the service" in page.words) == (400, True)


async def test_an_agreement_that_names_a_service_is_taken_from_nobody_who_only_claims_to_work_for_it(
    north: TestFederation,
) -> None:
    await north.add(
        TRUST,
        Practitioner(key="pat", name=HumanName(given=("Pat",), family="Private"), role="Nurse"),
        Involvement(
            key="pat",
            person_key="p1",
            practitioner_key="pat",
            service_key="Physio",
            sensitivity=Sensitivity.RESTRICTED,
        ),
        Involvement(key="kim-2", person_key="o1", practitioner_key="Physio", service_key="Physio"),
    )
    vera = await north.sign_in(TRUST, Role.PRACTITIONER, name="Vera Volunteer", job_role="Volunteer")
    option = re.search(r'<option value="([0-9]+)"[^>]*>\s*Team Physio', (await vera.get(ADD)).text)
    assert option
    added = await vera.post(ADD, {**KATHERINE, "role": "Friend", "service": option[1]})
    assert added.path == f"{CLIENT}/consent"
    page = await vera.post(f"{CLIENT}/consent/record", SAID)
    assert (page.status, "Tick the services" in page.words) == (400, True)
    limits = await vera.post(f"{CLIENT}/consent/record", {**SAID, "go": "limits"})
    assert ("All our services" in limits.words, PHYSIO in limits.text) == (True, False)
    assert not await _is_pat_told(north)
    assert (await vera.post(f"{CLIENT}/consent/object", SAID)).path == f"{CLIENT}/consent/object/done"
    physio = await kim(north)  # whose own source says that she works for it
    assert (await physio.post(f"{CLIENT}/consent/record", SAID)).path == f"{CLIENT}/consent/record/done"
    assert await _is_pat_told(north)


async def _is_pat_told(north: TestFederation) -> bool:
    """Whether another agency is told of the confidential work."""
    told = await north.ask(ASKER, "Katherine Bramley", born="1991-05-17", purpose=Purpose.SAFEGUARDING)
    return "Pat Private" in str(told.results)


async def _services(north: TestFederation) -> list[tuple[int, str]]:
    """All services of the trust, by row."""

    def work() -> Work[list[tuple[int, str]]]:
        return [(row_id, name) for row_id, name in (yield Statement("SELECT id, name FROM service"))]

    return await north.pages[TRUST].site.database.read(work())
