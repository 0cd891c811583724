"""The week's questions of one node, read from its ledger and register, as policy/misuse.py wants them.

The node that asks keeps each question itself; the one that answers knows the asker, and whom it found. Names leave this
file only as normalised tokens, for comparison.
"""

from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any, Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import orjson

from consent_ledger.kinds import ANSWERS, EntryKind, KindClass
from consent_ledger.read import Entry
from consent_ledger.reader import LedgerReader
from gateway.database.contract import Database, Statement, Work
from gateway.days import HOUR_S, day_of
from gateway.errors import ConfigurationError
from gateway.matching.index import find
from gateway.matching.normalise import name_tokens
from gateway.matching.record import NameTokens, StoredCard, asked_of
from gateway.matching.roots import roots
from gateway.matching.score import Thresholds
from gateway.policy.misuse import Habits, Item, PersonName, Search, no_contact, weekly_items
from gateway.settings import MisuseTable
from gateway.wire.jws import peek
from gateway.wire.limits import MAX_TOKEN_BYTES
from gateway.wire.query import Subject
from gateway.wire.query_claims import read_query


@dataclass(frozen=True, slots=True, kw_only=True)
class WeeklyReport:
    """Counts of one week, and what stands out in it. `unreadable`: questions whose key has been destroyed.

    Searches without contact are those of the week that ended `contact_within_days` before: by then it shows.
    """

    monday: date
    asked: int
    answered: int
    unreadable: int
    items: tuple[Item, ...]


class Read(Protocol):
    """What the report is read from: the record, and a reader of the register. A node's parts are one."""

    @property
    def ledger(self) -> LedgerReader:
        """The record."""
        ...

    @property
    def database(self) -> Database:
        """That sees the register."""
        ...

    @property
    def thresholds(self) -> Thresholds:
        """How sure this node must be of a person."""
        ...


