"""A node's wiring: its parts, opened from its settings, and its door under the agreements that they list.

In several federations it is a `Node` in each, of folders of its own, and they share one door (node/routes.py).
"""

import contextlib
from collections.abc import Sequence
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
from gateway.errors import ConfigurationError
from gateway.http import Listener, listen, protect
from gateway.links.hub_client import HubClient, node_connector
from gateway.links.hubs import Hubs
from gateway.links.witness_client import WitnessClient
from gateway.node.admission import Admission
from gateway.node.agreements import accept_listed, listed_agreements
from gateway.node.apart import keep_apart
from gateway.node.checkpoints import Checkpoints
from gateway.node.door import AnswerDoor
from gateway.node.identity import load_identity
from gateway.node.membership import Membership
from gateway.node.parts import NodeParts
from gateway.node.probing import Budgets
from gateway.node.routes import DESK, Desk, node_application
from gateway.node.witness_door import WitnessDoor
from gateway.node.witnesses import Witnesses
from gateway.policy.agreement import Agreement
from gateway.settings import PLAIN_HTTP_WORDS, NodeSettings, apart_folders
from gateway.wire.operator import load_operator_keys

NODE_FILE = "node.db"


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """An opened node in one federation: its parts, and what has to be closed. `settings` are for that one alone."""

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


async def open_nodes(settings: NodeSettings, *, clock: Clock) -> tuple[Node, ...]:
    """A node in each of its federations, all of them or none; nothing of one is another's.

    Raises ConfigurationError, also if two share a folder or a key, or StorageError.
    """
    try:
        apart_folders([(each.node.data.resolve(), each.node.keys.resolve()) for each in settings.apart])
    except ValueError as error:  # a link from one to the other, which the words of the configuration do not show
        raise ConfigurationError(str(error)) from error
    async with contextlib.AsyncExitStack() as undo:
        nodes = []
        for each in settings.apart:
            node = await open_node(each, clock=clock)
            undo.push_async_callback(node.close)
            nodes.append(node)
        keep_apart([node.parts for node in nodes])
        undo.pop_all()
    return tuple(nodes)


async def open_node(settings: NodeSettings, *, clock: Clock) -> Node:
    """All that a node is made of in its only federation, or in the one of `settings.chosen()`; not yet listening.

    Raises ConfigurationError, StorageError, or InputError if there are several.
    """
    settings = settings.chosen()
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
    return await listen_nodes([(node, admission or admission_of(node.settings))])


async def listen_nodes(nodes: Sequence[tuple[Node, Admission]]) -> Listener:
    """One door for a node in all its federations, as listen_node() for each."""
    for node, _ in nodes:
        await accept_agreements(node)
    table = nodes[0][0].settings.node  # port and certificate are the same in each
    application = node_application([_desk(*each) for each in nodes])
    host, port = table.listen
    protect(application, time_limit_s=REQUEST_LIMIT_S)
    # After the choice of a desk, if there is one.
    counting = count_requests(*(node.parts.watch for node, _ in nodes), at=lambda request: request.get(DESK) or 0)
    application.middlewares.insert(1 if len(nodes) > 1 else 0, counting)
    return await listen(application, host=host, port=port, tls=listening_tls(table.tls))


def _desk(node: Node, admission: Admission) -> Desk:
    parts = node.parts
    return Desk(
        node=parts,
        door=answer_door_of(node, admission),
        witness=WitnessDoor(me=parts.me, membership=parts.membership, database=node.ledger_database, clock=parts.clock),
    )
