"""Cases computed afresh from the entries alone, compared with the table, and put right where they differ."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from consent_ledger import keystore, read
from consent_ledger.append import read_head
from consent_ledger.case import CALL_BACK_HOURS, CaseId, CaseKind, CaseRow, Step, caller_of, opened_by
from consent_ledger.case_table import load_all, put, remove
from consent_ledger.errors import CaseRefused
from consent_ledger.keystore import Key
from consent_ledger.kinds import EntryKind
from consent_ledger.storage import Storage, Work

Rows = dict[CaseId, CaseRow]


async def rebuild(storage: Storage, keys: Storage) -> list[CaseId]:
    """Make the table what the entries say; returns the cases that differed. Raises LedgerCorrupt at a bad entry.

    Of somebody erased no entry can be read: the rows of their cases stay as they are.
    """
    rows: Rows = {}
    seen = 0
    while True:
        while chunk := await storage.read(read.chunk(seen)):
            secrets = await keys.read(keystore.secrets_by_id({row[2] for row in chunk}))
            for seq, federation, key_id, leaf, hashed in chunk:
                secret = secrets.get(key_id)
                entry = read.open_entry(seq, leaf, hashed, secret)
                if entry.body is not None and secret is not None:
                    _fold(rows, entry.body, Key(key_id, secret), federation, seq, entry.header.hour)
            seen = chunk[-1][0] + 1
        stored = await storage.read(load_all())
        readable = await keys.read(keystore.secrets_by_id({row.key_id for row in stored.values()}))
        differing = await storage.write(_replace(rows, seen, frozenset(readable)))
        if differing is not None:
            return differing


def _fold(rows: Rows, body: Mapping[str, Any], key: Key, federation: str, seq: int, hour: int) -> None:
    """What one entry does to the cases."""
    kind = EntryKind(body["kind"])
    for opened in opened_by(kind, body):
        caller = caller_of(body, key.secret) if opened is CaseKind.CALL_BACK else None
        if caller is not None and any(
            row.caller == caller and row.opened_hour > hour - CALL_BACK_HOURS for row in rows.values()
        ):
            continue
        case = CaseId(seq, opened)
        rows[case] = CaseRow(
            id=case, federation=federation, key_id=key.id, opened_hour=hour, applied_seq=seq, caller=caller
        )
    if kind in (EntryKind.CASE, EntryKind.FINDING):
        case = CaseId.read(body["case"])
        if case in rows:  # not if it was about somebody erased since
            with suppress(CaseRefused):  # it got on record by a table that had been tampered with: the first stands
                rows[case] = rows[case].after(Step(body["step"]), seq=seq)


def _replace(rows: Rows, size: int, readable: frozenset[bytes]) -> Work[list[CaseId] | None]:
    """None if the ledger has grown meanwhile: then the rest has to be read first."""
    tree, _ = yield from read_head()
    if tree.size != size:
        return None
    stored = yield from load_all()
    invented = [case for case, row in stored.items() if case not in rows and row.key_id in readable]
    for case in rows.keys() & stored.keys():  # whom the node told stands nowhere else
        was = stored[case]
        rows[case] = replace(rows[case], told_to=was.told_to, told_hour=was.told_hour, reminded_hour=was.reminded_hour)
    wrong = [case for case, row in rows.items() if stored.get(case) != row]
    yield from remove(invented)
    for case in wrong:
        yield from put(rows[case])
    return sorted((*invented, *wrong))
