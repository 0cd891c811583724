"""The same figures as a scrape shows, sent to an OpenTelemetry collector: one registry, two ways out of it."""

import time
from collections.abc import Iterator
from pathlib import Path

from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    MetricExportResult,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.samples import Sample

from gateway import __version__
from gateway.telemetry.tracing import TIMEOUT_S, plain_session


class FigureExport:
    """Sends a registry to `url`, a collector's base address."""

    def __init__(self, url: str, registry: CollectorRegistry, *, resource: Resource, ca_file: Path | None) -> None:
        self._registry = registry
        self._resource = resource
        self._began_ns = time.time_ns()
        self._exporter = OTLPMetricExporter(
            f"{url}/v1/metrics",
            certificate_file=None if ca_file is None else str(ca_file),
            timeout=TIMEOUT_S,
            compression=Compression.NoCompression,
            session=plain_session(),
        )

    def send(self) -> bool:
        """Export once; True if the collector took it. Blocks for up to TIMEOUT_S."""
        metrics = [_metric(family, self._began_ns, time.time_ns()) for family in self._registry.collect()]
        scope = ScopeMetrics(InstrumentationScope("patchwork", __version__), metrics, "")
        data = MetricsData([ResourceMetrics(self._resource, [scope], "")])
        return self._exporter.export(data) is MetricExportResult.SUCCESS

    def close(self) -> None:
        """Close its connections."""
        self._exporter.shutdown()


def _metric(family: Family, began: int, now: int) -> Metric:
    cumulative = AggregationTemporality.CUMULATIVE
    data: Sum | Gauge | Histogram
    if family.type == "histogram":
        data = Histogram(list(_histograms(family.samples, began, now)), cumulative)
    else:
        points = [NumberDataPoint(each.labels, began, now, each.value) for each in family.samples]
        data = Sum(points, cumulative, is_monotonic=True) if family.type == "counter" else Gauge(points)
    return Metric(name=family.name, description=family.documentation, unit=family.unit, data=data)


def _histograms(samples: list[Sample], began: int, now: int) -> Iterator[HistogramDataPoint]:
    """Cumulative buckets by upper bound `le`, as Prometheus has them, into counts between the bounds."""
    series: dict[tuple[tuple[str, str], ...], dict[str, float]] = {}
    for sample in samples:
        labels = {name: value for name, value in sample.labels.items() if name != "le"}
        values = series.setdefault(tuple(labels.items()), {})
        values[sample.labels.get("le", sample.name.rpartition("_")[2])] = sample.value
    for labels_of, values in series.items():
        count, total = int(values.pop("count")), values.pop("sum")
        upto = [int(value) for value in values.values()]
        yield HistogramDataPoint(
            attributes=dict(labels_of),
            start_time_unix_nano=began,
            time_unix_nano=now,
            count=count,
            sum=total,
            bucket_counts=[after - before for before, after in zip([0, *upto], upto, strict=False)],
            explicit_bounds=[float(bound) for bound in values if bound != "+Inf"],
            min=None,  # type: ignore[arg-type]  # the exporter leaves out what is not known
            max=None,  # type: ignore[arg-type]
        )
