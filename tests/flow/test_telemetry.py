"""A federation that is watched: each party sees its own work, nobody sees a person, and a question is one trace."""

import asyncio
import re
import socket
import subprocess
import sys
import time
from asyncio.subprocess import PIPE
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
from prometheus_client import generate_latest

from gateway import __version__
from gateway.app.current_figures import read_hub, read_node
from gateway.app.hub import open_hub
from gateway.app.telemetry import Telemetry, watch_hub, watch_nodes
from gateway.database.contract import Work
from gateway.days import DAY_S, HOUR_S
from gateway.errors import ConfigurationError, HubError
from gateway.hub.circuit import FAILURES_TO_OPEN
from gateway.node.records import begin_run, end_run
from gateway.settings import TelemetryTable, load_hub
from gateway.telemetry.figures import HubFigures, NodeFigures
from gateway.telemetry.tracing import Tracing, resource_of
from tests.collector import Collector, attributes, collector
from tests.federation import NAME, SOURCE, TestFederation, federation, someone

ASKER, KNOWS, KNOWS_NOT = "childrens-services", "housing", "police"
DELAY_MS = 20
# Everything about people that went into this federation: none of it may come out at a port for monitoring.
CANARIES = (
    "Katherine",
    "Bramley",
    "1991-05-17",
    "ZM4",
    "7QT",
    "Robin",
    "Worker",
    "01632",
    "robin.worker",
    "Alex",
    "Asker",
    "asker-1",
    "Social worker",
    "teams",
    "nothing-to-disclose",
    "Support",
)


@dataclass(slots=True, kw_only=True)
class Watched:
    """A federation of three, each party watched on a port of its own."""

    north: TestFederation
    telemetry: dict[str, Telemetry]
    collector: Collector
    client: aiohttp.ClientSession

    async def text(self, party: str) -> str:
        async with self.client.get(f"http://127.0.0.1:{self.telemetry[party].listener.port}/metrics") as response:
            assert response.status == 200
            return await response.text()

    async def scrape(self, party: str) -> dict[str, float]:
        """Figures by name and labels, as in `patchwork_questions_answered_total{member="housing"}`."""
        lines = [line for line in (await self.text(party)).splitlines() if not line.startswith("#")]
        return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


@asynccontextmanager
async def watched(folder: Path) -> AsyncIterator[Watched]:
    async with AsyncExitStack() as stack:
        told = await stack.enter_async_context(collector())
        north = await stack.enter_async_context(federation(folder, [ASKER, KNOWS, KNOWS_NOT], delay_ms=DELAY_MS))
        table = TelemetryTable(listen=("127.0.0.1", 0), otlp=told.url)
        telemetry = {member: await watch_nodes((node,), table) for member, node in north.nodes.items()}
        telemetry["hub"] = await watch_hub(north.hub.hub, table, party="hub")
        for each in telemetry.values():
            stack.push_async_callback(each.close)
        client = await stack.enter_async_context(aiohttp.ClientSession())
        yield Watched(north=north, telemetry=telemetry, collector=told, client=client)


async def test_figures_are_not_told_to_a_web_page_that_gives_their_address_a_name_of_its_own(tmp_path: Path) -> None:
    async with watched(tmp_path) as seen:
        for party in (ASKER, "hub"):
            port = seen.telemetry[party].listener.port
            told = {}
            for host in (
                f"127.0.0.1:{port}",
                f"localhost:{port}",
                "[::1]",
                "page.example.org",
                f"127.0.0.1.example.org:{port}",
                "",
            ):
                async with seen.client.get(f"http://127.0.0.1:{port}/metrics", headers={"Host": host}) as response:
                    told[host] = response.status
                    assert (b"patchwork_" in await response.read()) == (response.status == 200)
            assert list(told.values()) == [200, 200, 200, 421, 421, 421]


