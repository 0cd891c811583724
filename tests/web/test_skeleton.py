"""What every page has in common: who may open it, what it tells a browser, and how it refuses."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.accounts.account import Role
from tests.federation import TestFederation, federation

HOUSING = "housing"


@pytest.fixture
async def north(tmp_path: Path) -> AsyncIterator[TestFederation]:
    async with federation(tmp_path, [HOUSING], web=True) as running:
        yield running


async def test_whoever_signs_in_sees_their_first_page_until_they_sign_out(north: TestFederation) -> None:
    wendy = await north.sign_in(HOUSING, Role.PRACTITIONER)
    page = await wendy.get("/")
    assert (page.status, page.path) == (200, "/account")
    assert "Wendy Smith" in page.words
    out = await wendy.post("/sign-out", form="/account")
    assert (out.status, out.path) == (200, "/sign-in")
    assert (await wendy.get("/account")).path == "/sign-in"


async def test_what_is_not_there_is_told_as_a_page(north: TestFederation) -> None:
    page = await north.browser(HOUSING).get("/nowhere")
    assert (page.status, "Page not found" in page.words) == (404, True)
