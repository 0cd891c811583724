"""Lets the time limits of `[retention]` take effect: once a day while a node serves, and on command.

(1) what imports could not use: rows of runs that ended so long ago
(2) ids of questions that have expired for good
Only under a clock that agrees with the hub's, for one that runs ahead would destroy what nobody can bring back:
(3) count what went to and fro while it can still be opened
(4) answers kept as evidence, counts, and notes of late answers that were never needed
(5) secrets of months (questions) and years (officers' acts) that ended so long ago: put on record, then destroyed
Rows go a piece at a time, each in a transaction of its own.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

from consent_ledger.errors import LedgerError
from consent_ledger.governance import RetentionEntry
from consent_ledger.retention import drop_replay, periods_over
from consent_ledger.retention_beside import (
    PIECE_ROWS,
    drop_answers,
    drop_counts,
    drop_late,
    hour_of_day,
    hour_of_month,
)
from gateway.database.contract import Database, Statement, Work
from gateway.days import DAY_S, day_of
from gateway.errors import FederationError, LedgerDoubtful, PatchworkError, logged
from gateway.events import emit
from gateway.node.parts import NodeParts
from gateway.node.storage_fault import storage_fault

LATE_DAYS = 1  # a note of a late answer is used within the hour, or never
PAUSE_S = 0.02  # between two pieces
MAX_PIECES = 1000  # of one kind in one run: 250,000 rows, within half a minute
AGAIN_S = 600.0  # when the clock could not be compared: a node that has just started has not heard from the hub


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionLimits:
    """How long, and 0 for ever: months of questions and of answers that left, years of officers' acts, days of counts
    and of rejected records.
    """

    questions_months: int
    officers_years: int
    answers_months: int
    counts_days: int
    rejected_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Retained:
    """What went: rows and periods. `periods` None: neither they nor answers and counts were looked at, as clock or
    ledger cannot be trusted now.
    """

    rejected: int
    replay: int
    answers: int = 0
    counts: int = 0
    periods: tuple[str, ...] | None


async def retain(node: NodeParts, ledger_database: Database, limits: RetentionLimits) -> Retained:
    """Apply the limits once; raises StorageError or LedgerError."""
    now = node.clock.now()
    rejected = 0
    if limits.rejected_days:
        rejected_before = now - limits.rejected_days * DAY_S
        rejected = await _in_pieces(node.database, lambda: _drop_rejected(rejected_before))  # (1)
    replay = await _in_pieces(ledger_database, lambda: drop_replay(PIECE_ROWS))  # (2)
    try:
        node.membership.current()
        node.standing.check()
    except (FederationError, LedgerDoubtful):
        return Retained(rejected=rejected, replay=replay, periods=None)
    await node.ledger.settle(pause_s=PAUSE_S)  # (3)
    answers_before = hour_of_month(now, limits.answers_months)  # (4)
    counts_before = hour_of_day(now, limits.counts_days)
    answers = await _in_pieces(ledger_database, lambda: drop_answers(answers_before))
    counts = await _in_pieces(ledger_database, lambda: drop_counts(counts_before))
    await _in_pieces(ledger_database, lambda: drop_late(hour_of_day(now, LATE_DAYS)))
    held = dict(await node.ledger.periods())  # (5)
    today = day_of(now)
    over = periods_over(held, today=today, months=limits.questions_months, years=limits.officers_years)
    if over:
        await node.ledger.note(RetentionEntry(periods={period: held[period] for period in over}))
    for period in over:
        await node.ledger.destroy_period(period)
    return Retained(rejected=rejected, replay=replay, periods=over, answers=answers, counts=counts)


async def retain_daily(node: NodeParts, ledger_database: Database, limits: RetentionLimits) -> None:
    """Until cancelled; what fails today is tried tomorrow."""
    while True:
        pause: float = DAY_S
        try:
            done = await retain(node, ledger_database, limits)
            emit(
                "retention.applied",
                rejected=done.rejected,
                replay=done.replay,
                answers=done.answers,
                counts=done.counts,
                periods=len(done.periods or ()),
            )
            if done.periods is None:
                pause = AGAIN_S
        except (PatchworkError, LedgerError) as error:
            fault = storage_fault(error) if isinstance(error, LedgerError) else error
            emit("retention.failed", level=logging.ERROR, **logged(fault))
        await asyncio.sleep(pause)


async def _in_pieces(database: Database, piece: Callable[[], Work[int]]) -> int:
    """Drop what is over, with room for answers in between; what is left after MAX_PIECES is left for tomorrow."""
    dropped = 0
    for _ in range(MAX_PIECES):
        rows = await database.write(piece())
        dropped += rows
        if rows < PIECE_ROWS:
            break
        await asyncio.sleep(PAUSE_S)
    return dropped


def _drop_rejected(before: float) -> Work[int]:
    rows = yield Statement(
        "DELETE FROM rejected_record WHERE id IN (SELECT id FROM rejected_record"
        " WHERE run_id IN (SELECT id FROM import_run WHERE finished_at < ?) LIMIT ?) RETURNING 1",
        (before, PIECE_ROWS),
    )
    return len(rows)