async def test_a_question_is_seen_by_each_party_as_its_own_work_and_nobody_sees_who_is_known(tmp_path: Path) -> None:
    async with watched(tmp_path) as seen:
        north = seen.north
        await north.add(KNOWS, *someone("Katherine", "Bramley", "1991-05-17"))
        completed = await north.ask(ASKER, "Katherine Bramley", born="1991-05-17", postcode="ZM4 7QT")
        assert len(completed.answered) == 2

        asker, hub = await seen.scrape(ASKER), await seen.scrape("hub")
        assert asker["patchwork_questions_asked_total"] == 1
        assert asker['patchwork_questions_ended_total{result="complete"}'] == 1
        for member in (KNOWS, KNOWS_NOT):
            result = f'patchwork_member_results_total{{member="{member}",outcome="answered"}}'
            took = f'patchwork_member_answer_seconds_count{{member="{member}"}}'
            assert asker[result] == asker[took] == hub[result] == hub[took] == 1
            door = await seen.scrape(member)
            assert door[f'patchwork_questions_answered_total{{member="{ASKER}"}}'] == 1
            assert door['patchwork_http_requests_total{route="/v1/answers",status="200"}'] == 1
            assert door["patchwork_questions_asked_total"] == 0  # what another asked is not its own work
        assert hub[f'patchwork_questions_relayed_total{{member="{ASKER}"}}'] == 1
        assert hub["patchwork_questions_running"] == hub["patchwork_relayed_bytes"] == 0

        # Who knows the person cannot be told from who does not.
        knows, knows_not = [(await seen.text(member)).splitlines() for member in (KNOWS, KNOWS_NOT)]
        own = re.compile("process_|patchwork_answers_late")  # a busy machine may be late with either
        assert [line for line in knows if not own.match(line)] == [line for line in knows_not if not own.match(line)]
        assert "process_cpu" not in "".join(knows)  # what the work took would tell

        texts = [await seen.text(party) for party in seen.telemetry]
        for each in seen.telemetry.values():
            assert each.collecting is not None
            await each.collecting.send_now()
        told = [body.decode("utf-8", "replace") for body in seen.collector.bodies] + seen.collector.headers
        assert len(seen.collector.bodies) >= 8  # spans and figures of four parties
        for text in texts + told:
            assert [canary for canary in CANARIES if canary in text] == []

        spans = {
            (party, span.name, attributes(span.attributes).get("patchwork.member", "")): span
            for party, span in seen.collector.spans
        }
        assert {span.trace_id.hex() for span in spans.values()} == {completed.jti.replace("-", "")}
        ask, relay = spans[ASKER, "ask", ""], spans["hub", "relay", ""]
        assert ask.parent_span_id == b""
        assert relay.parent_span_id == ask.span_id
        for member in (KNOWS, KNOWS_NOT):
            deliver, answer = spans["hub", "deliver", member], spans[member, "answer", ""]
            assert deliver.parent_span_id == relay.span_id
            assert answer.parent_span_id == deliver.span_id
            assert attributes(deliver.attributes)["patchwork.outcome"] == "answered"
            assert attributes(answer.attributes) == {"patchwork.asker": ASKER}
            assert answer.end_time_unix_nano - answer.start_time_unix_nano >= 0.9 * DELAY_MS * 1_000_000
        assert len(spans) == 6

        figures = seen.collector.figures
        assert figures[ASKER]["patchwork_questions_asked"].sum.data_points[0].as_double == 1
        assert figures["hub"]["patchwork_federation_seq"].gauge.data_points[0].as_double == north.operator.document.seq
        took_s = figures["hub"]["patchwork_member_answer_seconds"].histogram.data_points
        assert [sum(point.bucket_counts) for point in took_s] == [point.count for point in took_s] == [1, 1]


