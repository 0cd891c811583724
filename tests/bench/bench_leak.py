"""leak_auc and its kin: whether time or size of an answer tells what it says, of 2,000 answers of each kind.

A node in a process and on a core of its own; the driver on the other core is the hub, which holds the stop-watch, and
keeps several questions of mixed kinds under way. Then sixty at once, more than are admitted; sixty of one kind; and a
second lot that arrives when the first is about to leave (docs/benchmarks.md).
"""

import asyncio
import logging
import os
import sys
from asyncio.subprocess import PIPE
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean, quantiles
from typing import Any

import aiohttp
import orjson
import uvloop
from aiohttp import web

from gateway.app.node import listen_node, open_node
from gateway.http import listen
from gateway.memory import collect_rarely
from gateway.node import door
from gateway.node.answer import answer
from gateway.settings import load_node
from tests.bench.sealed_questions import NO_BUDGETS, SealedQuestions
from tests.federation import TurnedClock, federation
from tests.leak.load import AGENCY, ASKER, KINDS, Load, Seen, agreement_with_review, register_kinds, timed
from tests.leak.separation import auc_by_chance, learnt_auc, worst_auc

D = 0.150
PER_KIND = 2000
AT_ONCE = 12  # few enough to be admitted on a slow machine
BATCH = 60  # more than max_in_flight
MIXED_BATCHES = 90
BATCHES_OF_A_KIND = 25
NEIGHBOURS = 25  # rounds of each kind
FIRST, THEN = 6, 40


def measure(folder: Path, people: int) -> dict[str, Any]:
    """All leak figures, with `people` besides those who are asked about in the answering node's register."""
    folder.mkdir(exist_ok=True)
    return uvloop.run(_measure(folder, people))


async def _measure(folder: Path, people: int) -> dict[str, Any]:
    agreement = agreement_with_review(folder)
    async with federation(
        folder,
        [ASKER, AGENCY],
        delay_ms=round(D * 1000),
        admission="measured",
        options=NO_BUDGETS,
        agreement=agreement,
    ) as north:
        await register_kinds(north)
        view = north.nodes[ASKER].parts.membership.current()
        sealed = SealedQuestions(folder, view, asker=ASKER, answerer=AGENCY)
        await north.stop(AGENCY)
        data = str(folder / AGENCY / "data")
        ingest = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.bench.bench_ingest", data, str(people), stdout=PIPE
        )
        await ingest.communicate()
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[0]})
        worker = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.bench.bench_leak", str(folder), str(cores[-1]), stdout=PIPE
        )
        try:
            assert worker.stdout is not None
            ports = orjson.loads(await worker.stdout.readline())
            async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
                load = Load(f"http://127.0.0.1:{ports['node']}", sealed, session)
                figures = await _steady(load, session, f"http://127.0.0.1:{ports['bench']}/ready")
                return figures | await _overload(load) | await _neighbours(load)
        finally:
            worker.terminate()
            await worker.wait()
            os.sched_setaffinity(0, set(cores))


async def _steady(load: Load, session: aiohttp.ClientSession, ready_url: str) -> dict[str, Any]:
    await load.steady(50, at_once=AT_ONCE)  # warms up
    seen = await load.steady(PER_KIND, at_once=AT_ONCE)
    async with session.get(ready_url) as response:
        ready: Mapping[str, float] = orjson.loads(await response.read())
    answered = [each for each in seen if each.status == 200]
    before = [(each.kind, ready[each.jti]) for each in answered]
    times = [(each.kind, each.delay_s) for each in answered]
    return {
        "leak_answers": len(answered),
        "leak_sizes": len({(each.body_bytes, each.header_bytes) for each in answered}),
        **_figures("leak_auc", times),
        "leak_auc_learnt": round(learnt_auc([(each.kind == "unknown", each.features(D)) for each in answered]), 4),
        "leak_late": round(_late(answered), 4),
        "leak_auc_before_release": round(worst_auc(before)[0], 4),
        "leak_spread_before_release_ms": _spread(before),
        "leak_spread_ms": _spread(times),
    }


