"""Erasing a person reaches every table of the pages that knows people by their ids, those of later versions too."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from gateway.accounts.erase import TABLES, forget_person
from gateway.database.contract import Statement, Work
from gateway.database.sqlite import open_sqlite


def tables_about_people() -> Work[set[str]]:
    """Every table of the file with a column `person_id`."""
    found = set()
    tables = yield Statement("SELECT name FROM sqlite_master WHERE type = 'table'")
    for (table,) in tables:
        columns = yield Statement(f"PRAGMA table_info({table})")
        found |= {table} if "person_id" in {column[1] for column in columns} else set()
    return found


def look(account_id: int, people: Iterable[int]) -> Work[None]:
    yield Statement(
        "INSERT INTO account (id, public_id, federation, name, job_role, created_at) VALUES (?, ?, 'f', 'n', 'r', 0)",
        (account_id, str(account_id)),
    )
    yield Statement(
        "INSERT INTO client_seen (account_id, person_id, seen, at) VALUES (?, ?, X'00', 0)",
        [(account_id, person_id) for person_id in people],
    )


def seen() -> Work[list[tuple[int, int]]]:
    rows = yield Statement("SELECT account_id, person_id FROM client_seen ORDER BY 1, 2")
    return [(account_id, person_id) for account_id, person_id in rows]


async def test_no_table_that_knows_people_is_left_out(tmp_path: Path) -> None:
    database = await open_sqlite(tmp_path / "web.db", schema="web")
    assert await database.read(tables_about_people()) == set(TABLES)
    await database.close()


@pytest.mark.parametrize("erased", [(), (7,), (7, 9)])
async def test_the_rows_of_these_ids_go_and_no_others(tmp_path: Path, erased: tuple[int, ...]) -> None:
    database = await open_sqlite(tmp_path / "web.db", schema="web")
    for account_id in (1, 2):
        await database.write(look(account_id, (7, 8, 9)))
    await database.write(forget_person(erased))
    left = [(account, person) for account in (1, 2) for person in (7, 8, 9) if person not in erased]
    assert await database.read(seen()) == left
    await database.close()
