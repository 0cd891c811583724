"""Inviting a colleague: they join with what the inviter may be seen with, and learn nothing of the client before."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from gateway.accounts.account import Role
from gateway.accounts.administer import set_roles
from gateway.accounts.invitations import MAX_OPEN
from gateway.accounts.which_accounts import as_local_user
from gateway.database.contract import Work
from gateway.node.joining import OpenTo, join
from gateway.node.local import LocalUser
from gateway.web import invited
from gateway.web.told import end_invitations
from mappings.model import Involvement
from mappings.vocabulary import Mode, Sensitivity
from tests.federation import NAME, TestFederation, federation
from tests.web.around import CLIENT, compare, hidden, invitation_of, invite, kim, nia, return_of
from tests.web.clients import TRUST, fill, rae
from tests.web_user import WebUser

DAY_S = 86_400
HOSTILE = "<script>alert(1)</script>\"'{{7*7}}</td>"


@pytest.fixture
async def north(tmp_path: Path) -> AsyncIterator[TestFederation]:
    async with federation(tmp_path, [TRUST, "housing"], web=True) as running:
        await fill(running)
        yield running


async def test_whoever_accepts_is_in_the_team_and_the_inviter_is_told(north: TestFederation) -> None:
    wendy, newcomer = await rae(north), await nia(north)
    assert "That service is Team" in (await wendy.get(f"{CLIENT}/invite")).words
    page = await invite(wendy, newcomer, role="key-worker")
    assert "Your colleague finds the invitation" in page.words
    assert "Nia New, Key worker Not answered yet" in page.words
    shown = await newcomer.get("/notices")
    assert "Rae Reception invites you" in shown.words
    assert "Your role would be: Key worker." in shown.words
    assert '<span class="pw-count" aria-hidden="true">1</span>' in shown.text
    page = await newcomer.post(f"{await invitation_of(newcomer)}/accept", form="/notices")
    assert (page.status, page.path) == (200, CLIENT)
    assert "Nia New You" in page.words
    assert "Key worker" in page.words
    assert "Katherine Bramley" in (await newcomer.get("/clients")).words
    assert "Nia New accepted your invitation" in (await wendy.get("/notices")).words
    assert "Nia New" in (await wendy.get(CLIENT)).words
    completed = await north.ask("housing", "Katherine Bramley", born="1991-05-17")
    assert "Nia New" in str(completed.results)


async def test_accepting_twice_is_accepting_once(north: TestFederation) -> None:
    wendy, newcomer = await rae(north), await nia(north)
    await invite(wendy, newcomer)
    path, token = await invitation_of(newcomer), (await newcomer.get("/notices")).token
    presses = [newcomer.post(f"{path}/accept", token=token, follow=False) for _ in range(4)]
    pages = [*await asyncio.gather(*presses), await newcomer.post(f"{path}/accept", token=token, follow=False)]
    assert [(page.status, page.headers.get("Location")) for page in pages] == [(303, CLIENT)] * 5
    assert (await newcomer.get(CLIENT)).status == 200
    assert "Nia New" in (await wendy.get(CLIENT)).words
    page = await wendy.get("/notices")
    assert ("Nia New accepted your invitation" in page.words, "(1 unread)" in page.words) == (True, True)


async def test_an_invitation_is_accepted_wholly_though_whoever_accepts_hangs_up_between(
    north: TestFederation, monkeypatch: pytest.MonkeyPatch
) -> None:
    wendy, newcomer = await rae(north), await nia(north)
    await invite(wendy, newcomer)
    path, token = await invitation_of(newcomer), (await newcomer.get("/notices")).token
    begun = asyncio.Event()

    def join_begins(*of: Any) -> Work[bool]:
        begun.set()
        return join(*of)

    monkeypatch.setattr(invited, "join", join_begins)
    with closing(sqlite3.connect(north.folder / TRUST / "data" / "node.db", isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")  # so that the register is written to when they have gone
        press = asyncio.create_task(newcomer.post(f"{path}/accept", token=token, follow=False))
        await asyncio.wait_for(begun.wait(), 5)
        press.cancel()
        await asyncio.sleep(0.05)
        writer.execute("ROLLBACK")
    assert "invites you" not in await _settled(newcomer)
    assert (await newcomer.get(CLIENT)).status == 200
    assert "Nia New accepted your invitation" in (await wendy.get("/notices")).words


async def test_work_that_a_stop_left_half_accepted_ends_with_its_invitation(north: TestFederation) -> None:
    wendy, newcomer = await rae(north), await nia(north)
    site = north.pages[TRUST].site
    for answer in ("withdraw", "decline"):
        await invite(wendy, newcomer)
        path = await invitation_of(newcomer)
        key = path.rpartition("/")[2]
        of = OpenTo(service_id=None, sensitivity=Sensitivity.NORMAL, max_mode=Mode.SCHEDULE)
        row_id = min((await site.database.read(_rows_of(newcomer))).practitioner_ids)
        await site.node.database.write(join(NAME, key, 1, row_id, of, "x", "2026-09-21"))
        assert (await newcomer.get(CLIENT)).status == 200
        if answer == "withdraw":
            await wendy.post(f"{CLIENT}/invite/withdraw", {"invitation": key}, form=f"{CLIENT}/invite")
        else:
            await newcomer.post(f"{path}/decline", {"reason": "no-time"})
        assert (await newcomer.get(CLIENT)).status == 404


async def test_nothing_of_the_client_is_shown_before_an_invitation_is_accepted(north: TestFederation) -> None:
    wendy, newcomer = await rae(north), await nia(north)
    await invite(wendy, newcomer)
    path = await invitation_of(newcomer)
    for page in (await newcomer.get("/notices"), await newcomer.get(f"{path}/decline")):
        assert page.status == 200
        assert not any(word in page.text for word in ("Katherine", "Bramley", "1991", "K.B.", "KB", "/clients/1"))
    assert (await newcomer.get(CLIENT)).status == 404


async def test_whoever_declines_says_why_and_sees_nothing(north: TestFederation) -> None:
    wendy, newcomer = await rae(north), await nia(north)
    await invite(wendy, newcomer)
    path = await invitation_of(newcomer)
    assert "Select why you do not join" in (await newcomer.post(f"{path}/decline")).words
    page = await newcomer.post(f"{path}/decline", {"reason": "no-time"})
    assert (page.path, "invites you" in page.words) == ("/notices", False)
    told = await wendy.get("/notices")
    assert "Nia New declined your invitation: I have no time for another client." in told.words
    assert "Declined: I have no time for another client" in (await wendy.get(f"{CLIENT}/invite")).words
    assert (await newcomer.get(CLIENT)).status == 404
    for answer in ("accept", "decline"):
        assert (await newcomer.post(f"{path}/{answer}", {"reason": "no-time"}, form="/account")).status == 404


async def test_an_invitation_that_is_withdrawn_is_gone(north: TestFederation) -> None:
    wendy, newcomer = await rae(north), await nia(north)
    await invite(wendy, newcomer)
    path = await invitation_of(newcomer)
    fields = {"invitation": path.rpartition("/")[2]}
    other = await kim(north)
    assert (await other.post(f"{CLIENT}/invite/withdraw", fields, form=f"{CLIENT}/invite")).status == 404
    page = await wendy.post(f"{CLIENT}/invite/withdraw", fields, form=f"{CLIENT}/invite")
    assert "Withdrawn" in page.words
    assert "invites you" not in (await newcomer.get("/notices")).words
    assert (await newcomer.post(f"{path}/accept", form="/account")).status == 404


async def test_an_invitation_runs_out_after_a_fortnight_and_the_inviter_is_told(north: TestFederation) -> None:
    wendy, newcomer = await rae(north), await nia(north)
    await invite(wendy, newcomer)
    path = await invitation_of(newcomer)
    north.clock.time += 14 * DAY_S
    newcomer, wendy = await return_of(north, newcomer), await return_of(north, wendy)
    assert "invites you" not in (await newcomer.get("/notices")).words
    assert (await newcomer.post(f"{path}/accept", form="/account")).status == 404
    assert "Not answered in 14 days" in (await wendy.get(f"{CLIENT}/invite")).words
    site = north.pages[TRUST].site
    for _ in range(2):
        await site.database.write(end_invitations(site))
    page = await wendy.get("/notices")
    assert "Nia New did not answer your invitation" in page.words
    assert "Notices 1 (1 unread)" in page.words


async def test_an_invitation_is_void_when_the_inviter_has_left_the_team(north: TestFederation) -> None:
    wendy, newcomer = await rae(north), await nia(north)
    await invite(wendy, newcomer)
    path = await invitation_of(newcomer)
    await wendy.post(f"{CLIENT}/leave")
    page = await newcomer.post(f"{path}/accept", form="/notices")
    assert (page.status, "no longer holds" in page.words) == (410, True)
    assert (await newcomer.get(CLIENT)).status == 404


async def test_an_invitation_is_void_when_the_inviter_may_not_open_the_client_any_more(north: TestFederation) -> None:
    wendy, newcomer = await rae(north), await nia(north)
    await invite(wendy, newcomer)
    path = await invitation_of(newcomer)
    site = north.pages[TRUST].site
    assert wendy.account is not None
    await site.database.write(set_roles(wendy.account.id, [Role.MANAGER], by="test", now=site.now()))
    assert (await newcomer.post(f"{path}/accept", form="/notices")).status == 410
    assert (await newcomer.get(CLIENT)).status == 404


async def test_who_joins_a_hidden_service_s_work_is_as_hidden(north: TestFederation) -> None:
    shielded, newcomer, wendy = await hidden(north), await nia(north), await rae(north)
    await compare(north)
    await invite(shielded, newcomer)
    page = await newcomer.post(f"{await invitation_of(newcomer)}/accept", form="/notices")
    assert "Nia New You" in page.words
    assert "Nia New" not in (await wendy.get(CLIENT)).words
    assert newcomer.id in (await wendy.get(f"{CLIENT}/invite")).text
    await compare(north)
    assert "joined" not in (await wendy.get("/notices")).words
    completed = await north.ask("housing", "Katherine Bramley", born="1991-05-17")
    assert "Nia New" not in str(completed.results)


async def test_a_colleague_who_works_with_the_client_unseen_can_be_invited_like_any_other(
    north: TestFederation,
) -> None:
    wendy, shielded, newcomer = await rae(north), await hidden(north), await nia(north)
    await north.add(TRUST, _other_work("Sexual-Health", "Physio"))
    page = await wendy.get(f"{CLIENT}/invite")
    assert shielded.id in page.text  # or leaving them out would tell that they are there
    first, second = await invite(wendy, shielded), await invite(wendy, newcomer)
    assert (first.status, first.path) == (second.status, second.path) == (200, f"{CLIENT}/invite")


async def test_who_works_for_a_shielded_service_alone_is_neither_offered_nor_taken_but_by_that_service(
    north: TestFederation,
) -> None:
    wendy, shielded, physio = await rae(north), await hidden(north), await kim(north)
    nobody = await north.sign_in(TRUST, Role.PRACTITIONER, name="Una Unlinked", job_role="Refuge worker")
    team = await north.sign_in(TRUST, Role.PRACTITIONER, name="Sol Second", services=["Sexual-Health"])
    for other in (shielded, team, nobody):
        for page in (await wendy.get(f"{CLIENT}/invite"), await invite(wendy, other)):
            assert other.id not in page.text
            assert "Sexual-Health" not in page.text
        assert (page.status, "Select somebody from the list" in page.words) == (400, True)
    page = await shielded.get(f"{CLIENT}/invite")
    assert (team.id in page.text, physio.id in page.text, nobody.id in page.text) == (True, False, False)


async def test_who_is_seen_in_the_team_is_not_offered_nor_taken(north: TestFederation) -> None:
    wendy, physio, manager = await rae(north), await kim(north), await north.sign_in(TRUST, Role.MANAGER, name="Max M")
    page = await wendy.get(f"{CLIENT}/invite")
    assert not any(user.id in page.text for user in (physio, manager, wendy))
    for other in (physio.id, manager.id, wendy.id, "0" * 32, "1", "' OR 1=1 --"):
        page = await wendy.post(f"{CLIENT}/invite", {"do": "send", "to": other, "role": "own"})
        assert (page.status, "Select somebody from the list" in page.words) == (400, True)
    page = await wendy.post(f"{CLIENT}/invite", {"do": "send", "to": (await nia(north)).id, "role": "boss"})
    assert (page.status, "Select in what role" in page.words) == (400, True)


async def test_colleagues_are_found_by_part_of_a_name_or_role_that_stands_in_no_address(north: TestFederation) -> None:
    wendy, newcomer = await rae(north), await nia(north)
    for typed, found in (("nia", True), ("YOUTH new", True), ("zebedee", False)):
        page = await wendy.post(f"{CLIENT}/invite", {"do": "find", "name": typed})
        assert (page.status, newcomer.id in page.text, page.path) == (200, found, f"{CLIENT}/invite")


async def test_nobody_piles_up_invitations(north: TestFederation) -> None:
    wendy, newcomer = await rae(north), await nia(north)
    for _ in range(2):
        await invite(wendy, newcomer)
    assert (await newcomer.get("/notices")).words.count("Rae Reception invites you") == 1
    for number in range(MAX_OPEN):
        name = f"Number {number}"
        other = await north.sign_in(TRUST, Role.PRACTITIONER, name=name, workers=["nia"])
        page = await invite(wendy, other)
    assert (page.status, "Too many of your invitations" in page.words) == (429, True)


async def test_other_people_and_other_sites_answer_nothing(north: TestFederation) -> None:
    wendy, newcomer, other = await rae(north), await nia(north), await kim(north)
    await invite(wendy, newcomer)
    path = await invitation_of(newcomer)
    for stranger in (other, wendy):
        for answer in ("accept", "decline"):
            assert (await stranger.post(f"{path}/{answer}", {"reason": "no-time"}, form="/account")).status == 404
    manager = await north.sign_in(TRUST, Role.MANAGER)
    assert (await manager.post(f"{path}/accept", form="/account")).status == 403
    assert (await manager.get(f"{CLIENT}/invite")).status == 403
    for at in (f"{path}/accept", f"{path}/decline", f"{CLIENT}/invite", f"{CLIENT}/invite/withdraw"):
        assert (await newcomer.post(at, {}, token="")).status == 403
    for client in ("/clients/2", "/clients/3", "/clients/987654"):
        assert (await wendy.get(f"{client}/invite")).status == 404
        fields = {"do": "send", "to": newcomer.id, "role": "own"}
        assert (await wendy.post(f"{client}/invite", fields, form="/account")).status == 404
    assert "invites you" in (await newcomer.get("/notices")).words


async def test_names_are_text_on_every_page_of_an_invitation(north: TestFederation) -> None:
    wendy = await north.sign_in(TRUST, Role.PRACTITIONER, name=HOSTILE, job_role=HOSTILE, workers=["w-p1"])
    newcomer = await north.sign_in(TRUST, Role.PRACTITIONER, name=HOSTILE, job_role=HOSTILE, workers=["w-o1"])
    pages = [await invite(wendy, newcomer), await newcomer.get("/notices")]
    path = await invitation_of(newcomer)
    pages += [await newcomer.get(f"{path}/decline"), await newcomer.post(f"{path}/accept", form="/notices")]
    pages += [await wendy.get("/notices"), await wendy.post(f"{CLIENT}/invite", {"name": HOSTILE, "do": "find"})]
    for page in pages:
        assert page.status == 200
        assert "<script>alert" not in page.text
        assert "{{7*7}}" in page.text or page.path == "/notices"


async def _settled(user: WebUser) -> str:
    """The notices once the last answer to an invitation is written, or after two seconds."""
    for _ in range(40):
        words = (await user.get("/notices")).words
        if "invites you" not in words:
            break
        await asyncio.sleep(0.05)
    return words


def _rows_of(user: WebUser) -> Work[LocalUser]:
    assert user.account is not None
    return (yield from as_local_user(user.account))


def _other_work(worker: str, service: str) -> Involvement:
    """Ordinary work of somebody's with Owen Pritchard."""
    return Involvement(key=f"{worker}-other", person_key="o1", practitioner_key=worker, service_key=service)
