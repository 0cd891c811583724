"""What every page has in common: who may open it, what it tells a browser, how it refuses, what it never repeats."""

import gzip
import re
from pathlib import Path

import pytest
from aiohttp import web

from gateway.accounts.account import Role
from gateway.errors import ConfigurationError
from gateway.web import application
from gateway.web.assets import load_assets
from gateway.web.forms import MAX_FORM_BYTES
from tests.federation import TestFederation
from tests.web.conftest import HOUSING
from tests.web.invited import with_password

pytestmark = pytest.mark.asyncio(loop_scope="module")

XSS = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{7*7}}"


async def test_a_page_opens_for_its_roles_alone(north: TestFederation) -> None:
    officer = await north.sign_in(HOUSING, Role.GOVERNANCE)
    both = await north.sign_in(HOUSING, Role.PRACTITIONER, Role.GOVERNANCE)
    assert [(await each.get("/probe")).status for each in (officer, both)] == [200, 200]
    for role in set(Role) - {Role.GOVERNANCE}:
        other = await north.sign_in(HOUSING, role)
        page = await other.get("/probe")
        assert (page.status, "Governance only" in page.words) == (403, False)
        assert (await other.post("/probe", {"said": "x"}, form="/account")).status == 403
    nobody = north.browser(HOUSING)
    assert (await nobody.get("/probe")).path == "/sign-in"


