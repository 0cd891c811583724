"""Feedback: anybody says what they think of a page; it is answered, and what became of it is seen."""

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from gateway.accounts import feedback
from gateway.accounts.account import Role
from gateway.accounts.feedback import A_DAY
from gateway.web.feedback_page import page_words, pattern_of
from tests.federation import TestFederation
from tests.web.conftest import HOUSING
from tests.web_user import WebUser

pytestmark = pytest.mark.asyncio(loop_scope="module")

PATH = "/feedback"
MANAGE = "/manage/feedback"
HOSTILE = "<script>alert(1)</script>\"'{{7*7}}</td>"


@pytest_asyncio.fixture(loop_scope="module")
async def manager(north: TestFederation) -> AsyncIterator[WebUser]:
    yield await north.sign_in(HOUSING, Role.MANAGER, name="Max Manager")


async def one_of(manager: WebUser, text: str) -> str:
    """Where feedback that has this text is answered."""
    said = (await manager.get(MANAGE)).text.partition(text)[2]
    found = re.search(rf'href="({MANAGE}/[0-9a-f]{{32}})"', said)
    assert found
    return found[1]


async def test_every_page_leads_to_feedback_which_names_the_page_without_its_numbers(north: TestFederation) -> None:
    wendy = await north.sign_in(HOUSING, Role.PRACTITIONER)
    assert f'href="{PATH}"' in (await wendy.get("/account")).text
    own = str(wendy.url).rstrip("/")
    page = await wendy.get(PATH, headers={"Referer": f"{own}/clients/4711/leave?x=Quillfeather"})
    assert "You came from the page /clients/…/leave." in page.words
    assert "4711" not in page.text
    assert "Do not name a client" in page.words
    page = await wendy.get(PATH, headers={"Referer": "https://evil.example/Quillfeather"})
    assert "Quillfeather" not in page.text
    assert (await north.browser(HOUSING).get(PATH)).path == "/sign-in"


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/", "about Patchwork as a whole"),
        ("/clients", "about “My clients”"),
        ("/clients/…/leave", "about “My clients”, /clients/…/leave"),
        ("/manage/accounts/changes", "about “Changes to accounts”"),
        ("/clientship", "about /clientship"),
    ],
)
async def test_feedback_says_by_name_which_page_it_is_about(path: str, said: str) -> None:
    assert page_words(path) == said


@pytest.mark.parametrize(
    ("path", "pattern"),
    [
        ("/", "/"),
        ("/clients/12/leave", "/clients/…/leave"),
        ("/searches/0123456789abcdef", "/searches/…"),
        ("/a/" + "b" * 500, "/a/…"),
        ("/a/Quillfeather/<script>", "/a/…/…"),
        ("/a" * 500, "/a/a/a/a/a/a"),
        ("//evil.example", "/…"),
    ],
)
async def test_a_page_s_pattern_holds_nothing_but_plain_words(path: str, pattern: str) -> None:
    assert pattern_of(path) == pattern


async def test_feedback_is_answered_and_shown_to_its_author_and_if_wanted_to_all(
    north: TestFederation, manager: WebUser
) -> None:
    wendy, other = [await north.sign_in(HOUSING, Role.PRACTITIONER, name=f"Wendy {name}") for name in ("A", "B")]
    page = await wendy.post(PATH, {"text": "Larger letters, please", "page": "/clients/12"})
    assert "Larger letters, please Received" in page.words
    assert "Somebody told us what they think" in (await manager.get("/notices")).words
    assert "Larger letters" not in (await other.get(PATH)).words
    where = await one_of(manager, "Larger letters")
    assert "Wendy" not in (await manager.get(where)).words
    page = await manager.post(where, {"state": "not-planned", "answer": ""})
    assert (page.status, "Enter why it is not planned" in page.words) == (400, True)
    page = await manager.post(where, {"state": "planned", "answer": "In the spring"})
    assert (page.status, page.path) == (200, MANAGE)
    assert "Larger letters, please Planned In the spring" in (await wendy.get(PATH)).words
    assert "Your feedback: Planned" in (await wendy.get("/notices")).words
    assert "Larger letters" not in (await other.get(PATH)).words
    await manager.post(where, {"state": "done", "answer": "They are larger", "shown": "yes"})
    page = await other.get(PATH)
    assert "Larger letters, please Done They are larger" in page.words
    assert "Wendy A" not in page.words


async def test_feedback_that_the_list_has_no_room_for_is_answered_all_the_same(
    north: TestFederation, manager: WebUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    wendy = await north.sign_in(HOUSING, Role.PRACTITIONER)
    await wendy.post(PATH, {"text": "An old remark"})
    path = await one_of(manager, "An old remark")
    await wendy.post(PATH, {"text": "A new remark"})
    monkeypatch.setattr(feedback, "MAX_LISTED", 1)
    assert "An old remark" not in (await manager.get(MANAGE)).text
    page = await manager.get(path)
    assert (page.status, "An old remark" in page.words) == (200, True)


async def test_text_is_bounded_and_so_is_how_much_somebody_says_in_a_day(north: TestFederation) -> None:
    wendy = await north.sign_in(HOUSING, Role.PRACTITIONER)
    for text, status in (("", 400), ("x" * 2001, 400), ("x" * 2000, 200)):
        assert (await wendy.post(PATH, {"text": text, "page": "/"})).status == status
    for _ in range(A_DAY - 1):
        page = await wendy.post(PATH, {"text": "more", "page": "/"})
    assert page.status == 200
    page = await wendy.post(PATH, {"text": "more", "page": "/"})
    assert (page.status, "You have told us a lot today" in page.words) == (429, True)


async def test_only_managers_and_administrators_answer(north: TestFederation, manager: WebUser) -> None:
    wendy = await north.sign_in(HOUSING, Role.PRACTITIONER)
    await wendy.post(PATH, {"text": "Unanswered", "page": "/"})
    where = await one_of(manager, "Unanswered")
    for role in (Role.PRACTITIONER, Role.GOVERNANCE, Role.AUDITOR):
        other = await north.sign_in(HOUSING, role)
        for path in (MANAGE, where):
            assert (await other.get(path)).status == 403
        assert (await other.post(where, {"state": "done"}, form="/account")).status == 403
    assert (await manager.get(f"{MANAGE}/{'0' * 32}")).status == 404
    for state in ("", "received", HOSTILE):
        assert (await manager.post(where, {"state": state})).status == 400
    for path, user in ((PATH, wendy), (where, manager)):
        assert (await user.post(path, {"text": "x", "state": "done"}, token="")).status == 403
    assert "Unanswered Received" in (await wendy.get(PATH)).words


async def test_what_is_typed_is_text_everywhere(north: TestFederation, manager: WebUser) -> None:
    wendy = await north.sign_in(HOUSING, Role.PRACTITIONER)
    shown = [await wendy.post(PATH, {"text": f"Mark {HOSTILE}", "page": HOSTILE})]
    where = await one_of(manager, "Mark ")
    shown += [await manager.get(MANAGE), await manager.get(where)]
    shown += [await manager.post(where, {"state": "done", "answer": HOSTILE, "shown": "yes"}), await wendy.get(PATH)]
    for page in shown:
        assert page.status == 200
        assert "<script>alert" not in page.text
        assert "{{7*7}}" in page.text
