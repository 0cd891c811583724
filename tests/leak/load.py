"""A node under a load of questions of every kind, and what whoever holds the wire sees of each answer.

The six kinds: a person who is unknown, who objects (`refused`), whose service is shielded, who is disclosed, for whom
two fit, and under a rule that wants a review. All have the same sort of name, and none stands out by how often it is
asked.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path

import aiohttp
import orjson

from consent_ledger.consent import ConsentEntry, ConsentKind
from gateway.node.parts import NodeParts
from gateway.node.question import read_subject
from gateway.wire.envelope import MemberEnvelope
from gateway.wire.paths import ANSWERS_PATH
from mappings.vocabulary import Sensitivity
from tests.bench.register import Tenant, tenants
from tests.bench.sealed_questions import SealedQuestions
from tests.federation import AGREEMENT, TestFederation, someone

ASKER, AGENCY = "childrens-services", "housing"
KINDS = ("unknown", "refused", "shielded", "disclosed", "ambiguous", "under-review")
PEOPLE_OF_A_KIND = 8
SEED = 1702  # of people whom no register of the measurements has
OVERLOADED = 503

_REVIEW_RULE = """
[[rule]]
id = "looked-at-first"
effect = "review"
purposes = ["COC"]
lawful_bases = ["public-task"]
ask = ["*"]
recipients = ["*"]
services = ["meals"]
sensitivity = ["N"]
mode = "practitioner"
disclosure_basis = "public-task"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the wire shows of one answer: seconds from the question's last byte, status, bytes of body and headers."""

    kind: str
    jti: str
    delay_s: float
    status: int
    body_bytes: int
    header_bytes: int

    def features(self, period_s: float) -> tuple[float, ...]:
        """For a classifier: when, how long after a multiple of the period, and how large."""
        return (self.delay_s, self.delay_s % period_s, float(self.body_bytes), float(self.header_bytes))


def agreement_with_review(folder: Path) -> Path:
    """The tests' agreement with one more rule: meals are looked at first."""
    path = folder / "with-review.toml"
    path.write_text(AGREEMENT.read_text("utf-8") + _REVIEW_RULE, "utf-8")
    return path


@cache
def people_of(kind: str) -> tuple[Tenant, ...]:
    """Whom the questions of one kind are about."""
    start = KINDS.index(kind) * PEOPLE_OF_A_KIND
    return tuple(islice(tenants(len(KINDS) * PEOPLE_OF_A_KIND, seed=SEED), start, start + PEOPLE_OF_A_KIND))


async def register_kinds(north: TestFederation) -> None:
    """Make the agency know all but the unknown, each as their kind has it."""
    for kind in KINDS[1:]:
        for number, person in enumerate(people_of(kind)):
            key = f"{kind}-{number}"
            details = {
                "shielded": {"sensitivity": Sensitivity.RESTRICTED},
                "under-review": {"service": "meals"},
            }.get(kind, {})
            born = (person.given, person.family, person.born)
            await north.add(AGENCY, *someone(*born, key=key, postcode=person.postcode, **details))  # type: ignore[arg-type]  # fields by name
            if kind == "ambiguous":
                await north.add(AGENCY, *someone(*born, key=f"{key}-b", postcode=person.postcode))
            if kind == "refused":
                await north.record(AGENCY, key, ConsentEntry(kind=ConsentKind.OBJECTION, recorded_by="reception"))


class Load:
    """Sends questions to one node's door, as the hub, and times the answers."""

    def __init__(self, url: str, sealed: SealedQuestions, session: aiohttp.ClientSession, *, seed: int = 1) -> None:
        self._url = url + ANSWERS_PATH
        self._sealed = sealed
        self._session = session
        self._chance = random.Random(seed)  # noqa: S311 - which kind comes when
        self.kinds: dict[str, str] = {}  # of every question sent, by its id
        self.turned_away = 0

    async def steady(self, per_kind: int, *, at_once: int) -> list[Seen]:
        """`per_kind` questions of each kind in no order, `at_once` always under way."""
        kinds = list(KINDS) * per_kind
        self._chance.shuffle(kinds)
        queue = iter(kinds)
        seen: list[Seen] = []

        async def one_client() -> None:
            for kind in queue:
                seen.append(await self.ask(kind))  # noqa: PERF401 - one after the other

        async with asyncio.TaskGroup() as group:
            for _ in range(at_once):
                group.create_task(one_client())
        return seen

    async def batches(self, kinds: Iterable[Sequence[str]]) -> list[list[Seen]]:
        """One batch after the other, each of them all at once."""
        found = []
        for batch in kinds:
            requests = [(kind, *self._request(kind)) for kind in batch]
            found.append(list(await asyncio.gather(*(self._post(*each) for each in requests))))
        return found

    async def ask(self, kind: str) -> Seen:
        """One question of a kind."""
        return await self._post(kind, *self._request(kind))

    async def neighbours(self, kind: str, *, first: int, then: int, after_s: float) -> list[Seen]:
        """What is seen of `first` questions about unknown people while `then` others of `kind` follow `after_s` later.

        Who times the second lot to arrive just before the first leaves might read the work of the one off the other.
        """
        early = [(each, *self._request(each)) for each in ["unknown"] * first]
        late = [(each, *self._request(each)) for each in [kind] * then]
        waiting = [asyncio.ensure_future(self._post(*each)) for each in early]
        await asyncio.sleep(after_s)
        following = [asyncio.ensure_future(self._post(*each)) for each in late]
        seen = await asyncio.gather(*waiting)
        await asyncio.gather(*following)
        return seen

    def shuffled(self, kinds: Sequence[str]) -> list[str]:
        """In no order, the same for the same seed."""
        shuffled = list(kinds)
        self._chance.shuffle(shuffled)
        return shuffled

    def _request(self, kind: str) -> tuple[bytes, dict[str, str]]:
        person = self._chance.choice(people_of(kind))
        subject = read_subject(f"{person.given} {person.family}", born=person.born, postcode=person.postcode)
        return self._sealed.about(subject)

    async def _post(self, kind: str, body: bytes, headers: dict[str, str]) -> Seen:
        jti: str = orjson.loads(body)["id"]
        self.kinds[jti] = kind
        loop = asyncio.get_running_loop()
        began = loop.time()
        async with self._session.post(self._url, data=body, headers=headers) as response:
            arrived = loop.time()
            answer = await response.read()
        self.turned_away += response.status == OVERLOADED
        return Seen(
            kind=kind,
            jti=jti,
            delay_s=arrived - began,
            status=response.status,
            body_bytes=len(answer),
            header_bytes=sum(len(name) + len(value) for name, value in response.raw_headers),
        )


Answering = Callable[..., Awaitable[bytes]]


def timed(answering: Answering, ready: dict[str, float]) -> Answering:
    """`answer()`, noting for each question how many seconds it took: what the wait for the release must hide."""

    async def answer(envelope: MemberEnvelope, *, node: NodeParts) -> bytes:
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            return await answering(envelope, node=node)
        finally:
            ready[envelope.id] = loop.time() - began

    return answer
