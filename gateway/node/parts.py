"""What a node's steps are handed: made once in app/node.py, passed on whole, replaced by nothing at run time."""

from dataclasses import dataclass, field

from consent_ledger.ledger import Ledger
from gateway.clock import Clock
from gateway.database.contract import Database
from gateway.links.hubs import Hubs
from gateway.matching.score import DEFAULT_THRESHOLDS, Thresholds
from gateway.node.identity import Identity
from gateway.node.membership import Membership
from gateway.node.probing import Budgets
from gateway.node.standing import Standing
from gateway.telemetry.watch import NodeWatch


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeParts:
    """One running node. `database` reads the node's, the ledger's and the key store's tables in one visit."""

    me: Identity
    membership: Membership
    database: Database
    ledger: Ledger
    budgets: Budgets
    hubs: Hubs
    clock: Clock
    display_s: int
    thresholds: Thresholds = DEFAULT_THRESHOLDS
    standing: Standing = field(default_factory=Standing)
    watch: NodeWatch = field(default_factory=NodeWatch)
