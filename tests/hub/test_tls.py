"""Each connection that a hub or a node opens: no certificate but a good one, of an authority that is trusted here."""

import contextlib
import ssl
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from gateway.clock import SystemClock
from gateway.errors import HubError
from gateway.http import Listener, listen, operation_outcome, protect, server_tls
from gateway.links.counts_client import NoStatement, fetch_counts
from gateway.links.dial import Dialler
from gateway.links.https import HttpsLink, tls_context
from gateway.links.hub_client import HubClient
from gateway.links.witness_client import WitnessAddress, WitnessClient
from gateway.wire.keys import SigningKey
from gateway.wire.paths import ANSWERS_PATH, COUNTS_PATH, FEDERATION_PATH, LINK_PATH
from gateway.wire.request import HashedBody
from tests.certificates import certificate_files
from tests.hub.kit import SteppingClock, federated

KEY = SigningKey.generate()


@dataclass
class Server:
    """Refuses every request, once it has one: what a test looks at is whether any came."""

    listener: Listener
    requests: list[str]

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.listener.port}"


@asynccontextmanager
async def serving(tls: ssl.SSLContext) -> AsyncIterator[Server]:
    requests: list[str] = []

    async def refuse(request: web.Request) -> web.StreamResponse:
        requests.append(request.path)
        return operation_outcome(403, "not-for-us")

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", refuse)
    listener = await listen(protect(application, time_limit_s=5), host="127.0.0.1", port=0, tls=tls)
    try:
        yield Server(listener, requests)
    finally:
        await listener.close()


@asynccontextmanager
async def node_session(ca_file: Path | None) -> AsyncIterator[aiohttp.ClientSession]:
    """As app/node.py makes it."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=tls_context(ca_file))) as session:
        yield session


async def node_to_hub(url: str, ca_file: Path | None, _: Path) -> None:
    async with node_session(ca_file) as session:
        client = HubClient(session, url, member="housing", federation="test", key=lambda: KEY, clock=SystemClock())
        with contextlib.suppress(HubError):
            await client.federation()


async def link_to_hub(url: str, ca_file: Path | None, _: Path) -> None:
    async def nothing(*_: object) -> bytes:
        raise AssertionError

    async with node_session(ca_file) as session:
        dialler = Dialler(
            session,
            url,
            member="housing",
            federation="test",
            key=lambda: KEY,
            clock=SystemClock(),
            hub_key=lambda: KEY.kid,
            answer=nothing,
            hear=nothing,  # type: ignore[arg-type]  # never called
            most=1,
        )
        ended = await dialler._one_link(session)
        assert ended == "http-403" or ended.startswith("ClientConnector")  # as docs/running-a-node.md says


async def node_to_witness(url: str, ca_file: Path | None, _: Path) -> None:
    async with node_session(ca_file) as session:
        client = WitnessClient(session, member="housing", key=lambda: KEY, clock=SystemClock())
        with contextlib.suppress(HubError):
            await client.held(WitnessAddress(url=url, aud="police"))


async def node_to_member(url: str, ca_file: Path | None, folder: Path) -> None:
    member = federated(folder).add("police", endpoint=url)
    async with node_session(ca_file) as session:
        with contextlib.suppress(NoStatement):
            await fetch_counts(
                member, 1, 2, session=session, me="housing", key=KEY, clock=SystemClock(), plain_http=False
            )


async def hub_to_node(url: str, ca_file: Path | None, folder: Path) -> None:
    link = HttpsLink(key=lambda: KEY, clock=SteppingClock(), ca_file=ca_file)
    await link.deliver(federated(folder).add("housing", endpoint=url), HashedBody.of(b"{}"))
    await link.close()


Connecting = Callable[[str, Path | None, Path], Awaitable[None]]

CONNECTIONS: dict[str, tuple[Connecting, str]] = {
    "node to hub": (node_to_hub, FEDERATION_PATH),
    "link to hub": (link_to_hub, LINK_PATH),
    "node to witness": (node_to_witness, "/v1/checkpoints/housing"),
    "node to member": (node_to_member, COUNTS_PATH),
    "hub to node": (hub_to_node, ANSWERS_PATH),
}


@pytest.fixture(params=list(CONNECTIONS.values()), ids=list(CONNECTIONS))
def connection(request: pytest.FixtureRequest) -> tuple[Connecting, str]:
    """Each connection in turn, and what it asks for."""
    found: tuple[Connecting, str] = request.param
    return found


async def test_private_authority_is_trusted_where_it_is_named(
    connection: tuple[Connecting, str], tmp_path: Path
) -> None:
    connect, path = connection
    certificate, key = certificate_files(tmp_path)
    async with serving(server_tls(certificate, key)) as server:
        await connect(server.url, certificate, tmp_path)
    assert server.requests == [path]


@pytest.mark.parametrize("wrong", ["expired", "of another name", "of an unknown authority", "in TLS 1.1"])
async def test_bad_certificate_or_old_protocol_gets_no_request(
    connection: tuple[Connecting, str], tmp_path: Path, wrong: str
) -> None:
    connect, _ = connection
    certificate, key = certificate_files(
        tmp_path,
        host="192.0.2.1" if wrong == "of another name" else "127.0.0.1",
        days=-3 if wrong == "expired" else -1,
    )
    tls = server_tls(certificate, key)
    if wrong == "in TLS 1.1":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            tls.minimum_version = tls.maximum_version = ssl.TLSVersion.TLSv1_1
        tls.set_ciphers("DEFAULT@SECLEVEL=0")  # else OpenSSL refuses by itself
    async with serving(tls) as server:
        await connect(server.url, None if wrong == "of an unknown authority" else certificate, tmp_path)
    assert server.requests == []


async def test_what_is_served_with_tls_of_its_own_is_at_least_1_2_and_says_that_it_stays_so(tmp_path: Path) -> None:
    certificate, key = certificate_files(tmp_path)
    tls = server_tls(certificate, key)
    assert tls.minimum_version == ssl.TLSVersion.TLSv1_2
    async with (
        serving(tls) as server,
        node_session(certificate) as session,
        session.get(server.url) as response,
    ):
        assert response.headers["Strict-Transport-Security"] == "max-age=31536000"