async def _overload(load: Load) -> dict[str, Any]:
    """Sixty at once, of all kinds; then sixty of one kind, where each batch counts as one observation."""
    mixed = [
        each
        for batch in await load.batches(load.shuffled(KINDS * (BATCH // len(KINDS))) for _ in range(MIXED_BATCHES))
        for each in batch
    ]
    answered = [each for each in mixed if each.status == 200]
    order = load.shuffled(KINDS * BATCHES_OF_A_KIND)
    alike = await load.batches([kind] * BATCH for kind in order)
    means = [
        (kind, fmean(each.delay_s for each in batch if each.status == 200))
        for kind, batch in zip(order, alike, strict=True)
    ]
    return {
        "leak_overload_turned_away": 1 - len(answered) / len(mixed),
        **_figures("leak_auc_turned_away", [(each.kind, float(each.status)) for each in mixed]),
        **_figures("leak_auc_overload", [(each.kind, each.delay_s) for each in answered]),
        "leak_overload_late": round(_late(answered), 4),
        **_figures("leak_auc_one_kind", means),
        "leak_one_kind_late": {
            kind: round(_late([each for k, batch in zip(order, alike, strict=True) if k == kind for each in batch]), 3)
            for kind in KINDS
        },
    }


async def _neighbours(load: Load) -> dict[str, Any]:
    """What the release of some unknown people tells of forty questions that arrive just before it."""
    means = []
    for kind in load.shuffled(KINDS * NEIGHBOURS):
        seen = await load.neighbours(kind, first=FIRST, then=THEN, after_s=D - 0.020)
        means.append((kind, fmean(each.delay_s for each in seen)))
    return _figures("leak_auc_neighbour", means) | {"leak_spread_neighbour_ms": _spread(means)}


def _figures(key: str, seen: Sequence[tuple[str, float]]) -> dict[str, Any]:
    """The AUC of the kind that stands out most, which it is, and what chance reaches once in a hundred times."""
    auc, kind = worst_auc(seen)
    return {key: round(auc, 4), f"{key}_kind": kind, f"{key}_by_chance": round(auc_by_chance(seen), 4)}


def _late(seen: Sequence[Seen]) -> float:
    """The share of answers that missed the first release."""
    answered = [each for each in seen if each.status == 200]
    return sum(each.delay_s >= 2 * D for each in answered) / len(answered)


def _spread(seen: Sequence[tuple[str, float]]) -> dict[str, list[float]]:
    """Median and 99th percentile of each kind, in milliseconds."""
    by_kind = defaultdict(list)
    for kind, seconds in seen:
        by_kind[kind].append(seconds * 1000)
    cuts = {kind: quantiles(values, n=100) for kind, values in by_kind.items()}
    return {kind: [round(cuts[kind][49], 1), round(cuts[kind][98], 1)] for kind in KINDS}


# The worker.


async def _work(folder: Path) -> None:
    logging.disable()  # of everybody who is turned away
    ready: dict[str, float] = {}
    door.answer = timed(answer, ready)  # type: ignore[attr-defined, assignment]  # only here is it replaced
    node = await open_node(load_node(folder / AGENCY / "node.toml"), clock=TurnedClock())
    listener = await listen_node(node)
    collect_rarely()  # as serve_node does

    async def tell(_: web.Request) -> web.Response:
        return web.Response(body=orjson.dumps(ready))

    application = web.Application()
    application.router.add_get("/ready", tell)
    bench = await listen(application, host="127.0.0.1", port=0)
    sys.stdout.write(orjson.dumps({"node": listener.port, "bench": bench.port}).decode() + "\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    os.sched_setaffinity(0, {int(sys.argv[2])})
    uvloop.run(_work(Path(sys.argv[1])))
