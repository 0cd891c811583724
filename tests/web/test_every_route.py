"""Every address that the pages have, as the program itself lists them, opened and posted to by everybody."""

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from aiohttp import web

from gateway.accounts.account import Role
from gateway.web.application import ROUTES
from gateway.web.signed_in import roles_of
from tests.federation import TestFederation, federation
from tests.web_user import WebUser

HOUSING = "housing"
NOBODY = (
    "999999999",
    "7",
    "0" * 32,
    "0" * 64,
    "break-glass-7",
    "record",
    "A" * 22,
    "A" * 43,
    "en",
    "x",
)  # well-formed, and no row's or search's
PART = re.compile(r"\{(\w+)(?::((?:[^{}]|\{[^{}]*\})+))?\}")
ALL = [route for routes in ROUTES for route in routes if isinstance(route, web.RouteDef)]
GUARDED = [(route, roles) for route in ALL if (roles := roles_of(route.handler)) is not None]

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def north(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TestFederation]:
    async with federation(tmp_path_factory.mktemp("north"), [HOUSING], web=True) as running:
        yield running


def _pattern(path: str) -> str:
    """All addresses of this form."""
    last, pattern = 0, ""
    for part in PART.finditer(path):
        pattern += re.escape(path[last : part.start()]) + f"(?:{part[2] or '[^/]+'})"
        last = part.end()
    return pattern + re.escape(path[last:])


def address(path: str) -> str:
    """An address of this form at which nothing is."""

    def fill(part: re.Match[str]) -> str:
        form = re.compile(part[2] or "[^/]+")
        fitting = [each for each in NOBODY if form.fullmatch(each)]
        assert fitting, f"{path}: no sample fits {part[0]}"
        return fitting[0]

    return PART.sub(fill, path)


async def test_no_address_is_that_of_two_pages() -> None:
    """So that the order in which they are listed decides nothing."""
    patterns = [(route, re.compile(_pattern(route.path))) for route in ALL]
    for route in ALL:
        opened = address(route.path)
        found = {other.path for other, form in patterns if other.method == route.method and form.fullmatch(opened)}
        assert found == {route.path}, opened


async def test_without_an_account_every_guarded_page_leads_to_the_sign_in(north: TestFederation) -> None:
    nobody = north.browser(HOUSING)
    token = (await nobody.get("/sign-in")).token
    for route, _ in GUARDED:
        path = address(route.path)
        if route.method == "GET":
            shown = await nobody.get(path, follow=False)
        else:
            shown = await nobody.post(path, {"x": "y"}, token=token, follow=False)
        assert shown.status == 303, path
        assert shown.headers["Location"].startswith("/sign-in"), path


@pytest.mark.parametrize("role", Role)
async def test_a_page_opens_for_the_roles_it_names_and_takes_no_form_without_a_token(
    north: TestFederation, role: Role
) -> None:
    somebody = await north.sign_in(HOUSING, role)
    token = (await somebody.get("/account")).token
    for route, roles in GUARDED:
        path = address(route.path)
        opens = not roles or role in roles
        if route.method == "GET":
            shown = await somebody.get(path, follow=False)
            assert (shown.status == 403) is not opens, (path, shown.status)
            assert shown.status in {200, 204, 303, 400, 403, 404, 409}, (path, shown.status)
        else:
            assert (await somebody.post(path, {"x": "y"}, token="", follow=False)).status == 403, path
            if not opens:
                assert (await somebody.post(path, {"x": "y"}, token=token, follow=False)).status == 403, path
        assert shown.headers["Cache-Control"] == "no-store", path
        assert "unsafe" not in shown.headers["Content-Security-Policy"], path


async def test_whoever_has_an_account_gets_no_error_of_ours_from_a_form_that_is_empty_or_absurd(
    north: TestFederation,
) -> None:
    absurd = {"name": "\u202e\x00 <b>" * 30, "id": "-1", "to": "9" * 40, "day": "99999999999999999999", "code": "x"}
    for fields in ({}, absurd):
        somebody = await _everybody(north)
        for route, _ in GUARDED:
            if route.method == "GET" or "sign-out" in route.path:
                continue
            token = (await somebody.get("/account")).token
            shown = await somebody.post(address(route.path), fields, token=token, follow=False)
            assert shown.status < 500, (route.path, shown.status)
            if shown.status == 303 and shown.headers["Location"].startswith("/sign-in?"):
                somebody = await _everybody(north)


async def _everybody(north: TestFederation) -> WebUser:
    return await north.sign_in(HOUSING, *Role)
