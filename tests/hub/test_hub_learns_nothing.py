"""The hub's memory and files after real questions hold none of what was asked; a canary shows that we can look."""

import base64
import re
import secrets
import sys
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import aiohttp
import pytest

from gateway.wire.envelope import seal_query
from gateway.wire.federation import Federation
from gateway.wire.paths import QUERIES_PATH
from gateway.wire.query import SignedQuery, sign_query
from gateway.wire.question import AskingPractitioner, NameParts, Query, Subject
from gateway.wire.request import sign_request
from gateway.wire.seal import ReplyKey
from gateway.wire.sealing_keys import SealingKeyRing
from mappings.vocabulary import AuthMethod, LawfulBasis, Mode, Purpose
from tests.hub.hub_process import RealClock, hub_process
from tests.hub.kit import ASKER, FEDERATION, Federated, answer, stub_node

QUESTIONS = 100
PRACTITIONER = "Quirina Prüfstein"
GIVEN, FAMILY, BORN = "Xanthippe", "Zeugmaphoros", "1931-07-23"  # each family name begins like this


def _question(federation: Federation, family: str, now: int) -> Query:
    """Somebody with an invented, unmistakable name."""
    return Query(
        federation=FEDERATION,
        issuer=ASKER,
        issued_at=now,
        expires_at=now + 120,
        jti=str(uuid4()),
        recipients=("housing",),
        fed_seq=federation.seq,
        fed_sha256=federation.sha256,
        practitioner=AskingPractitioner(id="p1", name=PRACTITIONER, role="nurse", organisation="Agency asker"),
        auth_method=AuthMethod.MFA,
        auth_time=now,
        purpose=Purpose.SAFEGUARDING,
        lawful_basis=LawfulBasis.PUBLIC_TASK,
        agreement_uri="https://example.org/agreements/test",
        agreement_version="1",
        mode=Mode.PRACTITIONER,
        subject=Subject(names=(NameParts(given=(GIVEN,), family=family),), birth_date=BORN),
        reply_key=ReplyKey.generate().public,
    )


def _memory(pid: int) -> bytes:
    """Everything that a process can read of itself."""
    found = bytearray()
    with Path(f"/proc/{pid}/maps").open() as maps, Path(f"/proc/{pid}/mem").open("rb", 0) as memory:
        for line in maps:
            start, end, readable = re.match(r"([0-9a-f]+)-([0-9a-f]+) (r?)", line).groups()  # type: ignore[union-attr]  # Linux writes it so
            if readable and "[v" not in line:
                try:
                    memory.seek(int(start, 16))
                    found += memory.read(int(end, 16) - int(start, 16))
                except OSError:
                    continue  # a guard page
    return bytes(found)


def _spellings(text: str) -> set[bytes]:
    """As bytes, as UTF-16 and UTF-32 as Python may hold it, and within base64 at each of its three offsets."""
    raw = text.encode()
    base64s = {base64.urlsafe_b64encode(b"\0" * offset + raw)[4 if offset else 0 : -4] for offset in range(3)}
    return {raw, text.encode("utf-16-le"), text.encode("utf-32-le"), *base64s}


def _holds(haystack: bytes, text: str) -> bool:
    return any(spelling in haystack for spelling in _spellings(text))


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
async def test_hub_process_holds_nothing_of_what_was_asked(federation: Federated, tmp_path: Path) -> None:
    federation.clock = RealClock()
    canary = "Canary " + secrets.token_hex(8)
    (tmp_path / "rings").mkdir()
    ring = SealingKeyRing(tmp_path / "rings")
    ring.rotate(federation.clock.now())
    families = [f"{FAMILY}{secrets.token_hex(4)}" for _ in range(QUESTIONS)]
    folder = tmp_path / "hub"
    folder.mkdir()
    federation.folder = folder
    asked: list[SignedQuery] = []
    async with stub_node(answer) as node:
        member = federation.add("housing", endpoint=node.endpoint)
        federation.members["housing"] = replace(member, name=canary)
        document = federation.publish()
        with hub_process(federation) as (pid, port):
            async with aiohttp.ClientSession() as client:
                for family in families:
                    now = int(federation.clock.now())
                    signed = sign_query(_question(document, family, now), federation.keys[ASKER])
                    body = seal_query(signed, {"housing": ring.current(now).public}, deadline_ms=5_000).to_json()
                    header = sign_request(
                        federation.keys[ASKER],
                        iss=ASKER,
                        aud=FEDERATION,
                        method="POST",
                        path=QUERIES_PATH,
                        body=body,
                        now=now,
                        jti=str(uuid4()),
                    )
                    url = f"http://127.0.0.1:{port}{QUERIES_PATH}"
                    async with client.post(url, data=body, headers={"Authorization": header}) as response:
                        assert b'"answered"' in await response.read()
                    asked.append(signed)
            memory = _memory(pid)
            files = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())

    # The search finds what the hub must know: a member's name in memory, a question's id on disk.
    assert _holds(memory, canary)
    assert _holds(files, canary)
    assert _holds(files, asked[-1].query.jti)
    for secret in (PRACTITIONER, GIVEN, FAMILY, BORN):
        assert not _holds(memory, secret)
        assert not _holds(files, secret)
