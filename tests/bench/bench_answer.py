"""answer_over_floor, answers_per_second_core, log_cost, watch_cost: a node at full load on a core (docs/benchmarks.md).

A worker process, pinned to one core with all its threads, is a real node with the register that bench_ingest.py
imports. A driver on the other core plays the hub and keeps the worker saturated with questions sealed beforehand.
Rounds alternate: the whole answer, the same without the durable log, the same watched by Prometheus' figures, bare HTTP
of the same sizes, and the bare parts.
"""

import asyncio
import os
import statistics
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import uvloop
from aiohttp import web
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from consent_ledger.append import Appended
from gateway.app.node import Node, listen_node, open_node
from gateway.database.contract import Database, Statement, Work
from gateway.http import listen
from gateway.memory import collect_rarely
from gateway.node.question import read_subject
from gateway.settings import load_node
from gateway.telemetry.figures import NodeFigures
from gateway.wire.limits import ANSWER_BYTES, CONTENT_KEY_BYTES, SEALED_ANSWER_BYTES
from gateway.wire.seal import HybridPublicKey, ReplyKey, open_sealed, seal
from tests.bench.register import Tenant, tenants
from tests.bench.sealed_questions import NO_BUDGETS, SealedQuestions
from tests.federation import NAME, TurnedClock, federation

ASKER, ANSWERER = "childrens-services", "housing"
IN_FLIGHT = 400  # times 1 / answer_delay: more than one core can answer
SECONDS = 2.0  # of one round
MOST_PER_S = 2500  # answers; the driver seals so many questions beforehand
ROUNDS = 5
PART_RUNS = 400
PATH = "/v1/answers"


def measure(folder: Path, people: int) -> dict[str, Any]:
    """The three figures, with `people` in the answering node's register."""
    return uvloop.run(_measure(folder, people))


async def _measure(folder: Path, people: int) -> dict[str, Any]:
    async with federation(
        folder, [ASKER, ANSWERER], delay_ms=150, options=f"max_in_flight = 1000\n{NO_BUDGETS}"
    ) as north:
        view = north.nodes[ASKER].parts.membership.current()
        sealed = SealedQuestions(north.folder, view, asker=ASKER, answerer=ANSWERER)
        questions = _Questions(sealed, [*tenants(people)][:: max(1, people // 5000)])
        await north.stop(ANSWERER)
        ingest = await _run("tests.bench.bench_ingest", str(north.folder / ANSWERER / "data"), str(people))
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[0]})
        worker = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.bench.bench_answer", str(folder), str(cores[-1]), stdout=PIPE
        )
        try:
            return {"ingest_rows_per_s": float(ingest)} | await _rounds(questions, worker)
        finally:
            worker.terminate()
            await worker.wait()


