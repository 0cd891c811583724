"""Real questions through a hub process, whose memory and files are then searched for whoever was asked about.

The asker signs and seals as a node does, the answering member opens, verifies, signs and seals; both are in this
process, so that only the hub's own memory is searched. Everybody is invented, and no two share a fact.
"""

import base64
import secrets
import string
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import count, islice, product, takewhile
from pathlib import Path
from uuid import uuid4

import aiohttp
import orjson
from aiohttp import web

from gateway.demo.people import nhs_number
from gateway.wire import base64url
from gateway.wire.answer import Disclosure, open_answer, pack, seal_answer, sign_answer
from gateway.wire.envelope import MemberEnvelope, open_query, seal_query
from gateway.wire.federation import Federation
from gateway.wire.paths import QUERIES_PATH
from gateway.wire.query import sign_query, verify_query
from gateway.wire.question import AskingPractitioner, NameParts, Query, Subject
from gateway.wire.request import sign_request
from gateway.wire.seal import ReplyKey
from gateway.wire.sealing_keys import SealingKeyRing
from mappings.vocabulary import AuthMethod, LawfulBasis, Mode, Purpose
from tests.hub.hub_process import RealClock, hub_process
from tests.hub.kit import ASKER, FEDERATION, Federated, stub_node

ANSWERING = "housing"
PRACTITIONER = "Quirina Prüfstein"
_NHS = "https://fhir.nhs.uk/Id/nhs-number"
_FIRST_BORN = date(1905, 1, 2)
_FIRST_SERIAL = 400_000


@dataclass(frozen=True, slots=True)
class Person:
    """Invented, and unmistakable: no word here stands anywhere else in a process."""

    given: str
    family: str
    born: str
    nhs: str
    postcode: str


@dataclass(frozen=True, slots=True)
class Found:
    """One fact, and how it was written."""

    fact: str
    spelling: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Searched:
    """What a hub process held after all was answered; `canary` and `ids` are things that a hub does know."""

    memory: bytes
    files: bytes
    canary: str
    ids: list[str]
    people: list[Person]

    def canary_found(self) -> bool:
        """Whether the search finds what is there: a member's name, as it is and in base64, and questions' ids."""
        in_memory = {found.spelling for found in search(self.memory, [self.canary])}
        on_disk = {found.spelling for found in search(self.files, [self.canary])}
        kept = all(search(self.files, [jti]) for jti in (self.ids[0], self.ids[-1]))
        return "utf-8" in in_memory and _in_base64(in_memory) and _in_base64(on_disk) and kept

    def asked_found(self) -> set[Found]:
        """Everything about those asked about, and about who asked, that the hub's memory or files hold."""
        kinds = [[PRACTITIONER], *([getattr(person, kind) for person in self.people] for kind in Person.__slots__)]
        return {found for kind in kinds for held in (self.memory, self.files) for found in search(held, kind)}


def people(number: int) -> list[Person]:
    """The same on every machine."""
    letters = map("".join, product(string.ascii_lowercase, repeat=4))
    numbers = filter(None, map(nhs_number, count(_FIRST_SERIAL)))
    return [
        Person(
            given=f"Xanthi{name}",
            family=f"Zeugma{name}",
            born=(_FIRST_BORN + timedelta(days=index)).isoformat(),
            nhs=nhs,
            postcode=f"ZE{10 + index // 6_760} {index // 676 % 10}{name[-2:].upper()}",  # Shetland ends at ZE3
        )
        for index, (name, nhs) in enumerate(islice(zip(letters, numbers, strict=False), number))
    ]


def search(held: bytes, facts: Sequence[str]) -> set[Found]:
    """Which of `facts`, all of one kind, stand in `held` in any spelling that a program may give them."""
    found = set()
    for spelling, spell in _SPELLINGS.items():
        needles = {spell(fact): fact for fact in facts}
        # One pass for all: where their common beginning stands, one look-up tells whether a whole one does.
        (length,) = {len(needle) for needle in needles}
        beginning = _common_beginning(min(needles), max(needles))
        assert beginning
        for at in _places(held, beginning):
            fact = needles.get(held[at : at + length])
            if fact is not None:
                found.add(Found(fact, spelling))
    return found


def _common_beginning(one: bytes, other: bytes) -> bytes:
    return bytes(mine for mine, _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=True)))


def _places(held: bytes, needle: bytes) -> Iterator[int]:
    at = held.find(needle)
    while at >= 0:
        yield at
        at = held.find(needle, at + 1)


