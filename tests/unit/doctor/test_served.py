"""The certificate at an endpoint, looked at over a real connection."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.doctor.finding import Level
from gateway.doctor.served import ServedFacts, check_served, look_at_served
from gateway.http import server_tls
from tests.certificates import certificate_files


@asynccontextmanager
async def serving(certificate: Path, key: Path) -> AsyncIterator[str]:
    async def nothing(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(nothing, "127.0.0.1", 0, ssl=server_tls(certificate, key))
    async with server:
        yield f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def looked(endpoint: str | None, ca_file: Path | None) -> ServedFacts:
    facts = await look_at_served(endpoint, ca_file)
    assert facts is not None
    return facts


@pytest.mark.parametrize(
    ("days", "level", "words"),
    [(90, Level.WELL, "holds"), (5, Level.SOON, "ends in 4 days"), (-2, Level.WRONG, "has expired")],
)
async def test_its_end_is_seen_from_outside(tmp_path: Path, days: int, level: Level, words: str) -> None:
    files = certificate_files(tmp_path, days=days)
    async with serving(*files) as endpoint:
        (finding,) = check_served(await looked(endpoint, files[0]), time.time())
        assert (finding.level, words in finding.what) == (level, True), finding


async def test_what_may_be_a_matter_of_this_machine_alone_is_no_fault(tmp_path: Path) -> None:
    files = certificate_files(tmp_path, days=90)
    async with serving(*files) as endpoint:
        (finding,) = check_served(await looked(endpoint, None), time.time())
        assert (finding.level, "its certificate is refused" in finding.what) == (Level.SOON, True)
    (finding,) = check_served(await looked(endpoint, files[0]), time.time())
    assert (finding.level, "ConnectionRefusedError" in finding.what) == (Level.SOON, True)
    assert await look_at_served("http://127.0.0.1:1", None) is None
    assert await look_at_served(None, None) is None