def habits_of(table: MisuseTable) -> Habits:
    """The settings; raises ConfigurationError if this machine does not know the time zone."""
    try:
        zone = ZoneInfo(table.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ConfigurationError("misuse.time_zone: this machine knows no such time zone") from error
    return Habits(
        zone=zone,
        day_starts=table.day_starts,
        day_ends=table.day_ends,
        burst_people=table.people_in_ten_minutes,
        people_out_of_hours=table.people_out_of_hours,
        searches_without_contact=table.searches_without_contact,
    )


async def weekly_report(
    node: Read, *, monday: date, staff: Iterable[str], habits: Habits, contact_within_days: int
) -> WeeklyReport:
    """What stands out in the week from `monday`; `staff` are more names of this agency's people."""
    start, end = _bounds(monday, habits.zone)
    searches, unreadable = await _searches(node, start, end)
    colleagues = {named(name) for name in staff} | set(await node.database.read(_practitioners()))
    earlier = monday - timedelta(days=contact_within_days)
    waited = await _followed_up(node, *_bounds(earlier, habits.zone), contact_within_days)
    return WeeklyReport(
        monday=monday,
        asked=sum(each.asked_here for each in searches),
        answered=sum(not each.asked_here for each in searches),
        unreadable=unreadable,
        items=(*weekly_items(searches, colleagues, habits), *no_contact(waited, habits)),
    )


def named(text: str) -> PersonName:
    """A name as one line of text, given names first."""
    tokens = name_tokens(text)
    return _name((tokens[:-1], tokens[-1:]))


def _name(tokens: NameTokens) -> PersonName:
    given, family = tokens
    return PersonName(given=roots(given[0]) if given else frozenset(), family=frozenset(family))


def _bounds(monday: date, zone: tzinfo) -> tuple[float, float]:
    """A week's first second and the next week's, in epoch seconds."""
    first, last = (datetime.combine(day, time(), zone) for day in (monday, monday + timedelta(days=7)))
    return first.timestamp(), last.timestamp()


async def _searches(node: Read, start: float, end: float) -> tuple[list[Search], int]:
    """Questions on record in that time, and how many of it cannot be read any more."""
    found, unreadable = [], 0
    matched: dict[int, int] = {}  # person ids by seq
    async for entry in _entries(node, start, end):
        if entry.body is None:
            unreadable += entry.header.kind_class is KindClass.DISCLOSURE
        elif start <= entry.body["at"] < end and entry.body["kind"] in ANSWERS | {EntryKind.ASKED}:
            read = _asked if entry.body["kind"] == EntryKind.ASKED else _answered
            found.append(read(entry.seq, entry.body))
            if entry.body.get("person_id") is not None:
                matched[entry.seq] = entry.body["person_id"]
    names = await node.database.read(_names_of(set(matched.values())))
    return [replace(each, names=names.get(matched.get(each.seq, -1), each.names)) for each in found], unreadable


async def _entries(node: Read, start: float, end: float) -> AsyncIterator[Entry]:
    """Entries from about `start` to `end`; a leaf shows its hour to whoever has no key, so no other is opened.

    All leaves are looked at: a clock that was once wrong leaves hours out of order, which no search by halves survives.
    """
    async for entry in node.ledger.entries(hour=int(start) // HOUR_S - 1, last_hour=int(end) // HOUR_S + 1):
        yield entry


def _asked(seq: int, body: Mapping[str, Any]) -> Search:
    asked = asked_of(_subject(body), today=day_of(body["at"]))
    return Search(
        **_who(seq, body),
        asked_here=True,
        names=tuple(_name(tokens) for tokens in asked.names),
        person=repr((asked.names[:1], asked.birth, asked.age) if asked.names else asked.nhs_number),
    )


def _answered(seq: int, body: Mapping[str, Any]) -> Search:
    person_id = body.get("person_id")
    return Search(
        **_who(seq, body),
        asked_here=False,
        person=f"person {person_id}" if person_id is not None else f"question {seq}",
        withheld="withheld" in body,
    )


def _who(seq: int, body: Mapping[str, Any]) -> dict[str, Any]:
    asker = body["asker"]
    return {
        "seq": seq,
        "at": body["at"],
        "member": asker["member"],
        "practitioner": asker["practitioner"],
        "asker": named(asker["name"]),
    }


def _subject(body: Mapping[str, Any]) -> Subject:
    """Of a question that this node signed itself, and has on record in its exact bytes."""
    return read_query(peek(body["query"], max_bytes=MAX_TOKEN_BYTES)).subject


def _practitioners() -> Work[list[PersonName]]:
    rows = yield Statement("SELECT name FROM practitioner")
    stored = (orjson.loads(name) for (name,) in rows)
    return [_name((name_tokens(" ".join(each["given"])), name_tokens(each["family"]))) for each in stored]


def _names_of(person_ids: Iterable[int]) -> Work[dict[int, tuple[PersonName, ...]]]:
    """What people are called who were found, of what may be searched."""
    found = {}
    for person_id in sorted(person_ids):
        for (card,) in (yield Statement("SELECT card FROM person_card WHERE person_id = ?", (person_id,))):
            found[person_id] = tuple(_name(tokens) for tokens in StoredCard(card).names)
    return found


async def _followed_up(node: Read, start: float, end: float, days: int) -> list[Search]:
    """Questions put here in that time, each with whether this agency had anything to do with the person afterwards."""
    if not await node.database.read(_knows_anybody()):
        return []  # an agency that only asks has nowhere to record a contact
    found = []
    async for entry in _entries(node, start, end):
        if entry.body is None or entry.body["kind"] != EntryKind.ASKED or not start <= entry.body["at"] < end:
            continue
        asked_on = day_of(entry.body["at"])
        known = await _had_contact(node.database, _subject(entry.body), asked_on, days, node.thresholds)
        found.append(replace(_asked(entry.seq, entry.body), followed_up=known))
    return found


async def _had_contact(database: Database, subject: Subject, asked_on: date, days: int, thresholds: Thresholds) -> bool:
    def work() -> Work[bool]:
        match = yield from find(subject, today=asked_on, thresholds=thresholds)
        if match.best is None or not match.disclosable:
            return False
        person_id, since = match.best.person_id, asked_on.isoformat()
        until = (asked_on + timedelta(days=days)).isoformat()
        rows = yield Statement(
            "SELECT 1 FROM person c JOIN involvement i ON i.person_id = c.id WHERE c.same_person = ?"
            " AND (i.end_date IS NULL OR i.end_date >= substr(?, 1, length(i.end_date)))"
            " AND (i.start_date IS NULL OR i.start_date <= ?) LIMIT 1",
            (person_id, since, until),
        )
        if rows:
            return True
        rows = yield Statement(
            "SELECT 1 FROM person c JOIN contact_event e ON e.person_id = c.id WHERE c.same_person = ?"
            " AND e.date >= substr(?, 1, length(e.date)) AND e.date <= ? LIMIT 1",
            (person_id, since, until),
        )
        return bool(rows)

    return await database.read(work())


def _knows_anybody() -> Work[bool]:
    return bool((yield Statement("SELECT 1 FROM person WHERE hash IS NOT NULL LIMIT 1")))
