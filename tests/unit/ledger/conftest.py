"""A ledger on real files, with a clock that the test sets."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from consent_ledger.append import NO_CONSENTS
from consent_ledger.entries import AnsweredEntry, Asker
from consent_ledger.ledger import Ledger
from gateway.database.sqlite import SqliteDatabase, open_sqlite

START = 1_795_000_000.0  # 2026-11-18T11:06:40Z
AGREEMENT = "a" * 64


@dataclass
class SetClock:
    """A clock that stands until it is set."""

    time: float = START

    def __call__(self) -> float:
        return self.time


@dataclass
class Files:
    """The two files of a ledger, and databases and ledgers opened on them, as by processes of their own."""

    folder: Path
    clock: SetClock = field(default_factory=SetClock)
    opened: list[Any] = field(default_factory=list)

    async def databases(self) -> tuple[SqliteDatabase, SqliteDatabase]:
        """Ledger and key store; a ledger's reader sees both, as a node's does."""
        keys = await open_sqlite(self.folder / "keys.db", schema="keys")
        storage = await open_sqlite(
            self.folder / "ledger.db", schema="ledger", attach={"keys": self.folder / "keys.db"}
        )
        self.opened += [keys, storage]
        return storage, keys

    async def ledger(self) -> tuple[Ledger, SqliteDatabase]:
        """A started ledger and its database."""
        storage, keys = await self.databases()
        ledger = Ledger(storage, keys, self.clock, "northshire")
        await ledger.start()
        self.opened.append(ledger)
        return ledger, storage

    async def close(self) -> None:
        """Close what was opened, latest first."""
        while self.opened:
            await self.opened.pop().close()


@pytest.fixture
async def files(tmp_path: Path) -> AsyncIterator[Files]:
    """Files of a new ledger."""
    files = Files(tmp_path)
    yield files
    await files.close()


def answered(jti: str, **changes: Any) -> AnsweredEntry:
    """An answer about person 7, of whom no consent is on record."""
    facts: dict[str, Any] = {
        "issuer": "childrens-services",
        "jti": jti,
        "expires_at": int(START) + 60,
        "query_sha256": "c" * 64,
        "asker": Asker(member="childrens-services", practitioner="p1", name="Asker One", role="r", organisation="o"),
        "purpose": "COC",
        "outcome": "teams",
        "person_id": 7,
        "consent_head": NO_CONSENTS,
        "question": {"purpose": "COC"},
        "decisions": ({"effect": "permit", "rule": "coordination"},),
    }
    return AnsweredEntry(**(facts | changes))


def unmatched(jti: str, **changes: Any) -> AnsweredEntry:
    """An answer to a question that matched nobody."""
    nothing: dict[str, Any] = {"person_id": None, "consent_head": None, "question": None, "decisions": ()}
    return answered(jti, outcome="nothing-to-disclose", **nothing, **changes)
