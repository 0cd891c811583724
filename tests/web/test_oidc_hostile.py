"""Signing in through a directory that lies, or is lied about: nobody gets in, and the page says little."""

import asyncio
import hashlib
import hmac
import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import aiohttp
import jwt
import pytest
import pytest_asyncio
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from gateway.accounts import oidc_fetch
from gateway.accounts.account import Role
from gateway.accounts.changes import changes
from gateway.accounts.oidc import AGAIN_S, KEPT_S
from gateway.accounts.throttle import WINDOW_S
from gateway.database.contract import Statement, Work
from gateway.web import oidc as oidc_page
from gateway.web import sign_in as sign_in_page
from gateway.web.prove import FRESH_S
from tests.federation import NAME, TestFederation, federation
from tests.lying_provider import CLIENT, SECRET, LyingProvider, lying_provider
from tests.web.invited import PASSWORD, signed_in, with_password
from tests.web_user import Shown, WebUser

HOUSING = "housing"
XSS = "<img src=x onerror=alert(1)>"

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def provider() -> AsyncIterator[LyingProvider]:
    async with lying_provider() as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def north(tmp_path_factory: pytest.TempPathFactory, provider: LyingProvider) -> AsyncIterator[TestFederation]:
    folder = tmp_path_factory.mktemp("directory")
    options = oidc_table(
        folder, provider.url, 'mfa_values = ["mfa", "gold"]\nlogin_claim = "upn"\njob_claim = "org.job"'
    )
    async with federation(folder, [HOUSING], web=True, web_options=options) as running:
        provider.now = running.clock.now
        yield running


@pytest.fixture(autouse=True)
def honest(north: TestFederation, provider: LyingProvider) -> None:
    """Each test begins with an honest provider, nothing of it known, and no tries counted."""
    provider.be_honest()
    north.clock.turn(max(WINDOW_S, KEPT_S) + 1)


def oidc_table(folder: Path, issuer: str, more: str = "") -> str:
    """A `[web.oidc]` table for a provider, and the secret's file."""
    secret = folder / "client-secret"
    secret.write_text(f"{SECRET}\n")
    secret.chmod(0o600)
    return (
        f'[web.oidc]\nissuer = "{issuer}"\nclient_id = "{CLIENT}"\nclient_secret_file = "{secret}"\n'
        'role_claim = "groups"\nroles = { housing-officers = "practitioner", heads = "manager" }\n'
        f'label = "the Housing directory"\n{more}\n'
    )


async def sent(browser: WebUser, provider: LyingProvider, query: str = "next=/account") -> dict[str, str]:
    """Set off: what the directory is asked, which it remembers."""
    page = await browser.get(f"/sign-in/oidc?{query}", follow=False)
    assert page.status == 303, page.words
    where = page.headers["Location"]
    assert where.startswith(f"{provider.url}/authorize?tenant=a&")
    asked = {name: values[0] for name, values in parse_qs(urlsplit(where).query).items()}
    provider.nonce, provider.challenge = asked["nonce"], asked["code_challenge"]
    return asked


async def came_back(
    browser: WebUser, provider: LyingProvider, state: str, *, follow: bool = True, **more: str
) -> Shown:
    said = {"code": "code-1", "state": state, "iss": provider.url} | more
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in said.items() if value)
    return await browser.get(f"/sign-in/oidc/back?{query}", follow=follow)


async def through(browser: WebUser, provider: LyingProvider, query: str = "next=/account", **claims: Any) -> Shown:
    """To the directory and back, with these claims."""
    provider.claims = claims
    asked = await sent(browser, provider, query)
    return await came_back(browser, provider, asked["state"])


async def accounts(north: TestFederation) -> list[tuple[Any, ...]]:
    def work() -> Work[list[tuple[Any, ...]]]:
        return (
            yield Statement(
                "SELECT a.oidc_subject, a.login, a.name, a.email, a.job_role, group_concat(r.role), "
                "group_concat(DISTINCT r.granted_by) FROM account a LEFT JOIN account_role r ON r.account_id = a.id "
                "WHERE a.oidc_issuer IS NOT NULL GROUP BY a.id ORDER BY a.id"
            )
        )

    return [tuple(row) for row in await north.pages[HOUSING].site.database.read(work())]


