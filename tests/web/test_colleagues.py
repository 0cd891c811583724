"""Finding colleagues: by name, role or service however it is spelt, and never anybody of a service that is shielded."""

import re
from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path

import pytest
import pytest_asyncio

from gateway.accounts.account import Role
from mappings.model import ContactPoint, HumanName, Involvement, Mapped, Practitioner, Service
from mappings.vocabulary import Mode, Sensitivity
from tests.federation import TestFederation, federation, someone
from tests.web.clients import CODE, SECRETS, TRUST, fill, rae
from tests.web_user import WebUser

PATH = "/colleagues"
HOSTILE = "<script>alert(1)</script>\"'"

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def north(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TestFederation]:
    async with federation(tmp_path_factory.mktemp("north"), [TRUST, "housing", "food-bank"], web=True) as running:
        await fill(running)
        await running.add(
            TRUST, *_worker("Zoë", "Ångström-O'Neill", role="Health visitor", pattern="Mondays", service="Team Baby")
        )
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def wendy(north: TestFederation) -> WebUser:
    return await rae(north)


@pytest.mark.parametrize(
    "typed",
    ["kim physio", "Phys", "  KIM ", "fizio", "nurse", "team physio", "nurse kim team"],
)
async def test_a_colleague_is_found_by_the_first_letters_or_the_sound_of_name_role_and_service(
    wendy: WebUser, typed: str
) -> None:
    page = await wendy.post(PATH, {"who": typed})
    assert _people(page.text) == ["Kim Physio"]
    assert 'href="tel:01632960777"' in page.text
    assert "Nurse Team Physio" in page.words


@pytest.mark.parametrize("typed", ["zoe", "angstrom", "oneill", "O'Neil", "visitor"])
async def test_accents_and_apostrophes_do_not_matter(wendy: WebUser, typed: str) -> None:
    page = await wendy.post(PATH, {"who": typed})
    assert _people(page.text) == ["Zoë Ångström-O'Neill"]
    assert "Works Mondays" in page.words


async def test_who_is_away_is_shown_with_their_cover_if_they_may_be_shown(
    north: TestFederation, wendy: WebUser
) -> None:
    for cover, seen in (("Physio", True), ("Sexual-Health", False)):
        await north.add(TRUST, *_worker("Abe", "Absent", away_until="2026-10-01", cover_key=cover))
        page = await wendy.post(PATH, {"who": "absent"})
        assert "Away until 1 October 2026" in page.words
        assert ("covers for them" in page.words) is seen
        assert "Sexual-Health" not in page.text


async def test_services_and_other_agencies_are_listed_and_nobody_by_name_until_something_is_typed(
    wendy: WebUser,
) -> None:
    page = await wendy.get(PATH)
    assert _people(page.text) == []
    assert "Team Physio" in page.words
    assert "Housing Call Housing 01632 960000" in page.words
    assert "Food Bank" in page.words
    assert "found through a client whom you both know" in page.words
    found = await wendy.post(PATH, {"who": "food"})
    assert "Food Bank" in found.words
    assert "Housing Call" not in found.words
    for typed in ("", " ", "k", "-", "!!", "'"):
        refused = await wendy.post(PATH, {"who": typed})
        assert (refused.status, _people(refused.text)) == (400, [])
        assert "Enter at least 2 letters" in refused.words


@pytest.mark.parametrize("typed", ["", "kim", "sexual", "health", "nurse", "priya", "shield", "team", "away"])
async def test_shielded_services_and_their_people_change_nothing_on_the_page(
    twins: tuple[WebUser, WebUser], typed: str
) -> None:
    without, with_hidden = [await (each.post(PATH, {"who": typed}) if typed else each.get(PATH)) for each in twins]
    assert _same_for_all(without.text) == _same_for_all(with_hidden.text)
    assert not any(secret in with_hidden.text for secret in (*SECRETS, "Shield"))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def twins(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[WebUser, WebUser]]:
    """Rae in two trusts that differ in what must not be seen."""
    folder: Path = tmp_path_factory.mktemp("twins")
    async with federation(folder / "a", [TRUST], web=True) as one, federation(folder / "b", [TRUST], web=True) as other:
        for each in (one, other):
            await each.add(TRUST, *someone("Katherine", "Bramley", "1991-05-17", worker="Rae Reception"))
            await each.add(TRUST, *_worker("Kim", "Physio"))
        await other.add(TRUST, *_shielded())
        yield await rae(one), await rae(other)


