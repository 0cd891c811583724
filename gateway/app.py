"""All wiring: which parts a node and a hub are made of, each on one screen."""

import asyncio
import contextlib
import signal
import ssl
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from consent_ledger.ledger import Ledger
from gateway import __version__
from gateway.clock import Clock, SystemClock
from gateway.database.contract import Database
from gateway.database.sqlite import open_sqlite
from gateway.errors import ConfigurationError
from gateway.events import configure_logging, emit
from gateway.http import Listener, listen, protect, server_tls
from gateway.hub.circuit import Circuits
from gateway.hub.directory import open_directory
from gateway.hub.fanout import Hub
from gateway.hub.limits import MemberLimits
from gateway.hub.routes import hub_application
from gateway.hub.sealing_keys import open_sealing_keys
from gateway.hub.witness import HubWitness, witness_key
from gateway.links.https import HttpsLink, tls_context
from gateway.links.hub_client import HubClient
from gateway.links.witness_client import WitnessClient
from gateway.matching.score import Thresholds
from gateway.memory import collect_rarely
from gateway.node.admission import Admission
from gateway.node.agreements import accept_listed, listed_agreements
from gateway.node.case_watch import keep_watch
from gateway.node.checkpoints import Checkpoints
from gateway.node.identity import load_identity
from gateway.node.membership import Membership
from gateway.node.parts import NodeParts
from gateway.node.probing import Budgets
from gateway.node.probing import Limits as BudgetLimits
from gateway.node.retention import Limits, retain_daily
from gateway.node.routes import node_application
from gateway.node.witness_door import WitnessDoor
from gateway.node.witnesses import Witnesses
from gateway.policy.agreement import Agreement
from gateway.settings import PLAIN_HTTP_WORDS, HubSettings, NodeSettings, TlsSettings
from gateway.wire.keys import SigningKey
from gateway.wire.operator import load_verify_key

HUB_KEY_FILE = "hub.pem"
REQUEST_LIMIT_S = 90.0  # longer than any deadline; a request that takes this long has been forgotten


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """An opened node: its parts, and what has to be closed."""

    parts: NodeParts
    checkpoints: Checkpoints
    settings: NodeSettings
    agreements: tuple[Agreement, ...]  # that the settings list
    database: Database
    ledger_database: Database
    keys_database: Database
    session: aiohttp.ClientSession

    async def close(self) -> None:
        """Finish what is being written, then release files and connections."""
        await self.parts.ledger.close()
        await self.session.close()
        await self.database.close()
        await self.ledger_database.close()
        await self.keys_database.close()


def thresholds_of(settings: NodeSettings) -> Thresholds:
    """How sure a node must be of a person, as its configuration has it."""
    return Thresholds(
        disclose_at=settings.matching.disclose_at,
        birth_needed=settings.matching.birth_needed,
        prior=settings.matching.registered_share,
    )


def retention_limits(settings: NodeSettings) -> Limits:
    """How long a node keeps things, as its configuration has it."""
    table = settings.retention
    return Limits(
        questions_months=table.questions_months,
        officers_years=table.officers_years,
        rejected_days=table.rejected_days,
    )


def limits_of(settings: NodeSettings) -> BudgetLimits:
    """How often anybody may ask in a day, as a node's configuration has it."""
    budgets = settings.budgets
    return BudgetLimits(
        per_practitioner=budgets.questions_per_practitioner,
        per_member=budgets.questions_per_member,
        break_glass_per_practitioner=budgets.break_glass_per_practitioner,
        break_glass_per_member=budgets.break_glass_per_member,
        per_person=budgets.questions_per_person,
        variants_per_person=budgets.variants_per_person,
    )


async def open_node(settings: NodeSettings, *, clock: Clock) -> Node:
    """All that a node is made of, not yet listening; raises ConfigurationError or StorageError."""
    federation = settings.federation[0]
    me = load_identity(settings.node.keys, member=settings.node.member, federation=federation.id)
    operator_key = load_verify_key(federation.operator_key)
    agreements = listed_agreements(federation.agreements)
    data = settings.node.data
    make_private_folder(data)
    async with contextlib.AsyncExitStack() as undo:
        ledger_database = await open_sqlite(data / "ledger.db", schema="ledger")
        undo.push_async_callback(ledger_database.close)
        keys_database = await open_sqlite(data / "keys.db", schema="keys")
        undo.push_async_callback(keys_database.close)
        database = await open_sqlite(
            data / "node.db", schema="node", attach={"ledger": data / "ledger.db", "keys": data / "keys.db"}
        )
        undo.push_async_callback(database.close)
        ledger = Ledger(ledger_database, keys_database, clock.now, federation.id)
        await ledger.start()
        undo.push_async_callback(ledger.close)
        session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=tls_context(federation.ca_file)),
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
        )
        undo.push_async_callback(session.close)
        hub = HubClient(
            session,
            federation.hubs[0],
            member=me.member,
            federation=federation.id,
            key=me.signing_key,
            clock=clock,
        )
        membership = Membership(
            me=me,
            operator_key=operator_key,
            operator_decides=federation.accept_members == "operator",
            database=database,
            hub=hub,
            clock=clock,
        )
        await membership.load()
        undo.pop_all()
    parts = NodeParts(
        me=me,
        membership=membership,
        database=database,
        ledger=ledger,
        budgets=Budgets(keys_database, federation.id, clock, limits_of(settings)),
        hub=hub,
        clock=clock,
        display_s=settings.node.display_hours * 3600,
        thresholds=thresholds_of(settings),
    )
    checkpoints = Checkpoints(
        me=me,
        ledger=ledger,
        database=ledger_database,
        witnesses=Witnesses(
            me=me,
            membership=membership,
            client=WitnessClient(session, member=me.member, key=me.signing_key, clock=clock),
            hub=federation.hubs[0],
            members=settings.ledger.witnesses,
            plain_http=settings.node.plain_http == PLAIN_HTTP_WORDS,
        ),
        standing=parts.standing,
        clock=clock,
    )
    return Node(
        parts=parts,
        checkpoints=checkpoints,
        settings=settings,
        agreements=agreements,
        database=database,
        ledger_database=ledger_database,
        keys_database=keys_database,
        session=session,
    )