async def test_a_form_without_its_own_token_changes_nothing(north: TestFederation) -> None:
    officer = await north.sign_in(HOUSING, Role.GOVERNANCE)
    colleague = await north.sign_in(HOUSING, Role.GOVERNANCE)
    anonymous = (await north.browser(HOUSING).get("/sign-in")).token
    theirs = (await colleague.get("/probe")).token
    for token in ("", "x", theirs, anonymous, theirs[:-1]):
        page = await officer.post("/probe", {"said": "it was taken"}, token=token)
        assert (page.status, "it was taken" in page.words) == (403, False)
    own = (await officer.get("/probe")).token
    for headers in ({"Origin": "null"}, {"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "same-site"}):
        assert (await officer.post("/probe", {"said": "x"}, token=own, headers=headers)).status == 403
    assert "it was taken" in (await officer.post("/probe", {"said": "it was taken"}, token=own)).words


async def test_nothing_may_frame_a_page_keep_it_or_run_on_it_but_our_own_scripts(north: TestFederation) -> None:
    wendy = await north.sign_in(HOUSING, Role.PRACTITIONER)
    nonces = set()
    for path in ("/account", "/account", "/sign-in/again", "/nowhere", "/probe"):
        page = await wendy.get(path)
        policy = dict(each.strip().partition(" ")[::2] for each in page.headers["Content-Security-Policy"].split(";"))
        nonce = policy["script-src"].removeprefix("'nonce-").removesuffix("'")
        assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
        assert policy["style-src"] == policy["connect-src"] == policy["form-action"] == "'self'"
        assert "unsafe" not in page.headers["Content-Security-Policy"]
        assert set(re.findall(r'<script nonce="([^"]+)"', page.text)) == {nonce}
        assert page.text.count("<script") == page.text.count("<script nonce=")
        assert not re.search(r"<[^>]+\s(style|on[a-z]+)=", page.text)
        assert page.headers["Cache-Control"] == "no-store"
        assert page.headers["Referrer-Policy"] == "same-origin"
        assert page.headers["X-Content-Type-Options"] == "nosniff"
        assert "Server" not in page.headers
        nonces.add(nonce)
    assert len(nonces) == 5


async def test_no_picture_font_or_name_of_the_government_is_on_a_page(north: TestFederation) -> None:
    page = await north.browser(HOUSING).get("/sign-in")
    assert not re.search(r"crown|crest|GOV\.UK|transport|/assets/", page.text, re.IGNORECASE)


async def test_what_somebody_is_called_or_types_is_text_and_never_markup(north: TestFederation) -> None:
    officer = await north.sign_in(HOUSING, Role.GOVERNANCE, name=XSS, job_role=XSS)
    page = await officer.post("/probe", {"said": XSS})
    account = await officer.get("/account")
    for text in (page.text, account.text):
        assert "<script>alert" not in text
        assert "<img" not in text
        assert "{{7*7}}" in text
    stranger = north.browser(HOUSING)
    typed = await stranger.post("/sign-in", {"login": XSS, "password": "x", "next": f"/{XSS}"})
    assert "<script>alert" not in typed.text
    assert "<img" not in typed.text


@pytest.mark.parametrize(("how", "status"), [("input", 400), ("busy", 503), ("bug", 500)])
async def test_a_failure_is_a_page_that_says_what_to_do_and_nothing_of_what_went_wrong(
    north: TestFederation, how: str, status: int
) -> None:
    wendy = await north.sign_in(HOUSING, Role.PRACTITIONER)
    page = await wendy.get(f"/probe/fails/{how}")
    assert page.status == status
    assert "try again" in page.words.lower()
    assert not re.search(r"Bramley|9990000018|ValueError|Traceback|too many", page.text)


async def test_a_method_or_body_that_no_form_of_ours_has_is_refused(north: TestFederation) -> None:
    officer = await north.sign_in(HOUSING, Role.GOVERNANCE)
    token = (await officer.get("/probe")).token
    too_much = {"said": "x" * MAX_FORM_BYTES}
    assert (await officer.post("/probe", too_much, token=token)).status == 413
    many = {f"field-{number}": "x" for number in range(600)}
    assert (await officer.post("/probe", many, token=token)).status == 400
    url = officer.url / "probe"
    for body, kind, status in (
        (b"\xff\xfe", "application/x-www-form-urlencoded", 400),
        (b"csrf=%ff", "application/x-www-form-urlencoded", 400),
        (b'{"said": "x"}', "application/json", 415),
        (b"no parts at all", "multipart/form-data; boundary=b", 400),
        (b"no boundary", "multipart/form-data", 400),
    ):
        async with officer._session.post(url, data=body, headers={"Content-Type": kind}) as response:
            assert response.status == status
    async with officer._session.delete(url) as response:
        assert (response.status, response.headers["Allow"]) == (405, "GET,HEAD,POST")


async def test_a_file_comes_with_its_name_and_content(north: TestFederation) -> None:
    officer = await north.sign_in(HOUSING, Role.GOVERNANCE)
    page = await officer.upload("/probe", "list", ("clients.csv", b"a,b\r\n"), {"said": "with a file"})
    assert "with a file" in page.words
    assert "list=clients.csv:5" in page.words
    page = await officer.upload("/probe", "list", ("big.csv", b"x" * MAX_FORM_BYTES))
    assert page.status == 413


async def test_a_language_is_kept_and_leads_to_no_other_site(north: TestFederation) -> None:
    browser = north.browser(HOUSING)
    own = str(browser.url).rstrip("/")
    assert 'lang="en"' in (await browser.get("/sign-in")).text
    back = await browser.get("/language/cy", headers={"Referer": f"{own}/sign-in"})
    assert (back.path, '<html lang="cy"' in back.text) == ("/sign-in", True)
    assert '<html lang="cy"' in (await browser.get("/sign-in")).text
    for referer in ("https://evil.example/", f"https://evil.example/{own}/", f"{own}//evil.example"):
        away = await browser.get("/language/en", headers={"Referer": referer}, follow=False)
        assert away.headers["Location"] == "/"
    assert (await browser.get("/language/xx")).status == 404


async def test_styles_and_scripts_are_kept_for_a_year_and_nothing_else_is_served(
    north: TestFederation, tmp_path: Path
) -> None:
    built = north.built
    (built / "patchwork.0.css").write_bytes(b"body { color: black }")
    (built / "patchwork.0.css.gz").write_bytes(gzip.compress(b"body { color: black }"))
    await north.stop(HOUSING)
    await north.start(HOUSING)
    browser = north.browser(HOUSING)
    for encoding in ("gzip", "identity"):
        style = await browser.get("/static/patchwork.0.css", headers={"Accept-Encoding": encoding})
        assert (style.status, style.text) == (200, "body { color: black }")
        assert style.headers.get("Content-Encoding") == ("gzip" if encoding == "gzip" else None)
        assert style.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert style.headers["Content-Type"] == "text/css; charset=utf-8"
    for name in ("manifest.json", "patchwork.css", "..%2fmanifest.json", "%2e%2e/site.py", "patchwork.0.css.gz"):
        assert (await browser.get(f"/static/{name}")).status == 404
    with pytest.raises(ConfigurationError, match=r"build_assets\.py"):
        load_assets(tmp_path)


async def test_an_application_with_a_page_that_asks_nobody_who_they_are_does_not_start(
    north: TestFederation, monkeypatch: pytest.MonkeyPatch
) -> None:
    routes = web.RouteTableDef()

    @routes.get("/open-to-all")
    async def careless(_request: web.Request) -> web.Response:
        return web.Response()

    monkeypatch.setattr(application, "ROUTES", (*application.ROUTES, routes))
    with pytest.raises(TypeError, match="/open-to-all"):
        application.web_application(north.pages[HOUSING].site)


async def test_pages_log_neither_names_nor_what_was_typed(
    north: TestFederation, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    browser = await with_password(north, HOUSING, "logged@example.org")
    await browser.post("/sign-in", {"login": "logged@example.org", "password": "wrong-Quillfeather"})
    await browser.get("/clients/Quillfeather")
    said = " ".join(f"{record.getMessage()} {record.__dict__.get('event_fields')}" for record in caplog.records)
    assert "sign_in.refused" in said
    assert "request.failed" in said
    assert not re.search(r"logged@|Quillfeather|Wendy|127\.0\.0\.1", said.replace(str(browser.url), ""))
