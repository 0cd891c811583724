"""The picture of a team: what is drawn and said, for whom, and that nothing overlaps, whoever is on it."""

import asyncio
import re
from collections.abc import AsyncIterator
from itertools import combinations

import pytest
import pytest_asyncio
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.accounts.account import Role
from gateway.web.picture_layout import MAX_ROWS, Box, Group, Picture, Worker, lay_out, measure, wrapped
from mappings.model import HumanName, PersonLink, Practitioner
from mappings.vocabulary import PersonLinkKind
from tests.federation import TestFederation, federation, someone
from tests.web.clients import SECRETS, TRUST, fill, rae
from tests.web_user import WebUser

KATE = {"name": "Katherine Bramley", "born-day": "17", "born-month": "5", "born-year": "1991"}
REASON = {"reason": "COC:public-task"}
HOSTILE = "<script>alert(1)</script>"
MORE = "and %(number)s more"

on_the_server = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def north(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TestFederation]:
    async with federation(tmp_path_factory.mktemp("north"), [TRUST, "housing", "police"], web=True) as running:
        await fill(running)
        await running.add(TRUST, PersonLink(key="l", person_key="p1", other_key="o1", kind=PersonLinkKind.FAMILY))
        await running.add(
            "housing",
            *someone("Katherine", "Bramley", "1991-05-17", worker=f"Hope {HOSTILE}", role=HOSTILE),
        )
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def wendy(north: TestFederation) -> WebUser:
    return await rae(north)


@on_the_server
async def test_a_client_s_picture_has_household_and_team_and_says_the_same_as_a_list(wendy: WebUser) -> None:
    page = await wendy.get("/clients/1/picture")
    drawn = _drawn(page.text)
    listed = page.words.partition("The same as a list")[2]
    for text in ("Katherine Bramley", "Owen Pritchard", "Rae Reception (you)", "Kim Physio", "Olu Open"):
        assert text in drawn
        assert text in listed
    assert "Olu Open , Support worker, Team other-professional-support. Works with Owen Pritchard" in listed
    assert "Works with Owen Pritchard. Call: 01632 960123" in listed
    assert 'href="tel:01632960777"' in page.text.partition("The same as a list")[2]  # Kim Physio's
    assert not any(secret in page.text for secret in SECRETS)
    assert page.text.count("<svg") == 2
    for svg in re.findall("<svg.*?</svg>", page.text, re.DOTALL):
        assert not re.search(r"style|script|href|\son[a-z]+=", svg)  # the policy of our pages lets none of it act


@on_the_server
async def test_who_is_away_stands_there_with_their_cover_and_the_number_of_whoever_is_there(
    north: TestFederation, wendy: WebUser
) -> None:
    kim = HumanName(given=("Kim",), family="Physio")
    away = Practitioner(
        key="Physio", name=kim, role="Nurse", organisation_key="org", away_until="2026-10-01", cover_key="w-o1"
    )
    await north.add(TRUST, away)
    page = await wendy.get("/clients/1/picture")
    assert "Away; Olu Open covers" in _drawn(page.text)
    listed = page.words.partition("The same as a list")[2]
    assert "Away; Olu Open covers. Works with Katherine Bramley. Call: 01632 960123" in listed


@on_the_server
async def test_a_search_s_picture_has_my_agency_and_all_that_were_asked(wendy: WebUser) -> None:
    form = await wendy.get("/clients/1/ask")
    assert all(f'value="{text}"' in form.text for text in KATE.values())
    assert "EX" not in form.text.partition('id="postcode"')[2][:300]
    results = await wendy.post("/search", KATE | REASON, form="/clients/1/ask")
    assert "Picture of the team" in results.words
    for _ in range(50):
        page = await wendy.get(f"{results.path}/picture")
        if "still answering" not in page.words:
            break
        await asyncio.sleep(0.1)
    drawn = _drawn(page.text)
    assert all(text in drawn for text in ("Rae Reception (you)", "Housing", "Hope", "Police", "Nothing to share"))
    assert "<script>alert" not in page.text
    assert "&lt;script&gt;" in page.text


@on_the_server
async def test_a_picture_is_for_those_whose_client_or_search_it_is(north: TestFederation, wendy: WebUser) -> None:
    results = await wendy.post("/search", KATE | REASON)
    other = await north.sign_in(TRUST, Role.PRACTITIONER, workers=["w-o1"])
    assert (await other.get(f"{results.path}/picture")).status == 404
    for path in ("/clients/1", "/clients/2", "/clients/999"):
        for suffix in ("/picture", "/ask"):
            assert (await other.get(path + suffix)).status == 404
    manager = await north.sign_in(TRUST, Role.MANAGER, workers=["w-p1"])
    for path in ("/clients/1/picture", "/clients/1/ask", f"{results.path}/picture"):
        assert (await manager.get(path)).status == 403


