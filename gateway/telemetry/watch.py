"""What a node's and a hub's steps tell of their work as it happens. Told nothing, kept nothing, until switched on."""

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # loaded when a node or hub is configured to be watched
    from gateway.telemetry.figures import Figures, HubFigures, NodeFigures
    from gateway.telemetry.tracing import Span, Tracing

ANSWERED = "answered"  # all that is told of an answer: never what was in it


class NodeWatch:
    """A node's. `figures` and `tracing` are set while it listens, if its settings say so."""

    def __init__(self) -> None:
        self.figures: NodeFigures | None = None
        self.tracing: Tracing | None = None
        self.links: dict[str, int] = {}  # open ones, by hub; known also to who begins to watch later
        self.places: Callable[[], int] = lambda: 0  # for answers, by the door that is open

    def asking(self, question: str, *, members: int) -> "Sending":
        """A question that is about to be posted to the hub."""
        if self.figures is not None:
            self.figures.asked.inc()
        span = None
        if self.tracing is not None:
            span = self.tracing.begin("ask", question, {"patchwork.members": members}, sends=True)
        return Sending(self.figures, span)

    def asked(self, sending: "Sending", outcomes: Mapping[str, str]) -> None:
        """It has ended: by member, ANSWERED or why not."""
        answered = sum(outcome == ANSWERED for outcome in outcomes.values())
        if self.figures is not None:
            self.figures.ended.labels("complete" if answered == len(outcomes) else "incomplete").inc()
            for member, outcome in outcomes.items():
                self.figures.result(member, outcome).inc()
        sending.end({"patchwork.answered": answered})

    def not_asked(self, sending: "Sending", code: str) -> None:
        """The hub did not take it."""
        if self.figures is not None:
            self.figures.ended.labels("failed").inc()
        sending.end({"patchwork.code": code})

    def linked(self, hub: str, links: int) -> None:
        """So many links of this process to a hub, by its address, are open; 0 when the last has gone."""
        self.links[hub] = links

    def released(self, *, asker: str, question: str, traceparent: str, seconds: float, periods: int) -> None:
        """An answer leaves now, `seconds` after its question's last byte; in time if that is one period.

        A span has this time alone, which the hub sees as well: how long the work took may depend on the person.
        """
        if self.figures is not None:
            self.figures.answered(asker).inc()
            if periods > 1:
                self.figures.late.inc()
        if self.tracing is not None:
            attributes = {"patchwork.asker": asker}
            span = self.tracing.begin("answer", question, attributes, received=traceparent, ago_s=seconds)
            if span is not None:
                span.end({})


class HubWatch:
    """A hub's, likewise."""

    def __init__(self) -> None:
        self.figures: HubFigures | None = None
        self.tracing: Tracing | None = None
        self.links: dict[str, int] = {}  # open ones, by member

    def relaying(self, question: str, *, asker: str, traceparent: str) -> "Relaying":
        """A question of an authenticated member that the hub has taken on."""
        span = None
        if self.tracing is not None:
            attributes = {"patchwork.asker": asker}
            span = self.tracing.begin("relay", question, attributes, received=traceparent, sends=True)
        return Relaying(self, question, asker, span)

    def linked(self, member: str, links: int) -> None:
        """So many links are open to a member that dials; 0 when the last has gone."""
        self.links[member] = links


class Sending:
    """Something sent on its way to members, from now on."""

    def __init__(self, figures: "Figures | None", span: "Span | None") -> None:
        self._figures = figures
        self._span = span
        self._began = time.monotonic()

    @property
    def traceparent(self) -> str:
        """What goes along in a header; empty if this is not traced."""
        return "" if self._span is None else self._span.traceparent

    @property
    def seconds(self) -> float:
        """Since it was sent."""
        return time.monotonic() - self._began

    def heard(self, member: str, outcome: str) -> None:
        """What became of a member's part is known just now; only an answer takes a time of its own."""
        if self._figures is not None and outcome == ANSWERED:
            self._figures.answer_seconds(member).observe(self.seconds)

    def end(self, attributes: Mapping[str, str | int]) -> None:
        """Close its span."""
        if self._span is not None:
            self._span.end(attributes)


class Relaying:
    """One question at the hub. Members that the asker made up are never named here: labels are for real ones alone."""

    def __init__(self, watch: HubWatch, question: str, asker: str, span: "Span | None") -> None:
        self._watch = watch
        self._question = question
        self._asker = asker
        self._span = span
        self._whole = Sending(watch.figures, None)
        self._sent: dict[str, Sending] = {}

    def sending(self, member: str) -> str:
        """A copy is about to be sent to a member of the federation; returns the traceparent to go with it."""
        watch = self._watch
        if watch.figures is None and watch.tracing is None:
            return ""
        span = None
        if self._span is not None and watch.tracing is not None:
            attributes = {"patchwork.member": member}
            received = self._span.traceparent
            span = watch.tracing.begin("deliver", self._question, attributes, received=received, sends=True)
        self._sent[member] = sending = Sending(watch.figures, span)
        return sending.traceparent

    def ended(self, member: str, outcome: str) -> None:
        """What became of it."""
        sending = self._sent.pop(member, None)
        if sending is None:
            return
        if self._watch.figures is not None:
            self._watch.figures.result(member, outcome).inc()
        sending.heard(member, outcome)
        sending.end({"patchwork.outcome": outcome})

    def completed(self, *, members: int, answered: int) -> None:
        """The asker has its last line."""
        if self._watch.figures is not None:
            self._watch.figures.relayed.labels(self._asker).inc()
            self._watch.figures.question_seconds.observe(self._whole.seconds)
        if self._span is not None:
            self._span.end({"patchwork.members": members, "patchwork.answered": answered})
