"""Names of log events, and the only fields that each may carry.

A log line holds ids, codes, counts and durations: never a name, a number, a birth date, a contact point or a body.
`emit` refuses an event or a field that is not listed here, so nothing personal can slip into a log by accident.
"""

import asyncio
import logging
import sys
from typing import TextIO

import orjson

from gateway.days import HOUR_S

_LOGGER = logging.getLogger("patchwork")

FIELDS: dict[str, frozenset[str]] = {
    "node.started": frozenset({"member", "federation", "port", "version"}),
    "node.stopped": frozenset({"member", "federation"}),
    "hub.started": frozenset({"hub", "port", "version"}),
    "hub.stopped": frozenset({"hub"}),
    "hub.worker_started": frozenset({"hub", "worker", "port", "version"}),
    "hub.worker_stopped": frozenset({"hub", "worker"}),
    "hub.worker_ended": frozenset({"worker", "status", "again_s"}),
    "hub.worker_silent": frozenset({"worker", "seconds"}),
    "federation.refreshed": frozenset({"federation", "seq", "members"}),
    "federation.refused": frozenset({"federation", "code", "reason"}),
    "hub.silent": frozenset({"hub", "code", "reason"}),
    "hub.heard": frozenset({"hub"}),
    "hub.doubtful": frozenset({"hub", "code", "reason"}),
    "federation.waiting": frozenset({"federation", "member", "change"}),
    "join.received": frozenset({"kid", "invitation"}),
    "node.waiting": frozenset({"member", "federation", "fingerprint", "reason"}),
    "node.admitted": frozenset({"member", "federation"}),
    "node.renamed": frozenset({"member", "reason"}),
    "sealing_key.rotated": frozenset({"member", "kid"}),
    "signing_key.changed": frozenset({"member", "kid"}),
    "ledger_key.changed": frozenset({"member", "kid"}),
    "hub_key.changed": frozenset({"federation", "kid"}),
    "key.unusable": frozenset({"reason"}),
    "expiry.near": frozenset({"kind", "name", "days", "at"}),
    "question.asked": frozenset({"jti", "members"}),
    "question.completed": frozenset({"jti", "answered", "unanswered", "ms"}),
    "search.failed": frozenset({"code", "reason"}),
    "background.failed": frozenset({"kind", "code", "reason"}),
    "question.relayed": frozenset({"jti", "member", "members", "answered", "ms"}),
    "answer.released": frozenset({"jti", "member"}),
    "answer.failed": frozenset({"jti", "member", "code", "reason"}),
    "answer.invalid": frozenset({"jti", "member", "code", "reason"}),
    "case.opened": frozenset({"case", "kind"}),
    "case.overdue": frozenset({"case", "kind"}),
    "case.watch_failed": frozenset({"code", "reason"}),
    "budget.spent": frozenset({"jti", "member", "kind"}),
    "clocks.not_kept": frozenset({"code"}),
    "link.opened": frozenset({"member"}),
    "link.closed": frozenset({"member", "code"}),
    "hub_link.opened": frozenset({"federation", "hub"}),
    "hub_link.closed": frozenset({"federation", "hub", "code"}),
    "hub_link.refused": frozenset({"federation", "hub", "code", "reason"}),
    "request.failed": frozenset({"path", "code", "status", "reason", "more"}),
    "ledger.doubtful": frozenset({"code", "reason"}),
    "witness.cosigned": frozenset({"witness", "size", "epoch"}),
    "witness.refused": frozenset({"witness", "reason"}),
    "witness.silent": frozenset({"witness", "reason"}),
    "checkpoint.refused": frozenset({"member", "reason"}),
    "import.completed": frozenset(
        {"source", "created", "changed", "unchanged", "removed", "rejected", "waiting", "ms"}
    ),
    "retention.applied": frozenset({"rejected", "replay", "answers", "counts", "periods"}),
    "retention.failed": frozenset({"code", "reason"}),
    "import.refused": frozenset({"source", "code", "reason"}),
    "figure.not_counted": frozenset({"code"}),
    "federation.accepted": frozenset({"federation", "member", "account"}),
    "mail.sent": frozenset({"kind"}),
    "mail.failed": frozenset({"kind", "code", "reason"}),
    "notices.failed": frozenset({"code", "reason"}),
    "web.tidy_failed": frozenset({"code", "reason"}),
    "web.started": frozenset({"member", "port"}),
    "sign_in.succeeded": frozenset({"account", "method"}),
    "sign_in.refused": frozenset({"reason"}),
    "account.changed": frozenset({"account", "by", "what"}),
    "guesses.spent": frozenset({"account"}),
    "client.added_for_colleague": frozenset({"account", "colleague", "known"}),
    "session.ended": frozenset({"account", "reason"}),
}


