"""Examines a node from outside, whether it runs or not: (1) gather facts, (2) check them."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, replace

import aiohttp

from gateway.clock import Clock
from gateway.database.contract import Work
from gateway.doctor.agreements import check_agreements
from gateway.doctor.clock import ClockFacts, check_clock
from gateway.doctor.compared import Held, ask_witnesses, compare
from gateway.doctor.document import DocumentFacts, check_document, newest
from gateway.doctor.doors import check_door, check_hub_reach, check_pages
from gateway.doctor.expiry import Ending, findings_of
from gateway.doctor.expiry_watch import node_endings
from gateway.doctor.finding import Finding, wrong
from gateway.doctor.imports import SourceFacts, check_sources
from gateway.doctor.keys import KeyFacts, check_keys
from gateway.doctor.look_at_agreements import look_at_agreements
from gateway.doctor.look_at_record import look_at_record
from gateway.doctor.looking import look_at_database, look_at_disk, look_at_door, look_at_tls, read_only
from gateway.doctor.record import check_record
from gateway.doctor.running import Running, check_running, look_at_running, mark_of
from gateway.doctor.served import check_served, look_at_served
from gateway.doctor.storage import check_databases, check_disk
from gateway.errors import ConfigurationError, FederationError, HubError, PatchworkError, StorageError, WireError
from gateway.links.hub_client import HubClient, node_connector
from gateway.links.shown_keys import ShownKeys
from gateway.node.agreements import listed_agreements
from gateway.node.identity import SEALING_KEY_FOLDER
from gateway.node.ledger_keys import LEDGER_KEY_FILE, LedgerKeys
from gateway.node.membership_rows import State, read_persisted
from gateway.node.records import count_clients, last_runs
from gateway.node.signing_keys import NEXT_KEYS, SIGNING_KEY_FILE, SigningKeys
from gateway.settings import NodeSettings
from gateway.wire import jws
from gateway.wire.claims import integer, moment
from gateway.wire.federation import Federation, verify_document
from gateway.wire.freshness import TYP as FRESHNESS
from gateway.wire.freshness import claimed_signer
from gateway.wire.hand_over import OperatorKeys
from gateway.wire.keys import LedgerKey, SigningKey
from gateway.wire.limits import MAX_STATEMENT_BYTES
from gateway.wire.operator import load_operator_keys
from gateway.wire.sealing_keys import SealingKeyRing

SERVE = "patchwork node serve"
_MEND = "mend the configuration, or put the file where it says"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Hub:
    """What one hub said: its document, however old, with its clock's time; or why there is none."""

    address: str
    document: Federation | None = None
    time: int | None = None
    kid: str = ""
    problem: str = ""


async def examine_node(settings: NodeSettings, clock: Clock) -> list[Finding]:
    """All checks of a node; raises nothing that a broken node could cause."""
    me, now = settings.node.member, clock.now()
    told = await _ask_all(settings, clock)
    endings, faults = _endings(settings, told.document)
    found = [wrong("configuration", problem, _MEND) for problem in (*told.problems, *faults)]
    keys = look_at_keys(settings)
    found += check_keys(keys, told.document, me, now)
    if told.facts is not None:
        found += check_document(replace(told.facts, signing=keys.signing))
    heard = any(not hub.problem for hub in told.hubs)
    for hub in told.hubs:
        found += check_hub_reach(hub.address, hub.problem, another=heard)
    held = await ask_witnesses(settings, told.document, clock)
    running = look_at_running(settings.node.data, now)
    found += check_running(running, settings=mark_of(settings), dials=settings.node.link == "dial", start=SERVE)
    found += await asyncio.to_thread(_data, settings, told, held, running, now)
    # The document's end stands with check_document() already, once it is over.
    found += findings_of((each for each in endings if each.kind != "document" or each.at > now), now)
    return found + await _doors(settings, told.document, now)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """What hubs and node know of the federation; no `facts` without the operator's key, for then nobody is believed."""

    problems: tuple[str, ...] = ()
    hubs: tuple[_Hub, ...] = ()
    facts: DocumentFacts | None = None

    @property
    def document(self) -> Federation | None:
        return None if self.facts is None else newest(self.facts)


async def _ask_all(settings: NodeSettings, clock: Clock) -> _Told:
    federation = settings.federation[0]
    problems = []
    try:
        listed_agreements(federation.agreements)
    except PatchworkError as error:
        problems.append(str(error))
    try:
        operator = load_operator_keys(federation.operator_key)
    except PatchworkError as error:
        return _Told(problems=(*problems, str(error)))
    hubs = await asyncio.gather(*(_ask_hub(url, settings, operator, clock) for url in federation.hubs))
    others = ShownKeys().take({hub.address: hub.kid for hub in hubs if hub.kid})
    hubs = [
        _Hub(address=hub.address, problem=f"it shows the key of the hub at {others[hub.address]}")
        if hub.address in others
        else hub
        for hub in hubs
    ]
    held = await asyncio.to_thread(_held, settings, operator)
    facts = DocumentFacts(
        me=settings.node.member,
        now=clock.now(),
        offered=max((hub.document for hub in hubs if hub.document), key=lambda each: each.seq, default=None),
        problem="; ".join(hub.problem for hub in hubs if hub.problem),
        held=held.document,
        fresh_until=held.fresh_until,
        alarm=held.alarm,
    )
    return _Told(problems=tuple(problems), hubs=tuple(hubs), facts=facts)


