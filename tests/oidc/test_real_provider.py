"""Signing in through a provider that is none of ours: oidc-provider, certified by the OpenID Foundation."""

import re
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from yarl import URL

from gateway.accounts.id_token import LEEWAY_S
from gateway.accounts.oidc import Provider
from gateway.accounts.oidc_fetch import directory_session
from gateway.clock import SystemClock
from gateway.database.contract import Statement, Work
from gateway.settings import OidcTable
from gateway.web.oidc import OIDC_BACK_PATH
from tests.federation import TestFederation, federation
from tests.npm_packages import PackagesMissing
from tests.oidc.real_provider import real_provider
from tests.web_user import Shown, WebUser

HOUSING = "housing"
SECRET = "secret/of the client"

pytestmark = pytest.mark.asyncio(loop_scope="module")


@contextmanager
def running(port: int, redirect_uri: str) -> Iterator[str]:
    try:
        with real_provider(port, redirect_uri) as issuer:
            yield issuer
    except PackagesMissing as error:
        pytest.skip(str(error))


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def north(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TestFederation]:
    """An agency whose directory is the provider; its clock is the machine's, because the provider's is."""
    folder = tmp_path_factory.mktemp("directory")
    port = free_port()
    table = (
        f'[web.oidc]\nissuer = "http://127.0.0.1:{port}"\nclient_id = "patchwork-ES256"\n'
        f'client_secret_file = "{secret_file(folder)}"\nrole_claim = "groups"\nmfa_values = ["mfa"]\n'
        'roles = { housing-officers = "practitioner", heads = "manager" }\n'
    )
    async with federation(folder, [HOUSING], web=True, web_options=table, now=time.time()) as agency:
        with running(port, f"{agency.pages[HOUSING].site.web.url}{OIDC_BACK_PATH}"):
            yield agency


def secret_file(folder: Path) -> Path:
    secret = folder / "client-secret"
    secret.write_text(SECRET)
    secret.chmod(0o600)
    return secret


async def typed(browser: WebUser, login: str, path: str = "/sign-in/oidc?next=/account") -> Shown:
    """Follow the link to the directory, and say there who one is."""
    session = browser._session
    async with session.get(path) as there:
        assert "Who are you?" in await there.text(), there.url
        question = there.url
    async with session.post(question, data={"login": login}) as back:
        return Shown(back.status, back.url.path, await back.text(), back.headers)


async def methods(north: TestFederation, subject: str) -> list[str]:
    def work() -> Work[list[str]]:
        rows = yield Statement(
            "SELECT s.method FROM session s JOIN account a ON a.id = s.account_id WHERE a.oidc_subject = ?", (subject,)
        )
        return [method for (method,) in rows]

    return await north.pages[HOUSING].site.database.read(work())


async def test_the_directory_signs_in_whom_it_has_given_a_role(north: TestFederation) -> None:
    wendy, gerald = north.browser(HOUSING), north.browser(HOUSING)
    page = await typed(wendy, "wendy")
    assert (page.path, "Wendy Smith" in page.words) == ("/account", True)
    assert "see your own clients" in page.words
    page = await typed(gerald, "gerald")
    assert (page.path, "Gerald Green" in page.words) == ("/account", True)
    assert "put right what colleagues report" in page.words
    assert [await methods(north, each) for each in ("wendy", "gerald")] == [["password"], ["mfa"]]


async def test_who_has_no_role_there_or_is_unknown_there_does_not_get_in(north: TestFederation) -> None:
    browser = north.browser(HOUSING)
    page = await typed(browser, "nobody")
    assert (page.status, "Your directory has not given you access" in page.words) == (403, True)
    page = await typed(north.browser(HOUSING), "stranger")
    assert (page.status, "did not sign you in" in page.words) == (403, True)
    assert (await browser.get("/account")).path == "/sign-in"


async def test_proving_it_again_asks_again_and_counts_from_then(north: TestFederation) -> None:
    browser = north.browser(HOUSING)
    await typed(browser, "gerald")
    assert (await browser.get("/account/passkeys")).path == "/account/passkeys"  # he has just proved it
    north.clock.turn(LEEWAY_S / 2)
    site = north.pages[HOUSING].site

    def older() -> Work[None]:
        yield Statement("UPDATE session SET auth_time = auth_time - 3600")

    await site.database.write(older())
    page = await browser.get("/account/passkeys")
    assert page.path == "/sign-in/again"
    link = re.search(r'href="(/sign-in/oidc\?[^"]+)"', page.text)
    assert link
    page = await typed(browser, "gerald", link[1].replace("&amp;", "&"))
    assert page.path == "/account/passkeys"


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256", "EdDSA"])
async def test_tokens_are_taken_in_every_algorithm_that_is_allowed(algorithm: str, north: TestFederation) -> None:
    table = north.pages[HOUSING].site.web
    assert table.oidc is not None
    settings = OidcTable.model_validate(table.oidc.model_dump() | {"client_id": f"patchwork-{algorithm}"})
    jar = aiohttp.CookieJar(unsafe=True)
    async with directory_session() as own, aiohttp.ClientSession(cookie_jar=jar) as browser:
        back_url = f"{table.url}{OIDC_BACK_PATH}"
        provider = Provider(settings, secret=SECRET, back_url=back_url, session=own, clock=SystemClock())
        where, begun = await provider.begin(back="/")
        async with browser.get(where) as there:
            question = there.url
        answer = URL(back_url)
        step: URL | str = question
        async with browser.post(question, data={"login": "wendy"}, allow_redirects=False) as response:
            step = response.headers["Location"]
        for _ in range(3):
            if str(step).startswith(back_url):
                answer = URL(str(step))
                break
            async with browser.get(URL(str(question)).join(URL(str(step))), allow_redirects=False) as response:
                step = response.headers["Location"]
        proved = await provider.finish(begun, answer.query)
    assert proved.claims["name"] == "Wendy Smith"
    assert proved.auth_time is not None
    assert abs(proved.auth_time - time.time()) < LEEWAY_S
