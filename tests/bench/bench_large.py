"""`make bench-large`: what a register of a million people costs (docs/benchmarks.md).

Generated people come as an export through `patchwork import`, so that all of them are stored as in an agency. Then a
fresh process searches among them (bench_match.py), and `patchwork node serve` is started until the first answer of it
has reached the asking node: cold_start_s. Its files are dropped from the page cache first, as after a restart of the
machine.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from gateway.demo.servers import command
from gateway.node.results import MemberOutcome
from tests.bench import bench_match
from tests.bench.figures import write_figures
from tests.bench.register import Tenant, write_tenancies
from tests.federation import TestFederation, federation, result_of
from tests.matching_kit import people

ASKER, ANSWERER = "childrens-services", "housing"
START_S = 120.0  # after which a node that has not answered never will
BETWEEN_TRIES_S = 0.02


def main() -> None:
    """Measure, print each figure beside its goal, and write the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("bench-large.json"))
    parser.add_argument("--people", type=int, default=1_000_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        write_figures(options.out, asyncio.run(_measure(Path(folder), options.people)))


async def _measure(folder: Path, size: int) -> dict[str, Any]:
    somebody = await asyncio.to_thread(_write, folder, size)
    async with federation(folder / "north", [ASKER, ANSWERER], now=time.time()) as north:
        home = north.folder / ANSWERER
        with (home / "node.toml").open("a") as config:
            config.write('[[source]]\nname = "housing"\nmapping = "demo_housing"\n')
            config.write(f'options = {{ path = "{folder / "housing.csv"}" }}\n')
        await north.stop(ANSWERER)
        began = time.perf_counter()
        await _run("import", "--config", str(home / "node.toml"))
        took = time.perf_counter() - began
        figures = await asyncio.to_thread(
            bench_match.asked, home / "data" / "node.db", folder / people.QUERIES, "match_1m"
        )
        return {"people": size, "import_s": took, **figures, **await _cold_start(north, somebody)}


def _write(folder: Path, size: int) -> Tenant:
    """The export and the questions; returns somebody who is in the register."""
    register, queries = people.generate(size, min(bench_match.QUESTIONS, size), bench_match.SEED)
    people.write(folder, (), queries)
    tenants = [
        Tenant(f"{person.given} {person.middle}".strip(), person.family, f"{person.birth_date}", person.postcode)
        for person in register
    ]
    write_tenancies(folder / "housing.csv", tenants)
    return tenants[size // 2]


async def _run(*arguments: str) -> None:
    process = await asyncio.create_subprocess_exec(*command(*arguments), stdout=sys.stderr)
    assert await process.wait() == 0, f"patchwork {arguments[0]} failed"


async def _cold_start(north: TestFederation, somebody: Tenant) -> dict[str, float]:
    """Seconds from starting the process to its first answer, about a person whose team it discloses."""
    home = north.folder / ANSWERER
    for file in (home / "data").iterdir():
        with file.open("rb") as opened:
            os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    north.clock.time = time.time()
    await north.refresh(ASKER)
    began = time.perf_counter()
    with subprocess.Popen(  # noqa: ASYNC220, S603 - returns at once; this very program
        command("node", "serve", "--config", str(home / "node.toml")), stderr=subprocess.DEVNULL
    ) as process:
        try:
            await _listening(north.ports[ANSWERER], process)
            north.clock.time = time.time()
            completed = await north.ask(
                ASKER, f"{somebody.given} {somebody.family}", born=somebody.born, postcode=somebody.postcode
            )
            took = time.perf_counter() - began
            assert result_of(completed, ANSWERER).outcome is MemberOutcome.TEAMS, completed
            return {"cold_start_s": took, "cold_start_cpu_s": _processor_s(process.pid)}
        finally:
            process.terminate()


def _processor_s(pid: int) -> float:
    """What a process has used of processors so far: of its cold start, what no slow disk or busy machine adds to."""
    after_name = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    user, system = after_name[11:13]  # proc_pid_stat(5): fields 14 and 15
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


async def _listening(port: int, process: "subprocess.Popen[bytes]") -> None:
    """Until somebody listens there; asking before would have the hub put the node aside as unreachable."""
    async with asyncio.timeout(START_S):
        while True:
            assert process.poll() is None, "the node has stopped by itself"
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(BETWEEN_TRIES_S)
            else:
                writer.close()
                return


if __name__ == "__main__":
    main()
