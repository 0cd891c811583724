"""What browsers are told to do with our cookies, and whose address a request counts as."""

from zoneinfo import ZoneInfo

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from gateway.accounts.sessions import new_token
from gateway.settings import WebTable
from gateway.web.address import address_of, device_of
from gateway.web.session_cookie import forget_session, session_token, set_session
from gateway.web.words import day, moment

HTTPS = WebTable(url="https://patchwork.example.org")


def test_behind_tls_no_other_host_can_have_set_the_session_cookie_and_no_script_reads_it() -> None:
    response = web.Response()
    set_session(response, new_token(), secure=True)
    name, _, rest = response.cookies.output(header="").strip().partition("=")
    flags = {each.strip().lower() for each in rest.split(";")[1:]}
    assert name == "__Host-patchwork"
    assert flags == {"secure", "httponly", "path=/", "samesite=lax"}  # no Domain: RFC 6265bis, section 4.1.3.2


def test_without_tls_the_cookie_has_its_plain_name() -> None:
    response = web.Response()
    set_session(response, new_token(), secure=False)
    assert list(response.cookies) == ["patchwork"]
    assert response.cookies["patchwork"]["httponly"]


def test_a_cookie_that_is_taken_away_is_the_one_that_was_given() -> None:
    response = web.Response()
    forget_session(response, secure=True)
    cookie = response.cookies["__Host-patchwork"]
    assert (str(cookie["max-age"]), cookie["path"], cookie["secure"]) == ("0", "/", True)


@pytest.mark.parametrize("value", ["", "x", "A" * 42, "A" * 44, "!" * 43, "\u00e9" * 43, "A" * 10_000])
def test_a_cookie_that_cannot_be_ours_is_none(value: str) -> None:
    request = make_mocked_request("GET", "/", headers={"Cookie": f"__Host-patchwork={value}"})
    assert session_token(request, secure=True) is None


def test_behind_tls_a_cookie_without_the_prefix_is_none() -> None:
    response = web.Response()
    set_session(response, new_token(), secure=False)
    request = make_mocked_request("GET", "/", headers={"Cookie": f"patchwork={response.cookies['patchwork'].value}"})
    assert session_token(request, secure=True) is None
    assert session_token(request, secure=False) is not None


def test_nobody_chooses_the_address_that_their_tries_count_for() -> None:
    forged = {"X-Forwarded-For": "203.0.113.1, 198.51.100.7"}
    direct = make_mocked_request("GET", "/", headers=forged)
    assert address_of(direct, HTTPS) == (direct.remote or "")
    behind = HTTPS.model_copy(update={"behind_proxy": True})
    assert address_of(direct, behind) == "198.51.100.7"  # what the proxy added; what stands before, anybody can send


@pytest.mark.parametrize(
    ("written", "counts_as"),
    [
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2::f%eth0", "2001:db8:1:2::"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("198.51.100.7", "198.51.100.7"),
        ("unknown", "unknown"),
    ],
)
def test_whoever_has_an_ipv6_network_has_no_more_tries_than_one_address(written: str, counts_as: str) -> None:
    request = make_mocked_request("GET", "/", headers={"X-Forwarded-For": written})
    assert address_of(request, HTTPS.model_copy(update={"behind_proxy": True})) == counts_as


def test_of_a_browsers_own_description_only_our_words_are_kept() -> None:
    agent = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140 Safari/537.36 Edg/140 <script>"
    assert device_of(make_mocked_request("GET", "/", headers={"User-Agent": agent})) == "Edge, Windows"
    assert device_of(make_mocked_request("GET", "/", headers={"User-Agent": "curl"})) == ""


def test_days_and_times_are_written_as_people_write_them() -> None:
    assert [day("2010-03-04"), day("2010-03"), day("2010")] == ["4 March 2010", "March 2010", "2010"]
    assert moment(1_790_000_000.0, ZoneInfo("Europe/London")) == "21 September 2026, 15:13"
