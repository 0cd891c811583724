"""Tells this agency's manager of governance cases, and reminds them; only a serving node does it.

About once a minute, (1) whoever is to be told of a new case, is: marked in the case's row, then as an event; (2) an
overdue case is reminded of, at most once a day, the same way. It knows nothing of the answer that opened a case, so
that nothing of it shows in when an answer leaves. The mark is on disk first: neither a restart nor a second process
does it twice. It is no entry, for that would show in the ledger's size (consent_ledger/case.py).
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable

from consent_ledger.case import CaseId, Mark
from consent_ledger.case_table import load_waiting
from consent_ledger.errors import CaseRefused, LedgerError
from gateway.errors import StorageError, logged
from gateway.events import emit
from gateway.node.cases import due_hour
from gateway.node.parts import NodeParts
from gateway.node.storage_fault import storage_fault
from gateway.settings import CasesTable

WATCH_S = 60.0
MAX_WATCHED = 100  # cases looked after each time, oldest first: each a durable write of its row

Tell = Callable[[CaseId, Mark], Awaitable[None]]  # further ways of telling people; a failure of theirs is StorageError


async def keep_watch(node: NodeParts, settings: CasesTable, tell: Tell | None = None) -> None:
    """Watch for ever; what cannot be marked now is tried again."""
    while True:
        try:
            await watch(node, settings, tell)
        except (LedgerError, StorageError) as error:
            fault = error if isinstance(error, StorageError) else storage_fault(error)
            emit("case.watch_failed", level=logging.WARNING, **logged(fault))
        await asyncio.sleep(WATCH_S * random.uniform(0.2, 1.0))  # noqa: S311 - so that no asker knows when, nothing more


async def watch(node: NodeParts, settings: CasesTable, tell: Tell | None = None) -> None:
    """Look once; raises LedgerError, StorageError. A ledger that is in doubt is left alone."""
    if node.standing.doubt:
        return
    now = node.clock.now()
    due_from = due_hour(now, settings.days)
    waiting = load_waiting(node.me.federation, due_from=due_from, hour=due_hour(now, 0), limit=MAX_WATCHED)
    for row in await node.database.read(waiting):
        if row.told_hour is None and await _marked(node, row.id, Mark.TOLD, settings):  # (1)
            emit("case.opened", case=str(row.id), kind=row.id.kind.value)
            await _tell(tell, row.id, Mark.TOLD)
        if row.opened_hour <= due_from and await _marked(node, row.id, Mark.REMINDED, settings):  # (2)
            emit("case.overdue", level=logging.WARNING, case=str(row.id), kind=row.id.kind.value)
            await _tell(tell, row.id, Mark.REMINDED)


async def _tell(tell: Tell | None, case: CaseId, mark: Mark) -> None:
    if tell is not None:
        await tell(case, mark)


async def _marked(node: NodeParts, case: CaseId, mark: Mark, settings: CasesTable) -> bool:
    """False if it was done today, or another process of this node or an officer was first."""
    try:
        await node.ledger.mark_case(case, mark, to=settings.told)
    except CaseRefused:
        return False
    return True
