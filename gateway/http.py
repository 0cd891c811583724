"""What every HTTP door of a node or hub has in common: limits, security headers, refusals, a listener.

A refusal says its code and the status, and nothing of the request: no value, no body, never a stack trace.
"""

import asyncio
import os
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from pathlib import Path

import orjson
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from gateway.errors import (
    ConfigurationError,
    FederationError,
    HubError,
    InputError,
    LedgerDoubtful,
    MalformedMessage,
    NotForUs,
    Overloaded,
    PatchworkError,
    Replayed,
    StorageError,
    TooManyRequests,
    WireError,
    logged,
)
from gateway.events import Counted
from gateway.links.lengths_only import LengthsOnlyRunner
from gateway.links.time_limit import TIME_LIMIT
from gateway.links.unread import cut_unread

BACKLOG = 1024  # connections that wait to be accepted: a hub may be asked by all members at once
KEEP_ALIVE_S = 75.0  # longer than links/https.py keeps an idle connection, so that the client is the one who closes
LINGERING_S = 2.0  # a refused upload is read and thrown away for this long, so that the sender sees the refusal
SHUTDOWN_S = 5.0  # running requests may finish within this when the process stops; without any it takes no time

# What a failure becomes: request, HTTP status, our code (or `http-404`), seconds until it may be tried again.
Refuse = Callable[[web.Request, int, str, float | None], web.Response]

# The nearest class in an error's ancestry decides.
_STATUS: dict[type[PatchworkError], int] = {
    InputError: 400,
    MalformedMessage: 400,
    NotForUs: 403,
    Replayed: 409,
    WireError: 401,  # NotAuthentic, OutOfTime
    TooManyRequests: 429,
    HubError: 502,
    Overloaded: 503,
    FederationError: 503,
    LedgerDoubtful: 503,
    StorageError: 503,
    PatchworkError: 500,
}

# FHIR issue-type codes (http://hl7.org/fhir/issue-type) for the statuses that are sent.
_ISSUE_TYPES = {
    400: "invalid",
    401: "login",
    403: "forbidden",
    404: "not-found",
    405: "not-supported",
    409: "conflict",
    411: "invalid",
    413: "too-long",
    415: "not-supported",
    429: "throttled",
    502: "transient",
    503: "transient",
    504: "timeout",
}

_SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_HSTS = "max-age=31536000"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """A running server, and where it listens."""

    runner: web.AppRunner
    host: str
    port: int

    async def close(self) -> None:
        """Stop listening, let running requests end within SHUTDOWN_S, and run the application's clean-up."""
        await self.runner.cleanup()


def refuse_in_fhir(_request: web.Request, status: int, code: str, retry_after_s: float | None) -> web.Response:
    """A failure as an OperationOutcome, for programs that ask."""
    return operation_outcome(status, code, retry_after_s=retry_after_s)


def protect(application: web.Application, *, time_limit_s: float, refuse: Refuse = refuse_in_fhir) -> web.Application:
    """Add to `application` the limit of time per request, the error answers and the security headers; returns it."""
    application.middlewares.append(_refuse_failures(refuse))
    application.middlewares.append(_time_limit(time_limit_s))
    application.on_response_prepare.append(_security_headers)
    return application


def operation_outcome(status: int, code: str, *, retry_after_s: float | None = None) -> web.Response:
    """A FHIR OperationOutcome with one issue; `code` is a PatchworkError's or, for HTTP's own refusals, `http-404`."""
    issue = {
        "severity": "error",
        "code": _ISSUE_TYPES.get(status, "exception"),
        "details": {"coding": [{"code": code}]},
    }
    return web.Response(
        status=status,
        body=orjson.dumps({"resourceType": "OperationOutcome", "issue": [issue]}),
        content_type="application/json",
        headers=retry_after(retry_after_s),
    )


