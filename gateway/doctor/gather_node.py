"""Examines a node from outside, whether it runs or not: (1) gather facts, (2) check them."""

import asyncio
from dataclasses import dataclass

import aiohttp

from consent_ledger.errors import LedgerError
from consent_ledger.heads import newest as newest_head
from consent_ledger.heads import signed_at, words
from consent_ledger.read import clock_high, tree_head
from gateway.clock import Clock
from gateway.database.contract import Work
from gateway.doctor.clock import ClockFacts, check_clock
from gateway.doctor.document import DocumentFacts, check_document, newest
from gateway.doctor.doors import check_door, check_hub_reach, check_pages
from gateway.doctor.expiry import Ending, document_endings, findings_of, member_endings
from gateway.doctor.finding import Finding, wrong
from gateway.doctor.imports import SourceFacts, check_sources
from gateway.doctor.keys import KeyFacts, check_keys
from gateway.doctor.looking import look_at_database, look_at_disk, look_at_door, look_at_tls, read_only
from gateway.doctor.record import RecordFacts, check_record
from gateway.doctor.served import check_served, look_at_served
from gateway.doctor.storage import check_databases, check_disk
from gateway.errors import ConfigurationError, FederationError, HubError, PatchworkError, StorageError, WireError
from gateway.links.https import tls_context
from gateway.links.hub_client import HubClient
from gateway.node.agreements import listed_agreements
from gateway.node.identity import LEDGER_KEY_FILE, SEALING_KEY_FOLDER
from gateway.node.membership_rows import State, read_persisted
from gateway.node.records import last_runs
from gateway.node.signing_keys import NEXT_KEYS, SIGNING_KEY_FILE
from gateway.settings import NodeSettings
from gateway.wire import jws
from gateway.wire.claims import integer
from gateway.wire.federation import Federation, verify_document
from gateway.wire.freshness import TYP as FRESHNESS
from gateway.wire.keys import LedgerKey, SigningKey, VerifyKey
from gateway.wire.limits import MAX_STATEMENT_BYTES
from gateway.wire.operator import load_verify_key
from gateway.wire.sealing_keys import SealingKeyRing

SERVE = "patchwork node serve"
_MEND = "mend the configuration, or put the file where it says"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Hub:
    """What one hub said: its document, however old, with its clock's time; or why there is none."""

    address: str
    document: Federation | None = None
    time: int | None = None
    problem: str = ""


async def examine_node(settings: NodeSettings, clock: Clock) -> list[Finding]:
    """All checks of a node; raises nothing that a broken node could cause."""
    table, federation, now = settings.node, settings.federation[0], clock.now()
    problems: list[str] = []
    operator = None
    try:
        operator = load_verify_key(federation.operator_key)
        listed_agreements(federation.agreements)
    except PatchworkError as error:
        problems.append(str(error))
    held, hubs = _Held(), []
    if operator is not None:
        hubs = await asyncio.gather(*(_ask_hub(url, settings, operator, clock) for url in federation.hubs))
        held = await asyncio.to_thread(_held, settings, operator)
    offered = max((hub.document for hub in hubs if hub.document), key=lambda each: each.seq, default=None)
    facts = DocumentFacts(
        me=table.member,
        now=now,
        offered=offered,
        problem="; ".join(hub.problem for hub in hubs if hub.problem),
        held=held.document,
        fresh_until=held.fresh_until,
        alarm=held.alarm,
    )
    document = newest(facts)
    endings: list[Ending] = []
    if document is not None:
        endings += [*document_endings(document), *member_endings(document, table.member)]
    for own in (table.tls, settings.web.tls if settings.web else None):
        ends, faults = look_at_tls(own)
        endings += ends
        problems += faults
    found = [wrong("configuration", problem, _MEND) for problem in problems]
    found += check_keys(look_at_keys(settings), document, table.member, now)
    if operator is not None:
        found += check_document(facts)
    for hub in hubs:
        found += check_hub_reach(hub.address, hub.problem)
    ledger = table.data / "ledger.db"
    databases = [look_at_database(table.data / f"{schema}.db", schema) for schema in _schemas(settings)]
    times = [hub.time for hub in hubs if hub.time is not None]
    readable = next(each for each in databases if each.file == ledger)
    record = await asyncio.to_thread(_record, settings, now) if readable.exists and not readable.problem else None
    found += check_clock(
        ClockFacts(now=now, hub=times[0] if times else None, record=None if record is None else record.high)
    )
    found += check_databases(databases)
    if record is not None:
        found += check_record(record.facts)
    found += check_disk(look_at_disk(table.data))
    found += check_sources(await asyncio.to_thread(_sources, settings), now)
    # The document's end stands with check_document() already, once it is over.
    found += findings_of((each for each in endings if each.kind != "document" or each.at > now), now)
    found += check_door(await look_at_door(table.listen, tls=table.tls is not None), who="node", start=SERVE)
    member = None if document is None else document.members.get(table.member)
    served = await look_at_served(None if member is None else member.endpoint, federation.ca_file)
    found += [] if served is None else check_served(served, now)
    if settings.web is not None:
        pages = await look_at_door(settings.web.listen, tls=settings.web.tls is not None, path="/")
        found += check_pages(pages, SERVE)
    return found