def _base64(offset: int) -> Callable[[str], bytes]:
    """The characters that belong to a text alone when it stands in base64 after `offset` other bytes (modulo 3)."""

    def spell(text: str) -> bytes:
        raw = text.encode()
        encoded = base64.urlsafe_b64encode(b"\0" * offset + raw)
        return encoded[-(-4 * offset // 3) : 4 * (offset + len(raw)) // 3]

    return spell


# UTF-16 and UTF-32 as Python may hold a text; hexadecimal as a log or a dump may.
_SPELLINGS: dict[str, Callable[[str], bytes]] = {
    "utf-8": str.encode,
    "utf-16": lambda text: text.encode("utf-16-le"),
    "utf-32": lambda text: text.encode("utf-32-le"),
    "hex": lambda text: text.encode().hex().encode(),
    **{f"base64 after {offset}": _base64(offset) for offset in range(3)},
}


def _in_base64(spellings: Iterable[str]) -> bool:
    return any(spelling.startswith("base64") for spelling in spellings)


async def searched_hub(federation: Federated, *, questions: int) -> Searched:
    """Ask `questions` questions about as many people through a hub process in `federation.folder`, and look inside.

    Each is answered with a Bundle that names the person, and the answer is opened: what the hub relayed was real.
    """
    federation.clock = RealClock()
    canary = "Canary " + secrets.token_hex(8)
    asked_about = people(questions)
    folder = federation.folder
    federation.folder = folder / "hub"
    federation.folder.mkdir()
    (folder / "rings").mkdir()
    ring = SealingKeyRing(folder / "rings")
    ring.rotate(federation.clock.now())
    async with _answering_member(federation, ring):
        federation.members[ANSWERING] = replace(federation.members[ANSWERING], name=canary)
        document = federation.publish()
        with hub_process(federation) as (pid, port):
            async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as client:
                ids = [await _ask(client, federation, document, ring, person) for person in asked_about]
            return Searched(
                memory=memory_of(pid),
                files=b"\n".join(path.read_bytes() for path in federation.folder.rglob("*") if path.is_file()),
                canary=canary,
                ids=ids,
                people=asked_about,
            )


@asynccontextmanager
async def _answering_member(federation: Federated, ring: SealingKeyRing) -> AsyncIterator[None]:
    """A member that opens each question and discloses whom it was asked about, in the answer that its asker expects."""

    async def answer(request: web.Request) -> web.StreamResponse:
        now, document = federation.clock.now(), federation.document
        assert document is not None
        envelope = MemberEnvelope.from_json(await request.read())
        query = verify_query(
            open_query(envelope, ring, federation=FEDERATION, me=ANSWERING, now=now),
            me=ANSWERING,
            sender_claimed=envelope.sender,
            envelope_id=envelope.id,
            federation=document,
            now=now,
        )
        disclosure = Disclosure(
            policy_uri=query.query.agreement_uri,
            policy_version=query.query.agreement_version,
            rule="rule",
            bundle=repr(query.query.subject.names + query.query.subject.identifiers).encode(),
        )
        signed = sign_answer(
            disclosure, to=query, me=ANSWERING, ledger_leaf="0" * 64, now=now, key=federation.keys[ANSWERING]
        )
        sealed = seal_answer(pack(signed), to=query, me=ANSWERING)
        return web.Response(body=sealed, content_type="application/octet-stream")

    async with stub_node(answer) as node:
        federation.add(ANSWERING, endpoint=node.endpoint)
        yield


async def _ask(
    client: aiohttp.ClientSession, federation: Federated, document: Federation, ring: SealingKeyRing, person: Person
) -> str:
    """Ask as a node does; returns the question's id."""
    now = federation.clock.now()
    reply_key = ReplyKey.generate()
    signed = sign_query(_question(document, person, reply_key, int(now)), federation.keys[ASKER])
    body = seal_query(signed, {ANSWERING: ring.current(now).public}, deadline_ms=5_000).to_json()
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
    async with client.post(QUERIES_PATH, data=body, headers={"Authorization": header}) as response:
        line = orjson.loads((await response.read()).splitlines()[0])
    answer = open_answer(
        base64url.decode_text(line["answer"]),
        reply_key=reply_key,
        signed=signed,
        member=document.member(ANSWERING),
        federation=document,
        now=now,
    )
    assert person.family.encode() in (answer.bundle or b"")
    return signed.query.jti


def _question(federation: Federation, person: Person, reply_key: ReplyKey, now: int) -> Query:
    return Query(
        federation=FEDERATION,
        issuer=ASKER,
        issued_at=now,
        expires_at=now + 120,
        jti=str(uuid4()),
        recipients=(ANSWERING,),
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
        subject=Subject(
            names=(NameParts(given=(person.given,), family=person.family),),
            birth_date=person.born,
            postcode=person.postcode,
            identifiers=((_NHS, person.nhs),),
        ),
        reply_key=reply_key.public,
    )


def memory_of(pid: int) -> bytes:
    """Everything that a process can read of itself, but for files that it has mapped and cannot have written to."""
    found = bytearray()
    with Path(f"/proc/{pid}/maps").open() as maps, Path(f"/proc/{pid}/mem").open("rb", 0) as memory:
        for line in maps:
            addresses, rights, _, _, inode, *_ = line.split()
            of_a_file = "w" not in rights and inode != "0"
            if "r" in rights and not of_a_file and "[v" not in line:
                start, end = (int(address, 16) for address in addresses.split("-"))
                try:
                    memory.seek(start)
                    found += memory.read(end - start)
                except OSError:
                    continue  # a guard page
    return bytes(found)
