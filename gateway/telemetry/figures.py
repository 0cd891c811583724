"""The figures that a node and a hub keep of their own work, each in a registry of its own (prometheus-client).

Labels are ids of members of the federation, declared routes, configured sources and codes, so that their number is
bounded by the federation document and the configuration, whatever anybody sends. No figure has two members for labels:
who asks whom is nobody's business in a monitoring system.
"""

from collections.abc import Mapping
from functools import cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, disable_created_metrics
from prometheus_client.metrics_core import Metric

from gateway import __version__

SECONDS = (0.1, 0.2, 0.3, 0.5, 1.0, 2.0, 5.0)  # upper bounds; an answer takes D or more, a question 60 s at most

disable_created_metrics()  # type: ignore[no-untyped-call]  # else each figure is there twice


class _Process(ProcessCollector):
    """Memory, open files and the limit of them, start. Not processor time: what an answer took may tell of somebody."""

    def collect(self) -> list[Metric]:
        """What is so now."""
        return [metric for metric in super().collect() if metric.name != "process_cpu_seconds"]


class Figures:
    """What nodes and hubs have in common: process, HTTP door, federation document, links, database."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.registry.register(_Process(registry=None))
        self.gauge("build_info", "The version that runs.", "version").labels(__version__).set(1)
        # What is told for each question and each member of it is kept by its labels: the library takes 5 µs to find it.
        self.request = cache(
            self.counter("http_requests", "Requests by declared route and status.", "route", "status").labels
        )
        self.in_flight = cache(self.gauge("http_requests_in_flight", "Requests under way.", "route").labels)
        self.result = cache(
            self.counter(
                "member_results", "What became of members' parts of questions, as seen from here.", "member", "outcome"
            ).labels
        )
        self.answer_seconds = cache(
            self.histogram(
                "member_answer_seconds", "From a question's leaving here to a member's answer.", "member"
            ).labels
        )
        self.links = self.gauge("link_open", "Outbound links that are open, by the party at the other end.", "party")
        self.readable = self.gauge("database_readable", "1 if the last scrape could read the database.")
        self.in_force = self.gauge("federation_in_force", "1 if the federation document may be relied on now.")
        self.seq = self.gauge("federation_seq", "Number of the federation document that is held.")
        self.members = self.gauge("federation_members", "Members in that document.")
        self.document_age = self.gauge("federation_document_age_seconds", "Since the operator signed it.")
        self.document_left = self.gauge("federation_document_left_seconds", "Until it expires; negative afterwards.")

    def counter(self, name: str, what: str, *labels: str) -> Counter:
        """A figure that only grows."""
        return Counter(name, what, labels, namespace="patchwork", registry=self.registry)

    def gauge(self, name: str, what: str, *labels: str) -> Gauge:
        """A figure that goes up and down."""
        return Gauge(name, what, labels, namespace="patchwork", registry=self.registry)

    def histogram(self, name: str, what: str, *labels: str) -> Histogram:
        """How often something took how long, in seconds."""
        return Histogram(name, what, labels, namespace="patchwork", registry=self.registry, buckets=SECONDS)

    def show(self, gauge: Gauge, values: Mapping[str, float]) -> None:
        """A gauge's values by its one label, in place of those before: what is gone is not shown for ever."""
        gauge.clear()
        for label, value in values.items():
            gauge.labels(label).set(value)


class NodeFigures(Figures):
    """A node's."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = self.counter("questions_asked", "Questions that this node has put on record and sent.")
        self.ended = self.counter("questions_ended", "How they ended: complete, incomplete, failed.", "result")
        self.answered = cache(
            self.counter("questions_answered", "Answers that have left this node, by who asked.", "member").labels
        )
        self.late = self.counter("answers_late", "Answers that were not ready when they were to leave.")
        self.places = self.gauge("answer_places", "Questions that this machine would answer at once just now.")
        self.freshness_age = self.gauge("federation_freshness_age_seconds", "Since the hub last vouched for it.")
        self.discloses = self.gauge("ledger_in_order", "0 while this node discloses nothing: its ledger is in doubt.")
        self.checkpoint_age = self.gauge("ledger_checkpoint_age_seconds", "Since the newest head was signed.")
        self.cosignature_age = self.gauge(
            "ledger_cosignature_age_seconds", "Since a witness last cosigned a head.", "witness"
        )
        self.import_age = self.gauge("import_age_seconds", "Since the last import that came to its end.", "source")
        self.import_failed = self.gauge("import_failed", "1 if the last import did not come to its end.", "source")


class HubFigures(Figures):
    """A hub's."""

    def __init__(self) -> None:
        super().__init__()
        self.relayed = self.counter("questions_relayed", "Questions relayed to their end, by who asked.", "member")
        self.question_seconds = self.histogram("question_seconds", "From a question's arrival to its last line.")
        self.skipped = self.gauge("member_skipped", "1 while a member that keeps failing is not tried.", "member")
        self.running = self.gauge("questions_running", "Questions under way.")
        self.waiting = self.gauge("questions_waiting", "Questions that wait for their turn.")
        self.relayed_bytes = self.gauge("relayed_bytes", "Memory set aside for questions under way.")
