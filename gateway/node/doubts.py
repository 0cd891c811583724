"""What stands against this node's record, for whoever is given something from it (docs/ledger.md, "Failures").

(1) every entry is as it was written
(2) nothing is missing that the witnesses hold; none of them reached is no doubt, and is said
(3) when the record was restored after a loss: what was recorded just before may be missing for good
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from consent_ledger import heads
from consent_ledger.errors import LedgerError
from consent_ledger.ledger import Ledger
from gateway.database.contract import Database
from gateway.errors import LedgerDoubtful
from gateway.node.checkpoints import LAST_VISIT_S, Checkpoints


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubts:
    """`wrong`: why the record is in doubt now, empty if it is not; `not_compared`: why nobody could vouch for it today;
    `restored`: when it went on after a loss, in epoch seconds.
    """

    wrong: str
    not_compared: str
    restored: Sequence[int]


async def doubts_of(ledger: Ledger, checkpoints: Checkpoints, database: Database) -> Doubts:
    """Verify the whole record and ask its witnesses; `database` is the ledger's. Raises StorageError."""
    wrong = not_compared = ""
    try:
        await ledger.verify()  # (1)
        async with asyncio.timeout(LAST_VISIT_S):
            await checkpoints.compare()  # (2)
        not_compared = checkpoints.standing.doubt
    except (LedgerError, LedgerDoubtful) as error:
        wrong = str(error)
    except TimeoutError:
        not_compared = "its witnesses did not answer in time"
    return Doubts(wrong=wrong, not_compared=not_compared, restored=await database.read(heads.restored_at()))  # (3)