def look_at_keys(settings: NodeSettings) -> KeyFacts:
    """The private keys of the folder, each loaded once."""
    folder, problems = settings.node.keys, []
    signing: set[str] = set()
    ledger, sealing_until = None, None
    for file in sorted({folder / SIGNING_KEY_FILE, *folder.glob(NEXT_KEYS)}):
        try:
            signing.add(SigningKey.load(file).kid)
        except ConfigurationError as error:
            problems.append(str(error))
    try:
        ledger = LedgerKey.load(folder / LEDGER_KEY_FILE).kid
    except ConfigurationError as error:
        problems.append(str(error))
    try:
        sealing_until = SealingKeyRing(folder / SEALING_KEY_FOLDER).ends_at
    except ConfigurationError as error:
        problems.append(str(error))
    return KeyFacts(
        problems=tuple(problems),
        signing=frozenset(signing),
        ledger_kid=ledger,
        sealing_until=sealing_until,
        folder_mode=folder.stat().st_mode & 0o777 if folder.is_dir() else None,
    )


async def _ask_hub(url: str, settings: NodeSettings, operator: VerifyKey, clock: Clock) -> _Hub:
    federation = settings.federation[0]
    try:
        connector = aiohttp.TCPConnector(ssl=tls_context(federation.ca_file))
        async with aiohttp.ClientSession(
            connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False
        ) as session:
            client = HubClient(
                session,
                url,
                member=settings.node.member,
                federation=federation.id,
                key=SigningKey.generate,  # never called: what is only fetched is not signed
                clock=clock,
            )
            token, freshness = await client.federation()
        document = verify_document(token, operator_key=operator, now=None)
        if document.name != federation.id:
            return _Hub(address=url, problem=f"it serves another federation: {document.name}")
        claims = jws.verify(freshness, typ=FRESHNESS, keys=document.hub_keys, max_bytes=MAX_STATEMENT_BYTES)
        return _Hub(address=url, document=document, time=integer(claims, "iat"))
    except (ConfigurationError, HubError, WireError, FederationError) as error:
        return _Hub(address=url, problem=str(error))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    document: Federation | None = None
    fresh_until: float | None = None
    alarm: str | None = None


def _held(settings: NodeSettings, operator: VerifyKey) -> _Held:
    """What the node has kept of its federation; nothing, if it cannot be read: check_databases() says so."""
    try:
        state, token = read_only(settings.node.data / "node.db", _kept(settings.federation[0].id))
        if state is None:
            return _Held()
        document = verify_document(token, operator_key=operator, now=None)
        until = integer(jws.peek(state.freshness, max_bytes=MAX_STATEMENT_BYTES), "exp")  # our own, verified when kept
    except (StorageError, WireError):
        return _Held()
    return _Held(document=document, fresh_until=until, alarm=state.alarm)


def _kept(federation: str) -> Work[tuple[State | None, bytes]]:
    persisted = yield from read_persisted(federation, frozenset())
    state = persisted.state
    return state, b"" if state is None else persisted.documents[state.sha256]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Record:
    facts: RecordFacts
    high: float


def _record(settings: NodeSettings, now: float) -> _Record:
    try:
        return read_only(settings.node.data / "ledger.db", _read_record(now))
    except (LedgerError, StorageError) as error:
        facts = RecordFacts(now=now, size=0, signed_size=None, signed_at=None, words=(), problem=str(error))
        return _Record(facts=facts, high=0.0)


def _read_record(now: float) -> Work[_Record]:
    tree = yield from tree_head()
    high = yield from clock_high()
    stored = yield from newest_head()
    at = None if stored is None else (yield from signed_at(stored.checkpoint.head))
    said = yield from words()
    size = None if stored is None else stored.checkpoint.head.size
    facts = RecordFacts(now=now, size=tree.size, signed_size=size, signed_at=at, words=said)
    return _Record(facts=facts, high=high)


def _sources(settings: NodeSettings) -> list[SourceFacts]:
    return [_source(settings, source.name) for source in settings.source]


def _source(settings: NodeSettings, name: str) -> SourceFacts:
    try:
        runs = read_only(settings.node.data / "node.db", last_runs(name, settings.federation[0].id))
    except StorageError:
        runs = []
    ended = next((run for run in runs if run.finished_at is not None), None)
    if ended is None:
        return SourceFacts(name=name)
    return SourceFacts(name=name, outcome=ended.outcome, finished_at=ended.finished_at)


def _schemas(settings: NodeSettings) -> tuple[str, ...]:
    return ("node", "ledger", "keys", *(("web",) if settings.web is not None else ()))
