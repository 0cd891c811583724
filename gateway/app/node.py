"""A node's wiring: its parts, opened from its settings, and its door under the agreements that they list."""

import contextlib
from dataclasses import dataclass

import aiohttp

from consent_ledger.ledger import Ledger
from gateway.app.counting import count_requests
from gateway.app.node_limits import admission_of, budget_limits_of, thresholds_of
from gateway.app.opening import REQUEST_LIMIT_S, listening_tls, make_private_folder
from gateway.clock import Clock
from gateway.database.contract import Database
from gateway.database.sqlite import open_sqlite
from gateway.days import HOUR_S
from gateway.http import Listener, listen, protect
from gateway.links.hub_client import HubClient, node_connector
from gateway.links.hubs import Hubs
from gateway.links.witness_client import WitnessClient
from gateway.node.admission import Admission
from gateway.node.agreements import accept_listed, listed_agreements
from gateway.node.checkpoints import Checkpoints
from gateway.node.door import AnswerDoor
from gateway.node.identity import load_identity
from gateway.node.membership import Membership
from gateway.node.parts import NodeParts
from gateway.node.probing import Budgets
from gateway.node.routes import node_application
from gateway.node.witness_door import WitnessDoor
from gateway.node.witnesses import Witnesses
from gateway.policy.agreement import Agreement
from gateway.settings import PLAIN_HTTP_WORDS, NodeSettings
from gateway.wire.operator import load_operator_keys

NODE_FILE = "node.db"


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


async def open_node(settings: NodeSettings, *, clock: Clock) -> Node:
    """All that a node is made of, not yet listening; raises ConfigurationError or StorageError."""
    federation = settings.federation[0]
    me = load_identity(settings.node.keys, member=settings.node.member, federation=federation.id)
    agreements = listed_agreements(federation.agreements)
    data = settings.node.data
    make_private_folder(data)
    async with contextlib.AsyncExitStack() as undo:
        ledger_database = await open_sqlite(data / "ledger.db", schema="ledger")
        undo.push_async_callback(ledger_database.close)
        keys_database = await open_sqlite(data / "keys.db", schema="keys")
        undo.push_async_callback(keys_database.close)
        database = await open_sqlite(
            data / NODE_FILE, schema="node", attach={"ledger": data / "ledger.db", "keys": data / "keys.db"}
        )
        undo.push_async_callback(database.close)
        ledger = Ledger(ledger_database, keys_database, clock.now, federation.id)
        await ledger.start()
        undo.push_async_callback(ledger.close)
        session = aiohttp.ClientSession(
            connector=node_connector(federation.ca_file),
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
        )
        undo.push_async_callback(session.close)
        hubs = Hubs(
            [
                HubClient(
                    session,
                    url,
                    member=me.member,
                    federation=federation.id,
                    key=lambda: me.signing_key,
                    clock=clock,
                )
                for url in federation.hubs
            ],
            clock=clock,
        )
        membership = Membership(
            me=me,
            operator_keys=lambda: load_operator_keys(federation.operator_key),
            operator_decides=federation.accept_members == "operator",
            database=database,
            hubs=hubs,
            clock=clock,
        )
        await membership.load()
        undo.pop_all()
    parts = NodeParts(
        me=me,
        membership=membership,
        database=database,
        ledger=ledger,
        budgets=Budgets(keys_database, federation.id, clock, budget_limits_of(settings)),
        hubs=hubs,
        clock=clock,
        display_s=settings.node.display_hours * HOUR_S,
        thresholds=thresholds_of(settings),
    )
    checkpoints = Checkpoints(
        me=me,
        ledger=ledger,
        database=ledger_database,
        witnesses=Witnesses(
            me=me,
            membership=membership,
            client=WitnessClient(session, member=me.member, key=lambda: me.signing_key, clock=clock),
            hub=federation.witness_hub or federation.hubs[0],
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


def answer_door_of(node: Node, admission: Admission) -> AnswerDoor:
    """Where this process takes questions, whichever link brings them."""
    node.parts.watch.places = lambda: admission.places
    return AnswerDoor(node.parts, answer_delay_ms=node.settings.node.answer_delay_ms, admission=admission)


async def listen_node(node: Node, admission: Admission | None = None) -> Listener:
    """Open the node's door, under the agreements of its settings; raises ConfigurationError when the port is taken.

    `admission`: for who will stop it later; by default one as the settings have it.
    """
    await accept_agreements(node)
    table = node.settings.node
    parts = node.parts
    witness = WitnessDoor(me=parts.me, membership=parts.membership, database=node.ledger_database, clock=parts.clock)
    application = node_application(parts, witness, answer_door_of(node, admission or admission_of(node.settings)))
    host, port = table.listen
    protect(application, time_limit_s=REQUEST_LIMIT_S)
    application.middlewares.insert(0, count_requests(parts.watch))
    return await listen(application, host=host, port=port, tls=listening_tls(table.tls))