async def _run(module: str, *arguments: str) -> bytes:
    """Run a module as its own process and return what it prints."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", module, *arguments, stdout=PIPE)
    printed, _ = await process.communicate()
    assert process.returncode == 0, f"{module} failed"
    return printed


async def _rounds(questions: "_Questions", worker: Process) -> dict[str, Any]:
    assert worker.stdout is not None
    ports = orjson.loads(await worker.stdout.readline())
    node, bench = f"http://127.0.0.1:{ports['node']}", f"http://127.0.0.1:{ports['bench']}"
    logged, unlogged, watched, parts = [], [], [], []
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:
        for number in range(ROUNDS + 1):  # the first warms up and is not counted
            async with session.get(bench + "/log/on"):
                whole = await _saturate(session, node + PATH, questions.take(int(MOST_PER_S * SECONDS) + IN_FLIGHT))
            async with session.get(bench + "/log/off"):
                without = await _saturate(session, node + PATH, questions.take(int(MOST_PER_S * SECONDS) + IN_FLIGHT))
            async with session.get(bench + "/log/on"), session.get(bench + "/watch/on"):
                seen = await _saturate(session, node + PATH, questions.take(int(MOST_PER_S * SECONDS) + IN_FLIGHT))
            async with session.get(bench + "/watch/off"):
                before = await _get(session, bench + "/cost")
            await _saturate(session, bench + "/bare", questions.same(int(20 * MOST_PER_S * SECONDS)))
            after = await _get(session, bench + "/cost")
            part = await _get(session, bench + "/parts")
            # By processor time: the driver cannot send bare requests as fast as the worker takes them.
            part["http"] = (after["cpu_us"] - before["cpu_us"]) / (after["bare"] - before["bare"])
            if number:
                logged.append(whole)
                unlogged.append(without)
                watched.append(seen)
                parts.append(part)
    floors = [sum(part.values()) for part in parts]
    each = {name: statistics.median(part[name] for part in parts) for name in parts[0]}
    return {
        "answer_over_floor": round(
            statistics.median(1e6 / rate / floor for rate, floor in zip(logged, floors, strict=True)), 2
        ),
        "answers_per_second_core": round(statistics.median(logged)),
        "log_cost": round(statistics.median(a / b for a, b in zip(logged, unlogged, strict=True)), 2),
        "watch_cost": round(statistics.median(a / b for a, b in zip(watched, logged, strict=True)), 2),
        "answer_floor_us": round(statistics.median(floors)),
        "answer_floor_parts_us": {name: round(value) for name, value in each.items()},
    }


async def _get(session: aiohttp.ClientSession, url: str) -> dict[str, float]:
    async with session.get(url) as response:
        found: dict[str, float] = orjson.loads(await response.read())
        return found


async def _saturate(
    session: aiohttp.ClientSession, url: str, requests: Sequence[tuple[bytes, dict[str, str]]]
) -> float:
    """Answers per second while IN_FLIGHT requests are always under way, over SECONDS after the first round trip."""
    queue = iter(requests)
    done, wrong = 0, 0
    began = 0.0
    ends = asyncio.get_running_loop().time() + SECONDS + 0.5

    async def one_client() -> None:
        nonlocal done, wrong, began
        loop = asyncio.get_running_loop()
        for body, headers in queue:
            async with session.post(url, data=body, headers=headers) as response:
                answer = await response.read()
            now = loop.time()
            if now >= ends:
                return
            if len(answer) != SEALED_ANSWER_BYTES:
                wrong += 1
            elif now >= ends - SECONDS:
                done += 1
        raise RuntimeError("the driver ran out of questions: the figure would be too low")

    async with asyncio.TaskGroup() as group:
        for _ in range(IN_FLIGHT):
            group.create_task(one_client())
    assert wrong == 0, f"{wrong} answers were refused"
    return done / SECONDS


class _Questions:
    """Questions about people of the register, each of them in turn."""

    def __init__(self, sealed: SealedQuestions, people: Sequence[Tenant]) -> None:
        self._sealed = sealed
        self._people = people
        self._next = 0

    def take(self, count: int) -> list[tuple[bytes, dict[str, str]]]:
        """Fresh questions: none is ever asked twice."""
        return [self._make() for _ in range(count)]

    def same(self, count: int) -> list[tuple[bytes, dict[str, str]]]:
        """One body many times over, for the bare HTTP round."""
        return [self._make()] * count

    def _make(self) -> tuple[bytes, dict[str, str]]:
        tenant = self._people[self._next % len(self._people)]
        self._next += 1
        return self._sealed.about(
            read_subject(f"{tenant.given} {tenant.family}", born=tenant.born, postcode=tenant.postcode)
        )


# The worker.


async def _work(folder: Path) -> None:
    node = await open_node(load_node(folder / ANSWERER / "node.toml"), clock=TurnedClock())
    listener = await listen_node(node)
    collect_rarely()  # as serve_node does
    ledger = node.parts.ledger
    durable = ledger.log_answer

    async def unsafe_no_log(_: object) -> Appended:
        return Appended(0, "0" * 64)

    async def log(request: web.Request) -> web.Response:
        answering = durable if request.match_info["state"] == "on" else unsafe_no_log
        ledger.log_answer = answering  # type: ignore[method-assign, assignment]
        return web.Response()

    figures = NodeFigures()

    async def watch(request: web.Request) -> web.Response:
        node.parts.watch.figures = figures if request.match_info["state"] == "on" else None
        return web.Response()

    served = 0

    async def bare(request: web.Request) -> web.Response:
        nonlocal served
        await request.read()
        served += 1
        return web.Response(body=bytes(SEALED_ANSWER_BYTES), content_type="application/octet-stream")

    async def cost(_: web.Request) -> web.Response:
        return web.Response(body=orjson.dumps({"cpu_us": time.process_time() * 1e6, "bare": served}))

    async def parts(_: web.Request) -> web.Response:
        return web.Response(body=orjson.dumps(await _bare_parts(node)))

    application = web.Application()
    application.router.add_get("/log/{state}", log)
    application.router.add_get("/watch/{state}", watch)
    application.router.add_post("/bare", bare)
    application.router.add_get("/parts", parts)
    application.router.add_get("/cost", cost)
    bench = await listen(application, host="127.0.0.1", port=0)
    sys.stdout.write(orjson.dumps({"node": listener.port, "bench": bench.port}).decode() + "\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


async def _bare_parts(node: Node) -> dict[str, float]:
    """Microseconds of each bare part: what no answer can do without."""
    key, message = ec.generate_private_key(ec.SECP256R1()), bytes(1000)
    signature = key.sign(message, ec.ECDSA(hashes.SHA256()))
    public = key.public_key()
    reply = ReplyKey.generate()
    binding = {"use": "answer", "federation": NAME, "sender": ANSWERER, "recipient": ASKER, "jti": "j"}
    sealed_key = seal(bytes(CONTENT_KEY_BYTES), reply.private.public, **binding)  # type: ignore[arg-type]
    return {
        "open": _microseconds(lambda: open_sealed(sealed_key, reply, **binding)),  # type: ignore[arg-type]
        "seal": _microseconds(lambda: seal(bytes(ANSWER_BYTES), HybridPublicKey(reply.public), **binding)),  # type: ignore[arg-type]
        "verify": _microseconds(lambda: public.verify(signature, message, ec.ECDSA(hashes.SHA256()))),
        "sign": _microseconds(lambda: key.sign(message, ec.ECDSA(hashes.SHA256()))),
        "reads": await _reads(node.database),
    }


def _microseconds(part: Callable[[], object]) -> float:
    began = time.perf_counter()
    for _ in range(PART_RUNS):
        part()
    return (time.perf_counter() - began) / PART_RUNS * 1e6


async def _reads(database: Database) -> float:
    """Six indexed reads of one row each, in the database's own thread, without the hop."""
    statements = [
        Statement("SELECT card FROM person_card WHERE person_id = ?", (17,)),
        Statement("SELECT id FROM person WHERE id = ?", (17,)),
        Statement("SELECT id FROM involvement WHERE person_id = ?", (17,)),
        Statement("SELECT id FROM practitioner WHERE id = ?", (1,)),
        Statement("SELECT id FROM service WHERE id = ?", (1,)),
        Statement("SELECT id FROM contact_event WHERE person_id = ?", (17,)),
    ]

    def work() -> Work[float]:
        began = time.perf_counter()
        for _ in range(PART_RUNS):
            for statement in statements:  # noqa: UP028 - a generator is sent rows, which a list cannot take
                yield statement
        return (time.perf_counter() - began) / PART_RUNS * 1e6

    return await database.read(work())


if __name__ == "__main__":
    os.sched_setaffinity(0, {int(sys.argv[2])})
    uvloop.run(_work(Path(sys.argv[1])))