def emit(event: str, *, level: int = logging.INFO, **fields: str | int | float | None) -> None:
    """Write one event with its fields; raises KeyError or ValueError for what is not listed above."""
    unknown = fields.keys() - FIELDS[event]
    if unknown:
        raise ValueError(f"{event} may not carry {', '.join(sorted(unknown))}")
    if _LOGGER.isEnabledFor(level):
        _LOGGER.log(level, event, extra={"event_fields": fields})


class Bounded:
    """Emits one event about other members no oftener than it tells anything new, for they cause it as they like.

    What a member (one of a list, so that there are not many) has caused stays in mind for an hour: up to `most`
    different reasons, each said once; what comes on top is not said.
    """

    def __init__(self, event: str, *, most: int = 4) -> None:
        """`event` carries `member` and `reason`."""
        self._event = event
        self._most = most
        self._hour = 0
        self._said: dict[str, set[str]] = {}

    def warn(self, *, member: str, reason: str, now: float) -> None:
        """Emit it, unless it says nothing new; `now` in epoch seconds."""
        hour = int(now) // HOUR_S
        if hour != self._hour:
            self._hour = hour
            self._said.clear()
        said = self._said.setdefault(member, set())
        if reason not in said and len(said) < self._most:
            said.add(reason)
            emit(self._event, level=logging.WARNING, member=member, reason=reason)


class Counted:
    """Emits an event that anybody can cause as often as they like: the first of a kind one by one, then their number.

    A kind is what all fields say together, of which there must be few. MOST of it are said; EVERY_S after the first of
    them one line tells of how many `more` there were, and it begins anew. Belongs to the running event loop.
    """

    MOST = 10
    EVERY_S = 60.0

    def __init__(self, event: str) -> None:
        """`event` carries `more`."""
        self._event = event
        self._counts: dict[tuple[tuple[str, str | int], ...], int] = {}

    def say(self, **fields: str | int) -> None:
        """Emit it, or count it."""
        kind = tuple(sorted(fields.items()))
        count = self._counts[kind] = self._counts.get(kind, 0) + 1
        if count == 1:
            asyncio.get_running_loop().call_later(self.EVERY_S, self._begin_anew, kind)
        if count <= self.MOST:
            emit(self._event, level=logging.WARNING, **fields)

    def _begin_anew(self, kind: tuple[tuple[str, str | int], ...]) -> None:
        more = self._counts.pop(kind) - self.MOST
        if more > 0:
            emit(self._event, level=logging.WARNING, **dict(kind), more=more)


class JsonLines(logging.Formatter):
    """One JSON object a line: time, level, event and its fields. Tracebacks are left out: they can hold values."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as a line of JSON."""
        line = {"time": record.created, "level": record.levelname.lower(), "event": record.getMessage()}
        if record.name != _LOGGER.name:  # a library's own message may quote what it was given
            line = {"time": record.created, "level": record.levelname.lower(), "event": f"library.{record.name}"}
        if record.exc_info and record.exc_info[0] is not None:
            line["error"] = record.exc_info[0].__name__
        return orjson.dumps(line | getattr(record, "event_fields", {})).decode()


def configure_logging(stream: TextIO = sys.stderr) -> None:
    """Send every event of this process, and the warnings of its libraries, to one stream as JSON lines."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    _LOGGER.setLevel(logging.INFO)