async def accept_agreements(node: Node) -> None:
    """Accept what the settings list, and no longer what they do not: when a node starts to serve, and when it asks.

    No other command does it: looking at a node's status or importing must not change with whom it shares.
    """
    await accept_listed(
        node.agreements, ledger=node.parts.ledger, database=node.database, federation=node.parts.me.federation
    )


async def listen_node(node: Node) -> Listener:
    """Open the node's door, under the agreements of its settings; raises ConfigurationError when the port is taken."""
    await accept_agreements(node)
    table = node.settings.node
    parts = node.parts
    witness = WitnessDoor(me=parts.me, membership=parts.membership, database=node.ledger_database, clock=parts.clock)
    admission = Admission(
        most=table.max_in_flight, delay_s=table.answer_delay_ms / 1000, measured=table.admission == "measured"
    )
    application = node_application(parts, witness, answer_delay_ms=table.answer_delay_ms, admission=admission)
    host, port = table.listen
    protect(application, time_limit_s=REQUEST_LIMIT_S)
    return await listen(application, host=host, port=port, tls=_tls(table.tls))


async def serve_node(settings: NodeSettings, *, clock: Clock | None = None) -> None:
    """Run a node until SIGINT or SIGTERM."""
    configure_logging()
    node = await open_node(settings, clock=clock or SystemClock())
    try:
        await node.checkpoints.begin()
        listener = await listen_node(node)
        collect_rarely()
        emit("node.started", member=node.parts.me.member, port=listener.port, version=__version__)
        async with asyncio.TaskGroup() as group:  # a fault in any ends the node: it must not go stale unnoticed
            tasks = [
                group.create_task(node.parts.membership.keep_fresh()),
                group.create_task(node.checkpoints.keep()),
                group.create_task(node.checkpoints.keep_verified()),
                group.create_task(retain_daily(node.parts, node.ledger_database, retention_limits(settings))),
                group.create_task(keep_watch(node.parts, settings.cases)),
            ]
            await _until_stopped()
            for task in tasks:
                task.cancel()
        await listener.close()
        await node.checkpoints.end()
    finally:
        await node.close()
    emit("node.stopped", member=node.parts.me.member)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningHub:
    """A hub that listens."""

    hub: Hub
    listener: Listener

    async def close(self) -> None:
        """Stop listening, then release links and database."""
        await self.listener.close()
        await self.hub.link.close()
        await self.hub.database.close()


async def open_hub(settings: HubSettings, *, clock: Clock) -> RunningHub:
    """A hub that listens; raises ConfigurationError or StorageError."""
    table = settings.hub
    key = SigningKey.load(table.keys / HUB_KEY_FILE)
    make_private_folder(table.data)
    plain_http = table.plain_http == PLAIN_HTTP_WORDS
    async with contextlib.AsyncExitStack() as undo:
        database = await open_sqlite(table.data / "hub.db", schema="hub")
        undo.push_async_callback(database.close)
        directory = await open_directory(
            document=table.federation_document,
            operator_key=load_verify_key(table.operator_key),
            hub_key=key,
            database=database,
            clock=clock,
        )
        sealing_keys = await open_sealing_keys(directory=directory, database=database, clock=clock)
        link = HttpsLink(key=key, clock=clock, ca_file=table.ca_file, plain_http=plain_http)
        undo.push_async_callback(link.close)
        hub = Hub(
            directory=directory,
            database=database,
            limits=MemberLimits(
                rate_per_minute=table.rate_per_minute, max_concurrent=table.max_concurrent, clock=clock
            ),
            circuits=Circuits(clock=clock),
            link=link,
            key=key,
            clock=clock,
            deadline_ms=table.deadline_ms,
        )
        witness = HubWitness(key=witness_key(table.keys), hub_key=key, database=database)
        application = hub_application(hub=hub, sealing_keys=sealing_keys, witness=witness)
        protect(application, time_limit_s=REQUEST_LIMIT_S)
        host, port = table.listen
        listener = await listen(application, host=host, port=port, tls=_tls(table.tls))
        undo.pop_all()
    return RunningHub(hub=hub, listener=listener)


async def serve_hub(settings: HubSettings) -> None:
    """Run a hub until SIGINT or SIGTERM."""
    configure_logging()
    running = await open_hub(settings, clock=SystemClock())
    collect_rarely()
    emit("hub.started", hub=settings.hub.id, port=running.listener.port, version=__version__)
    await _until_stopped()
    await running.close()
    emit("hub.stopped", hub=settings.hub.id)


def make_private_folder(folder: Path) -> None:
    """Make a folder that only its owner may enter; raises ConfigurationError naming it."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(f"{folder}: cannot be made: {error.strerror}") from error


def _tls(table: TlsSettings | None) -> ssl.SSLContext | None:
    return None if table is None else server_tls(table.certificate, table.key)


async def _until_stopped() -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    await stopped.wait()
