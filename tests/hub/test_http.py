"""What every HTTP door has in common: refusals that say little, headers, limits of time, a port that is taken."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import orjson
import pytest
from aiohttp import web

from gateway import http
from gateway.errors import (
    ConfigurationError,
    FederationStale,
    InputError,
    NotAuthentic,
    NotForUs,
    Overloaded,
    PatchworkError,
    Replayed,
    StorageError,
    TooManyRequests,
)
from gateway.events import Counted
from gateway.http import Listener, listen, protect, status_of

SECRET = "Erika Beispiel 1948-02-29"
FAULT = "ledger database ledger.db: the disk is full (SQLITE_FULL)"


async def _fail(_: web.Request) -> web.StreamResponse:
    raise ValueError(SECRET)


async def _refuse(_: web.Request) -> web.StreamResponse:
    raise StorageError(SECRET)


async def _fail_to_store(_: web.Request) -> web.StreamResponse:
    raise StorageError(SECRET, fault=FAULT)


async def _hang(_: web.Request) -> web.StreamResponse:
    await asyncio.Event().wait()
    raise AssertionError


async def _break_off(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    await response.write(b'{"member":"housing"}\n')
    raise ValueError(SECRET)


async def _page(_: web.Request) -> web.StreamResponse:
    return web.Response(text="ok", headers={"Content-Security-Policy": "default-src 'self'"})


async def _redirect(_: web.Request) -> web.StreamResponse:
    raise web.HTTPSeeOther("/page")


@pytest.fixture
async def listener() -> AsyncIterator[Listener]:
    """A protected application with handlers that go wrong."""
    application = web.Application()
    for path, handler in {
        "/fail": _fail,
        "/refuse": _refuse,
        "/store": _fail_to_store,
        "/hang": _hang,
        "/break": _break_off,
        "/page": _page,
        "/redirect": _redirect,
    }.items():
        application.router.add_get(path, handler)
    listener = await listen(protect(application, time_limit_s=0.2), host="127.0.0.1", port=0)
    yield listener
    await listener.close()


async def _get(listener: Listener, path: str, method: str = "GET") -> tuple[aiohttp.ClientResponse, bytes]:
    async with (
        aiohttp.ClientSession(f"http://127.0.0.1:{listener.port}") as client,
        client.request(method, path, allow_redirects=False) as response,
    ):
        return response, await response.read()


def _issue(body: bytes) -> Any:
    outcome = orjson.loads(body)
    assert outcome["resourceType"] == "OperationOutcome"
    (issue,) = outcome["issue"]
    return issue


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/fail", (500, "exception", "error")),
        ("/refuse", (503, "transient", "storage")),
        ("/store", (503, "transient", "storage")),
        ("/hang", (504, "timeout", "timeout")),
        ("/nowhere/" + SECRET, (404, "not-found", "http-404")),
    ],
)
async def test_failure_is_an_operation_outcome_without_detail(
    listener: Listener, caplog: pytest.LogCaptureFixture, path: str, expected: tuple[int, str, str]
) -> None:
    caplog.set_level(logging.DEBUG)
    response, body = await _get(listener, path)
    status, issue_type, code = expected
    assert response.status == status
    assert _issue(body) == {"severity": "error", "code": issue_type, "details": {"coding": [{"code": code}]}}
    logged = [str(vars(record)) for record in caplog.records if record.name != "aiohttp.client"]
    assert any("request.failed" in line for line in logged)
    for line in [body.decode(), str(response.headers), *logged]:
        assert "Erika" not in line
        assert "Traceback" not in line


async def test_unforeseen_failure_is_logged_with_its_place(
    listener: Listener, caplog: pytest.LogCaptureFixture
) -> None:
    await _get(listener, "/fail")
    (record,) = [record for record in caplog.records if record.getMessage() == "request.failed"]
    fields = vars(record)["event_fields"]
    assert fields["path"] == "/fail"
    assert fields["code"].startswith("ValueError@test_http.py:")


def _failed(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    failed = [record for record in caplog.records if record.getMessage() == "request.failed"]
    return [vars(record)["event_fields"] for record in failed]


async def test_who_is_refused_without_end_does_not_fill_the_log(
    listener: Listener, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(Counted.MOST + 5):
        await _get(listener, f"/nowhere/{number}")
    await _get(listener, "/store")  # another kind, as ever
    lines = _failed(caplog)
    assert [line["code"] for line in lines] == ["http-404"] * Counted.MOST + ["storage"]


async def test_refusals_that_are_not_said_are_counted(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Counted, "EVERY_S", 0.05)
    counted, one = Counted("request.failed"), {"path": "unknown", "status": 404, "code": "http-404"}
    for _ in range(Counted.MOST + 15):
        counted.say(path="unknown", status=404, code="http-404")
    counted.say(path="/store", status=503, code="storage")
    assert len(_failed(caplog)) == Counted.MOST + 1
    await asyncio.sleep(0.2)
    assert _failed(caplog)[Counted.MOST + 1 :] == [one | {"more": 15}]  # and nothing of what was said as it came
    counted.say(path="unknown", status=404, code="http-404")
    assert _failed(caplog)[-1] == one


async def test_log_says_which_database_failed_and_why(listener: Listener, caplog: pytest.LogCaptureFixture) -> None:
    await _get(listener, "/store")
    (record,) = [record for record in caplog.records if record.getMessage() == "request.failed"]
    assert vars(record)["event_fields"] == {"path": "/store", "status": 503, "code": "storage", "reason": FAULT}


async def test_response_that_had_begun_is_broken_off_not_ended(listener: Listener) -> None:
    with pytest.raises(aiohttp.ClientPayloadError):
        await _get(listener, "/break")


async def test_chunks_are_not_parsed_and_end_the_connection(listener: Listener) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
    ask = b"GET /page HTTP/1.1\r\nHost: x\r\n"
    # After a whole request on the same connection, too.
    writer.write(ask + b"\r\n" + ask + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 100_000)
    writer.write(b"0\r\n\r\n" + ask + b"\r\n")
    async with asyncio.timeout(10):
        said = b""
        with contextlib.suppress(ConnectionError):
            while piece := await reader.read(65_536):
                said += piece
    writer.transport.abort()
    assert said.count(b"HTTP/1.1 200 OK") <= 2, "what came after it is no request"


async def test_method_that_is_not_there_names_those_that_are(listener: Listener) -> None:
    response, body = await _get(listener, "/page", "DELETE")
    assert response.status == 405
    assert set(response.headers["Allow"].split(",")) == {"GET", "HEAD"}
    assert _issue(body)["code"] == "not-supported"


async def test_redirects_of_pages_pass(listener: Listener) -> None:
    response, _ = await _get(listener, "/redirect")
    assert (response.status, response.headers["Location"]) == (303, "/page")


@pytest.mark.parametrize("path", ["/page", "/fail", "/nowhere"])
async def test_every_response_has_the_security_headers_and_names_no_software(listener: Listener, path: str) -> None:
    response, _ = await _get(listener, path)
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert "Content-Security-Policy" in response.headers
    assert "Server" not in response.headers


async def test_page_may_set_its_own_policy(listener: Listener) -> None:
    response, _ = await _get(listener, "/page")
    assert response.headers["Content-Security-Policy"] == "default-src 'self'"


async def test_port_in_use_is_named(listener: Listener) -> None:
    with pytest.raises(ConfigurationError, match=f"127.0.0.1:{listener.port}"):
        await listen(web.Application(), host="127.0.0.1", port=listener.port)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (InputError("x"), 400),
        (NotAuthentic("x"), 401),
        (NotForUs("x"), 403),
        (Replayed("x"), 409),
        (TooManyRequests("x", retry_after_s=1), 429),
        (PatchworkError("x"), 500),
        (Overloaded("x"), 503),
        (FederationStale("x"), 503),
    ],
)
def test_each_error_has_its_status(error: PatchworkError, status: int) -> None:
    assert status_of(error) == status


@pytest.mark.parametrize("before", ["", "GET /page HTTP/1.1\r\nHost: a\r\n\r\n"])
@pytest.mark.parametrize("half", ["", "POST /page HTTP/1.1\r\nHost: a\r\nX-A: "])
async def test_a_connection_that_sends_no_whole_head_is_closed_however_slowly_it_goes_on(
    monkeypatch: pytest.MonkeyPatch, before: str, half: str
) -> None:
    monkeypatch.setattr(http, "KEEP_ALIVE_S", 0.3)
    application = web.Application()
    application.router.add_get("/page", _page)
    listener = await listen(protect(application, time_limit_s=5), host="127.0.0.1", port=0)
    reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
    writer.write(before.encode())
    if before:
        await reader.readuntil(b"\r\n\r\nok")
    writer.write(half.encode())
    ended = asyncio.ensure_future(reader.read())
    async with asyncio.timeout(3):
        while not ended.done():
            if half and not writer.is_closing():
                writer.write(b"a")  # for ever
            await asyncio.sleep(0.05)
    assert isinstance(ended.exception(), ConnectionError) or ended.result() == b""
    writer.close()
    await listener.close()
