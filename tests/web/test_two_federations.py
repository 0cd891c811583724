"""Pages of one node in two federations: each at an address of its own, and no way from one into the other's."""

from pathlib import Path

from yarl import URL

from gateway.accounts.account import Role
from gateway.database.contract import Statement, Work
from tests.federation import TestFederation, someone
from tests.flow.two_federations import SHARED, two_federations
from tests.web_user import Shown, WebUser

SOUTHERN = ("Quillfeather", "Zephyrine", "Saoirse")


async def at_work(federation: TestFederation, *roles: Role) -> WebUser:
    """Whoever works with the one client that the register of this federation has."""
    return await federation.sign_in(
        SHARED, *(roles or (Role.PRACTITIONER,)), workers=["w-p1"], services=["svc-other-professional-support"]
    )


async def with_session_of(user: WebUser, url: str) -> WebUser:
    """A browser at another address that sends this one's cookies, as whoever stole them could."""
    other = WebUser(url)
    cookies = {cookie.key: cookie.value for cookie in user.cookies}
    other.cookies.update_cookies(cookies, URL(url))
    return other


def nothing_of_the_south(page: Shown) -> None:
    assert not [word for word in SOUTHERN if word in page.text], page.path


async def test_each_site_says_whose_it_is_and_leads_to_the_other_but_shows_nothing_of_it(tmp_path: Path) -> None:
    async with two_federations(tmp_path, pages=True, web=True) as two:
        await two.north.add(SHARED, *someone("Katherine", "Bramley", "1991-05-17"))
        # The same keys and so the same row numbers, for other people.
        await two.south.add(
            SHARED,
            *someone("Zephyrine", "Quillfeather", "1984-02-29", worker="Saoirse South"),
            *someone("Zephyrine", "Quillfeather-Two", "1985-02-28", key="p2", worker="Saoirse South"),
        )
        wendy, sara = await at_work(two.north), await at_work(two.south)
        north, south = two.pages
        assert north is not None
        assert south is not None

        search = await wendy.get("/search")
        assert "Housing, northshire" in search.words
        assert 'govuk-caption-l">northshire<' in search.text
        assert f'--other" href="{south.site.web.url}" rel="noreferrer">Go to southshire</a>' in search.text
        assert "Housing, southshire" in (await sara.get("/search")).words
        assert "southshire" not in (await two.north.browser(SHARED).get("/sign-in")).words  # before anybody is known

        # What is asked here is asked here alone, whatever an address says.
        found = await wendy.post(
            "/search",
            {"name": "Zephyrine Quillfeather", "born-year": "1984", "reason": "COC:public-task"},
            token=search.token,
        )
        assert "Name Zephyrine Quillfeather" in found.words
        assert 'govuk-caption-l">northshire<' in found.text
        assert [await each.ledger("community-trust") for each in (two.south,)] == [[]]

        assert "Bramley" in (await wendy.get("/clients/1")).words
        assert "Quillfeather" in (await sara.get("/clients/1")).words
        for path in (
            "/clients",
            "/clients/1",
            "/clients/2",
            "/clients/3",
            "/clients/1/consent",
            "/colleagues",
            "/notices",
        ):
            nothing_of_the_south(await wendy.get(path))

        consent = await wendy.get("/clients/1/consent")
        assert "It holds in northshire alone. For southshire your agency keeps records apart" in consent.words
        assert f'href="{south.site.web.url}/clients"' in consent.text

        # A session of one is nobody's at the other, and a form of one is none of the other's.
        async with await with_session_of(wendy, south.site.web.url) as thief:
            assert (await thief.get("/clients/1", follow=False)).status == 303
            nothing_of_the_south(await thief.get("/clients/1"))
            refused = await thief.post("/clients/1/still", {"answer": "no"}, token=search.token, follow=False)
            assert refused.status in {303, 403}
        # Whoever signs in there with an account of here is nobody.
        assert not await south.site.database.read(_accounts(wendy.id))
        manager = await at_work(two.north, Role.ADMINISTRATOR, Role.AUDITOR, Role.GOVERNANCE, Role.MANAGER)
        for path in ("/manage/accounts", "/manage/federation", "/manage/audit", "/manage/sources", "/manage/ledger"):
            page = await manager.get(path)
            nothing_of_the_south(page)
            assert "community-trust" not in page.text
            assert "Community Trust" not in page.text


def _accounts(public_id: str) -> Work[bool]:
    return bool((yield Statement("SELECT 1 FROM account WHERE public_id = ?", (public_id,))))