async def change(north: TestFederation, sql: str, *values: Any) -> None:
    def work() -> Work[None]:
        yield Statement(sql, values)

    await north.pages[HOUSING].site.database.write(work())


async def session_of(north: TestFederation, subject: str) -> tuple[str, float]:
    """Method and auth_time of a subject's one session."""

    def work() -> Work[tuple[str, float]]:
        rows = yield Statement(
            "SELECT s.method, s.auth_time FROM session s JOIN account a ON a.id = s.account_id "
            "WHERE a.oidc_subject = ? ORDER BY s.created_at DESC LIMIT 1",
            (subject,),
        )
        return rows[0][0], rows[0][1]

    return await north.pages[HOUSING].site.database.read(work())


async def is_out(browser: WebUser) -> bool:
    return (await browser.get("/account")).path == "/sign-in"


async def test_the_first_sign_in_makes_an_account_with_the_roles_that_the_directory_gives(
    north: TestFederation, provider: LyingProvider
) -> None:
    browser = north.browser(HOUSING)
    asked = await sent(browser, provider)
    assert asked["response_type"] == "code"
    assert asked["code_challenge_method"] == "S256"
    assert asked["scope"] == "openid profile email"
    assert asked["redirect_uri"] == f"{str(browser.url).rstrip('/')}/sign-in/oidc/back"
    provider.claims = {"sub": "first", "upn": "Wendy@Housing.example.org", "org": {"job": "Housing officer"}}
    page = await came_back(browser, provider, asked["state"])
    assert (page.path, "Wendy Smith" in page.words) == ("/account", True)
    assert "Change your password" not in page.words
    assert "/account/password" not in page.text
    assert await accounts(north) == [
        ("first", "wendy@housing.example.org", "Wendy Smith", "wendy@example.org", "Housing officer", "practitioner",
         "directory")
    ]  # fmt: skip
    (form,) = provider.asked
    assert form["redirect_uri"] == asked["redirect_uri"]
    assert form["authorization"] == "Basic " + b64encode(f"{CLIENT}:{'secret%2Fof+the+client'}".encode()).decode()
    assert SECRET not in json.dumps({name: form[name] for name in form if name != "authorization"})
    for path in ("/account/password", "/account/second-factor"):
        assert (await browser.get(path)).status == 404


async def test_roles_are_those_of_the_last_sign_in_and_without_any_nobody_stays_in(
    north: TestFederation, provider: LyingProvider
) -> None:
    browser = north.browser(HOUSING)
    await through(browser, provider, sub="mover", groups=["housing-officers", "heads", "unknown"])
    assert (await accounts(north))[-1][5] == "manager,practitioner"
    other = north.browser(HOUSING)
    await through(other, provider, sub="mover", groups="heads", name="Wendy Smith-Jones")
    assert (await accounts(north))[-1][2::3] == ("Wendy Smith-Jones", "manager")
    third = north.browser(HOUSING)
    page = await through(third, provider, sub="mover", groups=[])
    assert (page.status, "Your directory has not given you access" in page.words) == (403, True)
    assert (await accounts(north))[-1][5] is None
    assert [await is_out(each) for each in (browser, other, third)] == [True, True, True]


