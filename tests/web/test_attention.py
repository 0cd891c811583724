"""Raising attention: one tap, a fixed phrase, and only to colleagues who may know of the sender's work."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.accounts.account import Role
from tests.federation import TestFederation, federation
from tests.web.around import CLIENT, hidden, kim, nia, return_of
from tests.web.clients import TRUST, fill, rae

PATH = f"{CLIENT}/attention"
CALL = "Please call me about this person"
DAY_S = 86_400
HOSTILE = "<script>alert(1)</script>\"'{{7*7}}</td>"


@pytest.fixture
async def north(tmp_path: Path) -> AsyncIterator[TestFederation]:
    async with federation(tmp_path, [TRUST], web=True) as running:
        await fill(running)
        yield running


async def test_one_tap_tells_the_colleagues_around_a_client_with_a_link_to_their_page(north: TestFederation) -> None:
    wendy, physio, stranger = await rae(north), await kim(north), await nia(north)
    page = await wendy.get(PATH)
    assert "Who is told Kim Physio, Nurse What they are told" in page.words
    page = await wendy.post(PATH, {"phrase": "call-me"})
    assert (page.status, "They find it among their notices" in page.words) == (200, True)
    told = await physio.get("/notices")
    assert f"Katherine Bramley : {CALL}" in told.words
    assert "Rae Reception, Receptionist" in told.words
    assert f'href="{CLIENT}"' in told.text
    for other in (stranger, wendy):
        assert CALL not in (await other.get("/notices")).words


async def test_each_phrase_can_be_sent_once_a_day(north: TestFederation) -> None:
    wendy, physio = await rae(north), await kim(north)
    for phrase in ("call-me", "call-me", "closing"):
        await wendy.post(PATH, {"phrase": phrase})
    page = await physio.get("/notices")
    assert "Notices 2 (2 unread)" in page.words
    assert (await wendy.get(PATH)).words.count("Sent today") == 2
    north.clock.time += DAY_S
    await north.publish()
    await north.refresh()
    wendy, physio = await return_of(north, wendy), await return_of(north, physio)
    await wendy.post(PATH, {"phrase": "call-me"})
    assert "Notices 3 (3 unread)" in (await physio.get("/notices")).words


async def test_nobody_is_told_who_could_not_see_the_sender_s_work(north: TestFederation) -> None:
    shielded, wendy, physio = await hidden(north), await rae(north), await kim(north)
    page = await shielded.get(PATH)
    assert "There is nobody to tell here" in page.words
    assert (await shielded.post(PATH, {"phrase": "call-me"}, form="/account")).status == 200
    for other in (wendy, physio):
        assert CALL not in (await other.get("/notices")).words


async def test_nobody_hears_of_a_hidden_service_by_being_left_out_or_counted(north: TestFederation) -> None:
    await hidden(north)
    wendy = await rae(north)
    page = await wendy.get(PATH)
    assert "Sexual-Health" not in page.text
    assert "There is nobody to tell here" in page.words  # Kim Physio has no account
    await wendy.post(PATH, {"phrase": "call-me"}, form="/account")
    assert "Sent today" not in (await wendy.get(PATH)).words


async def test_words_of_one_s_own_other_roles_clients_and_sites_are_refused(north: TestFederation) -> None:
    wendy, physio = await rae(north), await kim(north)
    for phrase in (HOSTILE, "", "call-me "):
        assert (await wendy.post(PATH, {"phrase": phrase})).status == 400
    assert (await wendy.post(PATH, {"phrase": "call-me"}, token="")).status == 403
    for client in ("/clients/2", "/clients/3", "/clients/987654"):
        assert (await wendy.get(f"{client}/attention")).status == 404
        assert (await wendy.post(f"{client}/attention", {"phrase": "call-me"}, form="/account")).status == 404
    manager = await north.sign_in(TRUST, Role.MANAGER)
    assert (await manager.get(PATH)).status == 403
    assert CALL not in (await physio.get("/notices")).words


async def test_the_sender_s_name_is_text(north: TestFederation) -> None:
    sender = await north.sign_in(TRUST, Role.PRACTITIONER, name=HOSTILE, job_role=HOSTILE, workers=["w-p1"])
    physio = await north.sign_in(TRUST, Role.PRACTITIONER, name=HOSTILE, job_role=HOSTILE, workers=["Physio"])
    pages = [await sender.post(PATH, {"phrase": "closing"}), await physio.get("/notices")]
    for page in pages:
        assert "<script>alert" not in page.text
        assert "{{7*7}}" in page.text
