""" "Something is wrong here": codes to managers, who learn no client's name by it, and an answer to who reported."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.accounts.account import Role
from gateway.accounts.problems import MAX_OPEN
from mappings.model import HumanName, Involvement, Person
from tests.federation import SOURCE, TestFederation, federation
from tests.web.around import CLIENT, kim
from tests.web.clients import SECRETS, TRUST, fill, rae
from tests.web_user import WebUser

PATH = f"{CLIENT}/wrong"
MANAGE = "/manage/problems"
HOSTILE = "<script>alert(1)</script>\"'{{7*7}}</td>"


@pytest.fixture
async def north(tmp_path: Path) -> AsyncIterator[TestFederation]:
    async with federation(tmp_path, [TRUST], web=True) as running:
        await fill(running)
        yield running


async def physio_in(user: WebUser) -> str:
    """The value by which the form knows Kim Physio."""
    found = re.search(r'<option value="(\d+)"[^>]*>Kim Physio', (await user.get(PATH)).text)
    assert found
    return found[1]


async def test_a_report_about_a_record_reaches_managers_by_number_and_its_outcome_the_reporter(
    north: TestFederation,
) -> None:
    wendy, manager = await rae(north), await north.sign_in(TRUST, Role.MANAGER, name="Max Manager")
    page = await wendy.post(PATH, {"what": "wrong-person"})
    assert "Thank you" in page.words
    assert "A colleague reported that something is wrong" in (await manager.get("/notices")).words
    page = await manager.get(MANAGE)
    assert f"Details of another person are here : {SOURCE}:p1" in page.words
    assert "Rae Reception" in page.words
    assert not any(name in page.text for name in ("Katherine", "Bramley", *SECRETS))
    report = re.search(r'name="report" value="([0-9a-f]{32})"', page.text)
    assert report
    page = await manager.post(MANAGE, {"report": report[1], "outcome": "corrected"})
    assert "Corrected," in page.words
    assert "Whoever reported it is told" in page.words
    told = (await wendy.get("/notices")).words
    assert "You reported “Details of another person are here”: Corrected" in told
    again = {"report": report[1], "outcome": "nothing-wrong"}
    assert (await manager.post(MANAGE, again, form="/account")).status == 404


async def test_a_manager_who_works_with_the_client_sees_the_name(north: TestFederation) -> None:
    wendy = await rae(north)
    manager = await north.sign_in(TRUST, Role.MANAGER, Role.PRACTITIONER, name="Kim Physio", workers=["Physio"])
    await wendy.post(PATH, {"what": "duplicate"})
    assert "The same person is here twice : Katherine Bramley" in (await manager.get(MANAGE)).words


async def test_a_report_about_a_colleague_does_not_say_with_which_client_they_work(north: TestFederation) -> None:
    wendy, manager = await rae(north), await north.sign_in(TRUST, Role.ADMINISTRATOR)
    page = await wendy.post(PATH, {"what": "wrong-number"})
    assert (page.status, "Select which colleague" in page.words) == (400, True)
    await wendy.post(PATH, {"what": "wrong-number", "who": await physio_in(wendy)})
    page = await manager.get(MANAGE)
    assert "A wrong number or address of a colleague : Kim Physio, Nurse" in page.words
    assert not any(word in page.text for word in ("p1", "Katherine", CLIENT))


async def test_only_colleagues_whom_the_reporter_sees_can_be_reported(north: TestFederation) -> None:
    wendy, manager = await rae(north), await north.sign_in(TRUST, Role.MANAGER)
    page = await wendy.get(PATH)
    assert "Sexual-Health" not in page.text
    seen = await physio_in(wendy)
    for row in {str(number) for number in range(1, 9)} - {seen} | {HOSTILE, "-1"}:
        assert (await wendy.post(PATH, {"what": "has-left", "who": row})).status == 400
    assert "Nothing has been reported" in (await manager.get(MANAGE)).words


async def test_a_second_tap_reports_nothing_more_and_nobody_piles_reports_up(north: TestFederation) -> None:
    wendy, manager = await rae(north), await north.sign_in(TRUST, Role.MANAGER)
    for _ in range(2):
        await wendy.post(PATH, {"what": "duplicate"})
    page = await manager.get(MANAGE)
    assert page.text.count('name="report"') == 1
    assert "(1 unread)" in page.words
    people = range(MAX_OPEN)
    for number in people:
        name = HumanName(given=("Ada",), family=f"Number{number}")
        person = Person(key=f"n{number}", names=(name,), birth_date="2001-01-01")
        await north.add(TRUST, person, Involvement(key=f"n{number}", person_key=f"n{number}", practitioner_key="w-p1"))
    clients = re.findall(r'href="(/clients/\d+)"', (await wendy.get("/clients")).text)
    pages = [await wendy.post(f"{path}/wrong", {"what": "not-my-client"}) for path in sorted(set(clients) - {CLIENT})]
    assert [page.status for page in pages].count(429) == 1


async def test_other_roles_clients_codes_and_sites_are_refused(north: TestFederation) -> None:
    wendy, physio = await rae(north), await kim(north)
    for what in ("", HOSTILE, "wrong"):
        assert (await wendy.post(PATH, {"what": what})).status == 400
    for client in ("/clients/2", "/clients/3", "/clients/987654"):
        assert (await wendy.get(f"{client}/wrong")).status == 404
        assert (await wendy.post(f"{client}/wrong", {"what": "duplicate"}, form="/account")).status == 404
    for user in (physio, await north.sign_in(TRUST, Role.AUDITOR), await north.sign_in(TRUST, Role.GOVERNANCE)):
        assert (await user.get(MANAGE)).status == 403
        fields = {"report": "0" * 32, "outcome": "corrected"}
        assert (await user.post(MANAGE, fields, form="/account")).status == 403
    manager = await north.sign_in(TRUST, Role.MANAGER)
    assert (await manager.get(PATH)).status == 403
    for path, user in ((PATH, wendy), (MANAGE, manager)):
        assert (await user.post(path, {}, token="")).status == 403
    for fields in ({"report": "0" * 32, "outcome": "corrected"}, {"report": HOSTILE, "outcome": "corrected"}):
        assert (await manager.post(MANAGE, fields, form="/account")).status == 404
    assert (await manager.post(MANAGE, {"report": "0" * 32, "outcome": HOSTILE}, form="/account")).status == 400


async def test_the_reporter_s_name_is_text(north: TestFederation) -> None:
    sender = await north.sign_in(TRUST, Role.PRACTITIONER, name=HOSTILE, job_role=HOSTILE, workers=["w-p1"])
    manager = await north.sign_in(TRUST, Role.MANAGER)
    await sender.post(PATH, {"what": "duplicate"})
    page = await manager.get(MANAGE)
    assert "<script>alert" not in page.text
    assert "{{7*7}}" in page.text