async def test_what_the_directory_changes_about_an_account_stands_on_record(
    north: TestFederation, provider: LyingProvider
) -> None:
    auditor = await north.sign_in(HOUSING, Role.AUDITOR)
    for name, groups in (("Eve Riser", "housing-officers"), ("Eve Riser", "heads"), ("Eve Fallen", "heads"), ("", [])):
        await through(north.browser(HOUSING), provider, sub="riser", groups=groups, name=name)
    shown = (await auditor.get("/manage/accounts/changes")).text
    assert "the directory" in shown
    site = north.pages[HOUSING].site
    found = [each for each in await site.database.read(changes(limit=50)) if each.account_name == "Eve Fallen"]
    assert {each.by for each in found} == {"directory"}
    assert [(each.what.value, each.detail) for each in reversed(found)] == [
        ("created", ""),
        ("role-given", "practitioner"),
        ("details", "job_role"),
        ("role-taken", "practitioner"),
        ("role-given", "manager"),
        ("details", "name"),
        ("role-taken", "manager"),
    ]


async def test_whoever_has_no_role_in_the_directory_gets_no_account(
    north: TestFederation, provider: LyingProvider
) -> None:
    before = await accounts(north)
    for groups in (None, [], ["unknown"], {"housing-officers": True}, 7, [["housing-officers"]], "Housing-Officers"):
        browser = north.browser(HOUSING)
        page = await through(browser, provider, sub="stranger", groups=groups)
        assert (page.status, "has not given you access" in page.words) == (403, True)
    assert await accounts(north) == before


async def test_an_account_that_was_disabled_here_stays_so(north: TestFederation, provider: LyingProvider) -> None:
    browser = north.browser(HOUSING)
    await through(browser, provider, sub="gone")
    await change(north, "UPDATE account SET disabled_at = 1 WHERE oidc_subject = ?", "gone")
    page = await through(north.browser(HOUSING), provider, sub="gone")
    assert (page.status, "switched off" in page.words) == (403, True)
    assert await is_out(browser)


async def test_nobody_becomes_somebody_else_by_an_equal_login_or_email(
    north: TestFederation, provider: LyingProvider
) -> None:
    local = await with_password(north, HOUSING, "gerald@example.org")
    browser = north.browser(HOUSING)
    page = await through(
        browser, provider, sub="imitator", email="gerald@example.org", upn="Gerald@example.org", name="An Imitator"
    )
    assert "An Imitator" in page.words
    assert (await accounts(north))[-1][:2] == ("imitator", None)
    assert "Wendy Smith" in (await signed_in(local, "gerald@example.org", PASSWORD)).words
    other = north.browser(HOUSING)
    await through(other, provider, sub="Imitator")  # subjects are compared to the letter
    assert len({each[0] for each in await accounts(north)} & {"imitator", "Imitator"}) == 2


@pytest.mark.parametrize(
    ("claims", "method"),
    [
        ({}, "password"),
        ({"amr": ["pwd"], "acr": "1"}, "password"),
        ({"amr": ["pwd", "mfa"]}, "mfa"),
        ({"acr": "gold"}, "mfa"),
        ({"amr": "mfa"}, "mfa"),
        ({"amr": {"mfa": 1}}, "password"),
    ],
)
async def test_only_what_the_settings_call_so_counts_as_two_factors(
    north: TestFederation, provider: LyingProvider, claims: dict[str, Any], method: str
) -> None:
    await through(north.browser(HOUSING), provider, sub="factors", **claims)
    assert (await session_of(north, "factors"))[0] == method


Lie = Callable[[LyingProvider, dict[str, Any]], str]


def by_stranger(_provider: LyingProvider, body: dict[str, Any]) -> str:
    return jwt.encode(body, generate_private_key(65537, 2048), "RS256", headers={"kid": "one"})


def unsigned(_provider: LyingProvider, body: dict[str, Any]) -> str:
    return jwt.encode(body, "", "none", headers={"kid": "one"})


def by_public_key(provider: LyingProvider, body: dict[str, Any]) -> str:
    """HS256, with what everybody knows as the secret: what a careless verifier takes."""
    head, middle = (
        urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()
        for part in ({"alg": "HS256", "typ": "JWT", "kid": "one"}, body)
    )

    signature = hmac.digest(provider.public_pem, f"{head}.{middle}".encode(), hashlib.sha256)
    return f"{head}.{middle}.{urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def changed(provider: LyingProvider, body: dict[str, Any]) -> str:
    head, _, signature = jwt.encode(body, provider.key, "RS256", headers={"kid": "one"}).split(".")
    middle = urlsafe_b64encode(json.dumps(body | {"groups": ["heads"]}).encode()).rstrip(b"=").decode()
    return f"{head}.{middle}.{signature}"


