"""Spans, exported by OpenTelemetry's own library over OTLP/HTTP. Loaded only where `[telemetry] otlp` is set.

A thread of the library's exports them; what it cannot deliver is dropped, and nobody's question waits for it.
"""

import logging
import os
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import requests
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    TraceFlags,
    set_span_in_context,
)
from opentelemetry.trace import Span as SdkSpan

from gateway import __version__
from gateway.telemetry.trace_context import is_traced, parent_of, trace_id, traceparent

QUEUE: Final = 4096  # spans that wait to be exported, at most
BATCH: Final = 512
DELAY_MS: Final = 2000
TIMEOUT_S: Final = 3.0  # for one request
LAST_S: Final = 2.0  # for all that waits when tracing ends

# Each try at a collector that is down is a warning; that a batch was given up, an error, is enough to know.
logging.getLogger("opentelemetry").setLevel(logging.ERROR)


class Span:
    """One span under way."""

    def __init__(self, span: SdkSpan, question: str) -> None:
        self._span = span
        self._question = question

    @property
    def traceparent(self) -> str:
        """The header that names this span as the parent of what the receiver does."""
        return traceparent(self._question, self._span.get_span_context().span_id)

    def end(self, attributes: Mapping[str, str | int]) -> None:
        """Close it, with what is known by now."""
        self._span.set_attributes(attributes)
        self._span.end()


class Tracing:
    """Makes spans of a share of all questions, the same ones as others with that share."""

    def __init__(self, url: str, *, resource: Resource, share: float, ca_file: Path | None) -> None:
        """`url`: the collector's base address, without /v1/traces."""
        self._share = share
        self._ids = _QuestionIds()
        self._provider = TracerProvider(
            sampler=ALWAYS_ON, resource=resource, shutdown_on_exit=False, id_generator=self._ids
        )
        self._exporter = OTLPSpanExporter(
            f"{url}/v1/traces",
            certificate_file=None if ca_file is None else str(ca_file),
            timeout=TIMEOUT_S,
            compression=Compression.NoCompression,
            session=plain_session(),
        )
        self._provider.add_span_processor(
            BatchSpanProcessor(
                self._exporter, max_queue_size=QUEUE, schedule_delay_millis=DELAY_MS, max_export_batch_size=BATCH
            )
        )
        self._tracer = self._provider.get_tracer("patchwork", __version__)

    def begin(
        self,
        name: str,
        question: str,
        attributes: Mapping[str, str | int],
        *,
        received: str = "",
        sends: bool = False,
        ago_s: float = 0.0,
    ) -> Span | None:
        """A span that began `ago_s` ago, below the one that the header `received` names; None if not traced."""
        if not is_traced(question, self._share):
            return None
        self._ids.next = trace_id(question)
        parent = parent_of(received, question)
        context = None
        if parent is not None:
            remote = SpanContext(trace_id(question), parent, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))
            context = set_span_in_context(NonRecordingSpan(remote))
        span = self._tracer.start_span(
            name,
            context=context,
            kind=SpanKind.CLIENT if sends else SpanKind.SERVER,
            attributes=dict(attributes),
            start_time=time.time_ns() - round(ago_s * 1e9),
        )
        return Span(span, question)

    def send_now(self) -> None:
        """Export what waits; blocks for it."""
        self._provider.force_flush()

    def close(self) -> None:
        """Export what waits and end the thread; blocks for LAST_S and TIMEOUT_S at most.

        The library by itself tries for half a minute, and a node that is told to stop has to stop.
        """
        giving_up = threading.Timer(LAST_S, self._exporter.shutdown)
        giving_up.start()
        self._provider.shutdown()
        giving_up.cancel()


class _QuestionIds(RandomIdGenerator):
    """The trace id of a span without parent is the question's; spans begin on one thread, the event loop's."""

    next = 0

    def generate_trace_id(self) -> int:
        return self.next


def resource_of(service: str, party: str) -> Resource:
    """Who exports: nothing about the machine but which of several processes it is, nothing from its environment."""
    return Resource(
        {
            "service.name": service,
            "service.instance.id": party,
            "service.version": __version__,
            "process.pid": os.getpid(),
        }
    )


def plain_session() -> requests.Session:
    """Without proxies and passwords of the environment, as all other connections of ours."""
    session = requests.Session()
    session.trust_env = False
    return session
