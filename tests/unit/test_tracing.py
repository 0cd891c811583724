"""Spans to a collector that is not well: they are dropped, and nobody waits for long."""

import socket
import time
from uuid import uuid4

import pytest

from gateway.telemetry import tracing
from gateway.telemetry.tracing import Tracing, resource_of


@pytest.mark.parametrize("listens", [True, False], ids=["silent", "gone"])
def test_a_collector_that_takes_nothing_holds_up_neither_a_question_nor_the_end(
    monkeypatch: pytest.MonkeyPatch, listens: bool
) -> None:
    monkeypatch.setattr(tracing, "TIMEOUT_S", 1.0)
    monkeypatch.setattr(tracing, "LAST_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        if not listens:
            server.close()
        traces = Tracing(f"http://127.0.0.1:{port}", resource=resource_of("test", "test"), share=1.0, ca_file=None)
        began = time.monotonic()
        for _ in range(2 * tracing.QUEUE):
            span = traces.begin("ask", str(uuid4()), {})
            assert span is not None
            span.end({})
        assert time.monotonic() - began < 10  # a fraction of a millisecond each: what does not fit is dropped
        began = time.monotonic()
        traces.close()
        assert time.monotonic() - began < 6  # the library alone would go on for thirty


def test_only_the_share_of_questions_asked_for_makes_spans() -> None:
    traces = Tracing("http://127.0.0.1:9", resource=resource_of("test", "test"), share=0.0, ca_file=None)
    assert traces.begin("ask", str(uuid4()), {}) is None
    traces.close()