def critical(provider: LyingProvider, body: dict[str, Any]) -> str:
    return jwt.encode(body, provider.key, "RS256", headers={"kid": "one", "crit": ["b64"], "b64": True})


SIGNERS: dict[str, Lie] = {
    "stranger": by_stranger,
    "none": unsigned,
    "public-key": by_public_key,
    "changed": changed,
    "critical": critical,
    "no-token": lambda _provider, _body: "x",
    "endless": lambda _provider, _body: "a." * 40_000,
    "deep": lambda _provider, _body: urlsafe_b64encode(b"[" * 20_000).decode() + ".e30.x",
}


@pytest.mark.parametrize("sign", SIGNERS.values(), ids=SIGNERS.keys())
async def test_a_token_that_the_directory_did_not_sign_signs_nobody_in(
    north: TestFederation, provider: LyingProvider, sign: Lie
) -> None:
    provider.sign = sign
    browser = north.browser(HOUSING)
    page = await through(browser, provider)
    assert (page.status, "did not sign you in" in page.words) == (403, True)
    assert await is_out(browser)
    provider.sign = None
    assert (await through(browser, provider)).path == "/account"  # the truth does


CLAIMS: dict[str, dict[str, Any]] = {
    "another-nonce": {"nonce": "of another browser"},
    "no-nonce": {"nonce": None},
    "another-audience": {"aud": "another client"},
    "several-audiences": {"aud": [CLIENT, "another client"]},
    "another-party": {"aud": [CLIENT, "another client"], "azp": "another client"},
    "no-audience": {"aud": None},
    "another-issuer": {"iss": "https://evil.example"},
    "expired": {"exp": 1_000_000},
    "no-end": {"exp": None},
    "endless": {"exp": float("inf")},
    "words": {"exp": "tomorrow"},
    "from-the-future": {"iat": 9_000_000_000},
    "not-yet": {"nbf": 9_000_000_000},
    "proved-tomorrow": {"auth_time": 9_000_000_000},
    "access-token-swapped": {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
    "no-subject": {"sub": None},
    "empty-subject": {"sub": ""},
    "long-subject": {"sub": "x" * 256},
    "number": {"sub": 7},
}


@pytest.mark.parametrize("claims", CLAIMS.values(), ids=CLAIMS.keys())
async def test_a_token_made_for_another_use_signs_nobody_in(
    north: TestFederation, provider: LyingProvider, claims: dict[str, Any]
) -> None:
    browser = north.browser(HOUSING)
    page = await through(browser, provider, **claims)
    assert (page.status, "did not sign you in" in page.words) == (403, True)
    assert await is_out(browser)


async def test_an_answer_counts_once_in_the_browser_that_was_sent(
    north: TestFederation, provider: LyingProvider
) -> None:
    victim, attacker = north.browser(HOUSING), north.browser(HOUSING)
    theirs = (await sent(attacker, provider))["state"]
    own = (await sent(victim, provider))["state"]
    # The attacker's answer, put before the victim: they would be signed in as the attacker.
    assert (await came_back(victim, provider, theirs)).status == 403
    assert (await came_back(victim, provider, own)).status == 403  # and the journey is used up
    assert (await came_back(north.browser(HOUSING), provider, own)).status == 403
    assert provider.asked == []
    state = (await sent(victim, provider))["state"]
    cookies = {each.key: each.value for each in victim.cookies}
    assert (await came_back(victim, provider, state)).path == "/account"
    replayed = north.browser(HOUSING)
    replayed.cookies.update_cookies(cookies, replayed.url)
    assert (await came_back(replayed, provider, state)).status == 403
    late = north.browser(HOUSING)
    state = (await sent(late, provider))["state"]
    north.clock.turn(601)
    assert (await came_back(late, provider, state)).status == 403


@pytest.mark.parametrize(
    "more", [{"iss": "https://evil.example"}, {"iss": ""}, {"code": ""}, {"error": "access_denied"}]
)
async def test_an_answer_of_another_provider_or_without_a_code_is_not_taken(
    north: TestFederation, provider: LyingProvider, more: dict[str, str]
) -> None:
    browser = north.browser(HOUSING)
    state = (await sent(browser, provider))["state"]
    page = await came_back(browser, provider, state, follow=True, **more)
    assert (page.status, "did not sign you in" in page.words) == (403, True)
    assert provider.asked == []


async def test_a_parameter_that_comes_twice_counts_as_none(north: TestFederation, provider: LyingProvider) -> None:
    browser = north.browser(HOUSING)
    state = (await sent(browser, provider))["state"]
    page = await browser.get(f"/sign-in/oidc/back?code=a&state={state}&state={state}&iss={provider.url}")
    assert page.status == 403


async def test_the_session_and_its_cookies_are_new_and_the_journey_is_forgotten(
    north: TestFederation, provider: LyingProvider
) -> None:
    browser = north.browser(HOUSING)
    asked = await browser.get("/sign-in/oidc", follow=False)
    (cookie,) = asked.headers.getall("Set-Cookie")
    assert all(part in cookie for part in ("patchwork-journey=", "HttpOnly", "SameSite=Lax", "Max-Age=600", "Path=/"))
    browser.cookies.update_cookies({"patchwork": "A" * 43}, browser.url)
    state = (await sent(browser, provider))["state"]
    page = await came_back(browser, provider, state, follow=False)
    cookies = page.headers.getall("Set-Cookie")
    assert any(each.startswith("patchwork=") and "A" * 43 not in each for each in cookies)
    assert any(each.startswith("patchwork-journey=") and "Max-Age=0" in each for each in cookies)


@pytest.mark.parametrize("goal", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"])
async def test_after_the_directory_nobody_is_sent_to_another_site(
    north: TestFederation, provider: LyingProvider, goal: str
) -> None:
    browser = north.browser(HOUSING)
    state = (await sent(browser, provider, f"next={quote(goal, safe='')}"))["state"]
    page = await came_back(browser, provider, state, follow=False)
    assert (page.status, page.headers["Location"]) == (303, "/")
    again = await browser.get(f"/sign-in/oidc?next={quote(goal, safe='')}", follow=False)  # signed in already
    assert again.headers["Location"] == "/"


METADATA: dict[str, dict[str, Any]] = {
    "another-issuer": {"issuer": "https://evil.example"},
    "slash": {"issuer": "x/"},
    "plain-http": {"token_endpoint": "http://directory.example/token"},
    "no-keys": {"jwks_uri": None},
    "a-file": {"jwks_uri": "file:///etc/passwd"},
    "no-secret": {"token_endpoint_auth_methods_supported": ["private_key_jwt"]},
    "nonsense": {"token_endpoint_auth_methods_supported": "client_secret_basic"},
    "giant": {"padding": "x" * 300_000},
}


@pytest.mark.parametrize("metadata", METADATA.values(), ids=METADATA.keys())
async def test_an_announcement_that_cannot_be_relied_on_sends_nobody_anywhere(
    north: TestFederation, provider: LyingProvider, metadata: dict[str, Any]
) -> None:
    provider.metadata = metadata
    browser = north.browser(HOUSING)
    page = await browser.get("/sign-in/oidc", follow=False)
    assert (page.status, "cannot be reached" in page.words) == (502, True)
    await browser.get("/sign-in/oidc", follow=False)
    assert len(provider.fetched) == 1  # it is not asked again at once
    provider.metadata = {}
    north.clock.turn(AGAIN_S + 1)
    assert (await through(browser, provider)).path == "/account"


def moved(path: str) -> web.Response:
    """Where it would be, and say the truth, if anybody followed."""
    return web.Response(status=307, headers={"Location": f"/moved{path}"})


ANSWERS: dict[str, Callable[[str], web.StreamResponse]] = {
    "moved": moved,
    "a-page": lambda _: web.Response(text="<h1>Sign in</h1>", content_type="text/html"),
    "a-list": lambda _: web.json_response([]),
    "deep": lambda _: web.Response(text="[" * 200_000, content_type="application/json"),
    "giant": lambda _: web.json_response({"keys": [{"kid": "x" * 300_000}]}),
    "broken": lambda _: web.Response(text="{", content_type="application/json"),
    "down": lambda _: web.Response(status=503),
    "many-keys": lambda _: web.json_response({"keys": [{"kty": "RSA", "n": "x"}] * 3_000}),
    "huge-key": lambda _: web.json_response({"keys": [{"kty": "RSA", "kid": "one", "e": "AQAB", "n": "x" * 100_000}]}),
    "weak-key": lambda _: web.json_response({"keys": [{"kty": "RSA", "kid": "one", "e": "AQAB", "n": "x" * 171}]}),
    "compressed": lambda _: web.Response(
        body=b"{}", content_type="application/json", headers={"Content-Encoding": "br"}
    ),
}


@pytest.mark.parametrize("at", ["/.well-known/openid-configuration", "/keys", "/token"])
@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS.keys())
async def test_whatever_the_directory_answers_instead_signs_nobody_in(
    north: TestFederation, provider: LyingProvider, answer: Callable[[str], web.StreamResponse], at: str
) -> None:
    browser = north.browser(HOUSING)
    provider.answer = lambda path: answer(path) if path == at else None  # type: ignore[assignment, return-value]
    if at.startswith("/."):
        page = await browser.get("/sign-in/oidc")
    else:
        page = await through(browser, provider)
    assert page.status in {403, 502}
    assert "evil" not in page.text
    assert await is_out(browser)


async def test_a_directory_that_does_not_answer_is_given_up_soon(
    north: TestFederation, provider: LyingProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = north.pages[HOUSING]
    monkeypatch.setattr(pages.provider_session, "_timeout", aiohttp.ClientTimeout(total=0.2))
    provider.slow_at, provider.slow_s = "/token", 1.0
    browser = north.browser(HOUSING)
    began = asyncio.get_running_loop().time()
    page = await through(browser, provider)
    assert (page.status, "cannot be reached" in page.words) == (502, True)
    assert asyncio.get_running_loop().time() - began < 0.9
    assert oidc_fetch.FETCH_S * 3 < 30  # the time of a page


async def test_whoever_comes_back_with_nonsense_is_stopped_and_passwords_still_sign_in(
    north: TestFederation, provider: LyingProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oidc_page, "PER_ADDRESS", 3)
    local = await with_password(north, HOUSING, "undisturbed")
    for _ in range(3):
        assert (await through(north.browser(HOUSING), provider, nonce="wrong")).status == 403
    before = len(provider.asked)
    page = await through(north.browser(HOUSING), provider)
    assert (page.status, "Too many tries" in page.words) == (429, True)
    assert len(provider.asked) == before  # the directory is left alone
    monkeypatch.setattr(sign_in_page, "PER_ADDRESS", 3)
    assert (await signed_in(local, "undisturbed")).path == "/account"


async def test_a_new_key_of_the_directory_is_fetched_and_strangers_keys_not_for_ever(
    north: TestFederation, provider: LyingProvider
) -> None:
    assert (await through(north.browser(HOUSING), provider)).path == "/account"
    provider.kid = "two"
    north.clock.turn(AGAIN_S + 1)
    assert (await through(north.browser(HOUSING), provider)).path == "/account"
    assert provider.fetched.count("/keys") == 2
    provider.sign = lambda each, body: jwt.encode(body, each.key, "RS256", headers={"kid": "three"})
    for _ in range(5):
        assert (await through(north.browser(HOUSING), provider)).status == 403
    assert provider.fetched.count("/keys") == 2
    provider.kid = "one"


async def test_a_sign_in_of_some_time_ago_must_be_proved_again_and_only_by_the_same_person(
    north: TestFederation, provider: LyingProvider
) -> None:
    browser = north.browser(HOUSING)
    long_ago = north.clock.now() - 3600
    await through(browser, provider, sub="prover", auth_time=long_ago)
    assert (await session_of(north, "prover"))[1] == long_ago
    page = await browser.get("/account/passkeys")
    assert (page.path, "Sign in again with the Housing directory" in page.words) == ("/sign-in/again", True)
    again = "again=1&next=/account/passkeys"
    asked = await sent(browser, provider, again)
    assert (asked["prompt"], asked["max_age"]) == ("login", "0")
    provider.claims = {"sub": "prover", "auth_time": long_ago}
    page = await came_back(browser, provider, asked["state"])
    assert (page.status, "did not ask you again" in page.words) == (403, True)
    page = await through(browser, provider, again, sub="prover")  # it does not say when
    assert (page.status, "did not ask you again" in page.words) == (403, True)
    page = await through(browser, provider, again, sub="somebody", auth_time=north.clock.now())
    assert (page.status, "somebody else" in page.words) == (403, True)
    assert "somebody" not in [each[0] for each in await accounts(north)]
    page = await through(browser, provider, again, sub="prover", auth_time=north.clock.now(), amr=["mfa"])
    assert page.path == "/account/passkeys"
    assert await session_of(north, "prover") == ("mfa", north.clock.now())


async def test_a_directory_that_does_not_say_when_opens_nothing_that_wants_a_fresh_proof(
    north: TestFederation, provider: LyingProvider
) -> None:
    browser = north.browser(HOUSING)
    await through(browser, provider, sub="silent")
    assert (await session_of(north, "silent"))[1] == north.clock.now() - FRESH_S
    assert (await browser.get("/account/passkeys")).path == "/sign-in/again"


async def test_whoever_has_a_password_proves_nothing_through_the_directory(
    north: TestFederation, provider: LyingProvider
) -> None:
    browser = await with_password(north, HOUSING, "local-only")
    assert (await browser.get("/sign-in/oidc?again=1", follow=False)).headers["Location"] == "/sign-in"
    await signed_in(browser, "local-only")
    assert "Sign in again with" not in (await browser.get("/sign-in/again")).words
    page = await browser.get("/sign-in/oidc?again=1&next=/account", follow=False)
    assert page.headers["Location"].startswith("/sign-in/again")
    assert provider.fetched == []


async def test_what_the_directory_tells_is_bounded_and_text(north: TestFederation, provider: LyingProvider) -> None:
    browser = north.browser(HOUSING)
    page = await through(
        browser, provider, sub="odd", name=f"{XSS}\u202e\x00 {'x' * 5_000}", email=f"{XSS}@a b", upn=["x"], org="none"
    )
    assert "<img" not in page.text
    _, login, name, email, job, _, _ = (await accounts(north))[-1]
    assert (login, email, job) == (None, None, "Practitioner")
    assert name.startswith(XSS)
    assert len(name) == 200
    assert "\u202e" not in name
    unverified = north.browser(HOUSING)
    await through(unverified, provider, sub="odd", email="w@example.org", email_verified=False)
    assert (await accounts(north))[-1][3] is None


async def test_pages_without_a_directory_have_no_way_to_one(
    north: TestFederation, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, provider: LyingProvider
) -> None:
    caplog.set_level(0)
    assert "Sign in with the Housing directory" in (await north.browser(HOUSING).get("/sign-in")).words
    await through(north.browser(HOUSING), provider, sub="Quillfeather", nonce="wrong")
    said = " ".join(str(record.__dict__.get("event_fields")) for record in caplog.records)
    assert "directory-token-nonce" in said
    assert "Quillfeather" not in said
    assert NAME
