"""A federation that is watched: each party sees its own work, nobody sees a person, and a question is one trace."""

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from gateway.app.hub import open_hub
from gateway.app.telemetry import Telemetry, watch_hub, watch_node
from gateway.days import DAY_S
from gateway.errors import ConfigurationError, HubError
from gateway.hub.circuit import FAILURES_TO_OPEN
from gateway.settings import TelemetryTable, load_hub
from tests.collector import Collector, attributes, collector
from tests.federation import TestFederation, federation, someone

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
        telemetry = {member: await watch_node(node, table) for member, node in north.nodes.items()}
        telemetry["hub"] = await watch_hub(north.hub.hub, table, party="hub")
        for each in telemetry.values():
            stack.push_async_callback(each.close)
        client = await stack.enter_async_context(aiohttp.ClientSession())
        yield Watched(north=north, telemetry=telemetry, collector=told, client=client)


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

        # Who knows the person cannot be told from who does not, but by what takes its own time or memory.
        assert set(await seen.scrape(KNOWS)) == set(await seen.scrape(KNOWS_NOT))

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
