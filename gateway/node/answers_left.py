"""Which answers about a client had left, as one of this agency's own staff may know it. Pure.

A member of staff is told of their own work alone: what left of a service that they must not learn of would tell that it
is there, and so would an answer in which nothing else left (docs/policy.md, "An agency's own staff"). What a client's
report would leave out, because it may put somebody in danger or an officer withholds it, is left out here, too.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from consent_ledger.kinds import ANSWERS
from consent_ledger.read import Entry
from consent_ledger.report import access_report, shows
from mappings.vocabulary import Mode


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What one member was told of the viewer's own work, at most, and when (epoch seconds)."""

    at: float
    member: str
    mode: Mode


def answers_left(entries: Sequence[Entry], own: Mapping[int, str], *, now: float, hold_days: int) -> list[Left]:
    """Newest first; `entries` are all of one person, `own` the viewer's involvements and the service code of each."""
    moment = datetime.fromtimestamp(now, UTC)
    _, held = access_report(entries, now=moment, today=moment.astimezone().date(), hold_days=hold_days)
    kept_back = {*held.withheld, *held.undecided}
    return [left for entry in reversed(entries) if entry.seq not in kept_back for left in _left(entry, own)]


def _left(entry: Entry, own: Mapping[int, str]) -> Iterable[Left]:
    body = entry.body
    if body is None or body["kind"] not in ANSWERS or body["outcome"] != "teams":
        return
    modes = [
        Mode.from_code(decision["mode"])
        for decision in body.get("decisions") or ()
        if shows(decision) and own.get(decision["involvement"]) == decision["service"]
    ]
    if modes:
        yield Left(at=body["at"], member=body["asker"]["member"], mode=max(modes))