@on_the_server
async def test_who_is_nobody_s_client_stands_on_the_picture_by_the_name_that_was_typed(wendy: WebUser) -> None:
    typed = {"name": HOSTILE, "born-year": "1990", "postcode": "ZM4 7QT"}
    results = await wendy.post("/search", typed | REASON)
    page = await wendy.get(f"{results.path}/picture")
    assert "<script>alert" not in page.text
    assert "&lt;script&gt;" in _drawn(page.text, unescape=False)
    assert "Rae Reception" not in page.words.partition("The same as a list")[2]


names = st.one_of(
    st.text(max_size=80),
    st.sampled_from(["Katherine Bramley", "W" * 200, "Nguyễn Thị Minh Khai", "محمد بن عبد الله", "毛" * 90, "", "i l"]),
)
workers = st.builds(
    Worker, name=names, role=names, works_with=st.lists(st.integers(0, 11), max_size=8, unique=True).map(tuple)
)
groups = st.builds(
    Group,
    name=names,
    workers=st.lists(workers, max_size=12).map(tuple),
    note=names,
    own=st.booleans(),
    unsure=st.booleans(),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(names, min_size=1, max_size=8), st.lists(groups, min_size=1, max_size=20), st.booleans())
def test_no_box_overlaps_another_nothing_leaves_the_picture_and_no_line_crosses_a_box(
    people: list[str], agencies: list[Group], wide: bool
) -> None:
    picture = lay_out(people, agencies, more=MORE, wide=wide)
    assert len(picture.boxes) == len(people) + len(agencies)
    for one, other in combinations(picture.boxes, 2):
        assert not _overlap(one, other)
    for box in picture.boxes:
        assert 0 <= box.x < box.x + box.width <= picture.width
        assert 0 <= box.y < box.y + box.height <= picture.height
        for text in box.lines:
            size = 14.0 if text.kind == "small" else 16.0
            assert box.x < text.x
            assert text.x + measure(text.text, size) <= box.x + box.width + 0.01
            assert box.y < text.y - size * 0.8 < text.y <= box.y + box.height - 3
    _assert_lines_keep_clear(picture)
    assert picture.left_out == 0 or sum(len(each.workers) for each in agencies) > MAX_ROWS


def test_each_worker_has_a_line_to_each_person_with_whom_they_work() -> None:
    agency = Group(name="Housing", workers=(Worker(name="A", works_with=(0, 1)), Worker(name="B", works_with=(1, 7))))
    wide = lay_out(["Kate", "Mara"], [agency], more=MORE, wide=True)
    assert sorted(line.person for line in wide.lines) == [0, 1, 1]
    narrow = lay_out(["Kate", "Mara"], [agency], more=MORE, wide=False)
    assert sorted(line.person for line in narrow.lines) == [0, 0, 1, 1, 1]  # and one down the edge for each person


def test_many_practitioners_are_left_to_the_list_and_counted() -> None:
    agencies = [Group(name=f"Agency {n}", workers=(Worker(name="A"),) * 12) for n in range(20)]
    picture = lay_out(["Kate"], agencies, more=MORE, wide=True)
    assert picture.left_out == 20 * 9
    assert sum(text.text == "and 9 more" for box in picture.boxes for text in box.lines) == 20


def test_a_long_name_goes_on_two_lines_and_then_is_shortened() -> None:
    assert wrapped("Katherine Bramley", 1000, 16, most=2) == ("Katherine Bramley",)
    assert wrapped("Katherine Bramley", 100, 16, most=2) == ("Katherine", "Bramley")
    *_, last = wrapped("Katherine Bramley of the Long Name of Names", 100, 16, most=2)
    assert last.endswith("…")
    assert wrapped("e\u0301" * 50, 100, 16, most=2)[1].startswith("e\u0301")  # no accent is parted from its letter
    assert wrapped("   ", 100, 16, most=2) == ()


def _overlap(one: Box, other: Box) -> bool:
    apart = one.x + one.width <= other.x or other.x + other.width <= one.x
    return not (apart or one.y + one.height <= other.y or other.y + other.height <= one.y)


def _assert_lines_keep_clear(picture: Picture) -> None:
    """A curve stays between its points, which is enough to know that it is in the gap between two columns."""
    for line in picture.lines:
        left, right = min(x for x, _ in line.points), max(x for x, _ in line.points)
        top, bottom = min(y for _, y in line.points), max(y for _, y in line.points)
        assert 0 <= left <= right <= picture.width
        assert 0 <= top <= bottom <= picture.height
        for box in picture.boxes:
            inside = left < box.x + box.width - 0.01 and right > box.x + 0.01
            assert not (inside and top < box.y + box.height and bottom > box.y)


def _drawn(text: str, *, unescape: bool = True) -> str:
    """The words on the first picture, each line of text once."""
    first = text.partition("<svg")[2].partition("</svg>")[0]
    found = " ".join(re.findall(r"<text[^>]*>([^<]*)</text>", first))
    return found.replace("&#39;", "'") if unescape else found