def retry_after(seconds: float | None) -> dict[str, str]:
    """The header that says when to come back, in whole seconds and at least one; none if nobody knows."""
    return {} if seconds is None else {"Retry-After": str(max(1, ceil(seconds)))}


def status_of(error: PatchworkError) -> int:
    """The HTTP status under which an error is told."""
    return next(_STATUS[ancestor] for ancestor in type(error).__mro__ if ancestor in _STATUS)


async def listen(
    application: web.Application, *, host: str, port: int, tls: ssl.SSLContext | None = None, shared: bool = False
) -> Listener:
    """Serve `application`; port 0 takes a free one. Raises ConfigurationError when the port cannot be had.

    `shared`: other processes listen on the same port, and each takes some of the connections.

    A request whose client has gone is cancelled, and with it all that was under way for it.
    """
    runner = LengthsOnlyRunner(
        application,
        access_log=None,  # it would log every path
        handler_cancellation=True,
        auto_decompress=False,
        lingering_time=LINGERING_S,
        keepalive_timeout=KEEP_ALIVE_S,
        shutdown_timeout=SHUTDOWN_S
        / 2,  # the library waits twice: for the handler, then once more with its body cut off
    )
    cut_unread(runner)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port, ssl_context=tls, backlog=BACKLOG, reuse_port=shared or None).start()
    except OSError as error:
        await runner.cleanup()
        raise ConfigurationError(f"cannot listen on {host}:{port}: {os.strerror(error.errno or 0)}") from error
    return Listener(runner=runner, host=host, port=runner.addresses[0][1])


def server_tls(certificate: Path, key: Path) -> ssl.SSLContext:
    """The listener's own certificate; raises ConfigurationError naming the files."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, key)
    except OSError as error:  # includes ssl.SSLError
        raise ConfigurationError(f"{certificate}, {key}: not a usable certificate and key") from error
    return context


def _refuse_failures(refuse: Refuse) -> Middleware:
    log = Counted("request.failed")

    @web.middleware
    async def refuse_failures(request: web.Request, handler: Handler) -> web.StreamResponse:
        """Turn every failure into a refusal, or break off a response that has begun."""
        try:
            return await handler(request)
        except web.HTTPException as error:
            if error.status < web.HTTPBadRequest.status_code:
                raise  # a redirect of the pages
            said = {"code": f"http-{error.status}"}
            refusal = refuse(request, error.status, said["code"], None)
            if "Allow" in error.headers:
                refusal.headers["Allow"] = error.headers["Allow"]
        except PatchworkError as error:
            retry_after_s = error.retry_after_s if isinstance(error, Overloaded) else None
            refusal, said = refuse(request, status_of(error), error.code, retry_after_s), logged(error)
        except TimeoutError:
            refusal, said = refuse(request, 504, "timeout", None), {"code": "timeout"}
        except (ConnectionError, asyncio.IncompleteReadError):
            refusal, said = refuse(request, 400, "disconnected", None), {"code": "disconnected"}
        except Exception as error:
            refusal, said = refuse(request, 500, PatchworkError.code, None), logged(error)
        log.say(path=route_of(request), status=refusal.status, **said)
        if request.writer.output_size > 0:
            raise ConnectionError("the response had begun: it is broken off, so that nobody takes it for complete")
        return refusal

    return refuse_failures


def _time_limit(seconds: float) -> Middleware:
    @web.middleware
    async def limit(request: web.Request, handler: Handler) -> web.StreamResponse:
        async with asyncio.timeout(seconds) as running:
            request[TIME_LIMIT] = running
            return await handler(request)

    return limit


async def _security_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Set what a handler has not set itself, and say nothing about the software."""
    response.headers.pop("Server", None)
    for name, value in _SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)
    if request.secure:
        response.headers.setdefault("Strict-Transport-Security", _HSTS)


def route_of(request: web.Request) -> str:
    """The route as declared, as in `/v1/queries`: a path as sent could carry anything."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "unknown"