def _endings(settings: NodeSettings, document: Federation | None) -> tuple[list[Ending], list[str]]:
    """What ends, and what is wrong with the files of certificates."""
    faults = []
    for table in (settings.node.tls, settings.web.tls if settings.web is not None else None):
        faults += look_at_tls(table)[1]
    return node_endings(settings, document), faults


def _data(settings: NodeSettings, told: _Told, held: Held, running: Running | None, now: float) -> list[Finding]:
    """Databases, the record in one of them, the clock against record and hub, agreements, disk and imports."""
    folder = settings.node.data
    databases = {schema: look_at_database(folder / f"{schema}.db", schema) for schema in _schemas(settings)}
    if held.seen:  # pages may be new; the others a node has had that has a checkpoint somewhere
        lost = {name: replace(each, lost=not each.exists) for name, each in databases.items() if name != "web"}
        databases |= lost
    record = look_at_record(folder / "ledger.db", now) if databases["ledger"].readable else None
    heard = next((hub for hub in told.hubs if hub.time is not None), None)
    found = check_clock(
        ClockFacts(
            now=now,
            hub=None if heard is None else heard.time,
            whom=heard.address if heard is not None and len(told.hubs) > 1 else "",
            record=None if record is None else record.high,
        )
    )
    found += check_databases(databases.values())
    if record is not None:
        facts = replace(
            record.facts,
            doubt=compare(folder / "ledger.db", held),
            told="" if running is None else running.doubt,
            unheard=held.hub_silent,
        )
        found += check_record(facts)
        found += check_agreements(look_at_agreements(settings, told.document, now), told.document)
    found += check_disk(look_at_disk(folder))
    return found + check_sources(_sources(settings), now, clients=_clients(settings))


async def _doors(settings: NodeSettings, document: Federation | None, now: float) -> list[Finding]:
    """The node's own door, its endpoint as others see it, and the pages."""
    table, web = settings.node, settings.web
    found = []
    if table.link == "listen":
        found += check_door(await look_at_door(table.listen, tls=table.tls is not None), who="node", start=SERVE)
    member = None if document is None else document.members.get(table.member)
    served = await look_at_served(None if member is None else member.endpoint, settings.federation[0].ca_file)
    if served is not None:
        found += check_served(served, now)
    if web is not None:
        found += check_pages(await look_at_door(web.listen, tls=web.tls is not None, path="/"), SERVE)
    return found


def look_at_keys(settings: NodeSettings) -> KeyFacts:
    """The private keys of the folder, each loaded once."""
    folder = settings.node.keys
    problems: list[str] = []
    unusable: list[str] = []
    signing: set[str] = set()
    ledger, ledger_next, sealing_until = None, frozenset[str](), None
    for file in sorted({folder / SIGNING_KEY_FILE, *folder.glob(NEXT_KEYS)}):
        try:
            signing.add(SigningKey.load(file).kid)
        except ConfigurationError as error:
            problems.append(str(error))
    with suppress(ConfigurationError):  # what that would say stands there already
        unusable += [each for each in SigningKeys(folder).unusable if each not in problems]
    try:
        ledger = LedgerKey.load(folder / LEDGER_KEY_FILE).kid
        ledger_keys = LedgerKeys(folder)
        ledger_next = ledger_keys.kids - {ledger}
        unusable += ledger_keys.unusable
    except ConfigurationError as error:
        problems.append(str(error))
    try:
        sealing_until = SealingKeyRing(folder / SEALING_KEY_FOLDER).ends_at
    except ConfigurationError as error:
        problems.append(str(error))
    return KeyFacts(
        problems=tuple(problems),
        unusable=tuple(unusable),
        signing=frozenset(signing),
        ledger_kid=ledger,
        ledger_next=ledger_next,
        sealing_until=sealing_until,
        folder_mode=folder.stat().st_mode & 0o777 if folder.is_dir() else None,
    )


async def _ask_hub(url: str, settings: NodeSettings, operator: OperatorKeys, clock: Clock) -> _Hub:
    federation = settings.federation[0]
    try:
        async with aiohttp.ClientSession(
            connector=node_connector(federation.ca_file), cookie_jar=aiohttp.DummyCookieJar(), trust_env=False
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
        return _Hub(address=url, document=document, time=moment(claims, "iat"), kid=claimed_signer(freshness))
    except (ConfigurationError, HubError, WireError, FederationError) as error:
        return _Hub(address=url, problem=str(error))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    document: Federation | None = None
    fresh_until: float | None = None
    alarm: str | None = None


def _held(settings: NodeSettings, operator: OperatorKeys) -> _Held:
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


def _clients(settings: NodeSettings) -> int:
    try:
        return read_only(settings.node.data / "node.db", count_clients(settings.federation[0].id))
    except StorageError:
        return 0


def _schemas(settings: NodeSettings) -> tuple[str, ...]:
    return ("node", "ledger", "keys", *(("web",) if settings.web is not None else ()))