async def test_ages_grow_and_silence_shows(tmp_path: Path) -> None:
    async with watched(tmp_path) as seen:
        north = seen.north
        await north.nodes[KNOWS].checkpoints.visit()
        before = await seen.scrape(KNOWS)
        assert before["patchwork_federation_in_force"] == before["patchwork_ledger_in_order"] == 1
        assert before["patchwork_federation_seq"] == north.operator.document.seq
        assert before["patchwork_federation_members"] == 3
        assert before["patchwork_ledger_checkpoint_age_seconds"] == 0
        assert before['patchwork_ledger_cosignature_age_seconds{witness="hub"}'] == 0
        assert before["patchwork_database_readable"] == 1
        assert before["process_resident_memory_bytes"] > 10_000_000
        assert before["process_open_fds"] > 5

        north.clock.turn(DAY_S)
        after, hub = await seen.scrape(KNOWS), await seen.scrape("hub")
        assert after["patchwork_ledger_checkpoint_age_seconds"] == DAY_S
        assert after['patchwork_ledger_cosignature_age_seconds{witness="hub"}'] == DAY_S
        assert after["patchwork_federation_freshness_age_seconds"] >= DAY_S
        assert after["patchwork_federation_document_left_seconds"] == 6 * DAY_S
        assert after["patchwork_federation_in_force"] == 0  # nobody has vouched for the document since
        assert hub["patchwork_federation_in_force"] == 1

        await north.refresh()
        await north.stop(KNOWS_NOT)
        for _ in range(FAILURES_TO_OPEN):
            await north.ask(ASKER, "Katherine Bramley")
        asker, hub = await seen.scrape(ASKER), await seen.scrape("hub")
        unreachable = f'patchwork_member_results_total{{member="{KNOWS_NOT}",outcome="unreachable"}}'
        assert asker[unreachable] == hub[unreachable] == FAILURES_TO_OPEN
        assert asker['patchwork_questions_ended_total{result="incomplete"}'] == FAILURES_TO_OPEN
        assert f'patchwork_member_answer_seconds_count{{member="{KNOWS_NOT}"}}' not in asker  # it took no time at all
        assert hub[f'patchwork_member_skipped{{member="{KNOWS_NOT}"}}'] == 1
        assert hub[f'patchwork_member_skipped{{member="{KNOWS}"}}'] == 0

        await north.hub.close()
        with pytest.raises(HubError):
            await north.ask(ASKER, "Katherine Bramley")
        assert (await seen.scrape(ASKER))['patchwork_questions_ended_total{result="failed"}'] == 1
        hub = await seen.scrape("hub")
        assert hub["patchwork_database_readable"] == 0  # and the rest is shown all the same
        assert hub["patchwork_federation_seq"] == north.operator.document.seq
        north.hub = await open_hub(load_hub(tmp_path / "hub" / "hub.toml"), clock=north.clock)


