"""Lets the time limits of `[retention]` take effect: once a day while a node serves, and on command.

(1) what imports could not use: rows of runs that ended so long ago
(2) ids of questions that have expired for good
(3) secrets of months (questions) and years (officers' acts) that ended so long ago: put on record, then destroyed.
    Only under a clock that agrees with the hub's: one that runs ahead would destroy what nobody can bring back
"""

import asyncio
import logging
from dataclasses import dataclass
from datetime import UTC, datetime

from consent_ledger.errors import LedgerError
from consent_ledger.governance import RetentionEntry
from consent_ledger.retention import periods_over, purge_replay
from gateway.database.contract import Database, Statement, Work
from gateway.errors import FederationError, LedgerDoubtful, PatchworkError
from gateway.events import emit
from gateway.node.parts import NodeParts

DAY_S = 86_400.0
AGAIN_S = 600.0  # when the clock could not be compared: a node that has just started has not heard from the hub


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long: months of questions, years of officers' acts (0 for ever), days of rejected records (0 for ever)."""

    questions_months: int
    officers_years: int
    rejected_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Retained:
    """What went: rows and periods. `periods` None: none was looked at, as clock or ledger cannot be trusted now."""

    rejected: int
    replay: int
    periods: tuple[str, ...] | None


async def retain(node: NodeParts, ledger_database: Database, limits: Limits) -> Retained:
    """Apply the limits once; raises StorageError or LedgerError."""
    now = node.clock.now()
    rejected = 0
    if limits.rejected_days:
        rejected = await node.database.write(_drop_rejected(now - limits.rejected_days * DAY_S))  # (1)
    replay = await ledger_database.write(purge_replay())  # (2)
    try:
        node.membership.current()
        node.standing.check()
    except (FederationError, LedgerDoubtful):
        return Retained(rejected=rejected, replay=replay, periods=None)
    held = dict(await node.ledger.periods())  # (3)
    today = datetime.fromtimestamp(now, UTC).date()
    over = periods_over(held, today=today, months=limits.questions_months, years=limits.officers_years)
    if over:
        await node.ledger.note(RetentionEntry(periods={period: held[period] for period in over}))
    for period in over:
        await node.ledger.destroy_period(period)
    return Retained(rejected=rejected, replay=replay, periods=over)


async def retain_daily(node: NodeParts, ledger_database: Database, limits: Limits) -> None:
    """Until cancelled; what fails today is tried tomorrow."""
    while True:
        pause = DAY_S
        try:
            done = await retain(node, ledger_database, limits)
            emit("retention.applied", rejected=done.rejected, replay=done.replay, periods=len(done.periods or ()))
            if done.periods is None:
                pause = AGAIN_S
        except (PatchworkError, LedgerError) as error:
            emit("retention.failed", level=logging.ERROR, code=getattr(error, "code", "ledger"))
        await asyncio.sleep(pause)


def _drop_rejected(before: float) -> Work[int]:
    ((count,),) = yield Statement(
        "SELECT count(*) FROM rejected_record WHERE run_id IN (SELECT id FROM import_run WHERE finished_at < ?)",
        (before,),
    )
    yield Statement(
        "DELETE FROM rejected_record WHERE run_id IN (SELECT id FROM import_run WHERE finished_at < ?)", (before,)
    )
    return int(count)
