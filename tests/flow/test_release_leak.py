"""Under load, neither the time nor the size of an answer tells what it says; a small delay planted there is found.

The same at full size, in a process of its own and under overload: tests/bench/bench_leak.py.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from gateway.node import admission, door
from gateway.node.answer import answer
from gateway.node.parts import NodeParts
from gateway.wire.envelope import MemberEnvelope
from tests.bench.sealed_questions import NO_BUDGETS, SealedQuestions
from tests.federation import federation
from tests.leak.load import AGENCY, ASKER, KINDS, OVERLOADED, Load, agreement_with_review, register_kinds
from tests.leak.separation import auc_by_chance, learnt_auc, worst_auc

D = 0.100
PER_KIND, AT_ONCE = 130, 12
# By chance the worst of six kinds reaches this once in ten thousand runs: 0.5 + 4.1 standard deviations.
TELLS_NOTHING = 0.62


@asynccontextmanager
async def loaded(folder: Path, options: str = "", *, admitting: str = "fixed") -> AsyncIterator[Load]:
    """A node that knows somebody of each kind, and who sends it questions."""
    options = f"{options}\n{NO_BUDGETS}"
    agreement = agreement_with_review(folder)
    async with federation(
        folder, [ASKER, AGENCY], delay_ms=int(D * 1000), options=options, agreement=agreement, admission=admitting
    ) as north:
        await register_kinds(north)
        view = north.nodes[ASKER].parts.membership.current()
        sealed = SealedQuestions(folder, view, asker=ASKER, answerer=AGENCY)
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
            load = Load(f"http://127.0.0.1:{north.ports[AGENCY]}", sealed, session)
            yield load
        for entry in await north.ledger(AGENCY):  # each kind was met as what it is, and who was turned away not at all
            assert (entry["outcome"] == "teams") == (load.kinds.pop(entry["jti"]) == "disclosed")
        assert len(load.kinds) == load.turned_away


async def test_release_times_and_sizes_tell_no_kind_of_answer_from_another(tmp_path: Path) -> None:
    async with loaded(tmp_path) as load:
        seen = await load.steady(PER_KIND, at_once=AT_ONCE)
    assert {each.status for each in seen} == {200}
    assert len({(each.body_bytes, each.header_bytes) for each in seen}) == 1
    assert min(each.delay_s for each in seen) >= D
    auc, kind = worst_auc([(each.kind, each.delay_s) for each in seen])
    assert auc < TELLS_NOTHING, kind
    # Half of the answers is judged, so chance reaches a little further.
    assert learnt_auc([(each.kind == "unknown", each.features(D)) for each in seen]) < TELLS_NOTHING + 0.05


async def test_a_delay_planted_for_those_who_are_known_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the test above could pass because it sees nothing."""
    asked: ContextVar[str] = ContextVar("asked")
    release_time: Any = door.AnswerDoor._release_time

    async def noting(envelope: MemberEnvelope, *, node: NodeParts) -> bytes:
        asked.set(envelope.id)
        return await answer(envelope, node=node)

    async with loaded(tmp_path) as load:

        async def later_for_some(at: Any, arrived: float) -> None:
            await release_time(at, arrived)
            if load.kinds[asked.get()] == "disclosed":
                await asyncio.sleep(0.030)

        monkeypatch.setattr(door, "answer", noting)
        monkeypatch.setattr(door.AnswerDoor, "_release_time", later_for_some)
        seen = await load.steady(40, at_once=AT_ONCE)
    auc, kind = worst_auc([(each.kind, each.delay_s) for each in seen])
    assert (auc > TELLS_NOTHING, kind) == (True, "disclosed")


async def test_who_is_turned_away_when_sixty_come_at_once_depends_on_nobody(tmp_path: Path) -> None:
    async with loaded(tmp_path, "max_in_flight = 48") as load:
        batches = await load.batches([load.shuffled(KINDS * 10) for _ in range(3)])
    for batch in batches:
        assert Counter(each.status for each in batch) == {200: 48, OVERLOADED: 12}
        assert len({(each.body_bytes, each.header_bytes) for each in batch if each.status == 200}) == 1
    answered = [(each.kind, float(each.status)) for batch in batches for each in batch]
    assert worst_auc(answered)[0] <= auc_by_chance(answered, quantile=0.995) + 0.05


async def test_a_machine_too_slow_for_the_settings_takes_fewer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "ANSWER_OVER_REFERENCE", 1e6)
    async with loaded(tmp_path, "max_in_flight = 48", admitting="measured") as load:
        (batch,) = await load.batches([load.shuffled(KINDS * 2)])
        assert Counter(each.status for each in batch) == {200: 1, OVERLOADED: 11}
        assert (await load.ask("disclosed")).status == 200  # the place is free again


def test_separation_finds_what_there_is_and_nothing_else() -> None:
    kinds = ("a", "b", "c")
    apart = [(kind, float(number + (100 if kind == "b" else 0))) for number in range(100) for kind in kinds]
    alike = [(kind, float(number % 10)) for number in range(100) for kind in kinds]
    assert worst_auc(apart) == (1.0, "b")
    assert worst_auc(alike)[0] == 0.5
    assert auc_by_chance(apart) < 0.65
    assert learnt_auc([(kind == "b", (value, 1.0)) for kind, value in apart]) > 0.99
    hidden = [(number % 5 == 0, ((number % 5 - 2.0), 1.0)) for number in range(400)]  # told by the square
    assert learnt_auc([(wanted, (abs(x) - 2 if wanted else x, one)) for wanted, (x, one) in hidden]) > 0.5