async def test_a_trace_goes_on_over_a_link_that_the_node_has_opened_and_the_link_is_seen(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        told = await stack.enter_async_context(collector())
        north = await stack.enter_async_context(federation(tmp_path, [ASKER, KNOWS], dialling=[KNOWS]))
        figures = north.hub.hub.watch.figures = HubFigures()
        resource = resource_of("test", "test")
        tracing = Tracing(told.url, resource=resource, share=1.0, ca_file=None)
        for watch in (north.hub.hub.watch, north.nodes[ASKER].parts.watch, north.nodes[KNOWS].parts.watch):
            watch.tracing = tracing
        completed = await north.ask(ASKER, "Katherine Bramley")
        assert len(completed.answered) == 1
        await asyncio.to_thread(tracing.close)
        spans = {span.name: span for _, span in told.spans}
        assert spans["answer"].trace_id.hex() == completed.jti.replace("-", "")
        assert spans["answer"].parent_span_id == spans["deliver"].span_id
        await read_hub(north.hub.hub, figures)
        assert f'patchwork_link_open{{party="{KNOWS}"}} 1.0' in generate_latest(figures.registry).decode()
        await north.stop(KNOWS)
        await read_hub(north.hub.hub, figures)
        assert f'patchwork_link_open{{party="{KNOWS}"}} 0.0' in generate_latest(figures.registry).decode()


async def test_the_age_of_an_import_is_that_of_the_last_that_came_to_its_end(tmp_path: Path) -> None:
    source = f'[[source]]\nname = "{SOURCE}"\nmapping = "demo_housing"\n'
    async with federation(tmp_path, [KNOWS], options=source) as north:
        node = north.nodes[KNOWS]

        async def run(outcome: str) -> str:
            """A run that ends so an hour after the last; then what is shown an hour later."""

            def work() -> Work[None]:
                begun, _ = yield from begin_run(SOURCE, NAME, "test", north.clock.now())
                yield from end_run(begun, outcome=outcome, counts=defaultdict(int), now=north.clock.now())

            await node.database.write(work())
            north.clock.turn(HOUR_S)
            await read_node(node, figures)
            return generate_latest(figures.registry).decode()

        figures = NodeFigures()
        never = await run("failed")
        assert 'patchwork_import_failed{source="register"} 1.0' in never
        assert "patchwork_import_age_seconds{" not in never  # there is no such time, and none is made up
        done = await run("completed")
        assert 'patchwork_import_failed{source="register"} 0.0' in done
        assert 'patchwork_import_age_seconds{source="register"} 3600.0' in done
        held = await run("held")
        assert 'patchwork_import_failed{source="register"} 1.0' in held
        assert 'patchwork_import_age_seconds{source="register"} 7200.0' in held


async def test_figures_are_on_their_own_port_alone_and_it_has_nothing_else(tmp_path: Path) -> None:
    async with watched(tmp_path) as seen:
        for party in (KNOWS, "hub"):
            async with seen.client.get(f"http://127.0.0.1:{seen.north.ports[party]}/metrics") as response:
                assert response.status == 404
            private = f"http://127.0.0.1:{seen.telemetry[party].listener.port}"
            for path in ("/", "/v1/health", "/v1/federation", "/v1/queries"):
                async with seen.client.get(private + path) as response:
                    assert response.status == 404
        # What anybody asks for makes no series: routes are those that are declared.
        for guess in range(20):
            async with seen.client.get(f"http://127.0.0.1:{seen.north.ports['hub']}/guess-{guess}") as response:
                assert response.status == 404
        text = await seen.text("hub")
        assert 'patchwork_http_requests_total{route="unknown",status="404"} 21.0' in text
        assert re.search("guess", text) is None
        port = seen.telemetry["hub"].listener.port
        with pytest.raises(ConfigurationError, match="cannot listen"):
            await watch_hub(seen.north.hub.hub, TelemetryTable(listen=("127.0.0.1", port)), party="hub")


async def test_served_processes_are_watched_until_they_stop(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        told = await stack.enter_async_context(collector())
        north = await stack.enter_async_context(federation(tmp_path, [ASKER, KNOWS], now=time.time()))
        client = await stack.enter_async_context(aiohttp.ClientSession())
        await north.stop(KNOWS)
        await north.hub.close()
        for party, file, prefix in (("hub", "hub/hub.toml", "hub"), (KNOWS, f"{KNOWS}/node.toml", "node")):
            port = free_port()
            with (tmp_path / file).open("a") as settings:
                settings.write(f'\n[telemetry]\nlisten = "127.0.0.1:{port}"\notlp = "{told.url}"\nevery_s = 1\n')
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "gateway.cli", prefix, "serve", "-c", str(tmp_path / file)), stderr=PIPE
            )
            assert process.stderr is not None
            while b".started" not in (line := await process.stderr.readline()):
                assert line, "it ended"
            async with client.get(f"http://127.0.0.1:{port}/metrics") as response:
                assert f'patchwork_build_info{{version="{__version__}"}} 1.0' in await response.text()
            assert "patchwork_federation_seq" in await told.figures_of(party)
            process.terminate()
            assert await process.wait() == 0
        north.hub = await open_hub(load_hub(tmp_path / "hub" / "hub.toml"), clock=north.clock)


async def test_without_the_packages_for_a_collector_it_is_said_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "gateway.app.collecting", None)  # as if what it imports were not there
    async with federation(tmp_path, [ASKER]) as north:
        table = TelemetryTable(listen=("127.0.0.1", 0), otlp="http://127.0.0.1:4318")
        with pytest.raises(ConfigurationError, match=re.escape("pip install 'patchwork-gateway[telemetry]'")):
            await watch_hub(north.hub.hub, table, party="hub")
        assert north.hub.hub.watch.figures is None


async def test_each_of_several_processes_of_a_hub_has_a_port_of_its_own(tmp_path: Path) -> None:
    async with federation(tmp_path, [ASKER]) as north:
        table = TelemetryTable(listen=("127.0.0.1", free_port()))
        first = await watch_hub(north.hub.hub, table, party="hub", processes=8)
        second = await watch_hub(north.hub.hub, table, party="hub", processes=8)
        assert table.listen[1] <= first.listener.port < second.listener.port < table.listen[1] + 8
        await first.close()
        await second.close()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


def test_a_server_that_nobody_watches_loads_nothing_for_it() -> None:
    loaded = "any(name.startswith(('prometheus_client', 'opentelemetry')) for name in sys.modules)"
    code = f"import gateway.app.node, gateway.app.serve_hub, sys; sys.exit({loaded})"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0  # noqa: S603 - our own text