async def test_many_are_shown_page_by_page(north: TestFederation, wendy: WebUser) -> None:
    everybody = [_worker(f"Quill{chr(97 + n)}", "Quota", key=f"quota-{n:02}") for n in range(23)]
    await north.add(TRUST, *[each for theirs in everybody for each in theirs])
    first = await wendy.post(PATH, {"who": "quota"})
    second = await wendy.post(PATH, {"who": "quota", "page": "2"})
    assert (len(_people(first.text)), len(_people(second.text))) == (20, 3)
    assert not set(_people(first.text)) & set(_people(second.text))
    assert ("Next page" in first.words, "Next page" in second.words) == (True, False)
    assert _people((await wendy.post(PATH, {"who": "quota", "page": "3"})).text) == []
    assert (await wendy.post(PATH, {"who": "quota", "page": "9" * 9})).status == 200


async def test_only_practitioners_open_the_directory(north: TestFederation, wendy: WebUser) -> None:
    for role in set(Role) - {Role.PRACTITIONER}:
        other = await north.sign_in(TRUST, role)
        assert (await other.get(PATH)).status == 403
    assert (await wendy.post(PATH, {"who": "kim"}, token="")).status == 403
    assert "Colleagues" in (await wendy.get("/clients")).words


async def test_what_is_typed_or_on_record_is_text_and_never_markup(north: TestFederation, wendy: WebUser) -> None:
    await north.add(
        TRUST, *_worker(HOSTILE, "Hostile", role=HOSTILE, pattern=HOSTILE, service=f"Hostile {HOSTILE}", key="hostile")
    )
    for typed in ("hostile", HOSTILE, "x" * 101):
        page = await wendy.post(PATH, {"who": typed})
        assert "<script>alert" not in page.text
    assert page.status == 400


def _shielded() -> tuple[Mapped, ...]:
    """Work that colleagues may not see, each for another reason, and people without any work."""
    return (
        *_worker("Kim", "Sexual-Health", service="Team Sexual-Health", sensitivity=Sensitivity.RESTRICTED),
        *_worker("Priya", "Shield", service="Team Physio", sensitivity=Sensitivity.VERY_RESTRICTED),
        *_worker("Una", "Shieldclosed", service="Team Physio", max_mode=Mode.NONE),
        *_worker("Udo", "Shieldcalled", service="Team Physio", max_mode=Mode.CALLBACK),
        *_worker("Ned", "Shieldnurse", service="Shield nurses", code="meals"),
        *_worker("Ida", "Shieldended", service="Team Physio", end="2026-01-01"),
        *_worker("Rex", "Shieldone", service="Shield mixed", sensitivity=Sensitivity.RESTRICTED),
        *_worker("Ria", "Shieldtwo", service="Shield mixed", sensitivity=Sensitivity.RESTRICTED),
        *_worker("Kim", "Shieldopen", service="Shield mixed"),  # marked wrongly, in a shielded service
        Practitioner(key="idle", name=HumanName(given=("Kim",), family="Shieldidle"), role="Nurse"),
        Service(key="empty", name="Team Shield", code=CODE),
    )


def _worker(
    given: str,
    family: str,
    *,
    key: str = "",
    role: str = "Nurse",
    pattern: str = "",
    service: str = "Team Physio",
    sensitivity: Sensitivity = Sensitivity.NORMAL,
    max_mode: Mode = Mode.SCHEDULE,
    code: str = CODE,
    end: str | None = None,
    **details: str,
) -> tuple[Mapped, ...]:
    key = key or family
    return (
        Service(key=service, name=service, code=code, organisation_key="org"),
        Practitioner(
            key=key,
            name=HumanName(given=(given,), family=family),
            role=role,
            contact_points=(ContactPoint(system="phone", value="01632 960777"),),
            working_pattern=pattern,
            organisation_key="org",
            **details,
        ),
        Involvement(
            key=f"{key}-works",
            person_key="p1",
            practitioner_key=key,
            service_key=service,
            sensitivity=sensitivity,
            max_mode=max_mode,
            end=end,
        ),
    )


def _people(text: str) -> list[str]:
    return [
        " ".join(unescape(each).split())
        for each in re.findall(r'<h3 class="pw-person-card__name">\s*([^<]*?)\s*<', text)
    ]


def _same_for_all(text: str) -> str:
    text = re.sub(r'nonce="[^"]*"', "", text)
    return re.sub(r'(name="csrf[^"]*" value=)"[^"]*"', r"\1", text)
